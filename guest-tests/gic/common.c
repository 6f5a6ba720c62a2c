/* SPDX-License-Identifier: Apache-2.0 */
#include "gictest.h"

SUITE(gic, .tags = "gic");

#define LOOKS	     50U
#define SETTLE_LOOKS 10U
#define COLLECT_CPUS 8U

static struct {
	unsigned cpus;
	bool stop;
	volatile uint32_t taken[COLLECT_CPUS][1024];
	volatile uint32_t source[COLLECT_CPUS];
	volatile uint64_t looks[COLLECT_CPUS];
} collect;

unsigned gic_begin(void)
{
	unsigned version = gic_version();
	size_t len = strlen(test_now.id);
	const char *variant = len > 3 ? test_now.id + len - 3 : "";

	gic_need_any();
	/* a machine that is not what was asked for would pass the wrong test */
	if (strcmp(variant, "@v2") == 0)
		ASSERT_EQ(version, 2);
	if (strcmp(variant, "@v3") == 0)
		ASSERT_EQ(version, 3);
	return version;
}

void spi_setup(unsigned intid, bool edge, uint8_t priority)
{
	gic_disable(intid);
	gic_set_edge(intid, edge);
	gic_set_pending(intid, false);
	gic_set_priority(intid, priority);
	gic_route(intid, cpu_index());
	gic_enable(intid);
}

static void port_do(uint32_t op, uint64_t arg0, uint64_t arg1)
{
	struct assay_action a = {.op = op, .arg = {arg0, arg1}};

	if (!port_present())
		SKIP("needs the test port of refvmm to drive an interrupt line");
	ASSERT_EQ(port_action(&a), 0);
}

void spi_level(unsigned n, bool high)
{
	port_do(ASSAY_ACT_SPI_LEVEL, ASSAY_SPI_TEST_PORT + n, high);
}

void spi_pulse(unsigned n)
{
	port_do(ASSAY_ACT_SPI_PULSE, ASSAY_SPI_TEST_PORT + n, 0);
}

static bool is_special(unsigned intid)
{
	return intid >= 1020 && intid < 1024;
}

unsigned take(void)
{
	uint32_t iar = gic_ack();

	if (!is_special(gic_intid(iar)))
		gic_eoi(iar);
	return gic_intid(iar);
}

uint32_t ack_soon(void)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);
	uint32_t iar;

	do {
		iar = gic_ack();
	} while (is_special(gic_intid(iar)) && wait_more(&w));
	return is_special(gic_intid(iar)) ? gic_ack() : iar;
}

unsigned take_soon(void)
{
	uint32_t iar = ack_soon();

	if (!is_special(gic_intid(iar)))
		gic_eoi(iar);
	return gic_intid(iar);
}

unsigned take_unwanted(void)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		unsigned intid = take();

		if (intid != GIC_SPURIOUS)
			return intid;
		/* a look from outside: what the GIC holds back is given at the latest now */
		if (i % 10 == 0)
			(void)gic_is_enabled(GIC_SPI_FIRST);
	}
	return GIC_SPURIOUS;
}

uint64_t signalled(void)
{
	isb();
	return read_sysreg(isr_el1) & (SIGNAL_IRQ | SIGNAL_FIQ);
}

uint64_t signalled_now(void)
{
	(void)gic_is_enabled(GIC_SPI_FIRST);
	return signalled();
}

void pause_here(unsigned ms)
{
	struct assay_action a = {.op = ASSAY_ACT_PAUSE, .arg = {ms}};

	if (!port_present())
		SKIP("needs the test port of refvmm to pause a vCPU");
	ASSERT_EQ(port_action(&a), 0);
}

void collect_poll(void)
{
	unsigned n = cpu_index();
	uint32_t iar = gic_ack();
	unsigned intid = gic_intid(iar);

	if (!is_special(intid)) {
		collect.source[n] = iar >> 24;
		collect.taken[n][intid % 1024]++;
		gic_eoi(iar);
	}
	collect.looks[n]++;
	wfe(); /* gives way: CPUs may be fewer than the guest's */
}

static void collector(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&collect.stop, __ATOMIC_ACQUIRE) && !smp_stopping())
		collect_poll();
}

void collect_start(unsigned cpus)
{
	smp_need(cpus);
	memset(&collect, 0, sizeof(collect));
	collect.cpus = MIN(cpus, COLLECT_CPUS);
	for (unsigned n = 1; n < collect.cpus; n++)
		smp_run(n, collector, NULL);
	collect_settle();
}

void collect_settle(void)
{
	uint64_t before[COLLECT_CPUS];

	for (unsigned n = 0; n < collect.cpus; n++)
		before[n] = collect.looks[n];
	for (unsigned i = 0; i < SETTLE_LOOKS; i++)
		collect_poll();
	for (unsigned n = 1; n < collect.cpus; n++)
		ASSERT_EVENTUALLY(collect.looks[n] >= before[n] + SETTLE_LOOKS);
}

void collect_stop(void)
{
	__atomic_store_n(&collect.stop, true, __ATOMIC_RELEASE);
	smp_wait_all();
}

uint32_t collected(unsigned cpu, unsigned intid)
{
	return collect.taken[cpu][intid % 1024];
}

uint32_t collected_everywhere(unsigned intid)
{
	uint32_t sum = 0;

	for (unsigned n = 0; n < COLLECT_CPUS; n++)
		sum += collected(n, intid);
	return sum;
}

uint32_t collected_source(unsigned cpu)
{
	return collect.source[cpu];
}
