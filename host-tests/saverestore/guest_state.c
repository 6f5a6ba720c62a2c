/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What KVM_SET_ONE_REG wrote is what the guest has, and what the guest left is what KVM_GET_ONE_REG reads
 * (Documentation/virt/kvm/api.rst 4.68, 4.69); KVM_ARM_VCPU_INIT makes all of it anew (4.77).
 */
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>
#include <string.h>

#define REG_ELR_EL1  REG_CORE(elr_el1, KVM_REG_SIZE_U64)
#define REG_SPSR_EL1 REG_CORE(spsr[0], KVM_REG_SIZE_U64)
#define REG_FPSR     REG_CORE(fp_regs.fpsr, KVM_REG_SIZE_U32)
#define REG_FPCR     REG_CORE(fp_regs.fpcr, KVM_REG_SIZE_U32)
#define REG_V(n)                                                \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, fp_regs.vregs) / 4 + 4 * (uint64_t)(n)))
#define RESULT(n) (GUEST_PORT + GUEST_PORT_RESULT + 8 * (n))

/* The stack pointer of EL1 is made the port's results: a store of each register leaves the guest as MMIO. */
void store_core(void);
void leave_core(void);
void store_vectors(void);
__asm__(".pushsection assay_guest, \"ax\", %progbits\n"
	".arch armv8-a+fp+simd\n"
	".global store_core\n"
	"store_core:\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
	"23, 24, 25, "
	"26, 27, 28, 29, 30\n"
	"	str	x\\n, [sp, #8 * \\n]\n"
	".endr\n"
	"	mrs	x0, sp_el0\n"
	"	str	x0, [sp, #8 * 31]\n"
	"	mrs	x1, elr_el1\n"
	"	mrs	x2, spsr_el1\n"
	"	mrs	x3, nzcv\n"
	"	mrs	x4, daif\n"
	"	str	x1, [sp, #8 * 0]\n"
	"	str	x2, [sp, #8 * 1]\n"
	"	str	x3, [sp, #8 * 2]\n"
	"	str	x4, [sp, #8 * 3]\n"
	"	mov	x5, #0x0c000000\n" /* GUEST_PORT, offset 0: done */
	"	str	xzr, [x5]\n"
	"	b	.\n"
	/* each register its own number, times 0x0101010101010101 */
	".global leave_core\n"
	"leave_core:\n"
	"	mov	x0, #0x0101\n"
	"	movk	x0, #0x0101, lsl #16\n"
	"	movk	x0, #0x0101, lsl #32\n"
	"	movk	x0, #0x0101, lsl #48\n"
	".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
	"23, 24, 25, 26, "
	"27, 28, 29\n"
	"	mov	x30, #\\n\n"
	"	mul	x\\n, x0, x30\n"
	".endr\n"
	"	msr	sp_el0, x7\n"
	"	msr	elr_el1, x8\n"
	"	mov	x30, #0x3c5\n"
	"	msr	spsr_el1, x30\n"
	"	mov	sp, x9\n"
	"	mov	x30, #0x0c000000\n"
	"	cmp	x0, x0\n" /* Z and C */
	"	str	xzr, [x30]\n"
	"	b	.\n"
	/* V registers to memory at x0; CPACR_EL1.FPEN first */
	".global store_vectors\n"
	"store_vectors:\n"
	"	mov	x1, #3 << 20\n"
	"	msr	cpacr_el1, x1\n"
	"	isb\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
	"23, 24, 25, "
	"26, 27, 28, 29, 30, 31\n"
	"	str	q\\n, [x0], #16\n"
	"	not	v\\n\\().16b, v\\n\\().16b\n"
	".endr\n"
	"	mrs	x1, fpsr\n"
	"	mrs	x2, fpcr\n"
	"	str	x1, [x0]\n"
	"	str	x2, [x0, #8]\n"
	"	mvn	x1, x1\n"
	"	and	x1, x1, #0x1f\n"
	"	msr	fpsr, x1\n"
	"	msr	fpcr, xzr\n"
	"	mov	x5, #0x0c000000\n"
	"	str	xzr, [x5]\n"
	"	b	.\n"
	".popsection\n");

static void expect_reg(struct vm *vm, uint64_t id, uint64_t want)
{
	char name[64];

	if (!EXPECT_EQ(vcpu_get(vm, 0, id), want))
		NOTE("register was %s", reg_name(id, name, sizeof(name)));
}

