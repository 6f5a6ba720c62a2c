/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio over MMIO (virtio 1.2, 4.2), version 2. As on QEMU's virt board the first device of the
 * command line is in the last slot; a slot without a device has device ID 0 (4.2.3.1.1).
 */
#include "virtio/mmio.h"

#include <errno.h>
#include <linux/virtio_mmio.h>
#include <string.h>

#include "core/dt.h"
#include "virtio/virtio.h"

#define MAGIC	  0x74726976U /* "virt" */
#define VERSION	  2U
#define VENDOR	  0x554d4551U /* "QEMU": there are drivers that take no other */
#define REGISTERS 0x100U      /* where the device configuration begins */

/* 4.2.2; newer than the oldest headers this builds with */
enum { QUEUE_RESET = 0x0c0 };

struct mmio_slot {
	struct virtio_dev *v; /* NULL: empty */
	uint8_t isr;
	bool line;
};

struct virtio_mmio {
	struct dev dev;
	struct mmio_slot slot[VIRTIO_MMIO_SLOTS];
};

static struct virtio_mmio *of(struct dev *d)
{
	return (struct virtio_mmio *)d;
}

static unsigned number(struct virtio_dev *v)
{
	return (unsigned)((struct mmio_slot *)v->owner - of(v->dev)->slot);
}

static void set_line(struct virtio_dev *v, bool level)
{
	struct mmio_slot *s = v->owner;

	if (s->line == level)
		return;
	s->line = level;
	dev_irq(v->dev, number(v), level);
}

static void interrupt(struct virtio_dev *v, uint8_t bit)
{
	struct mmio_slot *s = v->owner;

	s->isr |= bit;
	set_line(v, true);
}

static void used(struct virtio_dev *v, unsigned queue)
{
	(void)queue;
	interrupt(v, VIRTIO_MMIO_INT_VRING);
}

static void config_changed(struct virtio_dev *v)
{
	interrupt(v, VIRTIO_MMIO_INT_CONFIG);
}

/*
 * The tree says the line is an edge, as QEMU's does: a cause that is left, or came meanwhile, must
 * make another one.
 */
static void acknowledge(struct virtio_dev *v, uint32_t bits)
{
	struct mmio_slot *s = v->owner;

	s->isr &= (uint8_t)~bits;
	set_line(v, false);
	set_line(v, s->isr != 0);
}

static void live(struct virtio_dev *v, bool on)
{
	struct env *e = v->dev->env;
	uint64_t base = v->dev->range[0].base + (uint64_t)number(v) * VIRTIO_MMIO_STRIDE;

	if (v->bell.fd >= 0)
		e->ops->doorbell(e, base + VIRTIO_MMIO_QUEUE_NOTIFY, 4, v->bell.fd, on);
}

static const struct virtio_transport transport = {
	.used = used, .config_changed = config_changed, .live = live};

/* ---- registers */

static uint32_t register_read(struct virtio_dev *v, unsigned off)
{
	const struct virtq *q = virtio_queue(v);

	switch (off) {
	case VIRTIO_MMIO_DEVICE_ID:
		return v->class->id;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return virtio_offered(v);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return q ? VIRTQ_SIZE_MAX : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return q && q->ready;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return ((struct mmio_slot *)v->owner)->isr;
	case VIRTIO_MMIO_STATUS:
		return v->status;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return v->generation;
	case VIRTIO_MMIO_SHM_LEN_LOW: /* no shared memory: length and base all ones (4.2.2) */
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	case QUEUE_RESET: /* done at once */
		return 0;
	default:
		return 0;
	}
}

static void status_write(struct virtio_dev *v, uint32_t val)
{
	virtio_status_write(v, (uint8_t)val);
	if (!v->status)
		acknowledge(v, UINT8_MAX);
}

static void ready_write(struct virtio_dev *v, uint32_t val)
{
	struct virtq *q = virtio_queue(v);

	if (val & 1)
		virtio_queue_enable(v);
	else if (q)
		q->ready = false; /* 4.2.3.2.1: the driver stops the queue */
}

