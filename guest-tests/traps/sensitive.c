/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sensitive operations: what a guest must see of those that KVM traps to EL2 (DDI 0487 D1.3.1 and HCR_EL2, MDCR_EL2,
 * CPTR_EL2 in D24.2; arch/arm64/kvm/sys_regs.c). One table for each kind of answer; a failure names the operation.
 */
#include "test.h"
#include "timer.h"

SUITE(traps, .vmm = "--memory 64M --cpu host,pmu=off,pauth=off");

struct operation {
	const char *name;
	struct exception (*run)(uint64_t *value);
};

#define READ(id, reg)                                        \
	static struct exception id(uint64_t *value)          \
	{                                                    \
		return PROBE("mrs %0, " reg : "=r"(*value)); \
	}
#define WRITE(id, reg)                                                      \
	static struct exception id(uint64_t *value)                         \
	{                                                                   \
		return PROBE("msr " reg ", %0" : : "r"(*value) : "memory"); \
	}

static void failed(const struct operation *o, const struct exception *e, uint64_t value,
		   const char *want)
{
	if (e->taken)
		test_fail(__FILE__, __LINE__, o->name, "got EC 0x%x (ESR 0x%lx), want %s", e->ec,
			  e->esr, want);
	else
		test_fail(__FILE__, __LINE__, o->name, "got 0x%lx and no exception, want %s", value,
			  want);
}

static void expect_undef(const struct operation *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 0;
		struct exception e = list[i].run(&value);

		/* ESR_EL1.IL is 1 of an exception with an unknown reason */
		if (!e.taken || e.ec != EC_UNKNOWN || !(e.esr >> 25 & 1))
			failed(&list[i], &e, value, "an UNDEFINED instruction");
	}
}

static void expect_zero(const struct operation *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 0x5a5a;
		struct exception e = list[i].run(&value);

		if (e.taken || value)
			failed(&list[i], &e, value, "0 and no exception");
	}
}

/* ---- HCR_EL2.TID3: the feature ID space, S3_0_C0_C1_0 to S3_0_C0_C7_7; reserved ones read as zero (D24.3) */

#define ID_ROW(X, crm) \
	X(crm, 0) X(crm, 1) X(crm, 2) X(crm, 3) X(crm, 4) X(crm, 5) X(crm, 6) X(crm, 7)
#define ID_SPACE(X) \
	ID_ROW(X, 1) ID_ROW(X, 2) ID_ROW(X, 3) ID_ROW(X, 4) ID_ROW(X, 5) ID_ROW(X, 6) ID_ROW(X, 7)
