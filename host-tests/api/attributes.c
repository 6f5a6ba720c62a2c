/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of vCPUs and VMs: Documentation/virt/kvm/devices/vcpu.rst (PMU, stolen time), devices/vm.rst (SMCCC
 * filter), api.rst 4.85 KVM_ARM_SET_DEVICE_ADDR.
 */
#include "gicreg.h"
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>
#include <string.h>

#define BAD_POINTER ((void *)0xffff000000000000UL)
#define PMU_IRQ	    KVM_ARM_VCPU_PMU_V3_IRQ
#define PMU_INIT    KVM_ARM_VCPU_PMU_V3_INIT
#define PMU_FILTER  KVM_ARM_VCPU_PMU_V3_FILTER

/* ---- PMU, vcpu.rst 1 */

static struct vm *pmu_vm(unsigned int gic, unsigned int vcpus, bool init)
{
	if (kvm_cap(KVM_CAP_ARM_PMU_V3) <= 0)
		SKIP_NEEDS("pmu", "KVM_CAP_ARM_PMU_V3 is 0 on this host");
	return vm_new(.vcpus = vcpus, .gic = gic, .no_gic_init = !init,
		      .features = 1U << KVM_ARM_VCPU_PMU_V3, .entry = guest_nothing);
}

static int pmu_set(struct vm *vm, unsigned int i, uint64_t attr, void *value)
{
	return dev_try_set(vm->vcpu[i]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, attr, value);
}

static int pmu_irq(struct vm *vm, unsigned int i, int irq)
{
	return pmu_set(vm, i, PMU_IRQ, &irq);
}

/* 1.1: a PPI, the same for all vCPUs, or an SPI, another for each; set once; before INIT */
TEST(api, pmu_interrupt_rules_hold, RULE("KVM-PMU-1"))
{
	struct vm *vm = pmu_vm(GIC_ANY, 3, true);
	int irq = 0;

	EXPECT_REFUSED(dev_try_get(vm->vcpu[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, PMU_IRQ, &irq),
		       ENXIO);
	EXPECT_REFUSED(pmu_irq(vm, 0, 0), EINVAL);
	EXPECT_REFUSED(pmu_irq(vm, 0, 15), EINVAL);
	EXPECT_REFUSED(pmu_irq(vm, 0, 1020), EINVAL);
	EXPECT_REFUSED(pmu_irq(vm, 0, -1), EINVAL);
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_IRQ, BAD_POINTER), EFAULT);
	EXPECT_OK(pmu_irq(vm, 0, 23));
	EXPECT_REFUSED(pmu_irq(vm, 0, 23), EBUSY);
	EXPECT_REFUSED(pmu_irq(vm, 1, 24), EINVAL);
	EXPECT_OK(pmu_irq(vm, 1, 23));
	EXPECT_OK(dev_try_get(vm->vcpu[1]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, PMU_IRQ, &irq));
	EXPECT_EQ(irq, 23);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_OK(pmu_set(vm, i, PMU_INIT, NULL));
		EXPECT_REFUSED(pmu_set(vm, i, PMU_INIT, NULL), EBUSY);
		EXPECT_REFUSED(pmu_irq(vm, i, 23), EBUSY);
		RUN_TO_END(vm, i);
	}
}

TEST(api, pmu_spi_is_each_vcpus_own, RULE("KVM-PMU-1"))
{
	struct vm *vm = pmu_vm(GIC_ANY, 2, true);

	EXPECT_OK(pmu_irq(vm, 0, 40));
	EXPECT_REFUSED(pmu_irq(vm, 1, 40), EINVAL);
	EXPECT_REFUSED(pmu_irq(vm, 1, 23), EINVAL);
	EXPECT_OK(pmu_irq(vm, 1, 41));
}

