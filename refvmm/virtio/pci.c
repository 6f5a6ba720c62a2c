/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pcie_msix.h"
#include "virtio/pci_common.h"
#include "virtio/virtio.h"

#define MSIX_PBA   0x800U
#define CAP_LENGTH 16U /* of a virtio capability; the two longer ones have a word more (4.1.4) */

static struct virtio_pci *of(const struct pcie_fn *f)
{
	return f->priv;
}

static struct virtio_pci *owner(const struct virtio_dev *v)
{
	return v->owner;
}

/* ---- interrupts */

/* While MSI-X is on, a function does not use INTx (PCIe 6.0, 7.7.2.2). */
static void update_intx(struct virtio_pci *p)
{
	pcie_intx(p->fn, p->isr && !pcie_msix_enabled(p->fn, &p->msix));
}

/* 4.1.5.1.2, 4.1.5.3: by its vector, or by a bit of the ISR status where MSI-X is off. */
static void interrupt(struct virtio_pci *p, uint16_t vector, uint8_t bit)
{
	if (pcie_msix_enabled(p->fn, &p->msix)) {
		if (vector != VIRTIO_MSI_NO_VECTOR)
			pcie_msix_fire(p->fn, &p->msix, vector);
		return;
	}
	p->isr |= bit;
	update_intx(p);
}

static void used(struct virtio_dev *v, unsigned queue)
{
	interrupt(owner(v), owner(v)->queue_vector[queue], 1);
}

