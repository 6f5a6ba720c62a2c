/* SPDX-License-Identifier: Apache-2.0 */
/* Storms: as many interrupts as come in the time given (time=), and nothing lost or doubled. */
#include "itstest.h"
#include "timer.h"

#define CPUS 4U

static struct {
	volatile bool stop, over; /* nothing more is sent; nothing more is waited for */
	uint32_t senders;	  /* CPUs that may still send */
	/* each CPU's SGI number is its own: sent to a CPU, and taken there from it */
	volatile uint64_t sent[CPUS][CPUS], taken[CPUS][CPUS];
} storm;

static void take_sgis(unsigned me)
{
	uint32_t iar = gic_ack();
	unsigned intid = gic_intid(iar);

	if (intid >= 1020)
		return;
	if (intid < CPUS)
		storm.taken[me][intid]++;
	gic_eoi(iar);
}

/*
 * A sender sends to a CPU only what that CPU has taken before: then every SGI is an interrupt of its
 * own, and the counts agree exactly (IHI 0069H 4.1.2, IHI 0048B 3.2.4: what pends already would merge).
 */
static void sgi_storm(void *arg)
{
	unsigned me = cpu_index(), to = me;

	(void)arg;
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i);
	while (!storm.stop && !smp_stopping()) {
		to = (to + 1) % CPUS;
		if (storm.taken[to][me] == storm.sent[me][to]) {
			storm.sent[me][to]++;
			gic_sgi(me, to);
		}
		take_sgis(me);
		take_sgis(me);
		if (storm.sent[me][to] & 1)
			wfe();
	}
	__atomic_fetch_sub(&storm.senders, 1, __ATOMIC_SEQ_CST);
	/* what is on its way still arrives */
	while (!smp_stopping() && !storm.over) {
		/* a sender that stood still since it looked at `stop` has one more to send */
		bool all = !__atomic_load_n(&storm.senders, __ATOMIC_SEQ_CST);

		for (unsigned n = 0; n < CPUS; n++)
			all &= storm.taken[me][n] == storm.sent[n][me] &&
			       storm.taken[n][me] == storm.sent[me][n];
		if (all)
			break;
		take_sgis(me);
		wfe();
	}
}

static unsigned sent_by_all(void)
{
	unsigned sum = 0;

	for (unsigned from = 0; from < CPUS; from++)
		for (unsigned to = 0; to < CPUS; to++)
			sum += (unsigned)storm.sent[from][to];
	return sum;
}

static bool all_sgis_taken(void)
{
	for (unsigned n = 0; n < CPUS; n++)
		for (unsigned from = 0; from < CPUS; from++)
			if (storm.taken[n][from] != storm.sent[from][n])
				return false;
	return true;
}

/* Lost on its way, pending for ever, or never ended by its CPU? The receiver's registers tell. */
static void note_sgis_missed(void)
{
	for (unsigned n = 0; n < CPUS; n++)
		for (unsigned from = 0; from < CPUS; from++)
			if (storm.taken[n][from] != storm.sent[from][n])
				NOTE("CPU %u has taken %lu of %lu SGIs of CPU %u", n,
				     storm.taken[n][from], storm.sent[from][n], from);
	for (unsigned n = 0; gic_version() == 3 && n < CPUS; n++) {
		uint64_t sgi = gic_redist(n).base + GICR_SGI;

		NOTE("CPU %u: enabled 0x%x pending 0x%x active 0x%x", n,
		     mmio_rd32(sgi + GICD_ISENABLER), mmio_rd32(sgi + GICD_ISPENDR),
		     mmio_rd32(sgi + GICD_ISACTIVER));
	}
}

