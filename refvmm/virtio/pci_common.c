/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/pci_common.h"

#include <linux/virtio_pci.h>
#include <stddef.h>
#include <string.h>

/* 4.1.4.3, with the two fields at the end that older headers lack. */
struct common {
	uint32_t offered_sel, offered;
	uint32_t driver_sel, driver;
	uint16_t config_vector, queues;
	uint8_t status, generation;
	uint16_t queue_sel, queue_size, queue_vector, queue_enable, queue_notify_off;
	uint32_t desc[2], avail[2], used[2];
	uint16_t queue_notify_data, queue_reset;
};
_Static_assert(sizeof(struct common) == 60, "virtio 1.2, 4.1.4.3");
_Static_assert(offsetof(struct common, queue_sel) == VIRTIO_PCI_COMMON_Q_SELECT, "4.1.4.3");
_Static_assert(offsetof(struct common, used) == VIRTIO_PCI_COMMON_Q_USEDLO, "4.1.4.3");

static void halves(uint32_t to[2], uint64_t address)
{
	to[0] = (uint32_t)address;
	to[1] = (uint32_t)(address >> 32);
}

uint64_t virtio_pci_common_read(struct virtio_pci *p, uint64_t off, unsigned len)
{
	struct virtio_dev *v = p->v;
	const struct virtq *q = virtio_queue(v);
	struct common c = {.offered_sel = v->offered_sel,
			   .offered = virtio_offered(v),
			   .driver_sel = v->driver_sel,
			   .driver = virtio_driver(v),
			   .config_vector = p->config_vector,
			   .queues = (uint16_t)v->class->queues,
			   .status = v->status,
			   .generation = v->generation,
			   .queue_sel = v->queue_sel,
			   .queue_vector = VIRTIO_MSI_NO_VECTOR};
	uint64_t val = 0;

	if (q) { /* a queue that is none has size 0 */
		c.queue_size = q->size;
		c.queue_vector = p->queue_vector[v->queue_sel];
		c.queue_enable = q->ready;
		halves(c.desc, q->desc);
		halves(c.avail, q->avail);
		halves(c.used, q->used);
	}
	if (off < sizeof(c))
		memcpy(&val, (uint8_t *)&c + off, len < sizeof(c) - off ? len : sizeof(c) - off);
	return val;
}

static uint16_t vector(const struct virtio_pci *p, uint64_t val)
{
	return val < p->msix.nr ? (uint16_t)val : VIRTIO_MSI_NO_VECTOR; /* 4.1.5.1.2.1 */
}

static void write8(struct virtio_pci *p, uint64_t off, uint8_t val)
{
	if (off != VIRTIO_PCI_COMMON_STATUS)
		return;
	virtio_status_write(p->v, val);
	if (!p->v->status)
		virtio_pci_forget(p);
}

static void write16(struct virtio_pci *p, uint64_t off, uint16_t val)
{
	struct virtio_dev *v = p->v;

	switch (off) {
	case VIRTIO_PCI_COMMON_MSIX:
		p->config_vector = vector(p, val);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		v->queue_sel = val;
		break;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		virtio_queue_size(v, val);
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		if (virtio_queue(v))
			p->queue_vector[v->queue_sel] = vector(p, val);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE: /* only ever set by drivers: 4.1.4.3.2 */
		if (val == 1)
			virtio_queue_enable(v);
		break;
	case offsetof(struct common, queue_reset):
		if (val == 1)
			virtio_queue_reset(v);
		break;
	default:
		break;
	}
}

static void write32(struct virtio_pci *p, uint64_t off, uint32_t val)
{
	struct virtio_dev *v = p->v;
	struct virtq *q = virtio_queue(v);

	switch (off) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		v->offered_sel = val;
		return;
	case VIRTIO_PCI_COMMON_GFSELECT:
		v->driver_sel = val;
		return;
	case VIRTIO_PCI_COMMON_GF:
		virtio_driver_write(v, val);
		return;
	default:
		break;
	}
	if (!q)
		return;
	if (off == VIRTIO_PCI_COMMON_Q_DESCLO || off == VIRTIO_PCI_COMMON_Q_DESCHI)
		virtio_queue_address(v, &q->desc, off == VIRTIO_PCI_COMMON_Q_DESCHI, val);
	else if (off == VIRTIO_PCI_COMMON_Q_AVAILLO || off == VIRTIO_PCI_COMMON_Q_AVAILHI)
		virtio_queue_address(v, &q->avail, off == VIRTIO_PCI_COMMON_Q_AVAILHI, val);
	else if (off == VIRTIO_PCI_COMMON_Q_USEDLO || off == VIRTIO_PCI_COMMON_Q_USEDHI)
		virtio_queue_address(v, &q->used, off == VIRTIO_PCI_COMMON_Q_USEDHI, val);
}

void virtio_pci_common_write(struct virtio_pci *p, uint64_t off, unsigned len, uint64_t val)
{
	if (len == 1)
		write8(p, off, (uint8_t)val);
	else if (len == 2)
		write16(p, off, (uint16_t)val);
	else if (len == 4)
		write32(p, off, (uint32_t)val);
	else
		dev_guest_error(p->v->dev, "virtio-pci: write of 64 bits at", off);
}
