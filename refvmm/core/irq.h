/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A level-sensitive line that remembers its level, so that a device may compute
 * "level = raw & mask" after every change and only edges cost a call to KVM.
 */
#ifndef REFVMM_CORE_IRQ_H
#define REFVMM_CORE_IRQ_H

#include "core/dev.h"

struct irq_line {
	bool level;
};

static inline void irq_set(struct irq_line *l, struct dev *d, unsigned n, bool level)
{
	if (l->level == level)
		return;
	l->level = level;
	dev_irq(d, n, level);
}

/* Reset: the line falls. */
static inline void irq_reset(struct irq_line *l, struct dev *d, unsigned n)
{
	irq_set(l, d, n, false);
}

#endif
