/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/err.h"

#define CONFIG_MAX 128U

#define BIT64(n) (1ULL << (n))

/* What every device here offers beside what its class does (6: reserved feature bits). */
#define FEATURES                                                          \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_INDIRECT_DESC) | \
	 BIT64(VIRTIO_RING_F_EVENT_IDX) | BIT64(VIRTIO_F_RING_RESET))

#define STATUS_BITS                                                                         \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK | \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_FAILED)

const struct virtio_class *virtio_class_of(enum virtio_kind kind)
{
	static const struct virtio_class *const classes[] = {[VIRTIO_BLK] = &virtio_blk,
							     [VIRTIO_NET] = &virtio_net,
							     [VIRTIO_RNG] = &virtio_rng,
							     [VIRTIO_CONSOLE] = &virtio_console};

	return classes[kind];
}

/* ---- what wakes the device up */

void virtio_service(struct virtio_dev *v, unsigned n)
{
	if (!v->live || !v->queue[n].ready)
		return;
	v->class->service(v, n);
	virtio_flush(v, n);
}

static void bell_ready(struct env_watch *w, uint32_t events)
{
	struct virtio_dev *v = w->arg;
	eventfd_t count;

	(void)events;
	eventfd_read(w->fd, &count);
	for (unsigned n = 0; n < v->class->queues; n++)
		virtio_service(v, n);
}

static void io_ready(struct env_watch *w, uint32_t events)
{
	struct virtio_dev *v = w->arg;

	v->class->ready(v, events);
}

/* Without an eventfd every notification goes the long way, through an exit. */
static void start_bell(struct virtio_dev *v)
{
	struct env *e = v->dev->env;

	if (v->bell.fd >= 0)
		return;
	v->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->bell.fd < 0)
		return;
	v->bell.events = POLLIN;
	if (e->ops->watch(e, &v->bell)) {
		close(v->bell.fd);
		v->bell.fd = -1;
	}
}

void virtio_drain(struct virtio_dev *v, unsigned n,
		  bool (*one)(struct virtio_dev *v, struct virtq_chain *c))
{
	struct virtq *q = &v->queue[n];
	struct virtq_chain c;

	for (unsigned i = 0; i < VIRTIO_BATCH; i++) {
		if (v->busy)
			return; /* the class comes back for them */
		if (!virtq_pop(q, &c)) {
			if (!virtq_more(q))
				return;
			continue;
		}
		if (!one(v, &c)) {
			virtq_unpop(q);
			return;
		}
	}
	/* A guest that never stops asking lets others have a turn. */
	if (v->bell.fd >= 0)
		eventfd_write(v->bell.fd, 1);
}

void virtio_watch(struct virtio_dev *v, uint32_t events)
{
	struct env *e = v->dev->env;

	if (v->io.fd < 0 || v->io.events == events)
		return;
	v->io.events = events;
	e->ops->watch(e, &v->io);
}

/* ---- life */

struct virtio_dev *virtio_new(struct dev *d, const struct virtio_conf_dev *conf,
			      const struct virtio_transport *t, void *owner)
{
	const struct virtio_class *class = virtio_class_of(conf->kind);
	struct virtio_dev *v = calloc(1, class->size);

	if (!v) {
		err_host(ENOMEM, "virtio: %s", class->name);
		return NULL;
	}
	v->class = class;
	v->conf = conf;
	v->transport = t;
	v->owner = owner;
	v->dev = d;
	v->offered = FEATURES;
	v->bell = (struct env_watch){.fd = -1, .ready = bell_ready, .arg = v};
	v->io = (struct env_watch){.fd = -1, .ready = io_ready, .arg = v};
	for (unsigned n = 0; n < class->queues; n++) {
		v->queue[n].mem = d->env->mem;
		virtq_reset(&v->queue[n]);
	}
	if (class->init)
		class->init(v);
	return v;
}

void virtio_free(struct virtio_dev *v)
{
	if (!v)
		return;
	virtio_reset(v);
	if (v->class->fini)
		v->class->fini(v);
	if (v->bell.fd >= 0) {
		v->bell.events = 0;
		v->dev->env->ops->watch(v->dev->env, &v->bell);
		close(v->bell.fd);
	}
	free(v);
}

static void set_live(struct virtio_dev *v, bool live)
{
	if (v->live == live)
		return;
	if (live)
		start_bell(v);
	v->live = live;
	v->transport->live(v, live);
}

void virtio_reset(struct virtio_dev *v)
{
	set_live(v, false);
	virtio_watch(v, 0);
	v->status = 0;
	v->driver = 0;
	v->offered_sel = v->driver_sel = 0;
	v->queue_sel = 0;
	for (unsigned n = 0; n < v->class->queues; n++)
		virtq_reset(&v->queue[n]);
	if (v->class->reset)
		v->class->reset(v);
}

