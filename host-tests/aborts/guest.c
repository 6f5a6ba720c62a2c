/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that the guest itself takes: ESR_EL1, FAR_EL1 and ELR_EL1 by stage, kind and width (DDI 0487 D8.15, D24.2). */
#include "regs.h"
#include "tables.h"
#include <stdio.h>

#define EC_IABT	     0x21U
#define EC_DABT	     0x25U
#define WNR	     (1ULL << 6)
#define TRANSLATION  0x04U
#define ACCESS_FLAG  0x08U
#define PERMISSION   0x0cU
#define EXTERNAL     0x10U
#define EXTERNAL_TTW 0x14U /* plus the level */

/* Syndrome and FAR of one access. */
#define FAULT(n, ...)                                             \
	do {                                                      \
		guest_set_sysreg(far_el1, 0);                     \
		guest_result(2 * (n), GUEST_TRAP(__VA_ARGS__));   \
		guest_result(2 * (n) + 1, guest_sysreg(far_el1)); \
	} while (0)

GUEST_INLINE void fault_each_width(uint64_t at)
{
	FAULT(0, "ldrb w0, [%0]" ::"r"(at) : "x0", "memory");
	FAULT(1, "ldrh w0, [%0]" ::"r"(at) : "x0", "memory");
	FAULT(2, "ldr w0, [%0]" ::"r"(at) : "x0", "memory");
	FAULT(3, "ldr x0, [%0]" ::"r"(at) : "x0", "memory");
	FAULT(4, "ldp x0, x1, [%0]" ::"r"(at) : "x0", "x1", "memory");
	FAULT(5, "strb wzr, [%0]" ::"r"(at) : "memory");
	FAULT(6, "strh wzr, [%0]" ::"r"(at) : "memory");
	FAULT(7, "str wzr, [%0]" ::"r"(at) : "memory");
	FAULT(8, "str xzr, [%0]" ::"r"(at) : "memory");
	FAULT(9, "stp xzr, xzr, [%0]" ::"r"(at) : "memory");
}

#define WIDTHS	    10U
#define FIRST_STORE 5U

GUEST(fault_paged)
{
	stage1_on();
	fault_each_width(guest_arg(0));
}

static void expect_fault(const struct vcpu *c, unsigned int n, unsigned int fsc, uint64_t far)
{
	uint64_t esr = c->result[2UL * n], wnr = n >= FIRST_STORE ? WNR : 0;
	char what[48], got[96], want[96];

	if (ESR_EC(esr) == EC_DABT && (esr & 0x3f) == fsc && (esr & WNR) == wnr &&
	    c->result[2 * n + 1] == far) {
		test_held();
		return;
	}
	snprintf(what, sizeof(what), "access %u (loads, then stores)", n);
	snprintf(got, sizeof(got), "ESR %#llx FAR %#llx", (unsigned long long)esr,
		 (unsigned long long)c->result[2 * n + 1]);
	snprintf(want, sizeof(want), "EC %#x, status %#x, %s, FAR %#llx", EC_DABT, fsc,
		 wnr ? "write" : "read", (unsigned long long)far);
	test_differs(__FILE__, __LINE__, what, got, want);
}

/* A stage-1 fault is the guest's own affair: no exit, even where stage 2 maps nothing either. */
TEST(aborts, stage_1_fault_has_class_level_and_address, RULE("KVM-ABORT-5"),
     VARIANTS("level1: at=0x140000008 status=5 | level2: at=0x80200010 status=6 | "
	      "level3: at=0x80003018 status=7 | access_flag: at=0x80004020 status=11"))
{
	uint64_t at = test_param_u64("at", 0);
	unsigned int status = (unsigned int)test_param_u64("status", 0);
	struct vm *vm = paged_vm(fault_paged);

	if (!at)
		SKIP("has no address: runs only by its variants");
	page_set(vm, 4, IPA_NOBODY | PAGE_NO_AF);
	vm->vcpu[0]->arg[0] = at;
	RUN_TO_END(vm, 0);
	for (unsigned int n = 0; n < WIDTHS; n++)
		expect_fault(vm->vcpu[0], n, status, at);
}

