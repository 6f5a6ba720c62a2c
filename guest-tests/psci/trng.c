/* SPDX-License-Identifier: Apache-2.0 */
/* True random numbers (DEN 0098). */
#include "psci.h"
#include "record.h"
#include "test.h"

#define TRNG_VERSION  0x84000050U
#define TRNG_FEATURES 0x84000051U
#define TRNG_GET_UUID 0x84000052U
#define TRNG_RND32    0x84000053U
#define TRNG_RND64    0xc4000053U

#define TRNG_INVALID_PARAMETERS (-2)
#define TRNG_NO_ENTROPY		(-3)

static struct smccc_result call(uint64_t fn, uint64_t a)
{
	struct smccc_args args = {.x = {fn, a}};

	return smccc(&args);
}

static void need_trng(void)
{
	int version = (int)call(TRNG_VERSION, 0).x[0];

	NEED("trng", version >= 0x10000, "TRNG_VERSION answers %d", version);
}

/* 2.1: the major version in bits 30:16; 2.2: 0 or more for what is there */
TEST(psci, trng_names_its_functions, RULE("TRNG-1"))
{
	static const uint32_t there[] = {TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32,
					 TRNG_RND64};
	struct smccc_result id;

	need_trng();
	EXPECT_EQ(call(TRNG_VERSION, 0).x[0] >> 16, 1);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		if (!EXPECT_EQ((int)call(TRNG_FEATURES, there[i]).x[0], 0))
			NOTE("function 0x%x", there[i]);
	EXPECT_EQ((int)call(TRNG_FEATURES, 0x84000054).x[0], PSCI_NOT_SUPPORTED);
	EXPECT_EQ((int)call(TRNG_FEATURES, 0).x[0], PSCI_NOT_SUPPORTED);
	/* 2.3: a UUID, the same each time; the first word is never -1 */
	id = call(TRNG_GET_UUID, 0);
	EXPECT_NE((uint32_t)id.x[0], 0xffffffff);
	EXPECT_NE(id.x[0] | id.x[1] | id.x[2] | id.x[3], 0);
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(id.x[i] >> 32, 0);
		EXPECT_EQ(call(TRNG_GET_UUID, 0).x[i], id.x[i]);
	}
	/* KVM's (arch/arm64/kvm/trng.c) */
	if (port_present()) {
		EXPECT_EQ(id.x[0], 0x00e0210d);
		EXPECT_EQ(id.x[1], 0xeb118443);
		EXPECT_EQ(id.x[2], 0x44527080);
		EXPECT_EQ(id.x[3], 0x4c5a4e55);
	}
}

/* the lowest n bits of register i when n bits were asked for: x3 holds the lowest ones (2.4) */
static uint64_t mask_of(unsigned int reg, unsigned int n, unsigned int width)
{
	unsigned int low = (3 - reg) * width;
	unsigned int here = n > low ? MIN(n - low, width) : 0;

	return here == 64 ? ~0ULL : BIT(here) - 1;
}

static void every_bit_asked_for(uint64_t fn, unsigned int width, unsigned int n)
{
	uint64_t any[4] = {0}, all[4] = {0, ~0ULL, ~0ULL, ~0ULL};

	for (unsigned int i = 0; i < 64; i++) {
		struct smccc_result r = call(fn, n);

		if (!EXPECT_EQ((int)r.x[0], 0))
			return;
		for (unsigned int reg = 1; reg < 4; reg++) {
			any[reg] |= r.x[reg];
			all[reg] &= r.x[reg];
		}
	}
	/* each bit was seen as 1 and as 0 (64 draws: no chance in 2^56 to miss), and no other was 1 */
	for (unsigned int reg = 1; reg < 4; reg++)
		if (!EXPECT_EQ(any[reg], mask_of(reg, n, width)) || !EXPECT_EQ(all[reg], 0))
			NOTE("x%u of function 0x%lx, %u bits", reg, fn, n);
}

/* 2.4: N bits in x1:x2:x3, the rest is zero; SMC32 has 32 in each register */
TEST(psci, trng_gives_exactly_the_bits_asked_for, RULE("TRNG-2"))
{
	static const unsigned int n64[] = {1, 8, 63, 64, 65, 127, 128, 129, 191, 192};
	static const unsigned int n32[] = {1, 31, 32, 33, 64, 65, 95, 96};

	need_trng();
	for (size_t i = 0; i < ARRAY_SIZE(n64); i++)
		every_bit_asked_for(TRNG_RND64, 64, n64[i]);
	for (size_t i = 0; i < ARRAY_SIZE(n32); i++)
		every_bit_asked_for(TRNG_RND32, 32, n32[i]);
}

/* 2.4: more than fits is INVALID_PARAMETERS, and no register gives anything away */
TEST(psci, trng_refuses_more_than_fits, RULE("TRNG-3"))
{
	static const struct {
		uint64_t fn, n;
	} bad[] = {{TRNG_RND32, 97},
		   {TRNG_RND32, 192},
		   {TRNG_RND64, 193},
		   {TRNG_RND64, 4096},
		   {TRNG_RND64, 0xffffffff}};

	need_trng();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct smccc_result r = call(bad[i].fn, bad[i].n);

		if (!EXPECT_EQ((int)r.x[0], TRNG_INVALID_PARAMETERS))
			NOTE("%lu bits of function 0x%lx", bad[i].n, bad[i].fn);
		EXPECT_EQ(r.x[1] | r.x[2] | r.x[3], 0);
	}
}