void virtio_needs_reset(struct virtio_dev *v, const char *what)
{
	if (v->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	dev_guest_error(v->dev, what, v->class->id);
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		v->transport->config_changed(v); /* 2.1.2: only then */
	set_live(v, false);
	virtio_watch(v, 0);
}

void virtio_config_changed(struct virtio_dev *v)
{
	v->generation++;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		v->transport->config_changed(v);
}

void virtio_flush(struct virtio_dev *v, unsigned n)
{
	struct virtq *q = &v->queue[n];

	if (virtq_tell(q))
		v->transport->used(v, n);
	if (q->broken)
		virtio_needs_reset(v, q->broken);
}

/* ---- features and status */

uint32_t virtio_offered(const struct virtio_dev *v)
{
	return v->offered_sel < 2 ? (uint32_t)(v->offered >> (32 * v->offered_sel)) : 0;
}

uint32_t virtio_driver(const struct virtio_dev *v)
{
	return v->driver_sel < 2 ? (uint32_t)(v->driver >> (32 * v->driver_sel)) : 0;
}

void virtio_driver_write(struct virtio_dev *v, uint32_t val)
{
	unsigned shift = 32 * (v->driver_sel & 1);

	if (v->status & VIRTIO_CONFIG_S_FEATURES_OK) {
		dev_guest_error(v->dev, "feature bits written after FEATURES_OK", val);
		return;
	}
	if (v->driver_sel < 2)
		v->driver = (v->driver & ~(0xffffffffULL << shift)) | (uint64_t)val << shift;
	else if (val)
		dev_guest_error(v->dev, "feature bits beyond 63", val);
}

/* 2.2.2: a subset of what is offered; and a driver that knows less than version 1 is of no use. */
static bool acceptable(const struct virtio_dev *v)
{
	return !(v->driver & ~v->offered) && virtio_has(v, VIRTIO_F_VERSION_1);
}

static void driver_ok(struct virtio_dev *v)
{
	if (!(v->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		virtio_needs_reset(v, "DRIVER_OK without FEATURES_OK, of device type");
		return;
	}
	set_live(v, true);
	if (v->class->start)
		v->class->start(v);
	for (unsigned n = 0; n < v->class->queues; n++)
		virtio_service(v, n); /* what was made available before (3.1.1, step 8) */
}

void virtio_status_write(struct virtio_dev *v, uint8_t val)
{
	uint8_t more = (uint8_t)(val & ~v->status & STATUS_BITS);

	if (!val) {
		virtio_reset(v);
		return;
	}
	if (more & VIRTIO_CONFIG_S_FEATURES_OK && !acceptable(v))
		more &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	v->status |= more; /* bits are never taken back but by a reset (2.1.1) */
	if (more & VIRTIO_CONFIG_S_DRIVER_OK && !(v->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		driver_ok(v);
}

/* ---- queues */

struct virtq *virtio_queue(struct virtio_dev *v)
{
	return v->queue_sel < v->class->queues ? &v->queue[v->queue_sel] : NULL;
}

void virtio_queue_enable(struct virtio_dev *v)
{
	struct virtq *q = virtio_queue(v);

	if (!q || q->ready)
		return;
	if (!(v->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		dev_guest_error(v->dev, "queue enabled before FEATURES_OK", v->queue_sel);
		return;
	}
	q->indirect = virtio_has(v, VIRTIO_RING_F_INDIRECT_DESC);
	q->event_idx = virtio_has(v, VIRTIO_RING_F_EVENT_IDX);
	if (!virtq_start(q))
		virtio_needs_reset(v, q->broken);
	else
		virtio_service(v, v->queue_sel); /* one that was reset and comes back (2.6.1) */
}

void virtio_queue_reset(struct virtio_dev *v)
{
	struct virtq *q = virtio_queue(v);

	if (!q || !virtio_has(v, VIRTIO_F_RING_RESET)) {
		dev_guest_error(v->dev, "reset of a queue that was not negotiated", v->queue_sel);
		return;
	}
	virtq_reset(q);
}

void virtio_queue_address(struct virtio_dev *v, uint64_t *area, bool high, uint32_t val)
{
	const struct virtq *q = virtio_queue(v);

	if (!q || q->ready)
		return;
	if (high)
		*area = (*area & 0xffffffffULL) | (uint64_t)val << 32;
	else
		*area = (*area & ~0xffffffffULL) | val;
}

void virtio_queue_size(struct virtio_dev *v, uint16_t size)
{
	struct virtq *q = virtio_queue(v);

	if (q && !q->ready)
		q->size = size; /* checked when the queue is enabled */
}

void virtio_notify(struct virtio_dev *v, uint32_t n)
{
	if (n < v->class->queues)
		virtio_service(v, n);
	else
		dev_guest_error(v->dev, "notification of a queue that is none", n);
}

uint64_t virtio_config_read(const struct virtio_dev *v, uint64_t off, unsigned len)
{
	uint8_t config[CONFIG_MAX] = {0};
	uint64_t val = 0;

	if (v->class->config_size > CONFIG_MAX)
		abort();
	if (!v->class->config || off >= v->class->config_size)
		return 0;
	v->class->config(v, config);
	for (unsigned i = 0; i < len && off + i < CONFIG_MAX; i++)
		val |= (uint64_t)config[off + i] << (8 * i);
	return val;
}
