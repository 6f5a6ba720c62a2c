/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI (DEN 0022): what there is. PSCI_FEATURES against the calls themselves. */
#include "record.h"
#include "test.h"

SUITE(psci, .device = "arm,psci-1.0", .tags = "psci");

#define PSCI_MIGRATE	       0xc4000005U
#define PSCI_MIGRATE_INFO_TYPE 0x84000006U
#define PSCI_MIGRATE_UP_CPU    0xc4000007U

/* 5.1.1: the major version in bits 31:16, the minor in 15:0; the binding promises 1.0 */
TEST(psci, version_is_at_least_that_of_the_device_tree, RULE("PSCI-VERSION-1"))
{
	uint32_t version = (uint32_t)psci_call(PSCI_VERSION, 0, 0, 0);

	EXPECT_EQ(version >> 16, 1);
	EXPECT_LE(version & 0xffff, 16);
	FACT("psci.version", "%u.%u", version >> 16, version & 0xffff);
}

/* 5.13.1 (FEATURES): 0 or feature flags for what is there. These are mandatory since 1.0 (6.9). */
TEST(psci, features_knows_every_mandatory_function, RULE("PSCI-FEATURES-1"))
{
	static const uint32_t there[] = {
		PSCI_VERSION,	      PSCI_CPU_OFF,	    PSCI_CPU_ON32,   PSCI_CPU_ON64,
		PSCI_CPU_SUSPEND32,   PSCI_CPU_SUSPEND64,   PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,
		PSCI_AFFINITY_INFO32, PSCI_AFFINITY_INFO64, PSCI_FEATURES,   SMCCC_VERSION,
	};

	psci_need(1);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		if (!EXPECT_GE((int64_t)psci_call(PSCI_FEATURES, there[i], 0, 0) + 1, 1))
			NOTE("function 0x%x", there[i]);
	/* 5.1.2: flags of CPU_SUSPEND are bits 1:0, format of power_state and OS-initiated mode */
	EXPECT_LE(psci_call(PSCI_FEATURES, PSCI_CPU_SUSPEND64, 0, 0), 3);
}

/* what FEATURES says and what the call answers must agree, for a function that does no harm if it is there */
TEST(psci, what_features_does_not_know_is_not_supported, RULE("PSCI-FEATURES-2"))
{
	static const uint32_t optional[] = {
		PSCI_MIGRATE, PSCI_MIGRATE_UP_CPU, 0x84000005, /* MIGRATE */
		0x84000007,				       /* MIGRATE_INFO_UP_CPU */
		0x8400000b,				       /* CPU_FREEZE */
		0x8400000c,				       /* CPU_DEFAULT_SUSPEND */
		0xc400000c,   0x8400000d,		       /* NODE_HW_STATE */
		0xc400000d,   0x8400000e,		       /* SYSTEM_SUSPEND */
		0xc400000e,   0x8400000f,		       /* PSCI_SET_SUSPEND_MODE */
		0x84000010,				       /* PSCI_STAT_RESIDENCY */
		0xc4000010,   0x84000011,		       /* PSCI_STAT_COUNT */
		0xc4000011,   0x84000012,		       /* SYSTEM_RESET2 */
		0xc4000012,   0x84000013,		       /* MEM_PROTECT */
		0x84000014,				       /* MEM_PROTECT_CHECK_RANGE */
		0xc4000014,   0x84000015,		       /* SYSTEM_OFF2 */
		0xc4000015,
	};
	unsigned int asked = 0;

	psci_need(1);
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
		if (psci_call(PSCI_FEATURES, optional[i], 0, 0) != PSCI_NOT_SUPPORTED)
			continue;
		asked++;
		if (!EXPECT_EQ(psci_call(optional[i], 0, 0, 0), PSCI_NOT_SUPPORTED))
			NOTE("function 0x%x", optional[i]);
	}
	NOTE("%u of %lu optional functions are not there", asked, ARRAY_SIZE(optional));
	EXPECT_GT(asked, 0);
}

/* KVM offers SYSTEM_RESET2 with PSCI 1.1 (kvm_psci_1_x_call), and says so */
TEST(psci, reset2_comes_with_version_1_1, RULE("PSCI-RESET2-1"))
{
	int version = psci_call(PSCI_VERSION, 0, 0, 0);

	if (!port_present())
		SKIP("needs refvmm, whose PSCI is KVM's: elsewhere the function is optional");
	EXPECT_EQ(psci_call(PSCI_FEATURES, 0x84000012, 0, 0),
		  version >= 0x10001 ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED);
	EXPECT_EQ(psci_call(PSCI_FEATURES, 0xc4000012, 0, 0),
		  version >= 0x10001 ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED);
	/* DEN 0022F 5.1.11: reset types from 1 to 0x7fffffff are reserved */
	if (version >= 0x10001) {
		EXPECT_EQ(psci_call(0xc4000012, 1, 0, 0), PSCI_INVALID_PARAMETERS);
		EXPECT_EQ(psci_call(0x84000012, 0x7fffffff, 0, 0), PSCI_INVALID_PARAMETERS);
	}
}

/* 5.1.8: 2 is a Trusted OS that needs no migration, or none */
TEST(psci, no_trusted_os_needs_migration, RULE("PSCI-MIGRATE-1"))
{
	psci_need(1);
	EXPECT_EQ(psci_call(PSCI_FEATURES, PSCI_MIGRATE_INFO_TYPE, 0, 0), PSCI_SUCCESS);
	EXPECT_EQ(psci_call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

/* DEN 0028, 5.2 (unknown function identifier): NOT_SUPPORTED, -1, whoever owns the range */
TEST(psci, unknown_functions_are_not_supported, RULE("SMCCC-5.2-1"))
{
	static const uint32_t unknown[] = {
		0x8400001f,
		0xc400001e,
		0x840000ff,
		0xc400ffff,		 /* standard secure */
		0x84000000 ^ 0x80000000, /* a yielding call */
		0x81000000,
		0xc1000001, /* CPU service */
		0x82000000,
		0xc2000001, /* SiP */
		0x83000000,
		0xc3000001, /* OEM */
		0x85000000,
		0xc500ffff, /* standard hypervisor */
		0x87000000,
		0xb2000000,
		0xbf00ffff, /* trusted applications and OSes */
		0,
		1,
		0x7fffffff,
		0xffffffff,
	};

	psci_need(1);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		if (!EXPECT_EQ(psci_call(unknown[i], 0, 0, 0), PSCI_NOT_SUPPORTED))
			NOTE("function 0x%x", unknown[i]);
		EXPECT_EQ(psci_call(PSCI_FEATURES, unknown[i], 0, 0), PSCI_NOT_SUPPORTED);
	}
	/* KVM's own PSCI 0.1 numbers (0x95c1ba5e on) are there only in a VM without PSCI_0_2 */
	if (port_present())
		for (uint32_t n = 0; n < 5; n++)
			EXPECT_EQ(psci_call(0x95c1ba5e + n, 0, 0, 0), PSCI_NOT_SUPPORTED);
}
