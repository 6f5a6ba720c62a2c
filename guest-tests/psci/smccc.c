/* SPDX-License-Identifier: Apache-2.0 */
/* The calling convention itself (DEN 0028) and what KVM offers by it: Documentation/virt/kvm/arm/hypercalls.rst. */
#include "psci.h"
#include "record.h"
#include "test.h"
#include "timer.h"

#define SMCCC_ARCH_FEATURES 0x80000001U
#define ARCH_SOC_ID	    0x80000002U
#define ARCH_WORKAROUND_1   0x80008000U
#define ARCH_WORKAROUND_2   0x80007fffU
#define ARCH_WORKAROUND_3   0x80003fffU
#define HV_PV_TIME_FEATURES 0xc5000020U
#define HV_PV_TIME_ST	    0xc5000021U
#define VENDOR_HYP_UID	    0x8600ff01U
#define VENDOR_HYP_FEATURES 0x86000000U
#define VENDOR_HYP_PTP	    0x86000001U
#define VENDOR_BIT_FEATURES BIT(0)
#define VENDOR_BIT_PTP	    BIT(1)
#define NOT_REQUIRED	    (-2)

void call_noting(const uint64_t in[4], uint64_t out[31], uint64_t smc);

static struct smccc_result call(uint64_t fn, uint64_t a, uint64_t b, uint64_t c)
{
	struct smccc_args args = {.x = {fn, a, b, c}};

	return smccc(&args);
}

/* DEN 0028, 7.2: major in bits 30:16, minor in 15:0; PSCI_FEATURES says whether it may be called */
TEST(psci, calling_convention_is_1_1_or_later, RULE("SMCCC-VERSION-1"))
{
	int version = psci_call(SMCCC_VERSION, 0, 0, 0);

	psci_need(1);
	EXPECT_GE(version, 0x10001);
	EXPECT_LT(version, 0x20000);
	FACT("smccc.version", "%u.%u", (unsigned)version >> 16, (unsigned)version & 0xffff);
}

/* DEN 0028, 2.6 (from 1.1): a call changes x0 to x3 alone, and SP; PSCI returns nothing in x1 to x3 but zeros on KVM */
TEST(psci, a_call_changes_no_register_but_its_results, RULE("SMCCC-REGS-1"))
{
	static const uint64_t fns[] = {PSCI_VERSION, SMCCC_VERSION,	   SMCCC_ARCH_FEATURES,
				       0xc600fffe,   PSCI_AFFINITY_INFO64, VENDOR_HYP_UID};
	const char *method = dt_str(dt_find("arm,psci-1.0", 0), "method");
	uint64_t smc = method && strcmp(method, "smc") == 0;

	psci_need(1);
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		uint64_t in[4] = {fns[i], 0x111, 0x222, 0x333}, out[31];

		call_noting(in, out, smc);
		for (unsigned int n = 4; n < 31; n++)
			if (!EXPECT_EQ(out[n], 0x1000 + n))
				NOTE("x%u of function 0x%lx", n, fns[i]);
	}
}

/* DEN 0028, 7.3: NOT_SUPPORTED, or not negative: it may be called; 1 or NOT_REQUIRED where the CPU is not affected */
TEST(psci, arch_features_answers_each_workaround, RULE("SMCCC-ARCH-1"))
{
	int w1 = (int)call(SMCCC_ARCH_FEATURES, ARCH_WORKAROUND_1, 0, 0).x[0];
	int w2 = (int)call(SMCCC_ARCH_FEATURES, ARCH_WORKAROUND_2, 0, 0).x[0];
	int w3 = (int)call(SMCCC_ARCH_FEATURES, ARCH_WORKAROUND_3, 0, 0).x[0];

	psci_need(1);
	EXPECT_TRUE(w1 == 0 || w1 == 1 || w1 == PSCI_NOT_SUPPORTED);
	EXPECT_TRUE(w2 == 0 || w2 == 1 || w2 == PSCI_NOT_SUPPORTED || w2 == NOT_REQUIRED);
	EXPECT_TRUE(w3 == 0 || w3 == 1 || w3 == PSCI_NOT_SUPPORTED);
	FACT("smccc.workaround_1", "%d", w1);
	FACT("smccc.workaround_2", "%d", w2);
	FACT("smccc.workaround_3", "%d", w3);
	/* a question about what is no function of the architecture range */
	EXPECT_EQ((int)call(SMCCC_ARCH_FEATURES, 0x80001234, 0, 0).x[0], PSCI_NOT_SUPPORTED);
	/* 7.4: the identity of the SoC is not told to guests */
	if (port_present())
		EXPECT_EQ((int)call(SMCCC_ARCH_FEATURES, ARCH_SOC_ID, 0, 0).x[0],
			  PSCI_NOT_SUPPORTED);
}