static void config_changed(struct virtio_dev *v)
{
	interrupt(owner(v), owner(v)->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

void virtio_pci_forget(struct virtio_pci *p)
{
	p->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		p->queue_vector[i] = VIRTIO_MSI_NO_VECTOR;
	p->isr = 0;
	update_intx(p);
}

/* ---- the doorbell: the notification structure, wherever the guest has put it */

/* All queues share one address, where drivers store 16 bits: the queue's number (4.1.5.2). */
static void place_bell(struct virtio_pci *p)
{
	struct env *e = p->v->dev->env;
	uint64_t want = 0;

	if (p->v->live && p->v->bell.fd >= 0)
		want = pcie_reachable(p->fn, VPCI_BAR, VPCI_NOTIFY, 2);
	if (want == p->bell_at)
		return;
	if (p->bell_at)
		e->ops->doorbell(e, p->bell_at, 2, p->v->bell.fd, false);
	p->bell_at = want;
	if (want && e->ops->doorbell(e, want, 2, p->v->bell.fd, true))
		p->bell_at = 0; /* then notifications go the long way */
}

static void moved(struct pcie_fn *f)
{
	place_bell(of(f));
}

static void live(struct virtio_dev *v, bool on)
{
	(void)on;
	place_bell(owner(v));
}

static const struct virtio_transport transport = {
	.used = used, .config_changed = config_changed, .live = live};

/* ---- the function */

static void *create(struct pcie_fn *f)
{
	struct virtio_pci *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fn = f;
	p->v = virtio_new(f->root->dev, f->conf, &transport, p);
	if (p->v)
		return p;
	free(p);
	return NULL;
}

static void destroy(struct pcie_fn *f)
{
	struct virtio_pci *p = of(f);

	virtio_free(p->v);
	free(p);
}

static unsigned add_structure(struct pcie_config *c, uint8_t type, uint32_t off, unsigned more)
{
	unsigned cap = pcie_add_capability(c, PCI_CAP_ID_VNDR, CAP_LENGTH + more);

	pcie_reg8(c, cap + VIRTIO_PCI_CAP_LEN, (uint8_t)(CAP_LENGTH + more), 0);
	pcie_reg8(c, cap + VIRTIO_PCI_CAP_CFG_TYPE, type, 0);
	pcie_reg8(c, cap + VIRTIO_PCI_CAP_BAR, VPCI_BAR, 0);
	pcie_reg32(c, cap + VIRTIO_PCI_CAP_OFFSET, off, 0);
	pcie_reg32(c, cap + VIRTIO_PCI_CAP_LENGTH, VPCI_STRUCTURE, 0);
	return cap;
}

/* 4.1.4.9: a way to the BARs by configuration space alone, for firmware that maps none. */
static unsigned add_window(struct pcie_config *c)
{
	unsigned cap = add_structure(c, VIRTIO_PCI_CAP_PCI_CFG, 0, 4);

	pcie_reg8(c, cap + VIRTIO_PCI_CAP_BAR, 0, 0xff);
	pcie_reg32(c, cap + VIRTIO_PCI_CAP_OFFSET, 0, UINT32_MAX);
	pcie_reg32(c, cap + VIRTIO_PCI_CAP_LENGTH, 0, UINT32_MAX);
	pcie_reg32(c, cap + CAP_LENGTH, 0, UINT32_MAX);
	return cap;
}

static void setup(struct pcie_fn *f, const void *conf)
{
	struct virtio_pci *p = of(f);
	const struct virtio_class *class = p->v->class;
	const struct pcie_ids ids = {.vendor = VPCI_VENDOR,
				     .device = (uint16_t)(VPCI_DEVICE_MIN + class->id),
				     .class_code = class->pci_class};

	(void)conf;
	pcie_config_init(&f->cfg, &ids);
	f->bar_size[VPCI_MSIX_BAR] = VPCI_MSIX_SIZE;
	f->bar_size[VPCI_BAR] = VPCI_BAR_SIZE;
	pcie_bar_init(&f->cfg, VPCI_MSIX_BAR, VPCI_MSIX_SIZE, false, false);
	pcie_bar_init(&f->cfg, VPCI_BAR, VPCI_BAR_SIZE, true, true);
	pcie_reg8(&f->cfg, PCI_INTERRUPT_PIN, 1, 0);
	p->express = pcie_add_express(f, f->port ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END);
	p->msix.often = true;
	pcie_msix_setup(f, &p->msix, class->queues + 1, VPCI_MSIX_BAR, 0, MSIX_PBA);
	add_structure(&f->cfg, VIRTIO_PCI_CAP_COMMON_CFG, VPCI_COMMON, 0);
	add_structure(&f->cfg, VIRTIO_PCI_CAP_ISR_CFG, VPCI_ISR, 0);
	if (class->config)
		add_structure(&f->cfg, VIRTIO_PCI_CAP_DEVICE_CFG, VPCI_DEVICE, 0);
	add_structure(&f->cfg, VIRTIO_PCI_CAP_NOTIFY_CFG, VPCI_NOTIFY, 4); /* multiplier 0 */
	p->window = add_window(&f->cfg);
	virtio_reset(p->v);
	virtio_pci_forget(p);
	place_bell(p);
}

/* ---- BARs */

static uint64_t isr_read(struct virtio_pci *p)
{
	uint8_t isr = p->isr;

	p->isr = 0; /* 4.1.4.5: reading acknowledges */
	update_intx(p);
	return isr;
}

static uint64_t bar_read(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len)
{
	struct virtio_pci *p = of(f);
	uint64_t at = off % VPCI_STRUCTURE;

	if (bar == VPCI_MSIX_BAR)
		return off < MSIX_PBA ? pcie_msix_table_read(&p->msix, off, len)
				      : pcie_msix_pending_read(&p->msix, off - MSIX_PBA, len);
	switch (off - at) {
	case VPCI_COMMON:
		return virtio_pci_common_read(p, at, len);
	case VPCI_ISR:
		return at == 0 ? isr_read(p) : 0;
	case VPCI_DEVICE:
		return virtio_config_read(p->v, at, len);
	default:
		return 0;
	}
}

static void bar_write(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len, uint64_t val)
{
	struct virtio_pci *p = of(f);
	uint64_t at = off % VPCI_STRUCTURE;

	if (bar == VPCI_MSIX_BAR) {
		if (off < MSIX_PBA)
			pcie_msix_table_write(f, &p->msix, off, len, val);
		return;
	}
	if (off - at == VPCI_COMMON)
		virtio_pci_common_write(p, at, len, val);
	else if (off == VPCI_NOTIFY)
		virtio_notify(p->v, (uint16_t)val);
}

/* ---- configuration space */

/* What the window's registers ask for; false: nothing that a driver may (4.1.4.9.2). */
static bool window(const struct pcie_fn *f, unsigned cap, unsigned *bar, uint32_t *off,
		   uint32_t *len)
{
	*bar = f->cfg.val[cap + VIRTIO_PCI_CAP_BAR];
	*off = pcie_get32(&f->cfg, cap + VIRTIO_PCI_CAP_OFFSET);
	*len = pcie_get32(&f->cfg, cap + VIRTIO_PCI_CAP_LENGTH);
	return (*len == 1 || *len == 2 || *len == 4) && *off % *len == 0 && *bar < PCIE_BARS &&
	       *off < f->bar_size[*bar];
}

static bool touches(unsigned off, unsigned len, unsigned reg)
{
	return off < reg + 4 && reg < off + len;
}

static void reading(struct pcie_fn *f, unsigned off, unsigned len)
{
	struct virtio_pci *p = of(f);
	unsigned data = p->window + CAP_LENGTH, bar;
	uint32_t at, width;

	if (touches(off, len, data) && window(f, p->window, &bar, &at, &width)) {
		uint64_t mask = width == 4 ? UINT32_MAX : (1U << 8 * width) - 1;

		pcie_set32(&f->cfg, data, (uint32_t)(bar_read(f, bar, at, width) & mask));
	}
}

static void configured(struct pcie_fn *f, unsigned off, unsigned len)
{
	struct virtio_pci *p = of(f);
	unsigned data = p->window + CAP_LENGTH, bar;
	uint32_t at, width;

	if (pcie_get16(&f->cfg, p->express + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR) {
		pcie_fn_reset(f);
		return;
	}
	if (touches(off, len, data) && window(f, p->window, &bar, &at, &width)) {
		uint64_t mask = width == 4 ? UINT32_MAX : (1U << 8 * width) - 1;

		bar_write(f, bar, at, width, pcie_get32(&f->cfg, data) & mask);
	}
	update_intx(p);
	pcie_msix_configured(f, &p->msix);
}

const struct pcie_fn_ops virtio_pci_ops = {
	.name = "virtio-pci",
	.size = sizeof(struct pcie_fn),
	.setup = setup,
	.read = bar_read,
	.write = bar_write,
	.configured = configured,
	.reading = reading,
	.create = create,
	.destroy = destroy,
	.moved = moved,
};