TEST(saverestore, core_registers_reach_the_guest, RULE("KVM-REG-6"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t x[31], sp0 = test_random(), elr = test_random();
	const uint64_t *r = vm->vcpu[0]->result;
	uint64_t first[4] = {};

	for (unsigned int n = 0; n < 31; n++)
		vcpu_set(vm, 0, REG_X(n), x[n] = test_random());
	vcpu_set(vm, 0, REG_SP, sp0);
	vcpu_set(vm, 0, REG_SP_EL1, RESULT(0));
	vcpu_set(vm, 0, REG_ELR_EL1, elr);
	vcpu_set(vm, 0, REG_SPSR_EL1, 0xf00003c5);
	vcpu_set(vm, 0, REG_PSTATE, 0x900001c5); /* N, V, AIF masked, EL1h: D not */
	vcpu_start_at(vm, 0, store_core);
	for (unsigned int n = 0; n < 32; n++) { /* the first four results are used twice */
		ASSERT_OK(vcpu_ioctl(vm, 0, KVM_RUN, 0));
		ASSERT_EQ(vm->vcpu[0]->run->exit_reason, KVM_EXIT_MMIO);
		EXPECT_EQ(vm->vcpu[0]->run->mmio.phys_addr, RESULT(n));
		memcpy(&vm->vcpu[0]->result[n], vm->vcpu[0]->run->mmio.data, 8);
		if (n < 4)
			first[n] = r[n];
	}
	RUN_TO_END(vm, 0);
	for (unsigned int n = 0; n < 31; n++)
		if (!EXPECT_EQ(n < 4 ? first[n] : r[n], x[n]))
			NOTE("register was x%u", n);
	EXPECT_EQ(r[31], sp0);
	EXPECT_EQ(r[0], elr);
	EXPECT_EQ(r[1], 0xf00003c5);
	EXPECT_EQ(r[2], 0x90000000);
	EXPECT_EQ(r[3], 0x1c0);
}

TEST(saverestore, core_registers_come_back_from_the_guest, RULE("KVM-REG-6"))
{
	const uint64_t ones = 0x0101010101010101;
	struct vm *vm = vm_new(.vcpus = 1);

	vcpu_start_at(vm, 0, leave_core);
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
	for (unsigned int n = 0; n < 30; n++)
		expect_reg(vm, REG_X(n), (n ? n : 1) * ones);
	expect_reg(vm, REG_X(30), GUEST_PORT);
	expect_reg(vm, REG_SP, 7 * ones);
	expect_reg(vm, REG_ELR_EL1, 8 * ones);
	expect_reg(vm, REG_SP_EL1, 9 * ones);
	expect_reg(vm, REG_SPSR_EL1, 0x3c5);
	expect_reg(vm, REG_PSTATE, 0x600003c5);
	/* the store is done: the PC is behind it */
	EXPECT_EQ(vcpu_get(vm, 0, REG_PC) & 3, 0);
	EXPECT_GT(vcpu_get(vm, 0, REG_PC), vm_snippet(vm, leave_core) + 240);
}

TEST(saverestore, vector_registers_reach_the_guest_and_come_back, RULE("KVM-REG-6"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t v[32][2], got[2], *ram = vm_host(vm, VM_FREE_BASE);
	uint32_t fpsr = 0x0800009f, fpcr = 0x00c00000,
		 w; /* QC and exceptions; rounding towards zero */

	for (unsigned int n = 0; n < 32; n++) {
		v[n][0] = test_random();
		v[n][1] = test_random();
		ASSERT_OK(vcpu_try_set(vm, 0, REG_V(n), v[n]));
		ASSERT_OK(vcpu_try_get(vm, 0, REG_V(n), got));
		EXPECT_EQ(memcmp(got, v[n], 16), 0);
	}
	ASSERT_OK(vcpu_try_set(vm, 0, REG_FPSR, &fpsr));
	ASSERT_OK(vcpu_try_set(vm, 0, REG_FPCR, &fpcr));
	vm_sync_ram(vm, VM_FREE_BASE, 1024);
	vcpu_set(vm, 0, REG_X(0), VM_FREE_BASE);
	vcpu_start_at(vm, 0, store_vectors);
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
	vm_sync_ram(vm, VM_FREE_BASE, 1024);
	for (unsigned int n = 0; n < 32; n++) {
		if (!EXPECT_EQ(memcmp(&ram[2UL * n], v[n], 16), 0))
			NOTE("the guest's v%u", n);
		ASSERT_OK(vcpu_try_get(vm, 0, REG_V(n), got));
		if (!EXPECT_TRUE(got[0] == ~v[n][0] && got[1] == ~v[n][1]))
			NOTE("v%u of user space", n);
	}
	EXPECT_EQ(ram[64], fpsr);
	EXPECT_EQ(ram[65], fpcr);
	ASSERT_OK(vcpu_try_get(vm, 0, REG_FPSR, &w));
	EXPECT_EQ(w, ~fpsr & 0x1f);
	ASSERT_OK(vcpu_try_get(vm, 0, REG_FPCR, &w));
	EXPECT_EQ(w, 0U);
}

/* ---- EL1's system registers: state alone, none of them does anything with the MMU off and interrupts masked */

#define EACH_SYSREG(X)                                             \
	X(0, ttbr0_el1, REG_SYS(3, 0, 2, 0, 0), 0xffff00000fff0)   \
	X(1, ttbr1_el1, REG_SYS(3, 0, 2, 0, 1), 0xffff00000fff0)   \
	X(2, tcr_el1, REG_SYS(3, 0, 2, 0, 2), 0x7fff3f)            \
	X(3, afsr0_el1, REG_SYS(3, 0, 5, 1, 0), 0)                 \
	X(4, afsr1_el1, REG_SYS(3, 0, 5, 1, 1), 0)                 \
	X(5, esr_el1, REG_SYS(3, 0, 5, 2, 0), 0xffffffff)          \
	X(6, far_el1, REG_SYS(3, 0, 6, 0, 0), ~0ULL)               \
	X(7, par_el1, REG_SYS(3, 0, 7, 4, 0), 0xff0ffffffff000)    \
	X(8, mair_el1, REG_SYS(3, 0, 10, 2, 0), ~0ULL)             \
	X(9, contextidr_el1, REG_SYS(3, 0, 13, 0, 1), 0xffffffff)  \
	X(10, tpidr_el1, REG_SYS(3, 0, 13, 0, 4), ~0ULL)           \
	X(11, cntkctl_el1, REG_SYS(3, 0, 14, 1, 0), 0x3ff)         \
	X(12, tpidr_el0, REG_SYS(3, 3, 13, 0, 2), ~0ULL)           \
	X(13, tpidrro_el0, REG_SYS(3, 3, 13, 0, 3), ~0ULL)         \
	X(14, csselr_el1, REG_SYS(3, 2, 0, 0, 0), 0x3)             \
	X(15, cpacr_el1, REG_SYS(3, 0, 1, 0, 2), 0x300000)         \
	X(16, vbar_el1, REG_SYS(3, 0, 12, 0, 0), 0x7ffffffff800)   \
	X(17, mdscr_el1, REG_SYS(2, 0, 0, 2, 2), 0x1000)           \
	X(18, dbgbvr0_el1, REG_SYS(2, 0, 0, 0, 4), 0x7ffffffffffc) \
	X(19, dbgbcr0_el1, REG_SYS(2, 0, 0, 0, 5), 0x6)            \
	X(20, dbgbvr1_el1, REG_SYS(2, 0, 0, 1, 4), 0x7ffffffffffc) \
	X(21, dbgwvr0_el1, REG_SYS(2, 0, 0, 0, 6), 0x7ffffffffffc) \
	X(22, dbgwcr0_el1, REG_SYS(2, 0, 0, 0, 7), 0x1ffe)         \
	X(23, dbgwvr1_el1, REG_SYS(2, 0, 0, 1, 6), 0x7ffffffffffc)

#define X_READ(n, name, id, mask) guest_result(n, guest_sysreg(name));
GUEST(read_sysregs)
{EACH_SYSREG(X_READ)}

#define X_WRITE(n, name, id, mask) guest_set_sysreg(name, guest_sysreg(name) ^ (mask));
GUEST(write_sysregs)
{
	EACH_SYSREG(X_WRITE)
}

#define X_TABLE(n, name, id, mask) {#name, id, mask},
static const struct {
	const char *name;
	uint64_t id, mask;
} sysregs[] = {EACH_SYSREG(X_TABLE)};

/* The snippets are entered by themselves: guest_entry would set VBAR_EL1 and TPIDR_EL1. */
static void enter(struct vm *vm, void (*snippet)(void))
{
	vcpu_set(vm, 0, REG_SP_EL1, VM_STACK_BASE + VM_STACK_SIZE);
	vcpu_set(vm, 0, REG_X(30), vm_snippet(vm, guest_finish));
	vcpu_set(vm, 0, REG_PSTATE, 0x3c5);
	vcpu_start_at(vm, 0, snippet);
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
}

TEST(saverestore, system_registers_reach_the_guest_and_come_back, RULE("KVM-REG-6"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t want[ARRAY_SIZE(sysregs)];

	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++) {
		uint64_t reset = vcpu_get(vm, 0, sysregs[i].id) & ~sysregs[i].mask;

		want[i] = reset | (test_random() & sysregs[i].mask);
		vcpu_set(vm, 0, sysregs[i].id, want[i]);
	}
	enter(vm, read_sysregs);
	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
		if (!EXPECT_EQ(vm->vcpu[0]->result[i] & sysregs[i].mask, want[i] & sysregs[i].mask))
			NOTE("%s in the guest", sysregs[i].name);
	enter(vm, write_sysregs);
	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
		if (!EXPECT_EQ(vcpu_get(vm, 0, sysregs[i].id) & sysregs[i].mask,
			       ~want[i] & sysregs[i].mask))
			NOTE("%s in user space", sysregs[i].name);
}

/* ---- KVM_ARM_VCPU_INIT once more: "reset ... to the initial values" */

/* UNKNOWN at a Warm reset (DDI 0487, each register's description), and KVM leaves them alone. */
static bool unknown_at_reset(uint64_t id)
{
	return id == REG_SP_EL1 || id == REG_ELR_EL1 || id == REG_SPSR_EL1 ||
	       id == REG_SYS(3, 3, 14, 2, 2) /* CNTP_CVAL_EL0 */;
}

static void init_again(struct vm *vm)
{
	vcpu_init_again(vm, 0);
	vcpu_set(vm, 0, REG_SP_EL1, 0);
	vcpu_set(vm, 0, REG_ELR_EL1, 0);
	vcpu_set(vm, 0, REG_SPSR_EL1, 0);
}

TEST(saverestore, init_resets_every_register, RULE("KVM-INIT-4"),
     VARIANTS("plain: | sve: sve=1 | pmu: pmu=1"))
{
	bool sve = test_param_u64("sve", 0), pmu = test_param_u64("pmu", 0);
	static struct reg_list list;
	struct vm_state *before;
	unsigned int changed = 0;
	struct vm *vm;

	if (pmu && kvm_cap(KVM_CAP_ARM_PMU_V3) <= 0)
		SKIP_NEEDS("pmu", "KVM_CAP_ARM_PMU_V3 is 0 on this host");
	vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .sve = sve,
		    .features = pmu ? 1U << KVM_ARM_VCPU_PMU_V3 : 0, .entry = guest_nothing);
	if (pmu) {
		int irq = ASSAY_PPI_PMU, fd = vm->vcpu[0]->fd;

		ASSERT_OK(dev_try_set(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &irq));
		ASSERT_OK(
			dev_try_set(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, NULL));
	}
	init_again(vm);
	before = vm_capture_parts(vm, STATE_REGS);
	vcpu_reg_list(vm, 0, &list);
	for (uint64_t i = 0; i < list.n; i++) {
		uint64_t v[32] = {}, was[32] = {};
		uint32_t crn = (uint32_t)(list.id[i] >> 7 & 0xf);

		/* what is the VM's and not the vCPU's stays: features, firmware, time */
		if (reg_ticks(list.id[i]) || unknown_at_reset(list.id[i]) ||
		    vcpu_try_get(vm, 0, list.id[i], was) ||
		    (list.id[i] & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_FW ||
		    (list.id[i] & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_FW_FEAT_BMAP ||
		    (list.id[i] & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_DEMUX ||
		    ((list.id[i] & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM64_SYSREG && crn == 0 &&
		     (list.id[i] >> 14 & 3) == 3 && (list.id[i] >> 11 & 7) != 2))
			continue;
		for (unsigned int b = 0; b < 32; b++)
			v[b] = was[b] ^ 0x20;
		changed += vcpu_try_set(vm, 0, list.id[i], v) == 0;
	}
	EXPECT_GT(changed, 100U);
	init_again(vm);
	EXPECT_SAME_STATE(vm, before);
	vcpu_start_at(vm, 0, guest_entry);
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
	init_again(vm);
	EXPECT_SAME_STATE(vm, before);
}

/* DDI 0487 D1.6 (reset): EL1h, everything masked; the rest of the core registers zero in KVM (kvm_reset_vcpu). */
TEST(saverestore, vcpu_starts_masked_at_el1, RULE("KVM-INIT-4"))
{
	struct vm *vm = vm_new(.vcpus = 1);

	vcpu_init_again(vm, 0);
	expect_reg(vm, REG_PSTATE, 0x3c5);
	expect_reg(vm, REG_PC, 0);
	for (unsigned int n = 0; n < 31; n++)
		expect_reg(vm, REG_X(n), 0);
	/* SCTLR_EL1: RES1 bits and no more, MMU and caches off; CPACR: traps */
	EXPECT_EQ(vcpu_get(vm, 0, REG_SYS(3, 0, 1, 0, 0)) & 0x1005, 0);
	expect_reg(vm, REG_SYS(3, 0, 1, 0, 2), 0);
}
