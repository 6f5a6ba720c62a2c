/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations on one CPU's interrupts; after each the GIC is compared with the model. */
#include "gictest.h"
#include "model.h"

#define STEPS	   160U
#define MAX_ACTIVE 2U

/*
 * As many interrupts as every GIC's list registers hold. Beyond that it is open which ones are in them, and what is
 * active outside shows: KVM takes its end from a mere count, and so for the end of another one if software has
 * activated any (vgic_v3_fold_lr_state() since Linux 6.19), and QEMU 10.0 counts even where EOImode is 1.
 */
#define LIST_REGISTERS 4U

static struct model m;
static uint32_t iars[MODEL_IRQS]; /* as acknowledged: a GICv2 wants the source back */
static unsigned step;
static const char *what;
static unsigned on;

/* What the model thinks, for whoever has to find out who is wrong. */
static void tell(void)
{
	NOTE("mask 0x%x, running 0x%x, %u held", m.mask, model_running(&m), m.depth);
	for (unsigned i = 0; i < MODEL_IRQS; i++) {
		const struct model_irq *irq = &m.irq[i];

		NOTE("INTID %u: priority 0x%x%s%s%s%s%s", irq->intid, irq->priority,
		     irq->level ? " level" : "", irq->enabled ? " enabled" : "",
		     irq->pending ? " pending" : "", irq->active ? " active" : "",
		     model_holds(&m, i) ? " held" : "");
	}
}

static bool same(const char *of, unsigned intid, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	NOTE("step %u, after %s of INTID %u: %s of INTID %u", step, what, on, of, intid);
	tell();
	EXPECT_EQ(got, want);
	return false;
}

static bool compare_irq(const struct model_irq *irq)
{
	bool ok = same("enable", irq->intid, gic_is_enabled(irq->intid), irq->enabled);

	if (model_pending_known(irq))
		ok &= same("pending", irq->intid, gic_is_pending(irq->intid), irq->pending);
	return ok & same("active", irq->intid, gic_is_active(irq->intid), irq->active);
}

static bool compare(unsigned changed)
{
	unsigned next, other = (unsigned)rnd_below(MODEL_IRQS);
	bool ok = true;

	if (changed < MODEL_IRQS)
		ok &= compare_irq(&m.irq[changed]);
	ok &= compare_irq(&m.irq[other]);
	ok &= same("signal", 0, signalled_now() != 0, model_signals(&m));
	ok &= same("running priority", 0, gic_running_priority(), model_running(&m));
	next = gic_highest_pending();
	if (!model_has_next(&m))
		ok &= same("highest pending", 0, next, GIC_SPURIOUS);
	else if (next != GIC_SPURIOUS || model_passes_mask(&m))
		/* whether the mask hides the highest pending one is left open by IHI 0048B 4.4.7 */
		ok &= same("highest pending may be next", next,
			   model_may_be_next(&m, model_index(&m, next)), true);
	return ok;
}

static void set_up(bool split)
{
	static const unsigned intids[MODEL_IRQS] = {
		1, 9, PPI_UNWIRED, TEST_SPI(0), TEST_SPI(1), TEST_SPI(2), TEST_SPI(3), TEST_SPI(4)};

	memset(&m, 0, sizeof(m));
	m.split = split;
	m.mask = 0xf0;
	gic_set_eoimode(split);
	gic_set_pmr(m.mask);
	for (unsigned i = 0; i < MODEL_IRQS; i++) {
		struct model_irq *irq = &m.irq[i];

		irq->intid = intids[i];
		irq->level = intids[i] == PPI_UNWIRED || i == MODEL_IRQS - 1;
		irq->priority = (uint8_t)(0x10 * (1 + rnd_below(13)));
		irq->enabled = true;
		if (irq->intid >= GIC_SPI_FIRST)
			spi_setup(irq->intid, !irq->level, irq->priority);
		gic_set_priority(irq->intid, irq->priority);
		gic_enable(irq->intid);
	}
	if (gic_is_enabled(1) && (gic_disable(1), gic_is_enabled(1)))
		SKIP("the SGIs of this GIC are always enabled");
	gic_enable(1);
}

/*
 * A level that is active and pended by software again is left alone, see model_pending_known(). So is an SGI of a
 * GICv2: KVM gives each of its sources a list register, and while one is active and pending holds back what else
 * there is, more urgent or not (vgic_flush_lr_state() of Linux 6.12, `multi_sgi`).
 */
static bool active_or_pending(const struct model_irq *irq)
{
	return irq->level || (gic_version() == 2 && irq->intid < 16);
}

/* whether nothing active is driven out of the list registers if there are `more` interrupts */
static bool fits(bool active, unsigned more)
{
	return !active || model_busy_count(&m) + more <= LIST_REGISTERS;
}

