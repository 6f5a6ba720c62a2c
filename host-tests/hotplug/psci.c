/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest itself can do with CPUs: PSCI, DEN 0022 F, 5.1.3 CPU_OFF, 5.1.4 CPU_ON, 5.1.5 AFFINITY_INFO. */
#include "state.h"

#define AFFINITY_ON  0
#define AFFINITY_OFF 1

GUEST(cpu_on_absent)
{
	uint64_t entry = (uint64_t)&guest_entry;

	guest_result(0, guest_hvc(PSCI_FN_CPU_ON, 1, entry, 0)); /* next CPU: not there */
	guest_result(1, guest_hvc(PSCI_FN_CPU_ON, 0xff00ffffff, entry, 0)); /* far off */
	guest_result(2, guest_hvc(PSCI_FN_CPU_ON, 1ULL << 31, entry, 0));   /* a reserved bit */
	guest_result(3, guest_hvc(PSCI_FN_AFFINITY_INFO, 1, 0, 0));
	guest_count();
}

TEST(hotplug, cpu_on_of_absent_cpu_is_refused, RULE("PSCI-CPU_ON-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = cpu_on_absent);
	const uint64_t *r = vm->vcpu[0]->result;

	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	/* 5.1.4: INVALID_PARAMETERS if target_cpu specifies an invalid affinity value */
	EXPECT_EQ((int32_t)r[0], PSCI_RET_INVALID_PARAMS);
	EXPECT_EQ((int32_t)r[1], PSCI_RET_INVALID_PARAMS);
	EXPECT_EQ((int32_t)r[2], PSCI_RET_INVALID_PARAMS);
	EXPECT_EQ((int32_t)r[3], PSCI_RET_INVALID_PARAMS);
	EXPECT_STILL_RUNNING(vm);
}

GUEST(count_then_off)
{
	guest_tick(guest_arg(0) + 1);
	guest_result(0, guest_hvc(PSCI_FN_CPU_OFF, 0, 0, 0)); /* does not return */
}

/* Both must be over: the guest's counter goes on while the host lets this vCPU wait, each poll is an exit. */
#define POLLS	     2000U
#define POLL_SECONDS 5U

GUEST_INLINE uint64_t wait_affinity(uint64_t want)
{
	uint64_t until = guest_sysreg(cntvct_el0) + POLL_SECONDS * guest_sysreg(cntfrq_el0);
	uint64_t is = ~0ULL;

	for (unsigned int n = 0; is != want && (n < POLLS || guest_sysreg(cntvct_el0) < until); n++)
		is = guest_hvc(PSCI_FN_AFFINITY_INFO, 1, 0, 0);
	return is;
}

GUEST(off_and_on_again)
{
	uint64_t entry = (uint64_t)&guest_entry;

	guest_result(0, guest_hvc(PSCI_FN_AFFINITY_INFO, 1, 0, 0));
	guest_result(1, guest_hvc(PSCI_FN_CPU_ON, 1, entry, 0));
	guest_result(2, wait_affinity(AFFINITY_OFF)); /* it counts once and goes off */
	guest_tick(1);
	guest_result(3, guest_hvc(PSCI_FN_CPU_ON, 1, entry, 0));
	guest_result(4, wait_affinity(AFFINITY_OFF));
	guest_result(5, guest_hvc(PSCI_FN_CPU_ON, 0, entry, 0)); /* this one is on */
	guest_result(6, guest_hvc(PSCI_FN_AFFINITY_INFO, 0, 0, 0));
}

TEST(hotplug, present_cpus_go_off_and_on_again, RULE("PSCI-CPU_OFF-1"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = (unsigned int)test_param_u64("gic", 3),
			       .secondaries_off = true, .entry = off_and_on_again);
	struct vcpu *first = vm->vcpu[0], *second = vm->vcpu[1];

	second->entry = vm_snippet(vm, count_then_off);
	vm_start(vm, 1, 1);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(first->result[0], AFFINITY_OFF);
	EXPECT_EQ((int32_t)first->result[1], PSCI_RET_SUCCESS);
	EXPECT_EQ(first->result[2], AFFINITY_OFF);
	EXPECT_EQ((int32_t)first->result[3], PSCI_RET_SUCCESS);
	EXPECT_EQ(first->result[4], AFFINITY_OFF);
	EXPECT_EQ((int32_t)first->result[5], PSCI_RET_ALREADY_ON);
	EXPECT_EQ(first->result[6], AFFINITY_ON);
	EXPECT_EQ(atomic_load(&second->ticks), 1);
}