/* Stage 1 refuses the write before stage 2 is asked for the page that nobody has. */
GUEST(write_paged)
{
	uint64_t at = guest_arg(0);

	stage1_on();
	FAULT(0, "str xzr, [%0]" ::"r"(at) : "memory");
	FAULT(1, "ldr x0, [%0]" ::"r"(guest_arg(1)) : "x0", "memory");
	FAULT(2, "str xzr, [%0]" ::"r"(guest_arg(1)) : "memory");
}

TEST(aborts, read_only_page_of_stage_1_faults_in_the_guest, RULE("KVM-ABORT-5"))
{
	struct vm *vm = paged_vm(write_paged);
	struct vcpu *c = vm->vcpu[0];

	page_set(vm, 1, IPA_NOBODY | PAGE_RO);
	page_set(vm, 2, IPA_DATA | PAGE_RO);
	c->arg[0] = VA_PAGES + 0x1040;
	c->arg[1] = VA_PAGES + 0x2048;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(ESR_EC(c->result[0]), EC_DABT);
	EXPECT_EQ(c->result[0] & 0x3f, PERMISSION + 3U);
	EXPECT_EQ(c->result[0] & WNR, WNR);
	EXPECT_EQ(c->result[1], c->arg[0]);
	EXPECT_EQ(c->result[2], 0U);
	EXPECT_EQ(c->result[4] & 0x3f, PERMISSION + 3U);
	EXPECT_EQ(c->result[5], c->arg[1]);
}

/* An access that crosses into a page without memory faults with an address in that page (DDI 0487 D24.2, FAR_EL1). */
GUEST(cross)
{
	uint64_t at = guest_arg(0);

	stage1_on();
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t esr, far;

		guest_set_sysreg(far_el1, 0);
		if (i == 0)
			esr = GUEST_TRAP("ldrh w0, [%0]" ::"r"(at - 1) : "x0", "memory");
		else if (i == 1)
			esr = GUEST_TRAP("ldr w0, [%0]" ::"r"(at - 1) : "x0", "memory");
		else if (i == 2)
			esr = GUEST_TRAP("ldr x0, [%0]" ::"r"(at - 7) : "x0", "memory");
		else
			esr = GUEST_TRAP("str xzr, [%0]" ::"r"(at - 4) : "memory");
		far = guest_sysreg(far_el1);
		guest_result(2 * i, esr);
		guest_result(2 * i + 1, far);
	}
	guest_result(8, guest_read64(at - 8));
}

TEST(aborts, page_crossing_faults_in_the_second_page, RULE("KVM-ABORT-6"))
{
	struct vm *vm = paged_vm(cross);
	struct vcpu *c = vm->vcpu[0];
	uint64_t end = VA_PAGES + 0x8000, *data = vm_host(vm, IPA_DATA);

	page_set(vm, 7, IPA_DATA | PAGE);
	data[511] = 0x5151515151515151;
	vm_sync_ram(vm, IPA_DATA, 0x1000);
	c->arg[0] = end;
	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < 4; i++) {
		bool good = EXPECT_EQ(ESR_EC(c->result[2UL * i]), EC_DABT);

		good &= EXPECT_EQ(c->result[2UL * i] & 0x3f, TRANSLATION + 3U);
		good &= EXPECT_EQ(c->result[2UL * i] & WNR, i == 3 ? WNR : 0);
		good &= EXPECT_EQ(c->result[2 * i + 1], end);
		if (!good)
			NOTE("access %u: ldrh -1, ldr w -1, ldr x -7, str x -4", i);
	}
	/* the half of the store that had a page was not made */
	EXPECT_EQ(c->result[8], 0x5151515151515151U);
}

/* A fetch where nobody is: KVM has nothing to emulate and gives the abort to the guest (arch/arm64/kvm/mmu.c). */
GUEST(jump)
{
	((void (*)(void))guest_arg(0))();
}

