/* SPDX-License-Identifier: Apache-2.0 */
/* The PCIe test endpoint: abi/assay/pcitest.h says what it does. */
#include "dev/pci_test.h"

#include <linux/pci_regs.h>
#include <string.h>

#include <assay/board.h>
#include <assay/pcitest.h>

#include "dev/pcie_msix.h"

#define REGISTERS   0x30U
#define PAGE	    0x1000U
#define MEMORY_PAGE 2U /* BAR2: the first and the last page */

struct pci_test {
	struct pcie_fn fn;
	struct pcie_msix msix;
	unsigned express;
	uint64_t scratch;
	uint32_t count, lost;
	bool intx;
	uint8_t memory[MEMORY_PAGE][PAGE];
};

static void setup(struct pcie_fn *f, const void *conf)
{
	static const struct pcie_ids ids = {.vendor = ASSAY_PCI_VENDOR,
					    .device = ASSAY_PCI_DEVICE_TEST,
					    .class_code = 0xff0000};
	const struct pci_test_conf *pc = conf;
	struct pci_test *t = (struct pci_test *)f;

	pcie_config_init(&f->cfg, &ids);
	f->bar_size[0] = pc->bar32;
	f->bar_size[2] = pc->bar64;
	f->bar_size[ASSAY_PCITEST_MSIX_BAR] = PCI_TEST_MSIX_BAR_SIZE;
	pcie_bar_init(&f->cfg, 0, pc->bar32, false, false);
	pcie_bar_init(&f->cfg, 2, pc->bar64, true, true);
	pcie_bar_init(&f->cfg, ASSAY_PCITEST_MSIX_BAR, PCI_TEST_MSIX_BAR_SIZE, false, false);
	pcie_reg8(&f->cfg, PCI_INTERRUPT_PIN, 1, 0);
	t->express = pcie_add_express(f, f->port ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END);
	pcie_msix_setup(f, &t->msix, ASSAY_PCITEST_VECTORS, ASSAY_PCITEST_MSIX_BAR,
			ASSAY_PCITEST_MSIX_TABLE, ASSAY_PCITEST_MSIX_PBA);
}

/* While MSI-X is on, a function does not use INTx (PCIe 6.0, 7.7.2.2). */
static void update_intx(struct pci_test *t)
{
	pcie_intx(&t->fn, t->intx && !pcie_msix_enabled(&t->fn, &t->msix));
}

static void configured(struct pcie_fn *f, unsigned off, unsigned len)
{
	struct pci_test *t = (struct pci_test *)f;

	(void)off;
	(void)len;
	if (pcie_get16(&f->cfg, t->express + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR) {
		pcie_fn_reset(f);
		return;
	}
	update_intx(t);
	pcie_msix_configured(f, &t->msix);
}

/* ---- a 64-bit word of BAR0 or BAR2 */

static uint64_t register_word(const struct pci_test *t, uint64_t off)
{
	switch (off) {
	case ASSAY_PCITEST_ID:
		return ASSAY_PCITEST_MAGIC | (uint64_t)ASSAY_PCITEST_ABI << 32;
	case ASSAY_PCITEST_RID:
		return pcie_requester_id(&t->fn) |
		       (uint64_t)((const struct pci_test_conf *)t->fn.conf)->index << 32;
	case ASSAY_PCITEST_SCRATCH:
		return t->scratch;
	case ASSAY_PCITEST_COUNT:
		return t->count;
	case ASSAY_PCITEST_INTX:
		return t->intx;
	case ASSAY_PCITEST_LOST:
		return t->lost;
	default:
		return off;
	}
}

static uint8_t *memory(struct pci_test *t, uint64_t off)
{
	uint64_t last = t->fn.bar_size[2] - PAGE;

	if (off < PAGE)
		return &t->memory[0][off];
	return off >= last ? &t->memory[1][off - last] : NULL;
}

static uint64_t load(const uint8_t *p)
{
	uint64_t val = 0;

	for (unsigned i = 0; i < 8; i++)
		val |= (uint64_t)p[i] << (8 * i);
	return val;
}

static void store(uint8_t *p, uint64_t val)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(val >> (8 * i));
}

static uint64_t insert(uint64_t word, uint64_t off, unsigned len, uint64_t val)
{
	uint64_t mask = len >= 8 ? UINT64_MAX : ((1ULL << (8 * len)) - 1) << (8 * (off & 7));

	return (word & ~mask) | (val << (8 * (off & 7)) & mask);
}

static uint64_t bar_read(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len)
{
	struct pci_test *t = (struct pci_test *)f;
	uint64_t at = off & ~7ULL, word = at;

	if (bar == ASSAY_PCITEST_MSIX_BAR) {
		if (off >= ASSAY_PCITEST_MSIX_PBA)
			return pcie_msix_pending_read(&t->msix, off - ASSAY_PCITEST_MSIX_PBA, len);
		return pcie_msix_table_read(&t->msix, off - ASSAY_PCITEST_MSIX_TABLE, len);
	}
	if (bar == 0 && at < REGISTERS)
		word = register_word(t, at);
	else if (bar == 2 && memory(t, at))
		word = load(memory(t, at));
	if (bar != 0 || at != ASSAY_PCITEST_COUNT)
		t->count++;
	return word >> (8 * (off & 7));
}

/* Registers with an effect are 32 bits wide, and ignore other widths. */
static void write_register(struct pci_test *t, uint64_t off, unsigned len, uint64_t val)
{
	if ((off & ~7ULL) == ASSAY_PCITEST_SCRATCH) {
		t->scratch = insert(t->scratch, off, len, val);
		return;
	}
	if (len != 4)
		return;
	switch (off) {
	case ASSAY_PCITEST_COUNT:
		t->count = (uint32_t)val;
		break;
	case ASSAY_PCITEST_INTX:
		t->intx = val & 1;
		update_intx(t);
		break;
	case ASSAY_PCITEST_MSIX:
		t->lost += !pcie_msix_fire(&t->fn, &t->msix, (uint32_t)val);
		break;
	default:
		break;
	}
}

static void bar_write(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len, uint64_t val)
{
	struct pci_test *t = (struct pci_test *)f;
	uint64_t at = off & ~7ULL;

	if (bar == ASSAY_PCITEST_MSIX_BAR) {
		if (off < ASSAY_PCITEST_MSIX_PBA)
			pcie_msix_table_write(f, &t->msix, off - ASSAY_PCITEST_MSIX_TABLE, len,
					      val);
		return;
	}
	t->count++;
	if (bar == 0)
		write_register(t, off, len, val);
	else if (memory(t, at))
		store(memory(t, at), insert(load(memory(t, at)), off, len, val));
}

const struct pcie_fn_ops pci_test_ops = {
	.name = "pci-test",
	.size = sizeof(struct pci_test),
	.setup = setup,
	.read = bar_read,
	.write = bar_write,
	.configured = configured,
};
