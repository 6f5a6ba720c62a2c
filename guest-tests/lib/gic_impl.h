/* SPDX-License-Identifier: Apache-2.0 */
/* Between gic.c and its two implementations only. */
#ifndef LIB_GIC_IMPL_H
#define LIB_GIC_IMPL_H

#include "gic.h"

struct gic_impl {
	unsigned version;
	void (*dist_on)(void);
	void (*cpu_init)(void);
	void (*drop_active)(
		void); /* no active priority is left of an interrupt that nobody ended */
	struct mmio (*private_frame)(void); /* NULL: the distributor's banked registers */
	void (*wait_rwp)(unsigned intid);
	void (*sgi_set_pending)(unsigned intid, bool pending); /* NULL: as any other interrupt */
	void (*route)(unsigned intid, unsigned cpu);
	uint32_t (*ack)(void);
	void (*eoi)(uint32_t iar);
	void (*deactivate)(uint32_t iar);
	unsigned (*highest_pending)(void);
	void (*set_pmr)(uint8_t mask);
	uint8_t (*get_pmr)(void);
	uint8_t (*running_priority)(void);
	void (*set_eoimode)(bool split);
	bool (*get_eoimode)(void);
	void (*sgi)(unsigned intid, unsigned cpu);
	void (*sgi_list)(unsigned intid, uint64_t cpus);
	void (*sgi_others)(unsigned intid);
};

extern const struct gic_impl gicv2_impl, gicv3_impl;

void gicv2_init(int node, struct mmio dist);
bool gicv3_init(int node, struct mmio dist);

#endif
