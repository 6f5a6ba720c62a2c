/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vGIC and ITS devices refuse, with the errnos of Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst,
 * arm-vgic-its.rst; and that the VM is none the worse for it.
 */
#include "its.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>

#define GROUP(name) KVM_DEV_ARM_VGIC_GRP_##name
#define DIST	    KVM_VGIC_V3_ADDR_TYPE_DIST
#define REDIST	    KVM_VGIC_V3_ADDR_TYPE_REDIST
#define REGION	    KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION
#define BAD_POINTER ((void *)0xffff000000000000UL)

static unsigned int gic(void)
{
	return (unsigned int)test_param_u64("gic", 3);
}

static int set_addr(struct vm *vm, uint64_t type, uint64_t address)
{
	return dev_try_set(vm->gic_fd, GROUP(ADDR), type, &address);
}

static int get_addr(struct vm *vm, uint64_t type, uint64_t *address)
{
	return dev_try_get(vm->gic_fd, GROUP(ADDR), type, address);
}

/* A VM whose vGIC exists and has no addresses. */
static struct vm *unplaced(unsigned int version, unsigned int vcpus)
{
	struct vm *vm = vm_new(.vcpus = vcpus, .entry = guest_count);
	uint32_t type = version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3;

	vm->gic_fd = vm_try_create_device(vm, type, 0);
	if (vm->gic_fd == -ENODEV && version == 2)
		SKIP_NEEDS("gicv2", "KVM_CREATE_DEVICE(VGIC_V2): ENODEV");
	if (vm->gic_fd == -ENODEV)
		SKIP_NEEDS("gicv3", "KVM_CREATE_DEVICE(VGIC_V3): ENODEV");
	ASSERT_GE(vm->gic_fd, 0);
	vm->opt.gic = version;
	return vm;
}

static void place_and_run(struct vm *vm)
{
	EXPECT_OK(vm_try_init_gic(vm));
	vm_start(vm, 0, vm->vcpus);
	EXPECT_STILL_RUNNING(vm);
}

/* ADDR of a GICv2: 4 KiB; of a GICv3: 64 KiB; E2BIG, EINVAL, EEXIST, ENXIO, EFAULT */
TEST(saverestore, bad_vgic_addresses_are_refused, RULE("KVM-VGIC-10"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	unsigned int v = gic();
	struct vm *vm = unplaced(v, 2);
	uint64_t first = v == 2 ? KVM_VGIC_V2_ADDR_TYPE_DIST : DIST,
		 second = v == 2 ? KVM_VGIC_V2_ADDR_TYPE_CPU : REDIST,
		 foreign = v == 2 ? DIST : KVM_VGIC_V2_ADDR_TYPE_DIST,
		 align = v == 2 ? 0x1000 : 0x10000, top, got = 0;

	top = kvm_protected_mode() ? 1ULL << kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE) : 1ULL << VM_IPA_BITS;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t type = i ? second : first;

		EXPECT_REFUSED(set_addr(vm, type, 0x08000000 + align / 2), EINVAL);
		EXPECT_REFUSED(set_addr(vm, type, 0x08000001), EINVAL);
		EXPECT_REFUSED(set_addr(vm, type, top), E2BIG);
		/* begins within the space and ends beyond it; a distributor fits in one unit */
		if (i)
			EXPECT_REFUSED(set_addr(vm, type, top - align), E2BIG);
		EXPECT_REFUSED(set_addr(vm, type, ~0ULL << 16), E2BIG, EINVAL);
		EXPECT_REFUSED(dev_try_set(vm->gic_fd, GROUP(ADDR), type, BAD_POINTER), EFAULT);
		EXPECT_OK(get_addr(vm, type, &got));
		EXPECT_EQ(got, ~0ULL); /* VGIC_ADDR_UNDEF: still none */
	}
	EXPECT_REFUSED(set_addr(vm, foreign, 0x08000000), ENXIO, ENODEV);
	EXPECT_REFUSED(set_addr(vm, 77, 0x08000000), ENXIO, ENODEV);
	EXPECT_REFUSED(get_addr(vm, foreign, &got), ENXIO, ENODEV);
	EXPECT_OK(set_addr(vm, first, ASSAY_GIC_DIST_BASE));
	EXPECT_OK(set_addr(vm, second, v == 2 ? ASSAY_GIC_CPU_BASE : ASSAY_GIC_REDIST_BASE));
	EXPECT_REFUSED(set_addr(vm, first, ASSAY_GIC_DIST_BASE), EEXIST);
	EXPECT_REFUSED(set_addr(vm, second, ASSAY_GIC_REDIST_BASE), EEXIST);
	EXPECT_OK(get_addr(vm, first, &got));
	EXPECT_EQ(got, ASSAY_GIC_DIST_BASE);
	EXPECT_OK(get_addr(vm, second, &got));
	EXPECT_EQ(got, v == 2 ? ASSAY_GIC_CPU_BASE : ASSAY_GIC_REDIST_BASE);
	place_and_run(vm);
}

