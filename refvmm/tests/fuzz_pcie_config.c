/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest on configuration space alone: the host bridge, root ports, and endpoints on the root bus and behind a
 * port. Nobody becomes somebody else, and after a reset all is as in a new machine.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/pcie_bench.h"

#define BUSES 3U
#define SLOTS 6U

struct step {
	uint8_t op, where;
	uint16_t reg;
	uint32_t val;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pcie_bench *bench(void)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "2", "--device pci-test", "",
				     "--device pci-test", "port=none");

	if (b->err)
		abort();
	return b;
}

static void take(struct pcie_bench *b, const struct step *s)
{
	unsigned len = 1U << (s->op >> 4 & 3);
	unsigned bus = s->where >> 4 & 3, slot = s->where & 7;
	unsigned off = s->reg & 0xfff & ~((s->op & 0x80 ? 1 : len) - 1);

	if (!(s->op & 8)) /* where the registers are */
		off &= 0xff;
	switch (s->op & 7) {
	case 0:
		fake_read(b->fe,
			  ASSAY_PCIE_ECAM_HIGH_BASE + ((uint64_t)bus << 20) + (slot << 15) + off,
			  len);
		break;
	case 1: /* a bus opens: most often */
		cfg_write(b, 0, 1 + (slot & 1), 0x18, 4, (s->val & 0x303) << 8);
		break;
	case 2:
		if (s->val % 16 == 0)
			b->dev->ops->reset(b->dev);
		break;
	default:
		fake_write(b->fe,
			   ASSAY_PCIE_ECAM_HIGH_BASE + ((uint64_t)bus << 20) + (slot << 15) + off,
			   len, s->val * 0x100000001ULL);
		break;
	}
}

/* Slots of the root bus keep their names. */
static void check_names(struct pcie_bench *b, const uint32_t *name)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (cfg_read(b, 0, slot, 0, 4) != name[slot])
			abort();
}

static void check_reset(struct pcie_bench *used)
{
	struct pcie_bench *fresh = bench();

	used->dev->ops->reset(used->dev);
	for (unsigned bus = 0; bus < BUSES; bus++)
		for (unsigned slot = 0; slot < SLOTS; slot++)
			for (unsigned off = 0; off < 0x100; off += 4)
				if (cfg_read(used, bus, slot, off, 4) !=
				    cfg_read(fresh, bus, slot, off, 4))
					abort();
	for (unsigned i = 0; i < FAKE_SPIS; i++)
		if (used->fe->level[i])
			abort();
	pcie_bench_free(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcie_bench *b = bench();
	uint32_t name[SLOTS];
	struct step s;

	for (unsigned slot = 0; slot < SLOTS; slot++)
		name[slot] = cfg_read(b, 0, slot, 0, 4);
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		take(b, &s);
	}
	check_names(b, name);
	check_reset(b);
	pcie_bench_free(b);
	return 0;
}
