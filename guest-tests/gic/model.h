/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small model of one CPU's GIC: enable, pending, active, priority, mask, running priority and both
 * EOI modes (IHI 0069H 4.1.2, 4.4.4, 4.8; IHI 0048B 3.2, 3.3). It knows states, and no register.
 * What the architecture leaves open it answers as a set: any of the most urgent may be next.
 */
#ifndef GIC_MODEL_H
#define GIC_MODEL_H

#include "types.h"

#define MODEL_IRQS 8U

struct model_irq {
	unsigned intid;
	bool level; /* level-sensitive, pended by software: see model_pending_known() */
	bool enabled, pending, active;
	uint8_t priority;
};

struct model {
	struct model_irq irq[MODEL_IRQS];
	uint8_t mask;		   /* PMR */
	bool split;		   /* EOImode 1 */
	unsigned held[MODEL_IRQS]; /* acknowledged and not ended, the last is the most urgent */
	unsigned depth;
};

/* the number of an INTID in the model; MODEL_IRQS: not one of it */
unsigned model_index(const struct model *m, unsigned intid);
/* the running priority; 0xff: idle */
uint8_t model_running(const struct model *m);
/* is anything enabled, pending and inactive? and could it be this one? */
bool model_has_next(const struct model *m);
bool model_may_be_next(const struct model *m, unsigned index);
/* is the CPU signalled: the next passes the mask and preempts what runs? and the mask alone? */
bool model_signals(const struct model *m);
bool model_passes_mask(const struct model *m);
/*
 * May the pending bit be compared? A level that software pended and that is active: whether its
 * latch still shows is the implementation's choice.
 */
bool model_pending_known(const struct model_irq *irq);
/* pending, active or both */
unsigned model_busy_count(const struct model *m);
unsigned model_active_count(const struct model *m);
/* is it acknowledged, and its priority not dropped? */
bool model_holds(const struct model *m, unsigned index);

void model_ack(struct model *m, unsigned index);
/* end of the last one acknowledged: its index */
unsigned model_end(struct model *m);
void model_deactivate(struct model *m, unsigned index);

#endif
