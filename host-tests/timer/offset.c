/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a guest's counters start: KVM_ARM_SET_COUNTER_OFFSET, and the counters as registers
 * (Documentation/virt/kvm/api.rst; DDI 0487 D11.1.2, CNTVOFF_EL2, CNTPOFF_EL2).
 */
#include "common.h"
#include <errno.h>

GUEST(note_counters)
{
	guest_result(0, guest_virt());
	guest_result(1, guest_phys());
	guest_result(2, guest_sysreg(cntfrq_el0));
}

static void run_again(struct vm *vm, unsigned int i)
{
	vcpu_set(vm, i, REG_PC, vm_snippet(vm, guest_entry));
	RUN_TO_END(vm, i);
}

/* the counter of vCPU i (0 virtual, 1 physical) is the host's less `offset` */
static void expect_offset(struct vm *vm, unsigned int i, unsigned int counter, uint64_t offset)
{
	uint64_t first = host_count();

	run_again(vm, i);
	if (!EXPECT_TRUE(within(vm->vcpu[i]->result[counter], offset, first, host_count())))
		NOTE("vCPU %u: counter %#llx, host from %#llx on, offset %#llx", i,
		     (unsigned long long)vm->vcpu[i]->result[counter], (unsigned long long)first,
		     (unsigned long long)offset);
}

static unsigned int counter_asked(const struct vm *vm)
{
	unsigned int phys = (unsigned int)test_param_u64("phys", 0);

	need_offset(vm);
	if (phys)
		need_physical_offset();
	return phys;
}

