/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware registers: which version of PSCI and which calls a guest has is user space's choice, before the VM
 * runs (Documentation/virt/kvm/arm/fw-pseudo-registers.rst; KVM_ARM_VM_SMCCC_CTRL: devices/vm.rst).
 */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <linux/psci.h>
#include <sched.h>
#include <time.h>

#define FN_FEATURES	  0x8400000aU
#define FN_SMCCC_VERSION  0x80000000U
#define FN_ARCH_FEATURES  0x80000001U
#define FN_TRNG_VERSION	  0x84000050U
#define FN_PV_FEATURES	  0xc5000020U
#define FN_PV_TIME_ST	  0xc5000021U
#define FN_VENDOR_UID	  0x8600ff01U
#define FN_VENDOR_FEATURE 0x86000000U
#define FN_VENDOR_PTP	  0x86000001U
#define FN_0_1_CPU_ON	  0x95c1ba60U

#define HYPERCALL_SMC 1U /* KVM_HYPERCALL_EXIT_SMC */

/* every argument is a function to call without arguments but one, result by result */
GUEST(call_eight)
{
	for (unsigned int n = 0; n < 8; n++)
		guest_result(n, guest_hvc(guest_arg(2 * n), guest_arg(2 * n + 1), 0, 0));
}

static int32_t call(struct vm *vm, uint32_t fn, uint64_t arg)
{
	vm->vcpu[0]->arg[0] = fn;
	vm->vcpu[0]->arg[1] = arg;
	for (unsigned int n = 2; n < 16; n += 2)
		vm->vcpu[0]->arg[n] = FN_SMCCC_VERSION;
	vcpu_set(vm, 0, REG_PC, vm_snippet(vm, guest_entry));
	RUN_TO_END(vm, 0);
	return (int32_t)vm->vcpu[0]->result[0];
}

static struct vm *fresh(void)
{
	return vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = call_eight);
}

static int try_set(struct vm *vm, uint64_t reg, uint64_t value)
{
	return vcpu_try_set(vm, 0, reg, &value);
}

TEST(psci, the_version_is_user_spaces_choice, RULE("PSCI-FW-1"))
{
	static const uint64_t versions[] = {2, 0x10000, 0x10001};
	uint64_t newest = vcpu_get(fresh(), 0, KVM_REG_ARM_PSCI_VERSION);

	EXPECT_GE(newest, 0x10000U);
	for (unsigned int n = 0; n < ARRAY_SIZE(versions); n++) {
		struct vm *vm = fresh();

		if (versions[n] > newest)
			break;
		ASSERT_OK(try_set(vm, KVM_REG_ARM_PSCI_VERSION, versions[n]));
		EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PSCI_VERSION), versions[n]);
		EXPECT_EQ((uint64_t)call(vm, PSCI_FN_VERSION, 0), versions[n]);
		/* FEATURES came with 1.0, SYSTEM_RESET2 with 1.1 */
		EXPECT_EQ(call(vm, FN_FEATURES, PSCI_FN_CPU_OFF),
			  versions[n] >= 0x10000 ? 0 : PSCI_RET_NOT_SUPPORTED);
		EXPECT_EQ(call(vm, FN_FEATURES, 0x84000012),
			  versions[n] >= 0x10001 ? 0 : PSCI_RET_NOT_SUPPORTED);
	}
}

TEST(psci, a_version_that_never_was_is_refused, RULE("PSCI-FW-1"))
{
	static const uint64_t bad[] = {0, 1, 3, 0x20000, 0x1000f, ~0ULL};
	struct vm *vm = fresh();
	uint64_t was = vcpu_get(vm, 0, KVM_REG_ARM_PSCI_VERSION);

	/* 1 is 0.1: only for a vCPU without KVM_ARM_VCPU_PSCI_0_2 */
	for (unsigned int n = 0; n < ARRAY_SIZE(bad); n++)
		if (!EXPECT_REFUSED(try_set(vm, KVM_REG_ARM_PSCI_VERSION, bad[n]), EINVAL))
			NOTE("version %#llx", (unsigned long long)bad[n]);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PSCI_VERSION), was);
	EXPECT_EQ((uint64_t)call(vm, PSCI_FN_VERSION, 0), was);
}

