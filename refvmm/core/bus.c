/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bus.h"

#include <errno.h>
#include <string.h>

static int add_window(struct bus *b, struct dev *d, unsigned i)
{
	struct bus_window w = {.base = d->range[i].base,
			       .size = d->range[i].size,
			       .dev = d,
			       .win = &d->ops->window[i]};
	unsigned at = 0;

	if (b->nr == BUS_WINDOWS_MAX)
		return -ENOSPC;
	while (at < b->nr && b->window[at].base < w.base)
		at++;
	if (at && b->window[at - 1].base + b->window[at - 1].size > w.base)
		return -EEXIST;
	if (at < b->nr && w.base + w.size > b->window[at].base)
		return -EEXIST;
	memmove(&b->window[at + 1], &b->window[at], (b->nr - at) * sizeof(w));
	b->window[at] = w;
	b->nr++;
	return 0;
}

int bus_add(struct bus *b, struct dev *d)
{
	for (unsigned i = 0; i < DEV_WINDOWS_MAX; i++) {
		int ret = d->range[i].size ? add_window(b, d, i) : 0;

		if (ret)
			return ret;
	}
	return 0;
}

static __attribute__((noinline)) struct bus_window *search(struct bus *b, uint64_t gpa)
{
	unsigned lo = 0, hi = b->nr;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (gpa < b->window[mid].base)
			hi = mid;
		else if (gpa - b->window[mid].base >= b->window[mid].size)
			lo = mid + 1;
		else
			return &b->window[b->last = mid];
	}
	b->unclaimed++;
	return NULL;
}

/*
 * 64 bits of a window whose registers have 32 are two of those, the lower first, as on a bus that is 32 bits wide. Asked
 * only once claim() has found nothing, so that no other access pays for it.
 */
static bool in_halves(const struct bus_window *w, uint64_t gpa, unsigned len)
{
	uint64_t off = gpa - w->base;

	return len == 8 && off < w->size && w->size - off >= 8 && !(off & 7) &&
	       w->win->max_len == 4 && w->win->min_len <= 4;
}

static __attribute__((noinline)) struct bus_window *malformed(struct bus *b, struct bus_window *w,
							      uint64_t gpa, unsigned len)
{
	if (in_halves(w, gpa, len))
		return NULL;
	b->malformed++;
	dev_guest_error(w->dev, "access of wrong width or alignment at", gpa);
	return NULL;
}

/* The window that answers this access, or NULL after having counted why none does. */
static inline struct bus_window *claim(struct bus *b, uint64_t gpa, unsigned len)
{
	struct bus_window *w = &b->window[b->last];
	uint64_t off = gpa - w->base;

	if (off >= w->size) {
		w = search(b, gpa);
		if (!w)
			return NULL;
		off = gpa - w->base;
	}
	if (len < w->win->min_len || len > w->win->max_len || (off & (len - 1)) ||
	    len > w->size - off)
		return malformed(b, w, gpa, len);
	return w;
}

static inline uint64_t mask(unsigned len)
{
	return len >= 8 ? UINT64_MAX : (1ULL << (8 * len)) - 1;
}

static __attribute__((noinline)) uint64_t read_halves(struct bus *b, uint64_t gpa, unsigned len)
{
	uint64_t low;

	if (!in_halves(&b->window[b->last], gpa, len))
		return 0;
	low = bus_read(b, gpa, 4);
	return low | bus_read(b, gpa + 4, 4) << 32;
}

static __attribute__((noinline)) void write_halves(struct bus *b, uint64_t gpa, unsigned len,
						   uint64_t val)
{
	if (!in_halves(&b->window[b->last], gpa, len))
		return;
	bus_write(b, gpa, 4, val & mask(4));
	bus_write(b, gpa + 4, 4, val >> 32);
}

uint64_t bus_read(struct bus *b, uint64_t gpa, unsigned len)
{
	struct bus_window *w = claim(b, gpa, len);

	if (!w)
		return read_halves(b, gpa, len);
	return w->win->read ? w->win->read(w->dev, gpa - w->base, len) & mask(len) : 0;
}

void bus_write(struct bus *b, uint64_t gpa, unsigned len, uint64_t val)
{
	struct bus_window *w = claim(b, gpa, len);

	if (!w)
		write_halves(b, gpa, len, val);
	else if (w->win->write)
		w->win->write(w->dev, gpa - w->base, len, val & mask(len));
}