/* Longer than its time where the host gives the CPUs none of it: the test's limit ends that. */
TEST(gic, sgi_storm_loses_none, RULE("GIC-STRESS-1"), .limit_ms = 30000, .tags = "stress",
     ON_V2_AND_V3_SMP(4))
{
	uint64_t end, total = 0;

	gic_begin();
	smp_need(CPUS);
	memset(&storm, 0, sizeof(storm));
	storm.senders = CPUS - 1;
	end = counter_virt() + ticks_of_ms(stress_ms(2000));
	for (unsigned n = 1; n < CPUS; n++)
		smp_run(n, sgi_storm, NULL);
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i);
	for (unsigned to = 0; counter_virt() < end || sent_by_all() < CPUS * CPUS;
	     to = (to + 1) % CPUS) {
		if (storm.taken[to][0] == storm.sent[0][to]) {
			storm.sent[0][to]++;
			gic_sgi(0, to);
		}
		take_sgis(0);
		take_sgis(0);
		if (to == 0)
			wfe();
	}
	storm.stop = true;
	if (!EXPECT_EVENTUALLY((take_sgis(0), !__atomic_load_n(&storm.senders, __ATOMIC_SEQ_CST) &&
						      all_sgis_taken())))
		note_sgis_missed();
	storm.over = true;
	smp_wait_all();
	for (unsigned n = 0; n < CPUS; n++)
		for (unsigned from = 0; from < CPUS; from++)
			total += storm.taken[n][from];
	FACT("stress.sgis", "%lu", total);
	EXPECT_GE(total, CPUS * CPUS);
	for (unsigned n = 0; n < CPUS; n++)
		for (unsigned from = 0; from < CPUS; from++)
			EXPECT_EQ(storm.taken[n][from], storm.sent[from][n]);
	EXPECT_QUIET();
}

#define LPIS 16U

static struct {
	unsigned first;
	volatile bool stop;
	volatile uint64_t taken[LPIS];
} lpis;

static void take_lpis(void *arg)
{
	bool once = arg != NULL;

	do {
		uint32_t iar = gic_ack();
		unsigned intid = gic_intid(iar);

		if (intid < 1020 || intid >= 8192)
			gic_eoi(iar);
		if (intid - lpis.first < LPIS)
			__atomic_fetch_add(&lpis.taken[intid - lpis.first], 1, __ATOMIC_RELAXED);
		else if (!once)
			wfe();
	} while (!once && !lpis.stop && !smp_stopping());
}

/* one LPI after another by command and by message, moved by MOVI while it pends: each comes exactly once */
TEST(gic, lpi_storm_with_moves_loses_none, RULE("GIC-STRESS-2"), .limit_ms = 30000,
     .tags = "stress", WITH_ITS_SMP(4))
{
	uint64_t sent[LPIS] = {0}, total = 0, moves = 0, end;
	bool here = true;

	gic_begin();
	smp_need(CPUS);
	(void)its_begin();
	lpis.stop = false;
	memset((void *)(uintptr_t)lpis.taken, 0, sizeof(lpis.taken));
	for (unsigned n = 1; n < CPUS; n++)
		its_use_cpu(n);
	for (unsigned i = 0; i < LPIS; i++) {
		unsigned lpi = its_one_more(8 + i, i % CPUS);

		lpis.first = i ? lpis.first : lpi;
	}
	for (unsigned n = 1; n < CPUS; n++)
		smp_run(n, take_lpis, NULL);
	end = counter_virt() + ticks_of_ms(stress_ms(2000));
	while (counter_virt() < end || total < LPIS) {
		unsigned i = (unsigned)rnd_below(LPIS);

		take_lpis(&here);
		if (rnd_below(3) == 0) {
			its_movi(DEVICE, 8 + i, (unsigned)rnd_below(CPUS));
			moves++;
		}
		/* what pends would merge with the next: only what was taken is sent again */
		if (__atomic_load_n(&lpis.taken[i], __ATOMIC_RELAXED) != sent[i])
			continue;
		sent[i]++;
		total++;
		if (port_present() && (sent[i] & 1))
			(void)msi_from(DEVICE, 8 + i);
		else
			its_int(DEVICE, 8 + i);
	}
	for (unsigned i = 0; i < LPIS; i++)
		EXPECT_EVENTUALLY((take_lpis(&here), lpis.taken[i] == sent[i]));
	lpis.stop = true;
	smp_wait_all();
	FACT("stress.lpis", "%lu", total);
	FACT("stress.lpi_moves", "%lu", moves);
	EXPECT_GE(total, LPIS);
	for (unsigned i = 0; i < LPIS; i++)
		EXPECT_EQ(lpis.taken[i], sent[i]);
	EXPECT_QUIET();
}
