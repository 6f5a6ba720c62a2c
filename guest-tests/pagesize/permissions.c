/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a page: DDI 0487 D8.4, direct and hierarchical permissions, WXN, PAN. */
#include "common.h"

#define SCTLR_WXN BIT(19)
#define DATA_AT	  0x80U

enum access { READ, WRITE, EXECUTE, USER_READ, USER_WRITE, USER_EXECUTE, ACCESSES };

static const char *const access_name[] = {
	"read at EL1", "write at EL1", "execution at EL1",
	"read at EL0", "write at EL0", "execution at EL0",
};

/* D8.4.1: AP[2:1], PXN, UXN without WXN. What EL0 may write is never executed at EL1. */
static bool allowed(enum access a, uint64_t attrs, bool wxn)
{
	bool user = attrs & PT_USER, writable = !(attrs & PT_READ_ONLY);

	switch (a) {
	case READ:
		return true;
	case WRITE:
		return writable;
	case EXECUTE:
		return !(attrs & PT_PXN) && !(user && writable) && !(wxn && writable);
	case USER_READ:
		return user;
	case USER_WRITE:
		return user && writable;
	case USER_EXECUTE:
		return !(attrs & PT_UXN) && !(wxn && user && writable);
	default:
		return false;
	}
}

static struct exception try(enum access a, uint64_t va)
{
	uint64_t v;

	switch (a) {
	case READ:
		return try_read(va + DATA_AT, &v);
	case WRITE:
		return try_write(va + DATA_AT, va);
	case EXECUTE:
		return try_execute(va);
	case USER_READ:
		return try_user_read(va + DATA_AT, &v);
	case USER_WRITE:
		return try_user_write(va + DATA_AT);
	default:
		return try_user_execute(va);
	}
}

static uint32_t class_of(enum access a)
{
	static const uint32_t ec[] = {EC_DABT,	   EC_DABT,	EC_IABT,
				      EC_DABT_EL0, EC_DABT_EL0, EC_IABT_EL0};

	return ec[a];
}

/* One access and the verdict it must have: none, or a permission fault of level 3 with all its particulars. */
static void expect_access(enum access a, uint64_t va, bool want, uint64_t attrs)
{
	bool execute = a == EXECUTE || a == USER_EXECUTE;
	uint64_t far = execute ? va : va + DATA_AT;
	struct exception e = try(a, va);
	char what[80];
	bool good;

	if (want)
		good = !e.taken;
	else
		good = e.taken && e.ec == class_of(a) && (e.iss & 0x3f) == DFSC_PERMISSION(3) &&
		       e.far == far &&
		       (execute || ((e.iss & ISS_WRITE) != 0) == (a == WRITE || a == USER_WRITE));
	snprintf(what, sizeof(what), "%s, AP %lu PXN %lu UXN %lu", access_name[a],
		 BITS(attrs, 7, 6), BITS(attrs, 53, 53), BITS(attrs, 54, 54));
	if (!good && want)
		test_fail(__FILE__, __LINE__, what, "got ESR 0x%lx FAR 0x%lx, want no exception",
			  e.esr, e.far);
	else if (!good)
		test_fail(__FILE__, __LINE__, what,
			  "got %s, ESR 0x%lx FAR 0x%lx, want EC 0x%x, status 0xf, FAR 0x%lx",
			  e.taken ? "an exception" : "no exception", e.esr, e.far, class_of(a),
			  far);
}

/* Combination n of AP, PXN and UXN in page n. */
#define COMBINATIONS 16U

static uint64_t combination(unsigned int n)
{
	uint64_t attrs = PT_ATTR(PT_MEM_NORMAL) | PT_INNER | PT_AF;

	return attrs | (n & 1 ? PT_USER : 0) | (n & 2 ? PT_READ_ONLY : 0) | (n & 4 ? PT_PXN : 0) |
	       (n & 8 ? PT_UXN : 0);
}

static void every_combination(enum granule g, bool wxn)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = code_page(page, page);
	struct pgtable *t = high_tables(g, 48, 6);

	for (unsigned int n = 0; n < COMBINATIONS; n++)
		map_or_end(t, n * page, pa, page, combination(n), 3);
	mmu_high(t);
	for (unsigned int n = 0; n < COMBINATIONS; n++)
		for (enum access a = READ; a < ACCESSES; a++)
			expect_access(a, mmu_high_va(t, n * page), allowed(a, combination(n), wxn),
				      combination(n));
	mmu_high(NULL);
}

static void without_wxn(enum granule g)
{
	every_combination(g, false);
}

TEST(pagesize, each_permission_is_what_the_descriptor_says, RULE("PAGE-PERM-4"), GRANULES)
{
	each_granule(without_wxn);
}

/* SCTLR_EL1.WXN: what is writable is not executed, at the exception level that may write it. */
static void with_wxn(enum granule g)
{
	uint64_t sctlr = read_sysreg(sctlr_el1);

	write_sysreg(sctlr_el1, sctlr | SCTLR_WXN);
	isb();
	every_combination(g, true);
	write_sysreg(sctlr_el1, sctlr);
	isb();
	mmu_invalidate_all();
}

TEST(pagesize, writable_pages_are_not_executed_under_wxn, RULE("PAGE-PERM-5"))
{
	each_granule(with_wxn);
}

static struct exception unprivileged_read(uint64_t va, uint64_t *v)
{
	return PROBE("ldtr %0, [%1]" : "=r"(*v) : "r"(va) : "memory");
}

static struct exception unprivileged_write(uint64_t va)
{
	return PROBE("sttr xzr, [%0]" : : "r"(va) : "memory");
}

