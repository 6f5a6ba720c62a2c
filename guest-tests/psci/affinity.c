/* SPDX-License-Identifier: Apache-2.0 */
/* AFFINITY_INFO (DEN 0022, 5.1.5): of one CPU, and of all below an affinity level. */
#include "record.h"
#include "smp.h"
#include "test.h"

static int info(uint64_t target, uint64_t level)
{
	return psci_call(PSCI_AFFINITY_INFO64, target, level, 0);
}

TEST(psci, affinity_info_follows_a_cpu_on_and_off, RULE("PSCI-AFFINITY-1"), .vmm = "--smp 2")
{
	psci_need(2);
	EXPECT_EQ(info(smp_mpidr(0), 0), AFFINITY_ON);
	EXPECT_EQ(info(smp_mpidr(1), 0), AFFINITY_OFF);
	if (!psci_record(1, MODE_STAY, 0))
		return;
	EXPECT_EQ(info(smp_mpidr(1), 0), AFFINITY_ON);
	EXPECT_EQ(psci_call(PSCI_AFFINITY_INFO32, smp_mpidr(1), 0, 0), AFFINITY_ON);
	record_release();
	psci_goes_off(1);
	EXPECT_EQ(psci_call(PSCI_AFFINITY_INFO32, smp_mpidr(1), 0, 0), AFFINITY_OFF);
	EXPECT_EQ(info(smp_mpidr(0), 0), AFFINITY_ON);
}

/* bits that are no affinity, and CPUs that are not there */
TEST(psci, affinity_info_refuses_what_is_no_cpu, RULE("PSCI-AFFINITY-2"), .vmm = "--smp 2")
{
	static const uint64_t bad[] = {BIT(24), BIT(31), BIT(40), BIT(63), 0xff00ffffffULL, 0xff};

	psci_need(2);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!EXPECT_EQ(info(bad[i], 0), PSCI_INVALID_PARAMETERS))
			NOTE("target 0x%lx", bad[i]);
	/* levels 4 and more are none */
	EXPECT_EQ(info(smp_mpidr(0), 4), PSCI_INVALID_PARAMETERS);
	EXPECT_EQ(info(smp_mpidr(0), ~0ULL), PSCI_INVALID_PARAMETERS);
}

/* DEN 0028, 3.1: an SMC32 call takes the low 32 bits of its arguments, whatever is above */
TEST(psci, the_32_bit_call_ignores_the_upper_halves, RULE("SMCCC-32-1"), .vmm = "--smp 2")
{
	psci_need(2);
	EXPECT_EQ(psci_call(PSCI_AFFINITY_INFO32, smp_mpidr(1) | 0xdeadbeefULL << 32, 0xffULL << 32,
			    0),
		  AFFINITY_OFF);
	EXPECT_EQ(psci_call(PSCI_AFFINITY_INFO64, smp_mpidr(1) | 0xdeadbeefULL << 32, 0, 0),
		  PSCI_INVALID_PARAMETERS);
}

/*
 * 5.1.5: with lowest_affinity_level above 0 the lower fields of the target are ignored; ON when any
 * CPU there is on, OFF when none is. Optional since 1.0: then INVALID_PARAMETERS for every level.
 */
TEST(psci, affinity_levels_gather_the_cpus_below, RULE("PSCI-AFFINITY-3"), .vmm = "--smp 17")
{
	uint64_t far = 0, near = smp_mpidr(0);

	psci_need(2);
	for (unsigned int n = 1; n < smp_count(); n++)
		if (smp_mpidr(n) >> 8 != near >> 8)
			far = smp_mpidr(n);
	if (!far)
		SKIP("needs CPUs with two values of Aff1, as 17 CPUs of refvmm have");
	NEED("psci-levels", info(near, 1) != PSCI_INVALID_PARAMETERS,
	     "AFFINITY_INFO takes level 0 only, as PSCI 1.0 allows");
	/* CPU 0 is on, all others are off */
	EXPECT_EQ(info(near, 1), AFFINITY_ON);
	EXPECT_EQ(info(near | 0xff, 1), AFFINITY_ON); /* Aff0 is ignored */
	EXPECT_EQ(info(far, 1), AFFINITY_OFF);
	EXPECT_EQ(info(far | 0xfe, 1), AFFINITY_OFF);
	EXPECT_EQ(info(far, 2), AFFINITY_ON); /* Aff1 is ignored: CPU 0 is among them */
	EXPECT_EQ(info(near, 2), AFFINITY_ON);
	EXPECT_EQ(info(far, 3), AFFINITY_ON);
	/* no CPU has that Aff1, Aff2, Aff3 */
	EXPECT_EQ(info(0xff00, 1), PSCI_INVALID_PARAMETERS);
	EXPECT_EQ(info(0xff0000, 2), PSCI_INVALID_PARAMETERS);
	EXPECT_EQ(info(0xff00000000ULL, 3), PSCI_INVALID_PARAMETERS);
}