/* 1.2: INIT needs an initialized vGIC (ENODEV), an interrupt (ENXIO); without a vGIC neither; a run needs INIT (EINVAL) */
TEST(api, pmu_init_order_holds, RULE("KVM-PMU-2"))
{
	struct vm *early = pmu_vm(3, 1, false), *vm = pmu_vm(GIC_ANY, 1, true),
		  *bare = pmu_vm(0, 1, true);
	int irq = 23;

	EXPECT_OK(pmu_irq(early, 0, 23));
	EXPECT_REFUSED(pmu_set(early, 0, PMU_INIT, NULL), ENODEV);
	EXPECT_OK(vm_try_init_gic(early));
	EXPECT_OK(pmu_set(early, 0, PMU_INIT, NULL));
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_INIT, NULL), ENXIO);
	EXPECT_REFUSED(vcpu_run(vm, 0), EINVAL);
	EXPECT_REFUSED(pmu_irq(bare, 0, irq), EINVAL);
	EXPECT_OK(pmu_set(bare, 0, PMU_INIT, NULL));
	RUN_TO_END(bare, 0);
}

/* No PMU, no attributes: ENODEV to set (vcpu.rst), ENXIO of HAS */
TEST(api, vcpu_without_pmu_has_no_pmu_attributes, RULE("KVM-PMU-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(pmu_irq(vm, 0, 23), ENODEV);
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_INIT, NULL), ENODEV);
	EXPECT_REFUSED(dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, PMU_INIT), ENXIO);
	EXPECT_REFUSED(dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, PMU_IRQ), ENXIO);
	EXPECT_REFUSED(dev_try_has(vm->vcpu[0]->fd, 77, 0), ENXIO);
	EXPECT_REFUSED(dev_try_set(vm->vcpu[0]->fd, 77, 0, NULL), ENXIO);
	EXPECT_REFUSED(dev_try_get(vm->vcpu[0]->fd, 77, 0, NULL), ENXIO);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* PMCEID0_EL0: bits 0 to 31 are events (DDI 0487 D24.5). SW_INCR is 0, CPU_CYCLES 0x11. */
GUEST(read_pmceid)
{
	guest_result(0, guest_sysreg(pmceid0_el0));
	/* counts events 0 by hand: PMEVTYPER0 = SW_INCR, enabled, three times */
	guest_set_sysreg(pmevtyper0_el0, 0);
	guest_set_sysreg(pmevcntr0_el0, 0);
	guest_set_sysreg(pmcntenset_el0, 1);
	guest_set_sysreg(pmcr_el0, 1);
	for (unsigned int i = 0; i < 3; i++)
		guest_set_sysreg(pmswinc_el0, 1);
	guest_result(1, guest_sysreg(pmevcntr0_el0));
	/* the cycle counter, at EL1 too, until it has counted or long enough */
	guest_set_sysreg(pmccfiltr_el0, 0);
	guest_set_sysreg(pmccntr_el0, 0);
	guest_set_sysreg(pmcntenset_el0, 1U << 31);
	for (uint64_t i = guest_arg(0); i && !guest_sysreg(pmccntr_el0); i--)
		;
	guest_result(2, guest_sysreg(pmccntr_el0));
}

