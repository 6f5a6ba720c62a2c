/* SPDX-License-Identifier: Apache-2.0 */
#include "irq.h"
#include "cpu.h"
#include "exception.h"
#include "gic.h"
#include "smp.h"
#include "test.h"

#define HANDLERS 16U
/* so many interrupts at one instruction: nobody quiets the source, and the CPU does nothing else */
#define STORM	 5000U

static struct {
	unsigned intid;
	void (*fn)(unsigned intid);
} handlers[HANDLERS];

static unsigned slot(unsigned intid)
{
	if (intid < 1024)
		return intid;
	return 1024 + MIN(intid - IRQ_LPI_FIRST, IRQ_LPIS_COUNTED - 1);
}

/* WFI and WFE are where a CPU waits for interrupts: there they are progress */
static bool waiting(uint64_t pc)
{
	uint32_t before = *(const uint32_t *)(pc - 4);

	return before == 0xd503207f || before == 0xd503205f;
}

static void check_storm(struct cpu *c, const struct frame *f, unsigned intid)
{
	if (f->elr != c->irq_pc || waiting(f->elr)) {
		c->irq_pc = f->elr;
		c->irq_same = 0;
	} else if (++c->irq_same >= STORM) {
		c->irq_same = 0;
		if (intid < 1024)
			gic_disable(intid);
		test_error("INTID %u was taken %u times on CPU %u without one instruction between",
			   intid, STORM, c->index);
	}
}

void irq_entry(const struct frame *f)
{
	struct cpu *c = this_cpu();
	uint32_t iar = gic_ack();
	unsigned intid = gic_intid(iar);

	c->irq_count[slot(intid)]++;
	if (intid >= 1020 && intid < 1024)
		return; /* spurious: no end of interrupt (IHI 0069H 4.1.1) */
	c->irq_log[c->irq_taken++ % IRQ_LOG_SIZE] = intid;
	for (unsigned i = 0; i < HANDLERS; i++)
		if (handlers[i].fn && handlers[i].intid == intid)
			handlers[i].fn(intid);
	gic_eoi(iar);
	if (gic_get_eoimode())
		gic_deactivate(iar);
	check_storm(c, f, intid);
}

void irq_handler(unsigned intid, void (*fn)(unsigned intid))
{
	unsigned free = HANDLERS;

	for (unsigned i = 0; i < HANDLERS; i++) {
		if (handlers[i].fn && handlers[i].intid == intid)
			handlers[i].fn = NULL;
		if (!handlers[i].fn)
			free = i;
	}
	if (!fn)
		return;
	if (free == HANDLERS)
		test_error("more than %u interrupt handlers", HANDLERS);
	handlers[free].intid = intid;
	handlers[free].fn = fn;
}

static void (*on_fiq)(void);

void fiq_handler(void (*fn)(void))
{
	on_fiq = fn;
}

bool fiq_entry(void)
{
	if (!on_fiq)
		return false;
	on_fiq();
	return true;
}

struct irq_watch irq_watch(unsigned intid)
{
	struct irq_watch w = {.intid = intid, .cpu = cpu_index()};

	if (!gic_version())
		SKIP("needs an interrupt controller, the device tree has none");
	w.before = irq_count_on(w.cpu, intid);
	if (intid < 1024) {
		gic_set_priority(intid, GIC_PRIORITY);
		if (intid >= GIC_SPI_FIRST)
			gic_route(intid, w.cpu);
		gic_enable(intid);
	}
	irq_unmask();
	return w;
}

uint32_t irq_seen(const struct irq_watch *w)
{
	return irq_count_on(w->cpu, w->intid) - w->before;
}

uint32_t irq_count_on(unsigned cpu, unsigned intid)
{
	struct cpu *c = cpu == cpu_index() ? this_cpu() : smp_cpu(cpu);

	return c ? c->irq_count[slot(intid)] : 0;
}

void irq_reset(void)
{
	irq_mask();
	fiq_mask();
	on_fiq = NULL;
	memset(handlers, 0, sizeof(handlers));
	for (unsigned n = 0; n < smp_count(); n++) {
		struct cpu *c = smp_cpu(n);

		if (!c)
			continue;
		memset((void *)(uintptr_t)c->irq_count, 0, sizeof(c->irq_count));
		c->irq_taken = 0;
	}
}
