/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/pcie_msix.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

void pcie_msix_setup(struct pcie_fn *f, struct pcie_msix *m, unsigned nr, unsigned bar,
		     uint32_t table, uint32_t pba)
{
	if (!nr || nr > PCIE_MSIX_VECTORS_MAX)
		abort();
	m->nr = nr;
	m->pending = 0;
	for (unsigned i = 0; i < nr; i++)
		m->vector[i] = (struct pcie_msix_vector){.control = PCI_MSIX_ENTRY_CTRL_MASKBIT};
	m->cap = pcie_add_capability(&f->cfg, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	pcie_reg16(&f->cfg, m->cap + PCI_MSIX_FLAGS, (uint16_t)(nr - 1),
		   PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pcie_reg32(&f->cfg, m->cap + PCI_MSIX_TABLE, table | bar, 0);
	pcie_reg32(&f->cfg, m->cap + PCI_MSIX_PBA, pba | bar, 0);
}

static uint16_t flags(const struct pcie_fn *f, const struct pcie_msix *m)
{
	return pcie_get16(&f->cfg, m->cap + PCI_MSIX_FLAGS);
}

bool pcie_msix_enabled(const struct pcie_fn *f, const struct pcie_msix *m)
{
	return flags(f, m) & PCI_MSIX_FLAGS_ENABLE;
}

static bool masked(const struct pcie_fn *f, const struct pcie_msix *m, unsigned n)
{
	return flags(f, m) & PCI_MSIX_FLAGS_MASKALL ||
	       m->vector[n].control & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static bool deliver(struct pcie_fn *f, const struct pcie_msix *m, unsigned n)
{
	const struct pcie_msix_vector *v = &m->vector[n];
	int ret = pcie_message(f, v->addr, v->data, m->often);

	if (ret < 0)
		dev_guest_error(f->root->dev, "MSI-X message that nobody takes, to", v->addr);
	return ret >= 0;
}

static void send_pending(struct pcie_fn *f, struct pcie_msix *m)
{
	if (!m->pending || !pcie_msix_enabled(f, m))
		return;
	for (unsigned i = 0; i < m->nr; i++) {
		if (!(m->pending >> i & 1) || masked(f, m, i))
			continue;
		m->pending &= ~(1ULL << i);
		deliver(f, m, i);
	}
}

bool pcie_msix_fire(struct pcie_fn *f, struct pcie_msix *m, uint32_t n)
{
	if (n >= m->nr || !pcie_msix_enabled(f, m))
		return false;
	if (masked(f, m, n)) {
		m->pending |= 1ULL << n;
		return true;
	}
	return deliver(f, m, n);
}

void pcie_msix_configured(struct pcie_fn *f, struct pcie_msix *m)
{
	send_pending(f, m);
}

static uint32_t word(const struct pcie_msix_vector *v, unsigned n)
{
	const uint32_t words[4] = {(uint32_t)v->addr, (uint32_t)(v->addr >> 32), v->data,
				   v->control};

	return words[n];
}

/* Only aligned 32- and 64-bit accesses are defined (6.1.4.2); others read 0 and change nothing. */
static bool defined(const struct pcie_msix *m, uint64_t off, unsigned len)
{
	return (len == 4 || len == 8) && !(off & (len - 1)) &&
	       off < m->nr * (uint64_t)PCI_MSIX_ENTRY_SIZE;
}

uint64_t pcie_msix_table_read(const struct pcie_msix *m, uint64_t off, unsigned len)
{
	const struct pcie_msix_vector *v;
	unsigned n = off / 4 % 4;

	if (!defined(m, off, len))
		return 0;
	v = &m->vector[off / PCI_MSIX_ENTRY_SIZE];
	return len == 4 ? word(v, n) : word(v, n) | (uint64_t)word(v, n + 1) << 32;
}

void pcie_msix_table_write(struct pcie_fn *f, struct pcie_msix *m, uint64_t off, unsigned len,
			   uint64_t val)
{
	if (!defined(m, off, len)) {
		dev_guest_error(f->root->dev, "MSI-X table access of wrong width at", off);
		return;
	}
	for (unsigned i = 0; i < len; i += 4, off += 4, val >>= 32) {
		struct pcie_msix_vector *v = &m->vector[off / PCI_MSIX_ENTRY_SIZE];
		uint32_t w = (uint32_t)val;

		switch (off % PCI_MSIX_ENTRY_SIZE) {
		case PCI_MSIX_ENTRY_LOWER_ADDR:
			v->addr = (v->addr & ~0xffffffffULL) | (w & ~3U);
			break;
		case PCI_MSIX_ENTRY_UPPER_ADDR:
			v->addr = (v->addr & 0xffffffffULL) | (uint64_t)w << 32;
			break;
		case PCI_MSIX_ENTRY_DATA:
			v->data = w;
			break;
		default:
			v->control = w & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		}
	}
	send_pending(f, m);
}

uint64_t pcie_msix_pending_read(const struct pcie_msix *m, uint64_t off, unsigned len)
{
	return off < 8 && len <= 8 - off ? m->pending >> (8 * off) : 0;
}