/* 1.3: the first filter's action decides what all others are; ALLOW: nothing else, DENY: all else; later ones add */
TEST(api, pmu_event_filter_decides_what_counts, RULE("KVM-PMU-4"),
     VARIANTS("none: filter=0 | deny: filter=1 | allow: filter=2 | allow-other: filter=3 | both: "
	      "filter=4"))
{
	struct vm *vm = pmu_vm(GIC_ANY, 1, true);
	unsigned int what = (unsigned int)test_param_u64("filter", 0);
	struct kvm_pmu_event_filter f = {
		.base_event = 0, .nevents = 1, .action = KVM_PMU_EVENT_DENY};
	bool counts = what == 0 || what == 2 || what == 4;

	if (what == 2)
		f.action = KVM_PMU_EVENT_ALLOW;
	if (what == 3) {
		f.action = KVM_PMU_EVENT_ALLOW;
		f.base_event = 0x11;
	}
	if (what)
		ASSERT_OK(pmu_set(vm, 0, PMU_FILTER, &f));
	f.base_event = 0;
	f.action = KVM_PMU_EVENT_ALLOW;
	if (what == 4)
		ASSERT_OK(pmu_set(vm, 0, PMU_FILTER, &f));
	ASSERT_OK(pmu_irq(vm, 0, 23));
	ASSERT_OK(pmu_set(vm, 0, PMU_INIT, NULL));
	vm->vcpu[0]->entry = vm_snippet(vm, read_pmceid);
	/* looks at the cycle counter, an exit each */
	vm->vcpu[0]->arg[0] = kvm_protected_mode() ? 0 : what == 2 ? 500 : 20000;
	RUN_TO_END(vm, 0);
	/* 1.3: "Event 0 (SW_INCR) is never filtered, as it doesn't count a hardware event"; it is only not shown */
	EXPECT_EQ(vm->vcpu[0]->result[0] & 1, counts ? 1U : 0U);
	EXPECT_EQ(vm->vcpu[0]->result[1] & 0xffffffff, 3U);
	/* "Filtering the cycle counter is possible using event 0x11" */
	EXPECT_EQ(vm->vcpu[0]->result[0] >> 0x11 & 1, what == 2 ? 0U : 1U);
	/* a protected hypervisor does not switch the host's counters for a guest (flush_hyp_vcpu): nothing counts */
	if (kvm_protected_mode())
		NOTE("kvm-arm.mode=protected: whether cycles are counted is not judged");
	else
		EXPECT_EQ(vm->vcpu[0]->result[2] != 0, what != 2);
}

TEST(api, bad_pmu_filters_are_refused, RULE("KVM-PMU-4"))
{
	struct vm *vm = pmu_vm(0, 1, true);
	struct kvm_pmu_event_filter f = {.base_event = 0, .nevents = 1, .action = 2};

	EXPECT_REFUSED(pmu_set(vm, 0, PMU_FILTER, &f), EINVAL);
	f.action = KVM_PMU_EVENT_DENY;
	f.base_event = 0xffff;
	f.nevents = 2;
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_FILTER, &f), EINVAL);
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_FILTER, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(pmu_set(vm, 0, 77, &f), ENXIO);
	EXPECT_OK(dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, PMU_FILTER));
	EXPECT_REFUSED(dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PMU_V3_CTRL, 77), ENXIO);
	ASSERT_OK(pmu_set(vm, 0, PMU_INIT, NULL));
	RUN_TO_END(vm, 0);
	f.base_event = 0;
	f.nevents = 1;
	EXPECT_REFUSED(pmu_set(vm, 0, PMU_FILTER, &f), EBUSY);
}

/* ---- stolen time, vcpu.rst 3 */

static int pvtime(struct vm *vm, unsigned long request, uint64_t *ipa)
{
	return dev_try_attr(vm->vcpu[0]->fd, request, KVM_ARM_VCPU_PVTIME_CTRL,
			    KVM_ARM_VCPU_PVTIME_IPA, ipa);
}

GUEST(ask_stolen_time)
{
	guest_result(0, guest_hvc(0xc5000020, 0xc5000021, 0,
				  0)); /* PV_TIME_FEATURES of PV_TIME_ST: DEN 0057 */
	guest_result(1, guest_hvc(0xc5000021, 0, 0, 0)); /* PV_TIME_ST */
	guest_result(2, guest_hvc(0xc5000020, 0xc5000020, 0, 0));
	guest_result(3, guest_hvc(0xc5000020, 0x12345678, 0, 0));
}