#define REGION_OF(count, base, flags, index) \
	((uint64_t)(count) << 52 | (base) | (uint64_t)(flags) << 12 | (index))

/* REDIST_REGION: count 63:52, base 51:16, flags 15:12 zero, index 11:0 in order, no overlap, never with REDIST. */
TEST(saverestore, bad_redistributor_regions_are_refused, RULE("KVM-VGIC-10"))
{
	struct vm *vm = unplaced(3, 3);
	uint64_t a = 0x08100000, b = 0x08200000, got;

	EXPECT_OK(set_addr(vm, DIST, ASSAY_GIC_DIST_BASE));
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(0, a, 0, 0)), EINVAL);
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(2, a, 1, 0)), EINVAL);
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(2, a, 0, 1)), EINVAL);
	got = 0;
	EXPECT_REFUSED(get_addr(vm, REGION, &got), ENOENT);
	EXPECT_OK(set_addr(vm, REGION, REGION_OF(2, a, 0, 0)));
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(2, b, 0, 0)), EINVAL);
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(2, b, 0, 2)), EINVAL);
	EXPECT_REFUSED(set_addr(vm, REGION, REGION_OF(1, a + GICR_FRAMES, 0, 1)), EINVAL);
	EXPECT_REFUSED(set_addr(vm, REDIST, b), EINVAL);
	EXPECT_OK(set_addr(vm, REGION, REGION_OF(1, b, 0, 1)));
	got = 0;
	EXPECT_OK(get_addr(vm, REGION, &got));
	EXPECT_EQ(got, REGION_OF(2, a, 0, 0));
	got = 1;
	EXPECT_OK(get_addr(vm, REGION, &got));
	EXPECT_EQ(got, REGION_OF(1, b, 0, 1));
	got = 2;
	EXPECT_REFUSED(get_addr(vm, REGION, &got), ENOENT);
	EXPECT_OK(vm_try_init_gic(vm));
	/* GICR_TYPER.Last: of the last redistributor of a contiguous region (IHI 0069 12.11.35) */
	EXPECT_EQ(gicr_get(vm, 0, GICR_TYPER) >> 4 & 1, 0U);
	EXPECT_EQ(gicr_get(vm, 1, GICR_TYPER) >> 4 & 1, 1U);
	EXPECT_EQ(gicr_get(vm, 2, GICR_TYPER) >> 4 & 1, 1U);
	vm_start(vm, 0, 3);
	EXPECT_STILL_RUNNING(vm);
}

/* A vGICv3 runs only when every part is placed, no two overlap, and it is initialized: ENXIO, EINVAL, EBUSY */
TEST(saverestore, incomplete_vgic_does_not_run, RULE("KVM-VGIC-11"),
     VARIANTS("no-dist: what=0 | no-redist: what=1 | overlap: what=2 | no-init: what=3"))
{
	unsigned int what = (unsigned int)test_param_u64("what", 0);
	struct vm *vm = unplaced(3, 1);

	if (what != 1)
		EXPECT_OK(set_addr(vm, REDIST, ASSAY_GIC_REDIST_BASE));
	if (what == 2)
		EXPECT_REFUSED(set_addr(vm, DIST, ASSAY_GIC_REDIST_BASE + 0x10000), 0, EINVAL);
	else if (what != 0)
		EXPECT_OK(set_addr(vm, DIST, ASSAY_GIC_DIST_BASE));
	if (what != 3)
		EXPECT_OK(vm_try_init_gic(vm));
	EXPECT_REFUSED(vcpu_run(vm, 0), what == 2 ? EINVAL : what == 3 ? EBUSY : ENXIO);
}

