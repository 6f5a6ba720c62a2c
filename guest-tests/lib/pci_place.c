/* SPDX-License-Identifier: Apache-2.0 */
/* Sizing and placing of BARs and bridge windows (PCI Express Base Specification, 7.5.1.2.1, 7.5.1.3). */
#include "pci.h"
#include "types.h"

#define BAR_IO		 0x1U
#define BAR_TYPE_MASK	 0x6U
#define BAR_TYPE_64	 0x4U
#define BAR_PREFETCHABLE 0x8U

/* memory and prefetchable windows of a bridge come in units of 1 MiB */
#define BRIDGE_UNIT SZ_1M

static unsigned int bar_count(const struct pci_function *f)
{
	return f->bridge ? 2 : PCI_BARS;
}

/* what reads back of all ones, the register then as it was */
static uint32_t probe_bar(const struct pci_host *h, uint16_t bdf, unsigned int reg)
{
	uint32_t was = pci_rd32(h, bdf, reg);
	uint32_t mask;

	pci_wr32(h, bdf, reg, ~0U);
	mask = pci_rd32(h, bdf, reg);
	pci_wr32(h, bdf, reg, was);
	return mask;
}

void pci_size_bars(const struct pci_host *h, struct pci_function *f)
{
	uint16_t command = pci_rd16(h, f->bdf, PCI_COMMAND);

	pci_wr16(h, f->bdf, PCI_COMMAND,
		 (uint16_t)(command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)));
	for (unsigned int i = 0; i < bar_count(f); i++) {
		struct pci_bar *b = &f->bar[i];
		uint32_t low = probe_bar(h, f->bdf, PCI_BAR0 + 4 * i);
		uint64_t mask = low;

		*b = (struct pci_bar){0};
		if (low == 0)
			continue;
		if (low & BAR_IO) {
			b->size = (0 - (uint64_t)(low & ~3U)) & 0xffff;
			continue;
		}
		b->memory = true;
		b->wide = (low & BAR_TYPE_MASK) == BAR_TYPE_64;
		b->prefetchable = (low & BAR_PREFETCHABLE) != 0;
		if (b->wide && i + 1 < bar_count(f)) {
			mask |= (uint64_t)probe_bar(h, f->bdf, PCI_BAR0 + 4 * (i + 1)) << 32;
			f->bar[i + 1] = (struct pci_bar){0};
			i++;
		} else {
			mask |= 0xffffffffULL << 32;
		}
		b->size = 0 - (mask & ~0xfULL);
	}
	pci_wr16(h, f->bdf, PCI_COMMAND, command);
}

static bool take(struct pci_window *w, uint64_t size, uint64_t align, uint64_t *at)
{
	*at = ALIGN_UP(w->next, align);
	/* address 0 means "not placed" to some systems: do not give it out */
	if (*at == 0)
		*at = align;
	if (*at - w->pci > w->size || size > w->size - (*at - w->pci))
		return false;
	w->next = *at + size;
	return true;
}

/* Prefetchable BARs and the rest are placed in a pass each, so that a bridge has one range of each kind. */
enum pass { PREFETCHABLE, OTHER };

static struct pci_window *window_of(struct pci_host *h, enum pass pass)
{
	return pass == PREFETCHABLE && h->high.size ? &h->high : &h->low;
}

static bool is_of(const struct pci_host *h, const struct pci_bar *b, enum pass pass)
{
	bool prefetchable = b->prefetchable && (b->wide || !h->high.size);

	return b->memory && b->size && prefetchable == (pass == PREFETCHABLE);
}

static bool place_bars(struct pci_host *h, struct pci_function *f, enum pass pass,
		       const char **lacking)
{
	struct pci_window *w = window_of(h, pass);

	if (pass == PREFETCHABLE)
		pci_size_bars(h, f); /* the first pass */
	for (unsigned int i = 0; i < bar_count(f); i++) {
		struct pci_bar *b = &f->bar[i];

		if (!is_of(h, b, pass))
			continue;
		if (!take(w, b->size, b->size, &b->pci)) {
			*lacking = w == &h->high ? "64-bit window" : "32-bit window";
			return false;
		}
		b->cpu = b->pci - w->pci + w->cpu;
		pci_wr32(h, f->bdf, PCI_BAR0 + 4 * i, (uint32_t)b->pci);
		if (b->wide)
			pci_wr32(h, f->bdf, PCI_BAR0 + 4 * (i + 1), (uint32_t)(b->pci >> 32));
	}
	return true;
}

/* Base above limit closes a window. */
static void open_window(const struct pci_host *h, uint16_t bdf, enum pass pass, uint64_t begin,
			uint64_t end)
{
	if (begin == end) {
		begin = 0xfff00000;
		end = 0x100000;
	}
	if (pass == OTHER) {
		pci_wr16(h, bdf, PCI_MEMORY_BASE, (uint16_t)(begin >> 16));
		pci_wr16(h, bdf, PCI_MEMORY_LIMIT, (uint16_t)((end - 1) >> 16 & 0xfff0));
		return;
	}
	pci_wr32(h, bdf, PCI_PREF_LIMIT_UPPER, (uint32_t)((end - 1) >> 32));
	pci_wr16(h, bdf, PCI_PREF_BASE, (uint16_t)(begin >> 16));
	pci_wr16(h, bdf, PCI_PREF_LIMIT, (uint16_t)((end - 1) >> 16 & 0xfff0));
	pci_wr32(h, bdf, PCI_PREF_BASE_UPPER, (uint32_t)(begin >> 32));
}

static bool place_behind(struct pci_host *h, int parent, enum pass pass, const char **lacking);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the bridges are nested */
static bool place_bridge(struct pci_host *h, unsigned int index, enum pass pass,
			 const char **lacking)
{
	struct pci_window *w = window_of(h, pass);
	uint64_t begin;

	if (!h->function[index].secondary)
		return true;
	begin = w->next = ALIGN_UP(w->next, BRIDGE_UNIT);
	if (!place_behind(h, (int)index, pass, lacking))
		return false;
	w->next = ALIGN_UP(w->next, BRIDGE_UNIT);
	open_window(h, h->function[index].bdf, pass, begin, w->next);
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool place_behind(struct pci_host *h, int parent, enum pass pass, const char **lacking)
{
	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];

		if (f->parent != parent)
			continue;
		if (!place_bars(h, f, pass, lacking) ||
		    (f->bridge && !place_bridge(h, i, pass, lacking)))
			return false;
		if (pass == OTHER) /* all is placed */
			pci_wr16(h, f->bdf, PCI_COMMAND,
				 (uint16_t)(pci_rd16(h, f->bdf, PCI_COMMAND) | PCI_COMMAND_MEMORY |
					    PCI_COMMAND_MASTER));
	}
	return true;
}

bool pci_place(struct pci_host *h, const char **lacking)
{
	h->low.next = h->low.pci;
	h->high.next = h->high.pci;
	return place_behind(h, -1, PREFETCHABLE, lacking) && place_behind(h, -1, OTHER, lacking);
}