#define ID_NAME(crm, op2) "S3_0_C0_C" #crm "_" #op2
#define ID_FUNCTIONS(crm, op2)                         \
	READ(read_id_##crm##_##op2, ID_NAME(crm, op2)) \
	WRITE(write_id_##crm##_##op2, ID_NAME(crm, op2))
#define ID_READ(crm, op2)  {"MRS " ID_NAME(crm, op2), read_id_##crm##_##op2},
#define ID_WRITE(crm, op2) {"MSR " ID_NAME(crm, op2), write_id_##crm##_##op2},

ID_SPACE(ID_FUNCTIONS)

TEST(traps, id_registers_read_alike_twice, RULE("TRAP-ID-1"))
{
	static const struct operation list[] = {ID_SPACE(ID_READ)};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		uint64_t first = 0, second = ~0ULL;
		struct exception e = list[i].run(&first);

		if (!e.taken)
			e = list[i].run(&second);
		if (e.taken || first != second)
			failed(&list[i], &e, second, "the same value twice and no exception");
	}
	EXPECT_EQ(ARRAY_SIZE(list), 56);
	EXPECT_NE(read_sysreg(id_aa64mmfr0_el1), 0);
}

TEST(traps, id_registers_cannot_be_written, RULE("TRAP-ID-2"))
{
	static const struct operation list[] = {ID_SPACE(ID_WRITE)};

	expect_undef(list, ARRAY_SIZE(list));
}

/* ---- HCR_EL2.TID2 or not: the caches as KVM describes them */

TEST(traps, cache_size_selection_belongs_to_the_guest, RULE("TRAP-CACHE-1"))
{
	uint64_t clidr = read_sysreg(clidr_el1), levels = 0;

	for (uint64_t level = 0; level < 7 && BITS(clidr, level * 3 + 2, level * 3); level++) {
		write_sysreg(csselr_el1, level << 1);
		isb();
		EXPECT_EQ(read_sysreg(csselr_el1), level << 1);
		EXPECT_NO_EXCEPTION("mrs x0, ccsidr_el1" : : : "x0");
		levels++;
	}
	EXPECT_GE(levels, 1);
	EXPECT_EQ(BITS(read_sysreg(ctr_el0), 31, 31), 1); /* RES1 */
}

/* ---- HCR_EL2.TSW: set/way maintenance; within a VM it cleans what it invalidates (D7.5.9: DC ISW acts as DC CISW) */

TEST(traps, set_way_maintenance_loses_no_data, RULE("TRAP-CACHE-2"))
{
	uint64_t *data = mem_alloc(SZ_64K, 64), lost = 0;

	for (uint64_t i = 0; i < SZ_64K / 8; i++)
		data[i] = i * 0x9e3779b97f4a7c15ULL;
	for (uint64_t set = 0; set < 16; set++) {
		uint64_t arg = set << 6;

		EXPECT_NO_EXCEPTION("dc isw, %0" : : "r"(arg) : "memory");
		EXPECT_NO_EXCEPTION("dc csw, %0" : : "r"(arg) : "memory");
		EXPECT_NO_EXCEPTION("dc cisw, %0" : : "r"(arg) : "memory");
	}
	dsb(sy);
	for (uint64_t i = 0; i < SZ_64K / 8; i++)
		lost += data[i] != i * 0x9e3779b97f4a7c15ULL;
	EXPECT_EQ(lost, 0);
}

/* Set/way maintenance makes KVM trap the translation registers (HCR_EL2.TVM): they hold what is written all the same. */
TEST(traps, translation_registers_hold_their_values_while_trapped, RULE("TRAP-VM-1"))
{
	uint64_t ttbr1 = read_sysreg(ttbr1_el1), mair = read_sysreg(mair_el1),
		 tcr = read_sysreg(tcr_el1), sctlr = read_sysreg(sctlr_el1);

	__asm__ volatile("dc cisw, xzr" : : : "memory");
	for (uint64_t n = 1; n < 8; n++) {
		write_sysreg(contextidr_el1, 0x12345670 + n);
		write_sysreg(ttbr1_el1, n << 16);
		write_sysreg(mair_el1, (mair & ~(0xffULL << 56)) | (0x44 + (n & 1) * 0xbb) << 56);
		isb();
		EXPECT_EQ(read_sysreg(contextidr_el1), 0x12345670 + n);
		EXPECT_EQ(read_sysreg(ttbr1_el1), n << 16);
		EXPECT_EQ(BITS(read_sysreg(mair_el1), 63, 56), 0x44 + (n & 1) * 0xbb);
		write_sysreg(far_el1, n << 12);
		write_sysreg(esr_el1, n);
		EXPECT_EQ(read_sysreg(far_el1), n << 12);
		EXPECT_EQ(read_sysreg(esr_el1), n);
	}
	write_sysreg(ttbr1_el1, ttbr1);
	write_sysreg(mair_el1, mair);
	write_sysreg(tcr_el1, tcr);
	write_sysreg(sctlr_el1, sctlr);
	isb();
	EXPECT_EQ(read_sysreg(tcr_el1), tcr);
	EXPECT_EQ(read_sysreg(sctlr_el1), sctlr);
}

/* ---- HCR_EL2.TACR: ACTLR_EL1 is the host's affair (sys_regs.c, access_actlr: writes are ignored) */

TEST(traps, auxiliary_control_cannot_be_changed, RULE("TRAP-ACTLR-1"))
{
	uint64_t was = read_sysreg(actlr_el1);

	EXPECT_NO_EXCEPTION("msr actlr_el1, %0" : : "r"(~was));
	isb();
	EXPECT_EQ(read_sysreg(actlr_el1), was);
}

/* ---- MDCR_EL2.TDA, TDOSA, TDRA: debug registers are the guest's own, the external debugger does not exist */

TEST(traps, debug_registers_hold_what_was_written, RULE("TRAP-DEBUG-1"))
{
	/* addresses in bits 48:2 that every CPU keeps; controls disabled (E 0) */
	for (uint64_t n = 1; n < 4; n++) {
		uint64_t at = n << 12 | n << 3;

		write_sysreg(dbgbvr0_el1, at);
		write_sysreg(dbgbvr1_el1, at << 1);
		write_sysreg(dbgwvr0_el1, at << 2);
		write_sysreg(dbgwvr1_el1, at << 3);
		write_sysreg(dbgbcr0_el1, 0xf << 5);
		EXPECT_EQ(read_sysreg(dbgbvr0_el1), at);
		EXPECT_EQ(read_sysreg(dbgbvr1_el1), at << 1);
		EXPECT_EQ(read_sysreg(dbgwvr0_el1), at << 2);
		EXPECT_EQ(read_sysreg(dbgwvr1_el1), at << 3);
		EXPECT_EQ(read_sysreg(dbgbcr0_el1) & 0x1e0, 0xf << 5);
	}
	write_sysreg(mdscr_el1, BIT(12)); /* TDCC */
	isb();
	EXPECT_EQ(read_sysreg(mdscr_el1) & BIT(12), BIT(12));
	write_sysreg(mdscr_el1, 0);
	isb();
	EXPECT_EQ(read_sysreg(mdscr_el1) & BIT(12), 0);
}

/* OSLSR_EL1.OSLK follows OSLAR_EL1 (D24.3); KVM emulates the lock since 5.18 */
TEST(traps, os_lock_follows_its_register, RULE("TRAP-DEBUG-2"))
{
	for (unsigned int n = 0; n < 3; n++) {
		write_sysreg(oslar_el1, 1);
		isb();
		EXPECT_EQ(read_sysreg(oslsr_el1) & BIT(1), BIT(1));
		write_sysreg(oslar_el1, 0);
		isb();
		EXPECT_EQ(read_sysreg(oslsr_el1) & BIT(1), 0);
	}
	EXPECT_EQ(read_sysreg(oslsr_el1) & BIT(3), BIT(3)); /* OSLM: implemented */
}

READ(read_mdccsr, "mdccsr_el0")
READ(read_dbgclaimclr, "dbgclaimclr_el1")
READ(read_mdrar, "mdrar_el1")
READ(read_osdlr, "osdlr_el1")

TEST(traps, external_debug_is_not_there, RULE("TRAP-DEBUG-3"))
{
	static const struct operation list[] = {
		{"MRS MDCCSR_EL0", read_mdccsr},
		{"MRS DBGCLAIMCLR_EL1", read_dbgclaimclr},
		{"MRS MDRAR_EL1", read_mdrar},
		{"MRS OSDLR_EL1", read_osdlr},
	};

	expect_zero(list, ARRAY_SIZE(list));
}

/* ---- MDCR_EL2.TPM: no PMU was asked for (Documentation/virt/kvm/api.rst, KVM_ARM_VCPU_PMU_V3) */

READ(read_pmcr, "pmcr_el0")
READ(read_pmccntr, "pmccntr_el0")
READ(read_pmcntenset, "pmcntenset_el0")
READ(read_pmintenset, "pmintenset_el1")
READ(read_pmselr, "pmselr_el0")
READ(read_pmceid0, "pmceid0_el0")
READ(read_pmevcntr0, "pmevcntr0_el0")
WRITE(write_pmswinc, "pmswinc_el0")

TEST(traps, pmu_that_was_not_asked_for_is_undefined, RULE("TRAP-PMU-1"))
{
	static const struct operation list[] = {
		{"MRS PMCR_EL0", read_pmcr},
		{"MRS PMCCNTR_EL0", read_pmccntr},
		{"MRS PMCNTENSET_EL0", read_pmcntenset},
		{"MRS PMINTENSET_EL1", read_pmintenset},
		{"MRS PMSELR_EL0", read_pmselr},
		{"MRS PMCEID0_EL0", read_pmceid0},
		{"MRS PMEVCNTR0_EL0", read_pmevcntr0},
		{"MSR PMSWINC_EL0", write_pmswinc},
	};
	uint64_t version = BITS(read_sysreg(id_aa64dfr0_el1), 11, 8);

	if (!port_present())
		NEED("pmu-off", version == 0, "this VM has a PMU and no way to ask it not to");
	EXPECT_EQ(version, 0);
	expect_undef(list, ARRAY_SIZE(list));
}

/* With one: the cycle counter counts, and PMCR_EL0.N is the number of counters that can be reached. */
TEST(traps, pmu_that_was_asked_for_counts, RULE("TRAP-PMU-2"), .vmm = "--cpu host,pmu=on,pauth=off")
{
	uint64_t version = BITS(read_sysreg(id_aa64dfr0_el1), 11, 8), before;

	NEED("pmu", version != 0 && version != 0xf, "ID_AA64DFR0_EL1.PMUVer says there is no PMU");
	write_sysreg(pmccfiltr_el0, 0);
	write_sysreg(pmcntenset_el0, BIT(31));
	write_sysreg(pmcr_el0, 1);
	isb();
	before = read_sysreg(pmccntr_el0);
	EXPECT_EVENTUALLY(read_sysreg(pmccntr_el0) > before);
	write_sysreg(pmcntenclr_el0, BIT(31));
	isb();
	before = read_sysreg(pmccntr_el0);
	delay_ms(1);
	EXPECT_EQ(read_sysreg(pmccntr_el0), before);
	FACT("kvm.pmu_counters", "%lu", BITS(read_sysreg(pmcr_el0), 15, 11));
	write_sysreg(pmcr_el0, 0);
}

/* ---- HCR_EL2.TIDCP: implementation-defined registers and operations (CRn 11 and 15) never reach the CPU */

READ(read_imp_0, "S3_0_C15_C0_0")
READ(read_imp_1, "S3_0_C15_C1_0")
WRITE(write_imp_1, "S3_0_C15_C1_0")
READ(read_imp_2, "S3_1_C11_C0_2")
WRITE(write_imp_2, "S3_1_C11_C0_2")
READ(read_imp_3, "S3_0_C11_C0_0")
READ(read_imp_4, "S3_3_C15_C2_0")
READ(read_imp_5, "S3_7_C15_C15_7")
READ(read_imp_6, "S3_1_C15_C2_1")

TEST(traps, implementation_defined_registers_are_undefined, RULE("TRAP-IMPDEF-1"))
{
	static const struct operation list[] = {
		{"MRS S3_0_C15_C0_0", read_imp_0},  {"MRS S3_0_C15_C1_0", read_imp_1},
		{"MSR S3_0_C15_C1_0", write_imp_1}, {"MRS S3_1_C11_C0_2", read_imp_2},
		{"MSR S3_1_C11_C0_2", write_imp_2}, {"MRS S3_0_C11_C0_0", read_imp_3},
		{"MRS S3_3_C15_C2_0", read_imp_4},  {"MRS S3_7_C15_C15_7", read_imp_5},
		{"MRS S3_1_C15_C2_1", read_imp_6},
	};

	expect_undef(list, ARRAY_SIZE(list));
}

/* ---- features that this VM has not: the ID field is 0 and the registers are UNDEFINED */

READ(read_apiakeylo, "S3_0_C2_C1_0")
READ(read_apgakeylo, "S3_0_C2_C3_0")
READ(read_pmscr, "S3_0_C9_C9_0")
READ(read_pmsidr, "S3_0_C9_C9_7")
READ(read_trblimitr, "S3_0_C9_C11_0")
READ(read_trfcr, "S3_0_C1_C2_1")
READ(read_amcr, "S3_3_C13_C2_0")
READ(read_gcr, "S3_0_C1_C0_6")
READ(read_tfsr, "S3_0_C5_C6_0")
READ(read_lorc, "S3_0_C10_C4_3")

TEST(traps, registers_of_hidden_features_are_undefined, RULE("TRAP-HIDE-1"))
{
	uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1), pfr1 = read_sysreg(id_aa64pfr1_el1),
		 dfr0 = read_sysreg(id_aa64dfr0_el1), isar1 = read_sysreg(id_aa64isar1_el1),
		 mmfr1 = read_sysreg(id_aa64mmfr1_el1);
	const struct {
		uint64_t field;
		struct operation operation;
	} list[] = {
		{isar1 & 0xff0, {"MRS APIAKEYLO_EL1", read_apiakeylo}},
		{isar1 & 0xff000000, {"MRS APGAKEYLO_EL1", read_apgakeylo}},
		{BITS(dfr0, 35, 32), {"MRS PMSCR_EL1", read_pmscr}},
		{BITS(dfr0, 35, 32), {"MRS PMSIDR_EL1", read_pmsidr}},
		{BITS(dfr0, 47, 44), {"MRS TRBLIMITR_EL1", read_trblimitr}},
		{BITS(dfr0, 43, 40), {"MRS TRFCR_EL1", read_trfcr}},
		{BITS(pfr0, 47, 44), {"MRS AMCR_EL0", read_amcr}},
		{BITS(pfr1, 11, 8), {"MRS GCR_EL1", read_gcr}},
		{BITS(pfr1, 11, 8), {"MRS TFSR_EL1", read_tfsr}},
		{BITS(mmfr1, 19, 16), {"MRS LORC_EL1", read_lorc}},
	};
	unsigned int hidden = 0;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		if (list[i].field)
			continue;
		hidden++;
		expect_undef(&list[i].operation, 1);
	}
	EXPECT_GE(hidden, 5);
}