/* NR_IRQS: EINVAL below 64, above the maximum, not a multiple of 32; EBUSY once decided or in use */
TEST(saverestore, bad_numbers_of_interrupts_are_refused, RULE("KVM-VGIC-5"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	static const uint32_t bad[] = {0, 1, 32, 63, 65, 100, 1025, 1056, 0x80000000, 0xffffffe0};
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic(), .no_gic_init = true, .entry = guest_count);
	uint32_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = bad[i];
		if (!EXPECT_REFUSED(dev_try_set(vm->gic_fd, GROUP(NR_IRQS), 0, &n), EINVAL))
			NOTE("number was %u", n);
	}
	EXPECT_REFUSED(dev_try_set(vm->gic_fd, GROUP(NR_IRQS), 0, BAD_POINTER), EFAULT);
	n = 128;
	EXPECT_OK(dev_try_set(vm->gic_fd, GROUP(NR_IRQS), 0, &n));
	EXPECT_REFUSED(dev_try_set(vm->gic_fd, GROUP(NR_IRQS), 0, &n), EBUSY);
	EXPECT_OK(vm_try_init_gic(vm));
	EXPECT_REFUSED(dev_try_set(vm->gic_fd, GROUP(NR_IRQS), 0, &n), EBUSY);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

/* Each attribute that exists says so, no other does (4.80 KVM_HAS_DEVICE_ATTR: ENXIO). */
TEST(saverestore, vgic_attributes_are_told_apart, RULE("KVM-VGIC-12"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic(), .entry = guest_count);
	int fd = vm->gic_fd;
	uint64_t level = (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL
			 << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT;
	bool v3 = gic() == 3;
	uint32_t value = 0;
	struct {
		uint32_t group;
		uint64_t attr;
		bool there;
	} a[] = {
		{GROUP(ADDR), KVM_VGIC_V2_ADDR_TYPE_DIST, !v3},
		{GROUP(ADDR), KVM_VGIC_V2_ADDR_TYPE_CPU, !v3},
		{GROUP(ADDR), DIST, v3},
		{GROUP(ADDR), REDIST, v3},
		{GROUP(ADDR), REGION, v3},
		{GROUP(ADDR), 9, false},
		{GROUP(DIST_REGS), GICD_CTLR, true},
		{GROUP(DIST_REGS), GICD_CTLR + 2, false},
		{GROUP(DIST_REGS), GICD_ISENABLER(1), true},
		{GROUP(DIST_REGS), GICD_IROUTER(33), v3},
		{GROUP(DIST_REGS), GICD_SPENDSGIR(0), !v3},
		{GROUP(DIST_REGS), GICD_INMIR(1), false},
		{GROUP(CPU_REGS), GICC_PMR, !v3},
		{GROUP(CPU_REGS), GICC_IAR, false},
		{GROUP(REDIST_REGS), GICR_WAKER, v3},
		{GROUP(REDIST_REGS), GICR_ISENABLER0, v3},
		{GROUP(REDIST_REGS), GICR_INMIR0, false},
		{GROUP(REDIST_REGS), GICR_ISENABLER0 + 1, false},
		{GROUP(CPU_SYSREGS), ICC_PMR, v3},
		{GROUP(NR_IRQS), 0, true},
		{GROUP(CTRL), KVM_DEV_ARM_VGIC_CTRL_INIT, true},
		{GROUP(CTRL), KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, v3},
		{GROUP(CTRL), KVM_DEV_ARM_ITS_SAVE_TABLES, false},
		{GROUP(CTRL), 99, false},
		{GROUP(LEVEL_INFO), level, v3},
		{GROUP(LEVEL_INFO), level ^ 1U << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT, false},
		{GROUP(ITS_REGS), GITS_CTLR, false},
		{0x7777, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		int r = dev_try_has(fd, a[i].group, a[i].attr);

		if (!(a[i].there ? EXPECT_OK(r) : EXPECT_REFUSED(r, ENXIO)))
			NOTE("group %u, attribute %#llx", a[i].group,
			     (unsigned long long)a[i].attr);
	}
	EXPECT_REFUSED(dev_try_set(fd, 0x7777, 0, &value), ENXIO);
	EXPECT_REFUSED(dev_try_get(fd, 0x7777, 0, &value), ENXIO);
	EXPECT_REFUSED(dev_try_set(fd, GROUP(CTRL), 99, NULL), ENXIO);
	EXPECT_REFUSED(dev_try_get(fd, GROUP(CTRL), KVM_DEV_ARM_VGIC_CTRL_INIT, &value), ENXIO);
	/* registers of a CPU that is not there: EINVAL; through a bad pointer: EFAULT */
	if (v3) {
		EXPECT_REFUSED(gicr_try(vm, KVM_GET_DEVICE_ATTR, 1, GICR_WAKER, &value), EINVAL);
		EXPECT_REFUSED(gicr_try(vm, KVM_SET_DEVICE_ATTR, 1, GICR_WAKER, &value), EINVAL);
		EXPECT_REFUSED(gicr_try(vm, KVM_SET_DEVICE_ATTR, 0, GICR_WAKER, BAD_POINTER),
			       EFAULT);
		EXPECT_REFUSED(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 33, &value), EINVAL);
		EXPECT_REFUSED(gic_level_try(vm, KVM_SET_DEVICE_ATTR, 0, 48, &value), EINVAL);
		EXPECT_REFUSED(dev_try_get(fd, GROUP(LEVEL_INFO),
					   level ^ 1U << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT,
					   &value),
			       EINVAL);
	} else {
		EXPECT_REFUSED(gicd_try(vm, KVM_GET_DEVICE_ATTR, 1, GICD_CTLR, &value), EINVAL);
		EXPECT_REFUSED(gicc_try(vm, KVM_SET_DEVICE_ATTR, 1, GICC_PMR, &value), EINVAL);
		EXPECT_REFUSED(
			dev_try_set(fd, GROUP(CTRL), KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL),
			ENXIO);
	}
	EXPECT_REFUSED(gicd_try(vm, KVM_GET_DEVICE_ATTR, 0, GICD_CTLR, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(gicd_try(vm, KVM_SET_DEVICE_ATTR, 0, GICD_CTLR, BAD_POINTER), EFAULT);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

/* One vGIC a VM (EEXIST), none after the first run (EBUSY), initialized as often as one likes. */
TEST(saverestore, second_vgic_is_refused, RULE("KVM-VGIC-13"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm *none = vm_new(.vcpus = 1, .entry = guest_count);
	uint32_t mine = vm->opt.gic == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3;
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_create_device(vm, mine, 0), EEXIST);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0), EEXIST, ENODEV);
	EXPECT_OK(vm_try_init_gic(vm));
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
	vcpu_run_to_tick(none, 0, 2);
	EXPECT_REFUSED(vm_try_create_device(none, mine, 0), EBUSY);
	EXPECT_OK(vm_try_create_device(none, mine, KVM_CREATE_DEVICE_TEST));
	EXPECT_REFUSED(vm_try_create_device(none, 0xffff, 0), ENODEV);
	EXPECT_REFUSED(vm_try_create_device(none, 0xffff, KVM_CREATE_DEVICE_TEST), ENODEV);
	vm_start(none, 0, 1);
	EXPECT_STILL_RUNNING(none);
}

/* "EBUSY: one or more VCPUs are running": every group that touches state */
TEST(saverestore, every_part_of_a_running_vgic_is_refused, RULE("KVM-VGIC-2"),
     VARIANTS("redist: what=0 | sysregs: what=1 | level: what=2 | pending: what=3 | its: what=4 | "
	      "save: what=5 | restore: what=6 | reset: what=7"))
{
	unsigned int what = (unsigned int)test_param_u64("what", 0), busy = 0;
	struct vm *vm = its_vm(guest_count, false);

	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	/* not every try meets the vCPU inside KVM_RUN: see vgic_state_of_a_running_vm_is_refused */
	for (int i = 0; i < 8000 && busy < 3; i++) {
		static const uint64_t ctrl[] = {KVM_DEV_ARM_ITS_SAVE_TABLES,
						KVM_DEV_ARM_ITS_RESTORE_TABLES,
						KVM_DEV_ARM_ITS_CTRL_RESET};
		uint32_t v32 = 0;
		uint64_t v64 = 0;
		int r;

		if (what == 0)
			r = gicr_try(vm, KVM_GET_DEVICE_ATTR, 0, GICR_CTLR, &v32);
		else if (what == 1)
			r = icc_try(vm, KVM_GET_DEVICE_ATTR, 0, ICC_PMR, &v64);
		else if (what == 2)
			r = gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &v32);
		else if (what == 3)
			r = dev_try_set(vm->gic_fd, GROUP(CTRL),
					KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL);
		else if (what == 4)
			r = gits_try(vm, KVM_GET_DEVICE_ATTR, GITS_CTLR, &v64);
		else
			r = dev_try_set(vm->its_fd, GROUP(CTRL), ctrl[what - 5], NULL);
		busy += r == -EBUSY;
		if (r == 0)
			test_pause_us(1000);
		else if (r != -EBUSY && !EXPECT_REFUSED(r, EBUSY))
			break;
	}
	EXPECT_GT(busy, 0U);
	EXPECT_STILL_RUNNING(vm);
}