TEST(api, stolen_time_is_where_user_space_put_it, RULE("KVM-PVTIME-1"),
     VARIANTS("placed: placed=1 | not: placed=0"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = ask_stolen_time);
	uint64_t at = VM_FREE_BASE + 0x40, got = 0, *st = vm_host(vm, at), v;
	const uint64_t *r = vm->vcpu[0]->result;

	if (vm_cap(vm, KVM_CAP_STEAL_TIME) <= 0)
		SKIP("KVM_CAP_STEAL_TIME is 0: the host kernel keeps no run delays");
	if (!test_param_u64("placed", 0)) {
		RUN_TO_END(vm, 0);
		EXPECT_EQ((int32_t)r[0], -1);
		EXPECT_EQ((int32_t)r[1], -1);
		return;
	}
	v = at + 8;
	EXPECT_REFUSED(pvtime(vm, KVM_SET_DEVICE_ATTR, &v), EINVAL);
	v = 0x70000000;
	EXPECT_REFUSED(pvtime(vm, KVM_SET_DEVICE_ATTR, &v), EINVAL); /* no memory there */
	EXPECT_REFUSED(pvtime(vm, KVM_SET_DEVICE_ATTR, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(dev_try_set(vm->vcpu[0]->fd, KVM_ARM_VCPU_PVTIME_CTRL, 9, &v), ENXIO);
	EXPECT_REFUSED(dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PVTIME_CTRL, 9), ENXIO);
	EXPECT_OK(pvtime(vm, KVM_HAS_DEVICE_ATTR, NULL));
	EXPECT_OK(pvtime(vm, KVM_GET_DEVICE_ATTR, &got));
	EXPECT_EQ(got, ~0ULL);
	EXPECT_OK(pvtime(vm, KVM_SET_DEVICE_ATTR, &at));
	EXPECT_REFUSED(pvtime(vm, KVM_SET_DEVICE_ATTR, &at), EEXIST);
	EXPECT_OK(pvtime(vm, KVM_GET_DEVICE_ATTR, &got));
	EXPECT_EQ(got, at);
	memset(st, 0xff, 64);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(r[0], 0);
	EXPECT_EQ(r[1], at);
	EXPECT_EQ(r[2], 0);
	EXPECT_EQ((int32_t)r[3], -1);
	/* revision and attributes 0 (DEN 0057, 3.2.2) */
	EXPECT_EQ(st[0], 0);
}

/* ---- SMCCC filter, vm.rst 5 */

static int filter(struct vm *vm, uint32_t base, uint32_t n, uint8_t action, uint8_t pad)
{
	/* struct kvm_smccc_filter: base, nr_functions, action, pad[15] */
	struct {
		uint32_t base, n;
		uint8_t action, pad[15];
	} f = {base, n, action, {0, 0, pad}};
	struct kvm_device_attr a = {.group = 0, .attr = 0, .addr = (uintptr_t)&f};

	return (int)vm_ioctl(vm, KVM_SET_DEVICE_ATTR, &a);
}

#define HANDLE	0
#define DENY	1
#define FORWARD 2

GUEST(call_three)
{
	guest_result(0, guest_hvc(0x84000000, 0, 0, 0)); /* PSCI_VERSION */
	guest_result(1, guest_hvc(0xc6000001, 11, 12, 13));
	guest_result(2, guest_hvc(0x80000000, 0, 0, 0)); /* SMCCC_VERSION */
}

TEST(api, smccc_filter_decides_who_answers, RULE("KVM-SMCCC-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = call_three);
	struct kvm_device_attr has = {.group = 0, .attr = 0};
	const uint64_t *r = vm->vcpu[0]->result;
	struct kvm_run *run = vm->vcpu[0]->run;

	if (vm_ioctl(vm, KVM_HAS_DEVICE_ATTR, &has))
		SKIP("no KVM_ARM_VM_SMCCC_FILTER (before Linux 6.4)");
	has.attr = 9;
	EXPECT_REFUSED(vm_ioctl(vm, KVM_HAS_DEVICE_ATTR, &has), ENXIO);
	has.group = 9;
	EXPECT_REFUSED(vm_ioctl(vm, KVM_HAS_DEVICE_ATTR, &has), ENXIO);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_SET_DEVICE_ATTR, &has), ENXIO);
	EXPECT_REFUSED(filter(vm, 0x84000000, 1, DENY, 1), EINVAL);
	EXPECT_REFUSED(filter(vm, 0x84000000, 0, DENY, 0), EINVAL);
	EXPECT_REFUSED(filter(vm, 0xffffffff, 2, DENY, 0), EINVAL);
	EXPECT_REFUSED(filter(vm, 0x84000000, 1, 3, 0), EINVAL);
	EXPECT_REFUSED(filter(vm, 0x80000000, 1, DENY, 0),
		       EEXIST); /* the architecture's calls are KVM's */
	EXPECT_REFUSED(filter(vm, 0xc000ffff, 1, FORWARD, 0), EEXIST);
	EXPECT_OK(filter(vm, 0x84000000, 1, DENY, 0));
	EXPECT_REFUSED(filter(vm, 0x84000000, 1, FORWARD, 0), EEXIST);
	EXPECT_OK(filter(vm, 0xc6000000, 16, FORWARD, 0));
	EXPECT_REFUSED(filter(vm, 0xc600000f, 2, DENY, 0), EEXIST);
	EXPECT_OK(filter(vm, 0xc6000010, 1, HANDLE, 0));
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.nr, 0xc6000001);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 11);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(3)), 13);
	vcpu_set(vm, 0, REG_X(0), 0x5a5a);
	RUN_TO_END(vm, 0);
	EXPECT_EQ((int32_t)r[0], -1);
	EXPECT_EQ(r[1], 0x5a5a);
	EXPECT_EQ(r[2], 0x10001);
	EXPECT_REFUSED(filter(vm, 0xc6000020, 1, DENY, 0), EBUSY);
}