/* api.rst, KVM_ARM_VCPU_PSCI_0_2: without it the guest has PSCI 0.1, with KVM's own numbers */
TEST(psci, without_the_feature_a_guest_has_psci_0_1, RULE("PSCI-FW-2"))
{
	struct vm *vm =
		vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = call_eight, .no_vcpu_init = true);

	ASSERT_OK(vcpu_try_init(vm, 0, 0));
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PSCI_VERSION), 1U);
	EXPECT_REFUSED(try_set(vm, KVM_REG_ARM_PSCI_VERSION, 2), EINVAL);
	EXPECT_REFUSED(try_set(vm, KVM_REG_ARM_PSCI_VERSION, 0x10001), EINVAL);
	EXPECT_EQ(call(vm, PSCI_FN_VERSION, 0), PSCI_RET_NOT_SUPPORTED);
	/* of a CPU that is not there, and of this one, which is on: 0.1 has no ALREADY_ON */
	EXPECT_EQ(call(vm, FN_0_1_CPU_ON, 0x700), PSCI_RET_INVALID_PARAMS);
	EXPECT_EQ(call(vm, FN_0_1_CPU_ON, 0), PSCI_RET_INVALID_PARAMS);
}

static const struct bitmap {
	uint64_t reg, bit;
	uint32_t fn;
	const char *what;
} bitmaps[] = {
	{KVM_REG_ARM_STD_BMAP, 1, FN_TRNG_VERSION, "TRNG"},
	{KVM_REG_ARM_VENDOR_HYP_BMAP, 1, FN_VENDOR_UID, "vendor UID"},
	{KVM_REG_ARM_VENDOR_HYP_BMAP, 1, FN_VENDOR_FEATURE, "vendor features"},
	{KVM_REG_ARM_VENDOR_HYP_BMAP, 2, FN_VENDOR_PTP, "PTP"},
};

TEST(psci, calls_can_be_taken_away_before_the_first_run, RULE("PSCI-FW-3"))
{
	for (unsigned int n = 0; n < ARRAY_SIZE(bitmaps); n++) {
		const struct bitmap *b = &bitmaps[n];
		struct vm *vm = fresh();
		uint64_t all = vcpu_get(vm, 0, b->reg);

		EXPECT_TRUE(all & b->bit);
		if (!EXPECT_NE(call(vm, b->fn, 0), PSCI_RET_NOT_SUPPORTED) && b->bit != 2)
			NOTE("%s is not there with its bit set", b->what);
		/* too late: only the value it has is taken */
		EXPECT_REFUSED(try_set(vm, b->reg, all & ~b->bit), EBUSY);
		EXPECT_OK(try_set(vm, b->reg, all));
		vm = fresh();
		ASSERT_OK(try_set(vm, b->reg, all & ~b->bit));
		EXPECT_EQ(vcpu_get(vm, 0, b->reg), all & ~b->bit);
		if (!EXPECT_EQ(call(vm, b->fn, 0), PSCI_RET_NOT_SUPPORTED))
			NOTE("%s without its bit", b->what);
	}
}

TEST(psci, bits_without_a_meaning_are_refused, RULE("PSCI-FW-3"))
{
	static const uint64_t regs[] = {KVM_REG_ARM_STD_BMAP, KVM_REG_ARM_STD_HYP_BMAP,
					KVM_REG_ARM_VENDOR_HYP_BMAP};
	struct vm *vm = fresh();

	for (unsigned int n = 0; n < ARRAY_SIZE(regs); n++) {
		uint64_t was = vcpu_get(vm, 0, regs[n]);

		EXPECT_REFUSED(try_set(vm, regs[n], was | 1ULL << 63), EINVAL);
		EXPECT_REFUSED(try_set(vm, regs[n], was | 1ULL << 40), EINVAL);
		EXPECT_EQ(vcpu_get(vm, 0, regs[n]), was);
	}
}

/* fw-pseudo-registers.rst: a level above the host's protection is refused, a lower one taken; the guest is told the host's */
TEST(psci, workaround_levels_are_the_hosts, RULE("PSCI-FW-4"))
{
	static const uint64_t regs[] = {KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
					KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3};
	static const uint32_t fns[] = {0x80008000U, 0x80003fffU};
	struct vm *vm = fresh();
	uint64_t level;

	for (unsigned int n = 0; n < ARRAY_SIZE(regs); n++) {
		int32_t answer = call(vm, FN_ARCH_FEATURES, fns[n]);

		level = vcpu_get(vm, 0, regs[n]);
		EXPECT_LE(level, 2U);
		/* 0 not available, 1 available, 2 not required: -1, 0, 1 of SMCCC_ARCH_FEATURES (DEN 0028, 7.5.2) */
		EXPECT_EQ(answer, (int32_t)level - 1);
		EXPECT_OK(try_set(vm, regs[n], level));
		EXPECT_OK(try_set(vm, regs[n], 0));
		if (level < 2)
			EXPECT_REFUSED(try_set(vm, regs[n], level + 1), EINVAL);
		EXPECT_REFUSED(try_set(vm, regs[n], 1ULL << 8), EINVAL);
		EXPECT_EQ(vcpu_get(vm, 0, regs[n]), level);
	}
	/* 2: only a mitigation that is there can be switched on */
	level = vcpu_get(vm, 0, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2);
	if ((level & 0xf) != KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL)
		EXPECT_REFUSED(try_set(vm, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
				       level | KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED),
			       EINVAL);
	EXPECT_OK(try_set(vm, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2, level));
}

