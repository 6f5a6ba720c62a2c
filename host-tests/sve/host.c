/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of the guest's vector registers: those of the process that runs it. A system call keeps V0..V31,
 * FPCR, FPSR and the thread's vector length (Documentation/arch/arm64/sve.rst, "System call behaviour"),
 * KVM_RUN as any other.
 */
#include "regs.h"
#include "vm.h"
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

SUITE(sve, .tags = "sve");

#ifndef HWCAP_SVE
#define HWCAP_SVE (1UL << 22)
#endif

/* FP and SIMD opened, all of V, FPCR and FPSR written; by number, for snippets are built without FP */
GUEST(spoil_v)
{
	guest_set_sysreg(cpacr_el1, 3 << 20);
	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tmovi v\\n\\().16b, "
			 "#0x11\n\t.endr\n\t"
			 ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tmovi "
			 "v\\n\\().16b, #0x22\n\t.endr");
	guest_set_sysreg(fpcr, 3 << 22);
	guest_set_sysreg(fpsr, 0x1f);
	for (uint64_t n = 1;; n++)
		guest_tick(n);
}

/* and with SVE: ZCR_EL1 to the longest, Z, P and FFR written */
GUEST(spoil_z)
{
	guest_set_sysreg(cpacr_el1, 3 << 20 | 3 << 16);
	guest_set_sysreg(S3_0_C1_C2_0, guest_arg(0));
	__asm__ volatile(".arch_extension sve\n\t"
			 "ptrue p0.b\n\tptrue p15.b\n\tsetffr\n\t"
			 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tmov z\\n\\().b, "
			 "#0x33\n\t.endr\n\t"
			 ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tmov "
			 "z\\n\\().b, #0x44\n\t.endr");
	for (uint64_t n = 1;; n++)
		guest_tick(n);
}

struct v_state {
	_Alignas(16) uint8_t q[32][16];
	uint64_t fpcr, fpsr;
};

/* clang-format off */
#define EACH_V(op, at)                                                                            \
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"                         \
	op " q\\n, [" at ", #16 * \\n]\n\t.endr\n\t"                                               \
	".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"               \
	op " q\\n, [" at ", #16 * \\n]\n\t.endr\n\t"
/* clang-format on */

/* load V, FPCR and FPSR, KVM_RUN, store them: nothing compiled is between. The caller's V are put back. */
static long run_with(int fd, const struct v_state *in, struct v_state *out)
{
	static struct v_state mine;
	register long x0 __asm__("x0") = fd;
	register long x1 __asm__("x1") = KVM_RUN;
	register long x2 __asm__("x2") = 0;
	register long x8 __asm__("x8") = 29; /* ioctl */

	__asm__ volatile(
		".arch_extension fp\n\t.arch_extension simd\n\t" /* for the lines below */
		EACH_V("str", "%[mine]") EACH_V(
			"ldr",
			"%[in]") "add x11, %[in], #512\n\tldp x9, x10, [x11]\n\t"
				 "msr fpcr, x9\n\tmsr fpsr, x10\n\t"
				 "svc #0\n\t" EACH_V(
					 "str",
					 "%[out]") "mrs x9, fpcr\n\tmrs x10, fpsr\n\t"
						   "add x11, %[out], #512\n\tstp x9, x10, [x11]\n\t"
						   "msr fpcr, xzr\n\tmsr fpsr, xzr\n\t" EACH_V(
							   "ldr", "%[mine]")
		: "+r"(x0)
		: "r"(x1), "r"(x2), "r"(x8), [in] "r"(in), [out] "r"(out), [mine] "r"(&mine)
		: "x9", "x10", "x11", "memory");
	return x0;
}

static uint64_t vector_bytes(void)
{
	register uint64_t x0 __asm__("x0");

	__asm__ volatile(".inst 0x04bf5020" : "=r"(x0)); /* RDVL x0, #1 */
	return x0;
}

static void expect_kept(struct vm *vm, unsigned int runs)
{
	static struct v_state in, out;
	bool sve = (getauxval(AT_HWCAP) & HWCAP_SVE) != 0;
	uint64_t bytes = sve ? vector_bytes() : 0;

	for (unsigned int n = 0; n < runs; n++) {
		for (size_t i = 0; i < sizeof(in.q); i++)
			in.q[i / 16][i % 16] = (uint8_t)test_random();
		in.fpcr = n % 2 ? 1 << 22 : 0;
		in.fpsr = n % 32;
		if (!EXPECT_EQ(run_with(vm->vcpu[0]->fd, &in, &out), 0L))
			return;
		EXPECT_EQ(memcmp(out.q, in.q, sizeof(in.q)), 0);
		EXPECT_EQ(out.fpcr, in.fpcr);
		EXPECT_EQ(out.fpsr & 0x9f, in.fpsr);
		if (sve)
			EXPECT_EQ(vector_bytes(), bytes);
		/* an argument it reads, or a tick: nothing here but an answer to the former, the longest ZCR */
		ASSERT_EQ(vm->vcpu[0]->run->exit_reason, (unsigned int)KVM_EXIT_MMIO);
		vm->vcpu[0]->run->mmio.data[0] = 15;
	}
}

static void prepare(struct vm *vm, void (*snippet)(void))
{
	/* straight into the snippet: what it does needs no stack */
	vcpu_set(vm, 0, REG_PC, vm_snippet(vm, snippet));
	vcpu_set(vm, 0, REG_SP_EL1, VM_STACK_BASE + VM_STACK_SIZE);
}

TEST(sve, vectors_of_the_vmm_survive_a_run, RULE("KVM-SVE-HOST-1"), VARIANTS("fp: | sve: sve=1"))
{
	bool sve = test_param_u64("sve", 0);
	struct vm *vm =
		vm_new(.vcpus = 1, .gic = GIC_ANY, .sve = sve, .entry = sve ? spoil_z : spoil_v);

	prepare(vm, sve ? spoil_z : spoil_v);
	expect_kept(vm, 3);
}

/* the guest at 128 bits: the length of the host's thread is not the guest's */
TEST(sve, vector_length_of_the_vmm_survives_a_shorter_guest, RULE("KVM-SVE-HOST-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .sve = true, .no_finalize = true,
			       .entry = spoil_z);
	uint64_t lengths[8] = {1};

	ASSERT_OK(vcpu_try_set(vm, 0, REG_SVE_VLS, lengths));
	ASSERT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	prepare(vm, spoil_z);
	expect_kept(vm, 3);
}
