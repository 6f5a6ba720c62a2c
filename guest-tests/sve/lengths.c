/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which vector lengths there are: ZCR_EL1.LEN asks, RDVL answers (DDI 0487
 * D24, ZCR_EL1; C8.2, RDVL). KVM offers what KVM_REG_ARM64_SVE_VLS says
 * (Documentation/virt/kvm/api.rst, KVM_ARM_VCPU_SVE).
 */
#include "common.h"
#include "smp.h"

/*
 * ZCR_EL1.LEN: a length that is not there behaves as the next lower one that
 * is; there is always one, for 128 bits is there.
 */
TEST(sve, a_length_that_is_off_selects_the_next_lower, RULE("SVE-LEN-1"),
     .variants = "host: | only_128: --sve 128 | to_256: --sve 128,256")
{
	unsigned int below = 1;
	char text[100];
	uint64_t set;

	sve_need();
	set = sve_lengths();
	EXPECT_TRUE(set & VQ_BIT(128));
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++) {
		if (set & BIT(vq - 1))
			below = vq;
		EXPECT_EQ(sve_ask(vq), below);
	}
	NOTE("lengths: %s", sve_lengths_text(set, text, sizeof(text)));
}

/* The measurement itself, at the lengths that the VM has when nobody chose any. */
TEST(sve, lengths_are_those_of_every_power_of_two_up_to_the_largest, RULE("SVE-LEN-2"))
{
	char text[100];
	uint64_t set;

	sve_need();
	set = sve_lengths();
	FACT("sve.lengths", "%s", sve_lengths_text(set, text, sizeof(text)));
	/* DDI 0487, ZCR_EL1.LEN: all powers of two from 128 bits to the largest are implemented */
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX && BIT(vq - 1) <= set; vq *= 2)
		EXPECT_TRUE(set & BIT(vq - 1));
}

/* KVM_REG_ARM64_SVE_VLS: the guest has exactly the lengths that user space chose. */
static void expect_exactly(uint64_t want)
{
	uint64_t got;

	sve_need();
	got = sve_lengths();
	/* without a test port nobody promised that --sve was obeyed */
	if (!port_present())
		NEED("sve-lengths", got == want,
		     "this VMM was not asked for exactly these lengths");
	EXPECT_EQ(got, want);
}

TEST(sve, exactly_128_is_offered, RULE("SVE-LEN-3"), .vmm = "--sve 128")
{
	expect_exactly(VQ_BIT(128));
}

TEST(sve, exactly_128_256_is_offered, RULE("SVE-LEN-3"), .vmm = "--sve 128,256")
{
	expect_exactly(VQ_BIT(128) | VQ_BIT(256));
}

/* The example of the RHEL 9 document: 384 bits off below a maximum of 512. */
TEST(sve, explicit_128_256_512_is_exactly_what_is_offered, RULE("SVE-LEN-3"),
     .vmm = "--sve 128,256,512")
{
	expect_exactly(VQ_BIT(128) | VQ_BIT(256) | VQ_BIT(512));
}

/*
 * ZCR_EL1.LEN, bits 3:0, reads as written even where that length is not there;
 * bits 8:4 are RAZ/WI. The clamp to what the VM has is not visible here.
 */
TEST(sve, zcr_reads_back_the_length_asked_for, RULE("SVE-ZCR-1"),
     .variants = "host: | only_128: --sve 128")
{
	sve_need();
	for (uint64_t len = 0; len < SVE_VQ_MAX; len++) {
		write_sysreg(ZCR_EL1, len);
		isb();
		EXPECT_EQ(BITS(read_sysreg(ZCR_EL1), 8, 0), len);
	}
	write_sysreg(ZCR_EL1, 0x1ff);
	isb();
	EXPECT_EQ(BITS(read_sysreg(ZCR_EL1), 8, 0), 0xf);
}

/* DDI 0487 B1.2.2: a predicate has one bit for each byte of a vector. */
TEST(sve, predicates_are_an_eighth_of_vectors_at_every_length, RULE("SVE-LEN-4"))
{
	uint64_t set;

	sve_need();
	set = sve_lengths();
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++) {
		if (!(set & BIT(vq - 1)))
			continue;
		EXPECT_EQ(sve_ask(vq), vq);
		EXPECT_EQ(sve_predicate_bytes(), vq * 2);
		EXPECT_EQ(sve_whilelo(~0ULL), vq * 16);
		EXPECT_EQ(sve_whilelo(vq * 16 - 1), vq * 16 - 1);
		EXPECT_EQ(sve_whilelo(1), 1);
	}
}

static uint64_t set_of_cpu[4];

static void note_lengths(void *arg)
{
	cpacr(CPACR_OPEN);
	set_of_cpu[cpu_index()] = sve_in_ids() ? sve_lengths() : 0;
	(void)arg;
}

/* KVM refuses to run vCPUs whose sets differ from what each was given; all were given the same. */
TEST(sve, all_cpus_offer_the_same_lengths, RULE("SVE-LEN-5"), .vmm = "--smp 4",
     .variants = "host: | to_256: --sve 128,256")
{
	sve_need();
	smp_need(4);
	smp_call_all(4, note_lengths, NULL);
	EXPECT_NE(set_of_cpu[0], 0);
	for (unsigned int n = 1; n < 4; n++)
		EXPECT_EQ(set_of_cpu[n], set_of_cpu[0]);
}

/* Every CPU has a ZCR_EL1 of its own. */
static void ask_for_mine(void *arg)
{
	struct barrier *b = arg;

	cpacr(CPACR_OPEN);
	write_sysreg(ZCR_EL1, cpu_index());
	isb();
	barrier_wait(b, 4);
	set_of_cpu[cpu_index()] = sve_bytes() / 16;
	barrier_wait(b, 4);
}

TEST(sve, each_cpu_has_a_length_of_its_own, RULE("SVE-ZCR-2"), .vmm = "--smp 4")
{
	static struct barrier b;
	uint64_t set;

	sve_need();
	smp_need(4);
	set = sve_lengths();
	b = (struct barrier){0};
	smp_call_all(4, ask_for_mine, &b);
	for (unsigned int n = 0; n < 4; n++) {
		unsigned int want = n + 1;

		while (want > 1 && !(set & BIT(want - 1)))
			want--;
		EXPECT_EQ(set_of_cpu[n], want);
	}
}

/*
 * KVM limits the length by ZCR_EL2, which it sets when the registers are handed over, and again at
 * every entry with the registers still there (hyp, fpsimd_lazy_switch_to_guest): the set is the same
 * behind exits of both kinds.
 */
TEST(sve, lengths_stay_limited_over_exits, RULE("SVE-LEN-6"),
     .variants = "host: | only_128: --sve 128 | to_256: --sve 128,256")
{
	struct assay_action pause = {.op = ASSAY_ACT_PAUSE, .arg = {1}};
	uint32_t *reg;
	uint64_t set;

	sve_need();
	reg = sve_exit_register();
	set = sve_lengths();
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++) {
		unsigned int want = vq;

		while (want > 1 && !(set & BIT(want - 1)))
			want--;
		EXPECT_EQ(sve_ask(vq), want);
		mmio_wr32((uint64_t)reg, vq);
		EXPECT_EQ(sve_bytes(), want * 16); /* the choice is kept */
		EXPECT_EQ(sve_ask(vq), want);
		if (vq % 4 == 0) {
			port_action(&pause);
			EXPECT_EQ(sve_bytes(), want * 16);
			EXPECT_EQ(sve_ask(vq), want);
		}
	}
}