/* ---- stolen time (DEN 0057; devices/vcpu.rst, KVM_ARM_VCPU_PVTIME_CTRL) */

static int set_pvtime(struct vm *vm, uint64_t ipa)
{
	return dev_try_set(vm->vcpu[0]->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA,
			   &ipa);
}

TEST(psci, stolen_time_lies_where_user_space_said, RULE("PSCI-PVTIME-1"))
{
	struct vm *vm = fresh();
	const uint32_t *st;
	uint64_t ipa = VM_FREE_BASE + 0x1000;

	if (dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA))
		SKIP_NEEDS("pvtime",
			   "KVM_ARM_VCPU_PVTIME_CTRL: not offered (no CONFIG_PARAVIRT, or no "
			   "scheduler statistics)");
	EXPECT_EQ(call(vm, FN_PV_FEATURES, FN_PV_TIME_ST), PSCI_RET_NOT_SUPPORTED);
	/* how the guest finds it: pvtime.rst */
	EXPECT_EQ(call(vm, FN_ARCH_FEATURES, FN_PV_FEATURES), 0);
	/* aligned to 64 bytes, and once */
	EXPECT_REFUSED(set_pvtime(vm, ipa + 8), EINVAL);
	ASSERT_OK(set_pvtime(vm, ipa));
	EXPECT_REFUSED(set_pvtime(vm, ipa + 0x1000), EEXIST);
	EXPECT_EQ(call(vm, FN_PV_FEATURES, FN_PV_TIME_ST), 0);
	EXPECT_EQ(call(vm, FN_PV_FEATURES, FN_PV_FEATURES), 0);
	EXPECT_EQ((uint64_t)call(vm, FN_PV_TIME_ST, 0), ipa);
	/* DEN 0057, 3.2.2: revision and attributes are 0, nanoseconds stolen behind them */
	vm_sync_ram(vm, ipa, 64);
	st = vm_host(vm, ipa);
	EXPECT_EQ(st[0], 0U);
	EXPECT_EQ(st[1], 0U);
}

GUEST(ask_and_count)
{
	guest_result(0, guest_hvc(FN_PV_TIME_ST, 0, 0, 0));
	guest_count();
}

/* DEN 0057, 3.2.2: what the vCPU waits for its host CPU counts, and nothing else in the structure changes */
TEST(psci, stolen_time_grows_while_another_runs, RULE("PSCI-PVTIME-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = ask_and_count);
	uint64_t ipa = VM_FREE_BASE + 0x1000;
	volatile uint64_t *st = vm_host(vm, ipa);
	struct timespec now, begin;
	cpu_set_t here;

	if (dev_try_has(vm->vcpu[0]->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA))
		SKIP_NEEDS("pvtime", "KVM_ARM_VCPU_PVTIME_CTRL: not offered");
	ASSERT_OK(set_pvtime(vm, ipa));
	CPU_ZERO(&here);
	CPU_SET((unsigned int)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		SKIP("this process cannot be bound to one CPU");
	vcpu_run_to_tick(vm, 0, 1); /* it has asked */
	EXPECT_EQ(vm->vcpu[0]->result[0], ipa);
	vm_start(vm, 0, 1); /* its thread is bound, too */
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do /* busy, on the vCPU's own CPU */
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (!st[1] && now.tv_sec - begin.tv_sec < 10);
	EXPECT_GT(st[1], 0U);
	EXPECT_EQ(st[0], 0U);
}

/* ---- the filter (6.4 and later) */

#ifndef KVM_ARM_VM_SMCCC_CTRL
#define KVM_ARM_VM_SMCCC_CTRL	0
#define KVM_ARM_VM_SMCCC_FILTER 0
#endif

struct smccc_filter {
	uint32_t base, count;
	uint8_t action, pad[15];
};

enum { FILTER_HANDLE, FILTER_DENY, FILTER_FORWARD };

static int set_filter(struct vm *vm, const struct smccc_filter *f)
{
	return dev_try_set(vm->fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER, (void *)f);
}

static struct vm *with_filter(void)
{
	struct vm *vm = fresh();

	if (dev_try_has(vm->fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER))
		SKIP_NEEDS("smccc-filter", "KVM_ARM_VM_SMCCC_FILTER: it came with Linux 6.4");
	return vm;
}

TEST(psci, the_filter_denies_and_forwards, RULE("PSCI-FILTER-1"))
{
	struct vm *vm = with_filter();
	const struct smccc_filter deny = {
		.base = FN_TRNG_VERSION, .count = 1, .action = FILTER_DENY};
	const struct smccc_filter forward = {
		.base = 0xc2001000, .count = 16, .action = FILTER_FORWARD};
	struct kvm_run *run = vm->vcpu[0]->run;

	ASSERT_OK(set_filter(vm, &deny));
	ASSERT_OK(set_filter(vm, &forward));
	EXPECT_EQ(call(vm, FN_TRNG_VERSION, 0), PSCI_RET_NOT_SUPPORTED);
	EXPECT_NE(call(vm, FN_TRNG_VERSION + 1, FN_TRNG_VERSION),
		  1); /* its neighbour is untouched */
	EXPECT_EQ(call(vm, 0xc2001010, 0), PSCI_RET_NOT_SUPPORTED);
	/* the last of the range: user space answers in x0 */
	vm->vcpu[0]->arg[0] = 0xc200100f;
	vm->vcpu[0]->arg[1] = 77;
	vcpu_set(vm, 0, REG_PC, vm_snippet(vm, guest_entry));
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.nr, 0xc200100fU);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 77U);
	vcpu_set(vm, 0, REG_X(0), 0x600d);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0x600dU);
	/* "-EBUSY if the VM has run" */
	EXPECT_REFUSED(set_filter(vm, &deny), EBUSY);
}

