/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses of every kind that the syndrome does not describe (ISV 0, DDI 0487 D24.2): pairs, write-back, exclusives,
 * atomics, vector registers, DC ZVA. Where no memory is, KVM cannot emulate them: KVM_RUN says ENOSYS, or exits with
 * KVM_EXIT_ARM_NISV where user space asked for it (api.rst 7.22). The guest stands before the instruction, unchanged.
 */
#include "regs.h"
#include "tables.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { READ, WRITE, EITHER };

/* One instruction with the address in x1, data in x2 and x3, a result in x0. */
#define ACCESS(text)                                                                            \
	__asm__ volatile(                                                                       \
		"mov x1, %1\n\tmov x2, %2\n\tmov x3, %2\n\tmov x0, xzr\n\tmov x4, xzr\n\t" text \
		"\n\tmov %0, x0"                                                                \
		: "=&r"(x0)                                                                     \
		: "r"(at), "r"(value)                                                           \
		: "x0", "x1", "x2", "x3", "x4", "memory")

GUEST(access_kind)
{
	uint64_t at = guest_arg(0), value = guest_arg(1), kind = guest_arg(2), x0 = 0;

	stage1_on();
	guest_set_sysreg(cpacr_el1, 3ULL << 20);
	if (kind == 0)
		ACCESS("ldp x0, x4, [x1]");
	else if (kind == 1)
		ACCESS("stp x2, x3, [x1]");
	else if (kind == 2)
		ACCESS("ldr x0, [x1], #8");
	else if (kind == 3)
		ACCESS("ldr x0, [x1, #0]!");
	else if (kind == 4)
		ACCESS("str x2, [x1], #8");
	else if (kind == 5)
		ACCESS("ldxr x0, [x1]");
	else if (kind == 6)
		ACCESS("ldnp x0, x4, [x1]");
	else if (kind == 7)
		ACCESS(".inst 0xfd400020"); /* ldr d0, [x1] */
	else if (kind == 8)
		ACCESS(".inst 0x3d800020"); /* str q0, [x1] */
	else if (kind == 9)
		ACCESS("dc zva, x1");
	else if (kind == 10)
		ACCESS("ldpsw x0, x4, [x1]");
	else if (kind == 11)
		ACCESS(".inst 0xf8220020"); /* ldadd x2, x0, [x1] */
	else if (kind == 12)
		ACCESS(".inst 0xf8228020"); /* swp x2, x0, [x1] */
	else if (kind == 13)
		ACCESS(".inst 0xc8a07c22"); /* cas x0, x2, [x1] */
	guest_result(0, x0);
	guest_result(1, 1);
}

#define ATOMICS 11U

static const struct {
	const char *name;
	int direction;
	uint64_t loads;	 /* what x0 has of the word 0x11 in memory; ~0: nothing to compare */
	uint64_t stores; /* what memory has afterwards, of a store of 5; q0 is 0 */
} kinds[] = {
	{"ldp", READ, 0x11, 0x11},
	{"stp", WRITE, ~0ULL, 5},
	{"ldr post-index", READ, 0x11, 0x11},
	{"ldr pre-index", READ, 0x11, 0x11},
	{"str post-index", WRITE, ~0ULL, 5},
	{"ldxr", READ, 0x11, 0x11},
	{"ldnp", READ, 0x11, 0x11},
	{"ldr d", READ, ~0ULL, 0x11},
	{"str q", WRITE, ~0ULL, ~0ULL},
	{"dc zva", WRITE, ~0ULL, 0},
	{"ldpsw", READ, 0x11, 0x11},
	{"ldadd", EITHER, 0x11, 0x16},
	{"swp", EITHER, 0x11, 5},
	{"cas", EITHER, 0x11, 0x11}, /* x0 is 0, which memory is not */
};

GUEST(read_features)
{
	guest_result(0, guest_sysreg(id_aa64isar0_el1));
}

static bool guest_has_atomics(void)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_features);

	RUN_TO_END(vm, 0);
	return (vm->vcpu[0]->result[0] >> 20 & 0xf) >= 2;
}

