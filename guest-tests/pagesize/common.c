/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

SUITE(pagesize, .tags = "memory", .vmm = "--memory 64M");

static const struct {
	enum granule granule;
	const char *variant, *cap;
} granules[] = {
	{GRANULE_4K, "@4k", "granule-4k"},
	{GRANULE_16K, "@16k", "granule-16k"},
	{GRANULE_64K, "@64k", "granule-64k"},
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

void each_granule(void (*fn)(enum granule g))
{
	bool asked = false;

	for (size_t i = 0; i < ARRAY_SIZE(granules); i++) {
		enum granule g = granules[i].granule;

		if (!ends_with(test_now.id, granules[i].variant))
			continue;
		asked = true;
		NEED(granules[i].cap, mmu_granule_offered(g),
		     "ID_AA64MMFR0_EL1 says that stage 1 has no %s granule", pt_granule_name(g));
		fn(g);
	}
	for (size_t i = 0; !asked && i < ARRAY_SIZE(granules); i++)
		if (mmu_granule_offered(granules[i].granule))
			fn(granules[i].granule);
}

struct pgtable *high_tables(enum granule g, unsigned int va_bits, unsigned int tables)
{
	struct pt_pool *pool = mem_alloc(sizeof(*pool), 16);
	struct pgtable *t = mem_alloc(sizeof(*t), 16);
	uint64_t size = (uint64_t)tables << g;

	pool->next = (uint64_t)mem_alloc(size, UINT64_C(1) << g);
	pool->end = pool->next + size;
	ASSERT_EQ(pt_init(t, g, va_bits, pool), 0);
	return t;
}

void map_or_end(struct pgtable *t, uint64_t low, uint64_t pa, uint64_t size, uint64_t attrs,
		int leaf)
{
	int err = pt_map(t, low, pa, size, attrs, leaf);

	if (err)
		test_error("cannot map 0x%lx to 0x%lx, 0x%lx bytes: error %d", low, pa, size, -err);
}

struct exception try_read(uint64_t va, uint64_t *value)
{
	return PROBE("ldr %0, [%1]" : "=r"(*value) : "r"(va) : "memory");
}

struct exception try_write(uint64_t va, uint64_t value)
{
	return PROBE("str %0, [%1]" : : "r"(value), "r"(va) : "memory");
}

#define RET_INSTRUCTION 0xd65f03c0U
#define ALL_MASKED	0x3c0U

uint64_t code_page(uint64_t size, uint64_t align)
{
	uint64_t pa = (uint64_t)mem_alloc(size, align);

	mmio_wr32(pa, RET_INSTRUCTION);
	cache_flush((void *)pa, 4);
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
	return pa;
}

void tcr_change(uint64_t clear, uint64_t set)
{
	write_sysreg(tcr_el1, (read_sysreg(tcr_el1) & ~clear) | set);
	isb();
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh" : : : "memory");
	isb();
}

static void call(void *va)
{
	((void (*)(void))va)();
}

struct exception try_execute(uint64_t va)
{
	return catch_exception(call, (void *)va);
}

static uint64_t user_read(uint64_t va)
{
	return *(volatile uint64_t *)va;
}

static uint64_t user_write(uint64_t va)
{
	*(volatile uint64_t *)va = va;
	return 0;
}

struct exception try_user_read(uint64_t va, uint64_t *value)
{
	struct exception e;

	*value = el0_call(user_read, va, ALL_MASKED, &e);
	return e;
}

struct exception try_user_write(uint64_t va)
{
	struct exception e;

	el0_call(user_write, va, ALL_MASKED, &e);
	return e;
}

struct exception try_user_execute(uint64_t va)
{
	struct exception e;

	el0_call((uint64_t(*)(uint64_t))va, 0, ALL_MASKED, &e);
	return e;
}

void expect_abort(const struct exception *e, uint32_t dfsc, uint64_t va, bool write,
		  const char *what)
{
	if (!e->taken) {
		test_fail(__FILE__, __LINE__, what, "got no exception, want a data abort");
		return;
	}
	if (e->ec != EC_DABT || (e->iss & 0x3f) != dfsc || e->far != va ||
	    ((e->iss & ISS_WRITE) != 0) != write)
		test_fail(__FILE__, __LINE__, what,
			  "got ESR 0x%lx FAR 0x%lx, want EC 0x%x DFSC 0x%x %s FAR 0x%lx", e->esr,
			  e->far, EC_DABT, dfsc, write ? "write" : "read", va);
}

uint64_t exits(void)
{
	static const char name[] = "exits";
	struct assay_action a = {.op = ASSAY_ACT_STAT, .arg = {(uint64_t)name, sizeof(name) - 1}};
	int status = port_action(&a);

	NEED("kvm-stats", status == 0, "this VMM does not give the KVM statistic `exits`");
	return a.ret[0];
}