GUEST(call_by_smc)
{
	register uint64_t x0 __asm__("x0") = guest_arg(0);

	__asm__ volatile("smc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	guest_result(0, x0);
}

/* api.rst, KVM_EXIT_HYPERCALL: KVM_HYPERCALL_EXIT_SMC tells the one conduit from the other */
TEST(psci, a_forwarded_call_tells_its_conduit, RULE("PSCI-FILTER-3"), VARIANTS("hvc: | smc: smc=1"))
{
	struct vm *vm = with_filter();
	const struct smccc_filter forward = {
		.base = 0xc2001000, .count = 1, .action = FILTER_FORWARD};
	struct kvm_run *run = vm->vcpu[0]->run;
	bool smc = test_param_u64("smc", 0);

	ASSERT_OK(set_filter(vm, &forward));
	vm->vcpu[0]->arg[0] = 0xc2001000;
	vm->vcpu[0]->entry = vm_snippet(vm, smc ? call_by_smc : call_eight);
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.nr, 0xc2001000U);
	/* `flags` since Linux 6.4, whose low half older headers call longmode */
	EXPECT_EQ(run->hypercall.longmode, smc ? HYPERCALL_SMC : 0U);
}

TEST(psci, bad_filters_are_refused, RULE("PSCI-FILTER-2"))
{
	struct vm *vm = with_filter();
	const struct smccc_filter arch = {
		.base = FN_ARCH_FEATURES, .count = 1, .action = FILTER_DENY};
	const struct smccc_filter padded = {
		.base = 0xc2000000, .count = 1, .action = FILTER_DENY, .pad = {1}};
	const struct smccc_filter action = {.base = 0xc2000000, .count = 1, .action = 3};
	const struct smccc_filter none = {.base = 0xc2000000, .count = 0, .action = FILTER_DENY};
	const struct smccc_filter wraps = {
		.base = 0xffffff00, .count = 0x200, .action = FILTER_DENY};
	const struct smccc_filter good = {
		.base = 0xc2000000, .count = 16, .action = FILTER_FORWARD};
	const struct smccc_filter over = {.base = 0xc2000008, .count = 16, .action = FILTER_DENY};

	/* the calls of the architecture tell the guest about mitigations: nobody may change them */
	EXPECT_REFUSED(set_filter(vm, &arch), EEXIST);
	EXPECT_REFUSED(set_filter(vm, &padded), EINVAL);
	EXPECT_REFUSED(set_filter(vm, &action), EINVAL);
	EXPECT_REFUSED(set_filter(vm, &none), EINVAL);
	EXPECT_REFUSED(set_filter(vm, &wraps), EINVAL);
	EXPECT_OK(set_filter(vm, &good));
	EXPECT_REFUSED(set_filter(vm, &over), EEXIST);
	EXPECT_NE(call(vm, FN_SMCCC_VERSION, 0), PSCI_RET_NOT_SUPPORTED);
}