static void expect_no_syndrome(struct vm *vm, unsigned int kind, bool exits)
{
	struct vcpu *c = vm->vcpu[0];
	uint64_t pc;

	for (unsigned int i = 0; i < 2; i++) {
		int end = vcpu_run(vm, 0);

		pc = vcpu_get(vm, 0, REG_PC);
		if (!exits) {
			EXPECT_EQ(end, -ENOSYS);
			continue;
		}
		if (!EXPECT_EQ(end, (int)KVM_EXIT_ARM_NISV))
			return;
		EXPECT_EQ(c->run->arm_nisv.fault_ipa, IPA_NOBODY + 0x340);
		EXPECT_EQ(c->run->arm_nisv.esr_iss >> 24 & 1, 0U);
		if (kinds[kind].direction != EITHER)
			EXPECT_EQ(c->run->arm_nisv.esr_iss >> 6 & 1,
				  (uint64_t)(kinds[kind].direction == WRITE));
	}
	EXPECT_EQ(vcpu_get(vm, 0, REG_PC), pc);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), VA_PAGES + 0x5340); /* no write-back was done */
}

static void one_kind(unsigned int kind, bool exits)
{
	struct vm *vm = paged_vm(access_kind);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_NISV_TO_USER};
	struct vcpu *c = vm->vcpu[0];
	uint64_t base = IPA_NOBODY & ~0xffffULL, *word;

	page_set(vm, 5, IPA_NOBODY | PAGE_XN);
	c->arg[0] = VA_PAGES + 0x5340;
	c->arg[1] = 5;
	c->arg[2] = kind;
	if (exits && vm_ioctl(vm, KVM_ENABLE_CAP, &cap))
		SKIP_NEEDS("nisv-to-user", "KVM_CAP_ARM_NISV_TO_USER is refused");
	expect_no_syndrome(vm, kind, exits);
	/* with memory there, the very instruction is done */
	vm_add_slot(vm, base, 0x10000, 0);
	word = vm_host(vm, IPA_NOBODY + 0x340);
	word[0] = 0x11;
	vm_sync_ram(vm, base, 0x10000);
	RUN_TO_END(vm, 0);
	vm_sync_ram(vm, base, 0x10000);
	EXPECT_EQ(c->result[1], 1U);
	if (kinds[kind].loads != ~0ULL)
		EXPECT_EQ(c->result[0], kinds[kind].loads);
	if (kinds[kind].stores != ~0ULL)
		EXPECT_EQ(word[0], kinds[kind].stores);
}

TEST(aborts, access_of_each_kind_without_syndrome_is_left_to_the_vmm, RULE("KVM-ABORT-9"),
     VARIANTS("refused: nisv=0 | exits: nisv=1"), .limit_ms = 20000)
{
	bool atomics = guest_has_atomics();

	for (unsigned int kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		if (kind >= ATOMICS && !atomics)
			continue;
		NOTE("%s", kinds[kind].name);
		one_kind(kind, test_param_u64("nisv", 0));
	}
}

/* ---- what has a syndrome all the same: unscaled, unprivileged, acquire and release, register offsets, misaligned */

GUEST(access_with_syndrome)
{
	uint64_t at = guest_arg(0), value = guest_arg(1), x0;

	stage1_on();
	ACCESS("ldur x0, [x1, #-8]");
	guest_result(0, x0);
	ACCESS("ldtr x0, [x1]");
	guest_result(1, x0);
	ACCESS("ldar x0, [x1]");
	guest_result(2, x0);
	ACCESS("ldr x0, [x1, x4, lsl #3]");
	guest_result(3, x0);
	ACCESS("ldr x0, [x1, #3]");
	guest_result(4, x0);
	ACCESS("stlr x2, [x1]");
	ACCESS("sttr w2, [x1]");
	ACCESS("sturh w2, [x1, #-1]");
}