/* ---- KVM_CREATE_IRQCHIP (4.24) and KVM_ARM_SET_DEVICE_ADDR (4.85): the GICv2 of old */

static int device_addr(struct vm *vm, uint64_t device, uint64_t type, uint64_t addr)
{
	struct kvm_arm_device_addr a = {.id = device << KVM_ARM_DEVICE_ID_SHIFT | type,
					.addr = addr};

	return (int)vm_ioctl(vm, KVM_ARM_SET_DEVICE_ADDR, &a);
}

TEST(api, legacy_irqchip_is_a_gicv2, RULE("KVM-LEGACY-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	int r = (int)vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	uint64_t top = 1ULL << VM_IPA_BITS;

	if (r == -ENODEV)
		SKIP_NEEDS("gicv2",
			   "KVM_CREATE_IRQCHIP: ENODEV, the host's GIC cannot run GICv2 guests");
	ASSERT_OK(r);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	for (uint64_t type = KVM_VGIC_V2_ADDR_TYPE_DIST; type <= KVM_VGIC_V2_ADDR_TYPE_CPU;
	     type++) {
		EXPECT_REFUSED(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, type, 0x08000800), EINVAL);
		if (!kvm_protected_mode())
			EXPECT_REFUSED(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, type, top), E2BIG);
	}
	EXPECT_REFUSED(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, 9, 0x08000000), ENODEV);
	EXPECT_REFUSED(device_addr(vm, 7, KVM_VGIC_V2_ADDR_TYPE_DIST, 0x08000000), ENODEV);
	EXPECT_OK(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, KVM_VGIC_V2_ADDR_TYPE_DIST,
			      ASSAY_GIC_DIST_BASE));
	EXPECT_OK(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, KVM_VGIC_V2_ADDR_TYPE_CPU,
			      ASSAY_GIC_CPU_BASE));
	EXPECT_REFUSED(
		device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, KVM_VGIC_V2_ADDR_TYPE_DIST, 0x08200000),
		EEXIST);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

TEST(api, legacy_addresses_without_a_gicv2_are_refused, RULE("KVM-LEGACY-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (uint64_t type = KVM_VGIC_V2_ADDR_TYPE_DIST; type <= KVM_VGIC_V2_ADDR_TYPE_CPU; type++)
		EXPECT_REFUSED(device_addr(vm, KVM_ARM_DEVICE_VGIC_V2, type, 0x0a000000), ENODEV);
	EXPECT_REFUSED(device_addr(vm, 7, 0, 0x08000000), ENODEV);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_ARM_SET_DEVICE_ADDR, BAD_POINTER), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
