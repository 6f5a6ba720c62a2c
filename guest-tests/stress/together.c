/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All together: what the other suites judge one by one, on four CPUs at once and mixed at random. Every CPU holds
 * its SVE (or FP) registers over whatever it does next: SGIs that must be answered, deadlines of both timers, pages
 * turned over under all TLBs, configuration space. Each ingredient that the machine lacks is left out, and said.
 */
#include "stress.h"
#include "gic.h"
#include "irq.h"
#include "lock.h"
#include "mmu.h"
#include "pci.h"
#include "smp.h"
#include "sve.h"
#include "test.h"
#include "timer.h"

SUITE(stress, .tags = "stress", .limit_ms = 20000);

#define CPUS	  4U
#define SGI_FIRST 1U /* one for each sender, so that none merges with another's */

#define ZCR_EL1	   S3_0_C1_C2_0
#define CPACR_OPEN (3UL << 16 | 3UL << 20)

enum ingredient { SGI, TIMER, TLBI, PCIE, EXITS, INGREDIENTS };

static const char *const names[INGREDIENTS] = {"sgi", "timer", "tlbi", "pcie", "exits"};

static struct {
	bool has[INGREDIENTS], sve;
	uint64_t done[INGREDIENTS][CPUS], rounds[CPUS];
	/* SGIs: taken by [receiver][sender]; written by the receiver's handler alone */
	uint64_t taken[CPUS][CPUS];
	/* timers */
	uint64_t fired[CPUS][TIMERS], armed[CPUS][TIMERS], early[CPUS];
	/* one page a CPU, turned over by its owner, read by all */
	struct pgtable table;
	struct lock lock[CPUS];
	uint64_t frames, page[CPUS], expected[CPUS];
	/* PCIe: one function a CPU */
	struct pci_host pci;
	uint16_t bdf[CPUS];
	struct sve_state in[CPUS], out[CPUS];
	struct fp_state fp_in[CPUS], fp_out[CPUS];
	struct mmio port;
} s;

static _Alignas(65536) uint8_t tables[4 * 65536];
static struct pt_pool pool;

/* ---- handlers */

static void on_sgi(unsigned intid)
{
	__atomic_add_fetch(&s.taken[cpu_index()][intid - SGI_FIRST], 1, __ATOMIC_RELEASE);
}

static void on_timer(unsigned intid)
{
	enum timer t = intid == timer_intid(TIMER_VIRT) ? TIMER_VIRT : TIMER_PHYS;
	unsigned int me = cpu_index();

	if (timer_count(t) < timer_cval(t))
		s.early[me]++;
	timer_set_ctl(t, 0);
	__atomic_add_fetch(&s.fired[me][t], 1, __ATOMIC_RELEASE);
}

/* ---- ingredients: each leaves things as it found them, and returns when all it caused has happened */

static void do_sgi(unsigned int me, struct rng *r)
{
	unsigned int to = (unsigned int)rng_below(r, CPUS);
	uint64_t before = __atomic_load_n(&s.taken[to][me], __ATOMIC_ACQUIRE);

	gic_sgi(SGI_FIRST + me, to);
	EXPECT_EVENTUALLY(__atomic_load_n(&s.taken[to][me], __ATOMIC_ACQUIRE) == before + 1);
}

static void do_timer(unsigned int me, struct rng *r)
{
	enum timer t = rng_below(r, 2) ? TIMER_VIRT : TIMER_PHYS;
	uint64_t want = ++s.armed[me][t];

	timer_set_cval(t, timer_count(t) + rng_below(r, ticks_of_ms(1)));
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(__atomic_load_n(&s.fired[me][t], __ATOMIC_ACQUIRE) == want);
	EXPECT_EQ(s.early[me], 0);
}