TEST(aborts, access_of_each_kind_with_syndrome_exits_whole, RULE("KVM-ABORT-1"))
{
	static const struct {
		unsigned int offset; /* from 8 bytes before */
		unsigned int len;
		bool write;
	} want[] = {
		{0, 8, false},	{8, 8, false}, {8, 8, false}, {8, 8, false},
		{11, 8, false}, {8, 8, true},  {8, 4, true},  {7, 2, true},
	};
	struct vm *vm = paged_vm(access_with_syndrome);
	struct vcpu *c = vm->vcpu[0];

	/* STTR and LDTR need a page of EL0 */
	page_set(vm, 5, IPA_NOBODY | PAGE_XN | 1ULL << 6);
	c->arg[0] = VA_PAGES + 0x5340;
	c->arg[1] = 0xa1a2a3a4a5a6a7a8;
	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		uint64_t data = 0x0102030405060700 + i;
		bool good;

		ASSERT_EQ(vcpu_run(vm, 0), (int)KVM_EXIT_MMIO);
		good = EXPECT_EQ(c->run->mmio.phys_addr, IPA_NOBODY + 0x338 + want[i].offset);
		good &= EXPECT_EQ(c->run->mmio.len, want[i].len);
		good &= EXPECT_EQ((bool)c->run->mmio.is_write, want[i].write);
		if (want[i].write)
			good &= EXPECT_EQ(memcmp(c->run->mmio.data, &c->arg[1], want[i].len), 0);
		else
			memcpy(c->run->mmio.data, &data, 8);
		if (!good)
			NOTE("access %u", i);
	}
	RUN_TO_END(vm, 0);
	for (uint64_t i = 0; i < 5; i++)
		EXPECT_EQ(c->result[i], 0x0102030405060700 + i);
}

/* ---- big-endian data (SCTLR_EL1.EE): api.rst 5, KVM_EXIT_MMIO: data[] is as if the vCPU had accessed the array */

GUEST(big_endian)
{
	uint64_t at = guest_arg(0), value = guest_arg(1), sctlr = guest_sysreg(sctlr_el1);
	uint64_t a, b, c;

	guest_result(0, guest_sysreg(id_aa64mmfr0_el1));
	guest_set_sysreg(sctlr_el1, sctlr | 1ULL << 25);
	guest_write64(at, value);
	guest_write32(at + 8, (uint32_t)value);
	__asm__ volatile("strh %w0, [%1]" ::"r"(value), "r"(at + 16) : "memory");
	__asm__ volatile("ldr %0, [%1]" : "=r"(a) : "r"(at) : "memory");
	__asm__ volatile("ldr %w0, [%1]" : "=r"(b) : "r"(at + 8) : "memory");
	__asm__ volatile("ldrh %w0, [%1]" : "=r"(c) : "r"(at + 16) : "memory");
	guest_set_sysreg(sctlr_el1, sctlr & ~(1ULL << 25));
	guest_result(1, a);
	guest_result(2, b);
	guest_result(3, c);
}

TEST(aborts, big_endian_access_exits_with_bytes_in_order, RULE("KVM-ABORT-10"))
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct vm *vm = vm_new(.vcpus = 1, .entry = big_endian);
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = IPA_NOBODY;
	c->arg[1] = 0x0102030405060708;
	for (unsigned int i = 0; i < 6; i++) {
		unsigned int len = 8U >> i % 3;

		ASSERT_EQ(vcpu_run(vm, 0), (int)KVM_EXIT_MMIO);
		if (!(c->result[0] >> 8 & 0xf))
			SKIP("the CPU has no big-endian data at EL1 (ID_AA64MMFR0_EL1.BigEnd)");
		EXPECT_EQ(c->run->mmio.len, len);
		if (i < 3) /* the last bytes of the value, most significant first */
			EXPECT_EQ(memcmp(c->run->mmio.data, bytes + 8 - len, len), 0);
		else
			memcpy(c->run->mmio.data, bytes, len);
	}
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[1], 0x0102030405060708U);
	EXPECT_EQ(c->result[2], 0x01020304U);
	EXPECT_EQ(c->result[3], 0x0102U);
}
