/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMIO bus: finds the window an address falls into. Every access is
 * answered: what nobody claims reads as 0 and is counted (KVM leaves old bytes
 * in the run page, so not answering would hand the guest somebody's data).
 */
#ifndef REFVMM_CORE_BUS_H
#define REFVMM_CORE_BUS_H

#include "core/dev.h"

#define BUS_WINDOWS_MAX 96U

struct bus_window {
	uint64_t base, size;
	struct dev *dev;
	const struct dev_window *win;
};

struct bus {
	struct bus_window window[BUS_WINDOWS_MAX]; /* ascending, disjoint */
	unsigned nr;
	unsigned last;	    /* the one found last: a guest mostly stays with one device */
	uint64_t unclaimed; /* accesses no window claims */
	uint64_t malformed; /* wrong length, alignment, or across a window's end */
};

/* Puts all windows of the device (range size > 0) on the bus; -EEXIST: overlaps; -ENOSPC. */
int bus_add(struct bus *b, struct dev *d);
uint64_t bus_read(struct bus *b, uint64_t gpa, unsigned len);
void bus_write(struct bus *b, uint64_t gpa, unsigned len, uint64_t val);

#endif