/* LDTR and STTR are what EL0 may do (C3.2.5), whatever PAN says. */
static void unprivileged(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);

	for (unsigned int n = 0; n < 4; n++)
		map_or_end(t, n * page, pa, page, combination(n | 12), 3);
	mmu_high(t);
	for (unsigned int n = 0; n < 4; n++) {
		uint64_t va = mmu_high_va(t, n * page) + DATA_AT;
		struct exception e = unprivileged_read(va, &v);

		if (n & 1)
			EXPECT_TRUE(!e.taken);
		else
			expect_abort(&e, DFSC_PERMISSION(3), va, false, "LDTR of a page of EL1");
		e = unprivileged_write(va);
		if (n == 1)
			EXPECT_TRUE(!e.taken);
		else
			expect_abort(&e, DFSC_PERMISSION(3), va, true, "STTR to no page of EL0");
	}
	mmu_high(NULL);
}

TEST(pagesize, unprivileged_accesses_have_the_rights_of_el0, RULE("PAGE-PERM-6"))
{
	each_granule(unprivileged);
}

/*
 * One access with PAN set, and only that: under it EL1 cannot read what lies in
 * the payload's text, which EL0 may read.
 */
#define PROBE_WITH_PAN(insn, ...)                                          \
	PROBE("msr S3_0_C4_C2_3, %x2\n\t" insn "\n\tmsr S3_0_C4_C2_3, xzr" \
	      : __VA_ARGS__, "r"(BIT(22))                                  \
	      : "memory")

static struct exception pan_read(uint64_t va, uint64_t *v)
{
	return PROBE_WITH_PAN("ldr %0, [%1]", "=&r"(*v) : "r"(va));
}

static struct exception pan_unprivileged_read(uint64_t va, uint64_t *v)
{
	return PROBE_WITH_PAN("ldtr %0, [%1]", "=&r"(*v) : "r"(va));
}

static struct exception pan_write(uint64_t va)
{
	return PROBE_WITH_PAN("str %0, [%1]", : "r"(va), "r"(va));
}

static void pan(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t user, own;
	struct exception e;

	map_or_end(t, 0, pa, page, PT_DATA | PT_USER, 3);
	map_or_end(t, page, pa, page, PT_DATA, 3);
	mmu_high(t);
	user = mmu_high_va(t, DATA_AT);
	own = mmu_high_va(t, page + DATA_AT);
	e = pan_read(user, &v);
	expect_abort(&e, DFSC_PERMISSION(3), user, false, "read of a page of EL0 under PAN");
	e = pan_write(user);
	expect_abort(&e, DFSC_PERMISSION(3), user, true, "write to a page of EL0 under PAN");
	e = pan_read(own, &v);
	EXPECT_TRUE(!e.taken);
	e = pan_unprivileged_read(user, &v);
	EXPECT_TRUE(!e.taken);
	e = try_read(user, &v);
	EXPECT_TRUE(!e.taken);
	mmu_high(NULL);
}

/* ID_AA64MMFR1_EL1.PAN; without it PSTATE.PAN, S3_0_C4_C2_3, does not exist, and naming it is UNDEFINED */
TEST(pagesize, pan_closes_the_pages_of_el0, RULE("PAGE-PAN-1"))
{
	if (ID_FIELD(id_aa64mmfr1_el1, 20) == 0) {
		EXPECT_UNDEF("msr S3_0_C4_C2_3, xzr");
		NOTE("the CPU has no PAN, and says so");
		return;
	}
	each_granule(pan);
}

/* Limits in a table descriptor hold for all below (D8.4.2), unless TCR_EL1.HPD1 says no (FEAT_HPDS). */
static void hierarchical(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = code_page(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	/* pages that may do all at EL0 but be executed at EL1; and one that EL1 may execute */
	uint64_t all = combination(1), code = combination(3), limits = 0;
	volatile uint64_t *table;
	bool hpd = ID_FIELD(id_aa64mmfr1_el1, 12) != 0;

	map_or_end(t, 0, pa, page, all, 3);
	map_or_end(t, page, pa, page, code, 3);
	table = pt_entry(t, 0, 2);
	ASSERT_TRUE(table != NULL);
	mmu_high(t);
	for (unsigned int n = 0; n < 16; n++) {
		uint64_t seen_all = all, seen_code = code;

		limits = (n & 1 ? PT_TABLE_NO_USER : 0) | (n & 2 ? PT_TABLE_READ_ONLY : 0) |
			 (n & 4 ? PT_TABLE_PXN : 0) | (n & 8 ? PT_TABLE_UXN : 0);
		*table = (*table & (BIT(59) - 1)) | limits;
		mmu_invalidate_all();
		if (n & 1) {
			seen_all &= ~PT_USER;
			seen_code &= ~PT_USER;
		}
		seen_all |=
			(n & 2 ? PT_READ_ONLY : 0) | (n & 4 ? PT_PXN : 0) | (n & 8 ? PT_UXN : 0);
		seen_code |= (n & 4 ? PT_PXN : 0) | (n & 8 ? PT_UXN : 0);
		for (enum access a = READ; a < ACCESSES; a++) {
			expect_access(a, mmu_high_va(t, 0), allowed(a, seen_all, false), seen_all);
			expect_access(a, mmu_high_va(t, page), allowed(a, seen_code, false),
				      seen_code);
		}
	}
	if (hpd) {
		tcr_change(0, BIT(42));
		for (enum access a = READ; a < ACCESSES; a++)
			expect_access(a, mmu_high_va(t, 0), allowed(a, all, false), all);
		tcr_change(BIT(42), 0);
	}
	mmu_high(NULL);
}

TEST(pagesize, limits_of_a_table_hold_for_all_below, RULE("PAGE-PERM-7"))
{
	each_granule(hierarchical);
}