static bool acknowledge(void)
{
	uint32_t iar;
	unsigned i;

	what = "acknowledge";
	(void)signalled_now();
	iar = gic_ack();
	on = gic_intid(iar);
	if (!model_signals(&m))
		return same("acknowledge", on, on, GIC_SPURIOUS);
	i = model_index(&m, on);
	if (!same("acknowledge may be", on, model_may_be_next(&m, i), true))
		return false;
	model_ack(&m, i);
	iars[i] = iar;
	return compare(i);
}

static bool end(void)
{
	unsigned i;

	if (!m.depth)
		return true;
	what = "end";
	i = model_end(&m);
	on = m.irq[i].intid;
	gic_eoi(iars[i]);
	return compare(i);
}

/* what is active and not held: deactivated by the CPU (EOImode 1) or by software */
static bool deactivate(unsigned i)
{
	struct model_irq *irq = &m.irq[i];

	on = irq->intid;
	if (!irq->active && model_active_count(&m) < MAX_ACTIVE && !irq->level &&
	    fits(true, !irq->pending) && !(irq->pending && active_or_pending(irq))) {
		what = "set active";
		iars[i] = 0;
		irq->active = true;
		gic_set_active(irq->intid, true);
		return compare(i);
	}
	if (!irq->active || model_holds(&m, i))
		return true;
	model_deactivate(&m, i);
	/* an SGI of a GICv2 that software made active has a source that only the GIC knows */
	if (m.split && iars[i] && (irq->level || rnd_below(2))) {
		what = "deactivate";
		gic_deactivate(iars[i]);
	} else {
		what = "clear active";
		gic_set_active(irq->intid, false);
	}
	return compare(i);
}

static bool one_step(void)
{
	unsigned i = (unsigned)rnd_below(MODEL_IRQS);
	struct model_irq *irq = &m.irq[i];

	on = irq->intid;
	switch (rnd_below(12)) {
	case 0:
		what = "enable";
		gic_enable(irq->intid);
		irq->enabled = true;
		return compare(i);
	case 1:
		what = "disable";
		gic_disable(irq->intid);
		irq->enabled = false;
		return compare(i);
	case 2:
		what = "clear pending";
		gic_set_pending(irq->intid, false);
		irq->pending = false;
		return compare(i);
	case 3:
		if (irq->active)
			return true;
		what = "priority";
		irq->priority = (uint8_t)(0x10 * (1 + rnd_below(13)));
		gic_set_priority(irq->intid, irq->priority);
		return compare(i);
	case 4:
		what = "mask";
		m.mask = (uint8_t)(0x10 * rnd_below(16));
		gic_set_pmr(m.mask);
		return compare(MODEL_IRQS);
	case 5:
	case 6:
		return model_active_count(&m) >= MAX_ACTIVE || !fits(true, 0) || acknowledge();
	case 7:
		return end();
	case 8:
		return deactivate(i);
	default:
		if (irq->active && active_or_pending(irq))
			return true;
		if (!fits(model_active_count(&m) > 0, !irq->pending && !irq->active))
			return true;
		what = "set pending";
		gic_set_pending(irq->intid, true);
		irq->pending = true;
		return compare(i);
	}
}

/* all that is left comes out, once each, in its order */
static bool drain(void)
{
	while (m.depth)
		if (!end())
			return false;
	for (unsigned i = 0; i < MODEL_IRQS; i++) {
		if (m.irq[i].active && !deactivate(i))
			return false;
		gic_enable(m.irq[i].intid);
		m.irq[i].enabled = true;
	}
	m.mask = 0xf0;
	gic_set_pmr(m.mask);
	for (unsigned i = 0; m.split && !fits(true, 0); i++) {
		gic_set_pending(m.irq[i].intid, false);
		m.irq[i].pending = false;
	}
	what = "draining";
	for (unsigned n = 0; model_has_next(&m); n++) {
		if (!EXPECT_LE(n, MODEL_IRQS) || !acknowledge() || !end())
			return false;
		for (unsigned i = 0; m.split && i < MODEL_IRQS; i++)
			if (m.irq[i].active && !deactivate(i))
				return false;
	}
	return EXPECT_QUIET();
}

static void random_test(bool split)
{
	gic_begin();
	set_up(split);
	for (step = 0; step < STEPS; step++)
		if (!one_step())
			return;
	drain();
}

TEST(gic, random_operations_agree_with_the_model, RULE("GIC-MODEL-1"), ON_V2_AND_V3)
{
	random_test(false);
}

TEST(gic, random_operations_agree_with_the_split_model, RULE("GIC-MODEL-1"), ON_V2_AND_V3)
{
	random_test(true);
}