GUEST(jump_paged)
{
	uint64_t at = guest_arg(0);

	stage1_on();
	((void (*)(void))at)();
}

static void expect_fetch_abort(struct vm *vm, unsigned int fsc, uint64_t at)
{
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = at;
	ASSERT_EQ(vcpu_run(vm, 0), (int)GUEST_EXCEPTION);
	EXPECT_EQ(ESR_EC(c->esr), EC_IABT);
	EXPECT_EQ(c->esr & 0x3f, (uint64_t)fsc);
	EXPECT_EQ(c->far, at);
	EXPECT_EQ(c->elr, at);
}

TEST(aborts, fetch_from_nobody_is_an_external_abort, RULE("KVM-ABORT-7"),
     VARIANTS("flat: | paged: paged=1"))
{
	struct vm *vm;

	if (!test_param_u64("paged", 0)) {
		expect_fetch_abort(vm_new(.vcpus = 1, .entry = jump), EXTERNAL, IPA_NOBODY + 0x40);
		return;
	}
	vm = paged_vm(jump_paged);
	page_set(vm, 6, IPA_NOBODY | PAGE);
	expect_fetch_abort(vm, EXTERNAL, VA_PAGES + 0x6080);
}

GUEST(jump_at_el0)
{
	uint64_t at = guest_arg(0);

	__asm__ volatile("msr elr_el1, %0\n\tmsr spsr_el1, %1\n\teret" ::"r"(at), "r"(0x3c0UL));
}

/* DDI 0487 ESR_EL1.EC: 0x20 of an instruction abort from a lower exception level, 0x21 from the same */
TEST(aborts, fetch_of_el0_from_nobody_aborts_from_a_lower_level, RULE("KVM-ABORT-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = jump_at_el0);
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = IPA_NOBODY + 0x40;
	ASSERT_EQ(vcpu_run(vm, 0), (int)GUEST_EXCEPTION);
	EXPECT_EQ(ESR_EC(c->esr), 0x20U);
	EXPECT_EQ(c->esr & 0x3f, (uint64_t)EXTERNAL);
	EXPECT_EQ(c->far, IPA_NOBODY + 0x40);
	EXPECT_EQ(c->elr, IPA_NOBODY + 0x40);
}

TEST(aborts, fetch_that_stage_1_forbids_faults_in_the_guest, RULE("KVM-ABORT-5"),
     VARIANTS("hole: page=9 status=7 | no_execute: page=10 status=15 | access_flag: page=11 "
	      "status=11"))
{
	uint64_t page = test_param_u64("page", 9);
	unsigned int status = (unsigned int)test_param_u64("status", 7);
	struct vm *vm = paged_vm(jump_paged);

	page_set(vm, 10, IPA_DATA | PAGE_XN);
	page_set(vm, 11, IPA_DATA | PAGE_NO_AF);
	expect_fetch_abort(vm, status, VA_PAGES + (page << 12) + 0x10);
}

/* A table where nobody is: an external abort, on the walk or on the access (KVM tells no level before 7.0). */
TEST(aborts, table_in_nobodys_memory_is_an_external_abort, RULE("KVM-ABORT-8"))
{
	struct vm *vm = paged_vm(fault_paged);
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = VA_WALK + 0x1230;
	RUN_TO_END(vm, 0);
	for (unsigned int n = 0; n < WIDTHS; n++) {
		uint64_t fsc = c->result[2UL * n] & 0x3f;
		bool good = EXPECT_EQ(ESR_EC(c->result[2UL * n]), EC_DABT);

		good &= EXPECT_TRUE(fsc == EXTERNAL ||
				    (fsc >= EXTERNAL_TTW && fsc <= EXTERNAL_TTW + 3));
		good &= EXPECT_EQ(c->result[2 * n + 1], c->arg[0]);
		if (!good)
			NOTE("access %u: ESR %#llx", n, (unsigned long long)c->result[2UL * n]);
	}
}