static void register_write(struct virtio_dev *v, unsigned off, uint32_t val)
{
	struct virtq none, *q = virtio_queue(v);

	if (!q)
		q = &none; /* virtio_queue_address() ignores it */
	switch (off) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		v->offered_sel = val;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_driver_write(v, val);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		v->driver_sel = val;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		v->queue_sel = val > UINT16_MAX ? UINT16_MAX : (uint16_t)val;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		virtio_queue_size(v, val > UINT16_MAX ? UINT16_MAX : (uint16_t)val);
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		ready_write(v, val);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_notify(v, val);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		acknowledge(v, val);
		break;
	case VIRTIO_MMIO_STATUS:
		status_write(v, val);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		virtio_queue_address(v, &q->desc, off & 4, val);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		virtio_queue_address(v, &q->avail, off & 4, val);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		virtio_queue_address(v, &q->used, off & 4, val);
		break;
	case QUEUE_RESET:
		if (val & 1)
			virtio_queue_reset(v);
		break;
	default:
		dev_guest_error(v->dev, "virtio-mmio: write of no register, at", off);
	}
}

/* Registers are 32 bits wide (4.2.2.2), the configuration takes any width. */
static uint64_t window_read(struct dev *d, uint64_t off, unsigned len)
{
	struct mmio_slot *s = &of(d)->slot[off / VIRTIO_MMIO_STRIDE];
	unsigned reg = off % VIRTIO_MMIO_STRIDE;

	if (reg >= REGISTERS)
		return s->v ? virtio_config_read(s->v, reg - REGISTERS, len) : 0;
	if (len != 4) {
		dev_guest_error(d, "virtio-mmio: register access of wrong width at", off);
		return 0;
	}
	switch (reg) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VERSION;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	default:
		return s->v ? register_read(s->v, reg) : 0;
	}
}

static void window_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	struct mmio_slot *s = &of(d)->slot[off / VIRTIO_MMIO_STRIDE];
	unsigned reg = off % VIRTIO_MMIO_STRIDE;

	if (!s->v || reg >= REGISTERS) /* no class here has a field that the driver may write */
		return;
	if (len == 4)
		register_write(s->v, reg, (uint32_t)val);
	else
		dev_guest_error(d, "virtio-mmio: register access of wrong width at", off);
}

/* ---- the device */

static int mmio_init(struct dev *d)
{
	const struct virtio_conf *c = d->conf;
	unsigned slot = VIRTIO_MMIO_SLOTS;

	for (unsigned i = 0; i < c->nr; i++) {
		struct mmio_slot *s;

		if (!c->dev[i].mmio)
			continue;
		s = &of(d)->slot[--slot]; /* there are as many slots as the options allow devices */
		s->v = virtio_new(d, &c->dev[i], &transport, s);
		if (!s->v)
			goto fail;
	}
	return 0;
fail:
	while (slot < VIRTIO_MMIO_SLOTS)
		virtio_free(of(d)->slot[slot++].v);
	return -ENOMEM;
}

static void mmio_reset(struct dev *d)
{
	for (unsigned i = 0; i < VIRTIO_MMIO_SLOTS; i++) {
		struct virtio_dev *v = of(d)->slot[i].v;

		if (!v)
			continue;
		virtio_reset(v);
		acknowledge(v, UINT8_MAX);
	}
}

static void mmio_fini(struct dev *d)
{
	for (unsigned i = 0; i < VIRTIO_MMIO_SLOTS; i++)
		virtio_free(of(d)->slot[i].v);
}

/* Linux, bindings/virtio/mmio.yaml; every slot, whether empty or not, as on QEMU's virt board */
static int mmio_describe(const struct dev *d, struct fdt *f)
{
	for (unsigned i = 0; i < VIRTIO_MMIO_SLOTS; i++) {
		uint64_t base = d->range[0].base + (uint64_t)i * VIRTIO_MMIO_STRIDE;

		dt_begin_at(f, "virtio_mmio", base);
		dt_str(f, "compatible", "virtio,mmio");
		dt_reg(f, base, VIRTIO_MMIO_STRIDE);
		dt_spi(f, d->spi + i, DT_IRQ_EDGE);
		dt_empty(f, "dma-coherent");
		dt_end(f);
	}
	return 0;
}

const struct dev_ops virtio_mmio_ops = {
	.name = "virtio-mmio",
	.compatible = "virtio,mmio",
	.size = sizeof(struct virtio_mmio),
	.conf_size = sizeof(struct virtio_conf),
	.options = virtio_options,
	.window = {{"virtio-mmio", 1, 8, window_read, window_write}},
	.init = mmio_init,
	.reset = mmio_reset,
	.fini = mmio_fini,
	.describe = mmio_describe,
};