/* mine is turned over to its other frame; another's must read as its owner last left it */
static void do_tlbi(unsigned int me, struct rng *r)
{
	unsigned int of = (unsigned int)rng_below(r, CPUS);
	uint64_t va = of * SZ_64K;
	volatile uint64_t *entry;

	lock_take(&s.lock[of]);
	if (of == me) {
		uint64_t frame = s.frames + (2UL * me + (s.page[me] ^= 1)) * SZ_64K;

		entry = pt_walk(&s.table, va, NULL);
		*entry = 0;
		mmu_invalidate(mmu_high_va(&s.table, va));
		s.expected[me] = rng_next(r);
		mmio_wr64(frame, s.expected[me]);
		*entry = frame | PT_DATA | PT_VALID | PT_TABLE;
		mmu_sync();
	}
	EXPECT_EQ(mmio_rd64(mmu_high_va(&s.table, va)), s.expected[of]);
	lock_drop(&s.lock[of]);
}

/* the window registers of my own port take what I write; what others do to theirs is nothing to mine */
static void do_pcie(unsigned int me, struct rng *r)
{
	uint32_t v = (uint32_t)rng_next(r) & 0xfff0fff0;

	pci_wr32(&s.pci, s.bdf[me], PCI_MEMORY_BASE, v);
	EXPECT_EQ(pci_rd16(&s.pci, s.bdf[me], PCI_MEMORY_BASE), (uint16_t)v);
	EXPECT_EQ(pci_rd16(&s.pci, s.bdf[me], PCI_MEMORY_LIMIT), (uint16_t)(v >> 16));
}

static void do_exits(unsigned int me, struct rng *r)
{
	for (uint64_t n = 1 + rng_below(r, 4); n; n--)
		wr32(s.port, ASSAY_PORT_PING, (uint32_t)(n + me));
}

static void (*const run[INGREDIENTS])(unsigned int me, struct rng *r) = {
	do_sgi, do_timer, do_tlbi, do_pcie, do_exits,
};

/* ---- registers held meanwhile */

static unsigned int hold(unsigned int me, struct rng *r)
{
	struct sve_state *v = &s.in[me];
	unsigned int vq, ones;

	if (!s.sve) {
		for (size_t i = 0; i < sizeof(s.fp_in[me].q); i++)
			s.fp_in[me].q[i / 16][i % 16] = (uint8_t)rng_next(r);
		fp_load(&s.fp_in[me]);
		return 0;
	}
	write_sysreg(ZCR_EL1, rng_below(r, SVE_VQ_MAX));
	isb();
	vq = (unsigned int)(sve_bytes() / 16);
	for (size_t i = 0; i < vq * 16UL * SVE_Z_COUNT; i += 8)
		*(uint64_t *)&v->z[i] = rng_next(r);
	for (size_t i = 0; i < sizeof(v->p); i++)
		v->p[i] = (uint8_t)rng_next(r);
	ones = (unsigned int)rng_below(r, vq * 16 + 1); /* FFR holds a run of ones only */
	for (unsigned int i = 0; i < vq * 2; i++) {
		unsigned int here = ones > i * 8 ? ones - i * 8 : 0;

		v->ffr[i] = (uint8_t)(here >= 8 ? 0xff : (1U << here) - 1);
	}
	sve_load(v);
	return vq;
}

static void still_held(unsigned int me, unsigned int vq)
{
	if (!s.sve) {
		fp_store(&s.fp_out[me]);
		EXPECT_EQ(memcmp(s.fp_out[me].q, s.fp_in[me].q, sizeof(s.fp_in[me].q)), 0);
		return;
	}
	sve_store(&s.out[me]);
	EXPECT_EQ(sve_bytes(), vq * 16);
	EXPECT_EQ(memcmp(s.out[me].z, s.in[me].z, vq * 16UL * SVE_Z_COUNT), 0);
	EXPECT_EQ(memcmp(s.out[me].p, s.in[me].p, vq * 2UL * SVE_P_COUNT), 0);
	EXPECT_EQ(memcmp(s.out[me].ffr, s.in[me].ffr, vq * 2UL), 0);
}

/* ---- the machine */