/* DEN 0057, 3.2: stolen time is there when the VMM gave it a place; refvmm gives none */
TEST(psci, stolen_time_without_a_place_is_not_supported, RULE("SMCCC-PVTIME-1"))
{
	if (!port_present())
		SKIP("needs refvmm, which gives stolen time no memory");
	EXPECT_EQ((int)call(HV_PV_TIME_FEATURES, HV_PV_TIME_FEATURES, 0, 0).x[0],
		  PSCI_NOT_SUPPORTED);
	EXPECT_EQ((int)call(HV_PV_TIME_FEATURES, HV_PV_TIME_ST, 0, 0).x[0], PSCI_NOT_SUPPORTED);
	EXPECT_EQ((int)call(HV_PV_TIME_ST, 0, 0, 0).x[0], PSCI_NOT_SUPPORTED);
}

static bool is_kvm(void)
{
	struct smccc_result r = call(VENDOR_HYP_UID, 0, 0, 0);

	/* hypercalls.rst: 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, in the byte order of DEN 0028, 6.1 */
	return (uint32_t)r.x[0] == 0xb66fb428 && (uint32_t)r.x[1] == 0xe911c52e &&
	       (uint32_t)r.x[2] == 0x564bcaa9 && (uint32_t)r.x[3] == 0x743a004d;
}

TEST(psci, the_hypervisor_says_that_it_is_kvm, RULE("SMCCC-VENDOR-1"))
{
	struct smccc_result r = call(VENDOR_HYP_UID, 0, 0, 0);

	if (!port_present())
		SKIP("needs refvmm: other VMMs may hide KVM's identity");
	if (!EXPECT_TRUE(is_kvm()))
		NOTE("got 0x%lx 0x%lx 0x%lx 0x%lx", r.x[0], r.x[1], r.x[2], r.x[3]);
	r = call(VENDOR_HYP_FEATURES, 0, 0, 0);
	EXPECT_TRUE(r.x[0] & VENDOR_BIT_FEATURES);
	EXPECT_EQ(r.x[1] | r.x[2] | r.x[3], 0);
	FACT("smccc.vendor_features", "0x%lx", r.x[0]);
}

static uint64_t ptp_count(uint64_t counter, uint64_t *ns)
{
	struct smccc_result r = call(VENDOR_HYP_PTP, counter, 0, 0);

	*ns = r.x[0] << 32 | (uint32_t)r.x[1];
	return (int64_t)r.x[0] < 0 ? ~0ULL : r.x[2] << 32 | (uint32_t)r.x[3];
}

/*
 * hypercalls.rst, PTP: host time and the counter at one moment, as this guest sees the counter. Not
 * supported where the host's clock is another source.
 */
TEST(psci, precision_time_matches_the_guests_counters, RULE("SMCCC-PTP-1"))
{
	uint64_t before, count, ns, last = 0;

	NEED("kvm-ptp", is_kvm() && (call(VENDOR_HYP_FEATURES, 0, 0, 0).x[0] & VENDOR_BIT_PTP),
	     "the hypervisor offers no PTP call");
	for (unsigned int i = 0; i < 20; i++) {
		before = counter_virt();
		count = ptp_count(0, &ns);
		NEED("kvm-ptp", count != ~0ULL, "the host's clock is not the architected counter");
		EXPECT_GE(count, before);
		EXPECT_LE(count, counter_virt());
		EXPECT_GE(ns, last);
		last = ns;
		before = counter_phys();
		count = ptp_count(1, &ns);
		EXPECT_GE(count, before);
		EXPECT_LE(count, counter_phys());
	}
	EXPECT_GT(last, 0);
	EXPECT_EQ((int)call(VENDOR_HYP_PTP, 2, 0, 0).x[0], PSCI_NOT_SUPPORTED);
}
