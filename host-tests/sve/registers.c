/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector registers through both doors: what the guest holds is what KVM_GET_ONE_REG reads, what KVM_SET_ONE_REG
 * writes is what the guest finds (Documentation/virt/kvm/api.rst, 4.68; arch/arm64/kvm/guest.c, sve_reg_to_region).
 */
#include "regs.h"
#include "vm.h"
#include <string.h>

#define SVE_BYTES 256

#define EACH_16(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_32(X) \
	EACH_16(X) \
	X(16)      \
	X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)

#define FILL_Z(n) ".if " #n " < 32\n\tmov z" #n ".b, #(" #n " + 1)\n\t.endif\n\t"
#define FILL_P(n) "whilelo p" #n ".b, xzr, %[ones]\n\t"

GUEST(fill_registers)
{
	uint64_t ones = guest_arg(1);

	guest_set_sysreg(cpacr_el1, 3 << 20 | 3 << 16);
	guest_set_sysreg(S3_0_C1_C2_0, guest_arg(0));
	__asm__ volatile(".arch_extension sve\n\t" EACH_32(FILL_Z) "setffr\n\t" EACH_16(FILL_P)
			 :
			 : [ones] "r"(ones)
			 : "cc");
	__asm__ volatile(".inst 0x04bf5020\n\tmov %0, x0" /* RDVL x0, #1 */ : "=r"(ones) : : "x0");
	guest_result(0, ones);
	guest_tick(1);
	for (;;)
		guest_answer();
}

static void expect_bytes(const char *name, unsigned int n, const uint8_t *got, size_t size,
			 size_t filled, uint8_t value, size_t ones_bits)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t want = i < filled ? value : 0;

		if (ones_bits) {
			size_t here = ones_bits > i * 8 ? ones_bits - i * 8 : 0;

			want = (uint8_t)(here >= 8 ? 0xff : (1U << here) - 1);
		}
		if (got[i] != want) {
			EXPECT_EQ(got[i], want);
			NOTE("%s%u byte %zu", name, n, i);
			return;
		}
	}
}

TEST(sve, user_space_reads_what_the_guest_holds, RULE("KVM-SVE-HOST-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .sve = true, .entry = fill_registers);
	struct vcpu *c = vm->vcpu[0];
	static uint8_t z[SVE_BYTES];
	size_t bytes, ones = 13;

	c->arg[0] = 15;
	c->arg[1] = ones;
	vcpu_run_to_tick(vm, 0, 1);
	bytes = c->result[0];
	ASSERT_GE(bytes, 16U);
	for (unsigned int n = 0; n < 32; n++) {
		ASSERT_OK(vcpu_try_get(vm, 0, KVM_REG_ARM64_SVE_ZREG(n, 0), z));
		expect_bytes("Z", n, z, SVE_BYTES, bytes, (uint8_t)(n + 1), 0);
	}
	for (unsigned int n = 0; n < 16; n++) {
		ASSERT_OK(vcpu_try_get(vm, 0, KVM_REG_ARM64_SVE_PREG(n, 0), z));
		expect_bytes("P", n, z, SVE_BYTES / 8, 0, 0, ones);
	}
	ASSERT_OK(vcpu_try_get(vm, 0, KVM_REG_ARM64_SVE_FFR(0), z));
	expect_bytes("FFR", 0, z, SVE_BYTES / 8, bytes / 8, 0xff, 0);
}

/* the lowest doubleword of each Z and its last one, mixed; FFR and P3 counted */
#define READ_Z(n)                                                                                 \
	{                                                                                         \
		uint64_t low_, last_;                                                             \
		__asm__ volatile(".arch_extension sve\n\tptrue p0.d\n\tumov %0, v" #n ".d[0]\n\t" \
				 "lastb %1, p0, z" #n ".d"                                        \
				 : "=r"(low_), "=r"(last_));                                      \
		guest_result(n, 3 * low_ + last_);                                                \
	}

GUEST(read_registers)
{
	uint64_t ffr, p3;

	guest_set_sysreg(cpacr_el1, 3 << 20 | 3 << 16);
	__asm__ volatile(".arch_extension sve\n\trdffr p1.b\n\tptrue p0.b\n\tcntp %0, p0, p1.b\n\t"
			 "cntp %1, p0, p3.b"
			 : "=r"(ffr), "=r"(p3));
	EACH_32(READ_Z)
	guest_tick(ffr << 32 | p3);
	for (;;)
		guest_answer();
}

TEST(sve, the_guest_finds_what_user_space_wrote, RULE("KVM-SVE-HOST-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .sve = true, .entry = read_registers);
	static uint64_t z[32][SVE_BYTES / 8], vls[8];
	uint8_t p[SVE_BYTES / 8];
	size_t bytes = 0;

	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, vls));
	for (unsigned int vq = 1; vq <= 16; vq++)
		if (vls[0] >> (vq - 1) & 1)
			bytes = (size_t)vq * 16;
	for (unsigned int n = 0; n < 32; n++) {
		for (size_t i = 0; i < bytes / 8; i++)
			z[n][i] = test_random();
		ASSERT_OK(vcpu_try_set(vm, 0, KVM_REG_ARM64_SVE_ZREG(n, 0), z[n]));
	}
	/* from the start, for a CPU at a shorter length may lose what is above it (DDI 0487 B1.2.2) */
	vcpu_set(vm, 0, REG_SYS(3, 0, 1, 2, 0), 15); /* ZCR_EL1 */
	memset(p, 0, sizeof(p));
	p[0] = 0x1f; /* 5 elements, in P3; 9 in FFR, which holds a run of ones */
	ASSERT_OK(vcpu_try_set(vm, 0, KVM_REG_ARM64_SVE_PREG(3, 0), p));
	p[0] = 0xff;
	p[1] = 0x01;
	ASSERT_OK(vcpu_try_set(vm, 0, KVM_REG_ARM64_SVE_FFR(0), p));
	vcpu_run_to_tick(vm, 0, 1);
	EXPECT_EQ(atomic_load(&vm->vcpu[0]->ticks), 9ULL << 32 | 5);
	for (unsigned int n = 0; n < 32; n++)
		if (!EXPECT_EQ(vm->vcpu[0]->result[n], 3 * z[n][0] + z[n][bytes / 8 - 1]))
			NOTE("Z%u", n);
}
