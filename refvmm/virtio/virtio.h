/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device (virtio 1.2, chapter 2) between its class (block, network …), which knows no
 * transport, and its transport (MMIO, PCI), which knows no class. Non-transitional only.
 */
#ifndef REFVMM_VIRTIO_VIRTIO_H
#define REFVMM_VIRTIO_VIRTIO_H

#include "core/dev.h"
#include "virtio/conf.h"
#include "virtio/queue.h"

#define VIRTIO_QUEUES_MAX 2U
#define VIRTIO_BATCH	  256U /* chains handled before somebody else has a turn */

struct virtio_dev;

struct virtio_class {
	const char *name;
	uint16_t id;	    /* 5: device types */
	uint32_t pci_class; /* 24 bits */
	size_t size;	    /* of the structure whose first member is struct virtio_dev */
	unsigned queues;
	unsigned config_size; /* of the device configuration */
	/* Once: fills v->offered and what is constant. Resources are those of v->conf. */
	void (*init)(struct virtio_dev *v);
	/* The driver is there: what was negotiated is known, queues may be used. NULL: nothing to do. */
	void (*start)(struct virtio_dev *v);
	/* Forget the driver. NULL: nothing to forget. */
	void (*reset)(struct virtio_dev *v);
	void (*fini)(struct virtio_dev *v);
	/* Handle up to VIRTIO_BATCH chains of queue `n`. */
	void (*service)(struct virtio_dev *v, unsigned n);
	/* The class's file descriptor (v->io) has something. */
	void (*ready)(struct virtio_dev *v, uint32_t events);
	/* The device configuration as it is now, config_size bytes. NULL: none. */
	void (*config)(const struct virtio_dev *v, void *buf);
};

/* How a transport tells the driver. */
struct virtio_transport {
	void (*used)(struct virtio_dev *v, unsigned queue);
	void (*config_changed)(struct virtio_dev *v);
	/* The device is running (or no longer): doorbells are worth listening to. */
	void (*live)(struct virtio_dev *v, bool on);
};

struct virtio_dev {
	const struct virtio_class *class;
	const struct virtio_conf_dev *conf;
	const struct virtio_transport *transport;
	void *owner;	  /* the transport's */
	struct dev *dev;  /* the board's device that it is part of */
	uint64_t offered; /* feature bits */
	uint64_t driver;  /* those that the driver took */
	uint8_t status, generation;
	bool live; /* DRIVER_OK, and nothing went wrong since */
	bool busy; /* the class can take no more chains now */
	uint32_t offered_sel, driver_sel;
	uint16_t queue_sel;
	struct virtq queue[VIRTIO_QUEUES_MAX];
	struct env_watch bell; /* eventfd that doorbells write to; fd -1: none yet */
	struct env_watch io;   /* the class's */
};

/* NULL: no memory, logged. */
struct virtio_dev *virtio_new(struct dev *d, const struct virtio_conf_dev *conf,
			      const struct virtio_transport *t, void *owner);
void virtio_free(struct virtio_dev *v);
/* What writing 0 to the status does, and the reset of the machine (2.4). */
void virtio_reset(struct virtio_dev *v);

/* ---- for transports: the registers that both have */

uint32_t virtio_offered(const struct virtio_dev *v); /* the word that offered_sel selects */
uint32_t virtio_driver(const struct virtio_dev *v);
void virtio_driver_write(struct virtio_dev *v, uint32_t val);
void virtio_status_write(struct virtio_dev *v, uint8_t val);
/* The selected queue; NULL: the device has none of that number. */
struct virtq *virtio_queue(struct virtio_dev *v);
void virtio_queue_enable(struct virtio_dev *v);
void virtio_queue_reset(struct virtio_dev *v);
/* An address of the selected queue: 32 bits of it. Ignored once the queue is ready. */
void virtio_queue_address(struct virtio_dev *v, uint64_t *area, bool high, uint32_t val);
void virtio_queue_size(struct virtio_dev *v, uint16_t size);
/* The driver rang for queue `n` and it was no doorbell. */
void virtio_notify(struct virtio_dev *v, uint32_t n);
uint64_t virtio_config_read(const struct virtio_dev *v, uint64_t off, unsigned len);

/* ---- for classes */

static inline bool virtio_has(const struct virtio_dev *v, unsigned feature)
{
	return v->driver >> feature & 1;
}

/*
 * Hands up to VIRTIO_BATCH chains of queue n to one(), which pushes them; false: it cannot take this
 * one now, which stays where it is.
 */
void virtio_drain(struct virtio_dev *v, unsigned n,
		  bool (*one)(struct virtio_dev *v, struct virtq_chain *c));
/* Whatever waits in queue n is handled, if the device lives; and the driver is told. */
void virtio_service(struct virtio_dev *v, unsigned n);
/* Tells the driver of what was pushed to queue n, if it wants to know; notices a broken queue. */
void virtio_flush(struct virtio_dev *v, unsigned n);
/* The driver broke a rule, `what`: the device stops and asks to be reset (2.1.1). */
void virtio_needs_reset(struct virtio_dev *v, const char *what);
/* The device configuration is another one. */
void virtio_config_changed(struct virtio_dev *v);
/* Look at v->io for these events from now on. */
void virtio_watch(struct virtio_dev *v, uint32_t events);

extern const struct virtio_class virtio_blk, virtio_net, virtio_rng, virtio_console;
const struct virtio_class *virtio_class_of(enum virtio_kind kind);

#endif
