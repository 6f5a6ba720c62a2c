/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device (virtio 1.2) by either transport, and one split queue of it. Register names are those of
 * 4.1.4.3 (PCI) and 4.2.2 (MMIO).
 */
#ifndef VIRTIO_COMMON_H
#define VIRTIO_COMMON_H

#include "pci.h"
#include "test.h"

/* The same claim over both transports, with a source of random numbers: it writes to the guest and needs no file. */
#define RNG_BOTH .variants = "mmio: --rng virtio-mmio | pci: --rng virtio --root-ports 1"
#define DISK	 "file=virtio/disk.img,readonly=on"
#define SCRATCH	 "file=virtio/scratch.img"
#define BLK_BOTH(drive)                                         \
	.variants = "mmio: --drive " drive ",if=virtio-mmio | " \
		    "pci: --drive " drive " --root-ports 1"

enum virtio_type { VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

/* 2.1, 2.2 and 6 */
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };
#define F_INDIRECT   BIT(28)
#define F_EVENT_IDX  BIT(29)
#define F_VERSION_1  BIT(32)
#define F_RING_RESET BIT(40)
#define F_USUAL	     (F_VERSION_1 | F_INDIRECT)

/* 2.7.5 */
struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

#define QUEUE 16U /* entries */

struct queue {
	unsigned int n;
	volatile struct desc *desc;
	volatile uint16_t *avail; /* flags, idx, ring[QUEUE], used_event */
	volatile uint16_t *used;  /* flags, idx, { u32 id, len }[QUEUE], avail_event */
	uint16_t next;		  /* available index */
};

struct vdev {
	enum virtio_type type;
	bool pci;
	uint64_t mmio;			      /* MMIO: base */
	uint64_t common, isr, config, notify; /* PCI: addresses of the structures */
	unsigned int intid;		      /* MMIO, and INTx */
	struct pci_host *host;
	struct pci_function *fn;
	struct queue q;
};

/* The first device of this type; the test is skipped without. Reset. */
struct vdev *device(enum virtio_type type);

uint8_t status(const struct vdev *v);
void set_status(const struct vdev *v, uint8_t s);
uint64_t offered(const struct vdev *v);
void accept(const struct vdev *v, uint64_t features);
uint32_t generation(const struct vdev *v);
uint32_t config32(const struct vdev *v, unsigned int off);
void notify(const struct vdev *v);
/* Interrupt status, which this acknowledges. */
uint32_t interrupt_status(const struct vdev *v);
bool queue_ready(const struct vdev *v);
void queue_place(const struct vdev *v, uint32_t size, uint64_t desc, uint64_t avail, uint64_t used);
/* Stop the queue, by RING_RESET */
void queue_reset(const struct vdev *v);

/* Reset, features, queue 0 in fresh memory, DRIVER_OK. */
void start(struct vdev *v, uint64_t features);
/* The same up to FEATURES_OK. */
void start_features(struct vdev *v, uint64_t features);
void queue_fresh(struct vdev *v, unsigned int n);

void put(struct vdev *v, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
	 uint16_t next);
/* Make the chain at `head` available and notify. */
void offer(struct vdev *v, uint16_t head);
uint16_t used_idx(const struct vdev *v);
uint32_t used_len(const struct vdev *v); /* of the last one */
uint32_t used_id(const struct vdev *v);
/* offer() and wait until it comes back; false: it does not */
bool serve(struct vdev *v, uint16_t head);
/* After an attack: reset, and one good request. */
void expect_works(struct vdev *v);

uint64_t ram_end(void);
bool variant_is(const char *name);

#endif