TEST(timer, counter_offset_shifts_the_counter_of_all_vcpus, RULE("KVM-OFFSET-1"),
     VARIANTS("virt: phys=0 | phys: phys=1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = note_counters);
	unsigned int counter = counter_asked(vm);
	const uint64_t offsets[] = {0,		1,	    host_count(),     host_count() / 2,
				    1ULL << 40, 1ULL << 62, 0 - (1ULL << 40), test_random()};

	for (unsigned int n = 0; n < ARRAY_SIZE(offsets); n++) {
		if (!EXPECT_OK(try_set_offset(vm, offsets[n], 0)))
			break;
		expect_offset(vm, 0, counter, offsets[n]);
		expect_offset(vm, 1, counter, offsets[n]);
	}
}

TEST(timer, bad_counter_offset_is_refused, RULE("KVM-OFFSET-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	if (vm_cap(vm, KVM_CAP_COUNTER_OFFSET) <= 0) {
		EXPECT_REFUSED(try_set_offset(vm, 0, 0), EINVAL, ENOTTY);
		return;
	}
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(try_set_offset(vm, 0, 1), EINVAL);
	EXPECT_REFUSED(try_set_offset(vm, 1ULL << 40, 1ULL << 63), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* counts as guest_count(), seldom, and notes whether its counters have ever gone back or leapt */
GUEST(watch_counters)
{
	uint64_t virt = guest_virt(), phys = guest_phys(), leap = 1ULL << 39;

	for (uint64_t n = 1;; n++) {
		uint64_t v = guest_virt(), p = guest_phys();

		if (v - virt > leap || p - phys > leap)
			guest_result(0, n);
		virt = v;
		phys = p;
		if (n % 16384)
			continue; /* nearly always inside KVM_RUN */
		guest_tick(n);
		guest_answer();
	}
}

/* "-EBUSY if a vCPU runs": a counter never leaps under a running guest */
TEST(timer, counter_offset_of_a_running_vm_is_refused, RULE("KVM-OFFSET-2"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = watch_counters);

	need_offset(vm);
	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	for (unsigned int n = 0; n < 50; n++) {
		int r = try_set_offset(vm, 0 - (1ULL << 45), 0);

		/* between two runs of both vCPUs it is taken */
		if (r == 0)
			SKIP("both vCPUs were outside KVM_RUN: run the test again");
		if (!EXPECT_REFUSED(r, EBUSY))
			break;
	}
	EXPECT_STILL_RUNNING(vm);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0U);
	EXPECT_EQ(vm->vcpu[1]->result[0], 0U);
}

/* api.rst: with the offset set, writes of the counter registers have no effect */
TEST(timer, counter_offset_outweighs_counter_registers, RULE("KVM-OFFSET-3"),
     VARIANTS("virt: phys=0 | phys: phys=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = note_counters);
	uint64_t offset = 1ULL << 41, value = 0x1234;
	unsigned int counter = counter_asked(vm);

	ASSERT_OK(try_set_offset(vm, offset, 0));
	expect_offset(vm, 0, counter, offset);
	EXPECT_OK(vcpu_try_set(vm, 0, KVM_REG_ARM_TIMER_CNT, &value));
	expect_offset(vm, 0, counter, offset);
	EXPECT_OK(vcpu_try_set(vm, 0, KVM_REG_ARM_PTIMER_CNT, &value));
	expect_offset(vm, 0, counter, offset);
}

/* KVM_REG_ARM_TIMER_CNT: the virtual counter goes on from the value, for every vCPU; the physical one stays */
TEST(timer, virtual_counter_goes_on_from_the_value_set, RULE("KVM-CNT-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = note_counters);
	const uint64_t values[] = {0, 0x123456789, 1ULL << 52, 0 - (1ULL << 44)};
	uint64_t first, last, phys;

	for (unsigned int n = 0; n < ARRAY_SIZE(values); n++) {
		first = host_count();
		vcpu_set(vm, n % 2, KVM_REG_ARM_TIMER_CNT, values[n]);
		for (unsigned int i = 0; i < 2; i++) {
			uint64_t read = vcpu_get(vm, i, KVM_REG_ARM_TIMER_CNT);

			EXPECT_LE(read - values[n], host_count() - first);
			run_again(vm, i);
			last = host_count();
			EXPECT_LE(vm->vcpu[i]->result[0] - values[n], last - first);
			EXPECT_GE(vm->vcpu[i]->result[0], read);
			phys = vm->vcpu[i]->result[1];
			EXPECT_TRUE(within(phys, 0, first, last));
		}
	}
}

/* KVM_REG_ARM_PTIMER_CNT: settable since 6.4, or refused and unchanged */
TEST(timer, physical_counter_is_set_or_stays, RULE("KVM-CNT-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = note_counters);
	uint64_t value = 0x55aa, first = host_count(), last;
	int r = vcpu_try_set(vm, 0, KVM_REG_ARM_PTIMER_CNT, &value);

	if (r == 0)
		need_physical_offset();
	run_again(vm, 0);
	last = host_count();
	FACT("kvm.physical_counter_settable", "%d", r == 0);
	if (r == 0)
		EXPECT_LE(vm->vcpu[0]->result[1] - value, last - first);
	else
		EXPECT_TRUE(within(vm->vcpu[0]->result[1], 0, first, last));
	/* without an order from user space a VM's virtual counter starts at 0 when its vCPU is initialized */
	EXPECT_LE(vm->vcpu[0]->result[0], last);
}

/* a VM that nobody told anything: physical is the host's counter, virtual started at 0 with the VM */
TEST(timer, counters_of_a_new_vm_start_as_documented, RULE("KVM-CNT-3"))
{
	uint64_t first = host_count(), last;
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = note_counters);

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t begin = host_count();

		run_again(vm, i);
		last = host_count();
		EXPECT_TRUE(within(vm->vcpu[i]->result[1], 0, begin, last));
		EXPECT_LE(vm->vcpu[i]->result[0], last - first);
		EXPECT_EQ(vm->vcpu[i]->result[2], host_ticks_of_ms(1000));
	}
	EXPECT_GE(vm->vcpu[1]->result[0], vm->vcpu[0]->result[0]);
}