static bool prepare_pages(void)
{
	pool = (struct pt_pool)PT_POOL(tables);
	if (!mmu_granule_offered(GRANULE_64K) || pt_init(&s.table, GRANULE_64K, 42, &pool))
		return false;
	s.frames = (uint64_t)mem_alloc(2UL * CPUS * SZ_64K, SZ_64K);
	for (unsigned int n = 0; n < CPUS; n++)
		if (pt_map(&s.table, n * SZ_64K, s.frames + 2UL * n * SZ_64K, SZ_64K, PT_DATA,
			   PT_LEAF_ANY))
			return false;
	return true;
}

static bool prepare_pcie(void)
{
	unsigned int n = 0;

	if (!pci_host_find(&s.pci, 0))
		return false;
	pci_enumerate(&s.pci);
	for (unsigned int i = 0; i < s.pci.count && n < CPUS; i++)
		if (s.pci.function[i].bridge)
			s.bdf[n++] = s.pci.function[i].bdf;
	return n == CPUS;
}

static void listen(void)
{
	for (unsigned int n = 0; n < CPUS; n++)
		irq_watch(SGI_FIRST + n);
	irq_watch(timer_intid(TIMER_VIRT));
	irq_watch(timer_intid(TIMER_PHYS));
	write_sysreg(cpacr_el1, s.sve ? CPACR_OPEN : 3UL << 20);
	isb();
	if (s.has[TLBI])
		mmu_high(&s.table);
}

static struct barrier ready;

static void together_cpu(void *arg)
{
	unsigned int me = cpu_index();
	struct rng r = rng_of(me);
	uint64_t rounds = 0;

	listen();
	barrier_wait(&ready, CPUS); /* nobody sends to one that does not listen */
	for (; stress_more(rounds); rounds++) {
		unsigned int vq = hold(me, &r);

		for (uint64_t n = 1 + rng_below(&r, 4); n; n--) {
			enum ingredient what = (enum ingredient)rng_below(&r, INGREDIENTS);

			if (!s.has[what])
				continue;
			run[what](me, &r);
			s.done[what][me]++;
		}
		still_held(me, vq);
	}
	s.rounds[me] = rounds;
	barrier_wait(&ready, CPUS); /* and answers until all are done */
	if (s.has[TLBI])
		mmu_high(NULL);
	(void)arg;
}

TEST(stress, all_together, RULE("STRESS-1"), .vmm = "--smp 4 --root-ports 4")
{
	uint64_t rounds = 0;

	smp_need(CPUS);
	gic_need_any();
	memset(&s, 0, sizeof(s));
	ready = (struct barrier){0};
	s.sve = BITS(read_sysreg(id_aa64pfr0_el1), 35, 32) != 0;
	s.port = dt_mmio("assay,test-port");
	s.has[SGI] = s.has[TIMER] = true;
	s.has[TLBI] = prepare_pages();
	s.has[PCIE] = prepare_pcie();
	s.has[EXITS] = port_present();
	for (unsigned int n = 0; n < CPUS; n++)
		irq_handler(SGI_FIRST + n, on_sgi);
	irq_handler(timer_intid(TIMER_VIRT), on_timer);
	irq_handler(timer_intid(TIMER_PHYS), on_timer);
	stress_begin(2000);
	smp_call_all(CPUS, together_cpu, NULL);
	for (unsigned int n = 0; n < CPUS; n++)
		rounds += s.rounds[n];
	for (unsigned int i = 0; i < INGREDIENTS; i++) {
		uint64_t done = 0;

		for (unsigned int n = 0; n < CPUS; n++)
			done += s.done[i][n];
		NOTE("%s: %lu%s", names[i], done, s.has[i] ? "" : " (this machine has none)");
	}
	FACT("stress.together_rounds", "%lu", rounds);
	FACT("stress.together_registers", "%s", s.sve ? "sve" : "fp");
	EXPECT_GE(rounds, CPUS);
}
