/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

static bool candidate(const struct model_irq *irq)
{
	return irq->enabled && irq->pending && !irq->active;
}

unsigned model_index(const struct model *m, unsigned intid)
{
	unsigned i = 0;

	while (i < MODEL_IRQS && m->irq[i].intid != intid)
		i++;
	return i;
}

uint8_t model_running(const struct model *m)
{
	return m->depth ? m->irq[m->held[m->depth - 1]].priority : 0xff;
}

/* 0x100: nothing */
static unsigned best(const struct model *m)
{
	unsigned priority = 0x100;

	for (unsigned i = 0; i < MODEL_IRQS; i++)
		if (candidate(&m->irq[i]))
			priority = MIN(priority, m->irq[i].priority);
	return priority;
}

bool model_has_next(const struct model *m)
{
	return best(m) < 0x100;
}

bool model_may_be_next(const struct model *m, unsigned index)
{
	return index < MODEL_IRQS && candidate(&m->irq[index]) && m->irq[index].priority == best(m);
}

bool model_passes_mask(const struct model *m)
{
	return best(m) < m->mask;
}

bool model_signals(const struct model *m)
{
	return model_passes_mask(m) && best(m) < model_running(m);
}

bool model_pending_known(const struct model_irq *irq)
{
	return !(irq->level && irq->active);
}

unsigned model_busy_count(const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MODEL_IRQS; i++)
		n += m->irq[i].active || m->irq[i].pending;
	return n;
}

unsigned model_active_count(const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MODEL_IRQS; i++)
		n += m->irq[i].active;
	return n;
}

bool model_holds(const struct model *m, unsigned index)
{
	for (unsigned i = 0; i < m->depth; i++)
		if (m->held[i] == index)
			return true;
	return false;
}

void model_ack(struct model *m, unsigned index)
{
	m->irq[index].pending = false;
	m->irq[index].active = true;
	m->held[m->depth++] = index;
}

unsigned model_end(struct model *m)
{
	unsigned index = m->held[--m->depth];

	if (!m->split)
		m->irq[index].active = false;
	return index;
}

void model_deactivate(struct model *m, unsigned index)
{
	m->irq[index].active = false;
}
