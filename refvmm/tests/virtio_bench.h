/* SPDX-License-Identifier: Apache-2.0 */
/* A driver for the virtio-mmio transports on a fake board: rings in fake RAM, one queue at a time. */
#ifndef REFVMM_TESTS_VIRTIO_BENCH_H
#define REFVMM_TESTS_VIRTIO_BENCH_H

#include <assay/board.h>

#include "tests/fake_env.h"
#include "virtio/conf.h"

#define VB_RINGS FAKE_RAM_BASE /* of queue n at + n * VB_QUEUE */
#define VB_QUEUE 0x4000ULL
#define VB_AVAIL 0x1000ULL /* behind the descriptors */
#define VB_USED	 0x2000ULL
#define VB_DATA	 (FAKE_RAM_BASE + 0x40000ULL) /* free for buffers */
#define VB_SIZE	 16ULL			      /* of a queue */

enum { VB_NEXT = 1, VB_WRITE = 2, VB_INDIRECT = 4 };

struct virtio_bench {
	struct fake_env *fe;
	struct dev *dev;
	struct virtio_conf conf;
	uint64_t slot;	  /* base of the transport that the accessors use */
	uint16_t next[2]; /* available index of each queue */
	int err;	  /* what the options or the opening said */
};

/* Options are words: "--drive", "file=…,if=virtio-mmio", NULL. The last slot is chosen. */
struct virtio_bench *virtio_bench(const char *const *words);
void virtio_bench_free(struct virtio_bench *b);
#define VBENCH(...) virtio_bench((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

uint32_t vb_read(struct virtio_bench *b, unsigned reg);
void vb_write(struct virtio_bench *b, unsigned reg, uint32_t val);

/* Status up to FEATURES_OK with these feature bits, both queues, DRIVER_OK. */
void vb_start(struct virtio_bench *b, uint64_t features);
#define VB_FEATURES (1ULL << 32 | 1ULL << 28) /* VERSION_1, INDIRECT_DESC */
#define VB_EVENT    (VB_FEATURES | 1ULL << 29)
void vb_queue(struct virtio_bench *b, unsigned n);

/* Descriptor i of queue n. */
void vb_desc(struct virtio_bench *b, unsigned n, unsigned i, uint64_t addr, uint32_t len,
	     uint16_t flags, uint16_t next);
/* Makes the chain at `head` available, and rings. */
void vb_offer(struct virtio_bench *b, unsigned n, uint16_t head);
void vb_ring(struct virtio_bench *b, unsigned n);
uint16_t vb_used_idx(struct virtio_bench *b, unsigned n);
/* Length and id of the used element that was pushed last. */
uint32_t vb_used_len(struct virtio_bench *b, unsigned n);
uint32_t vb_used_id(struct virtio_bench *b, unsigned n);
bool vb_needs_reset(struct virtio_bench *b);

void vb_store(struct virtio_bench *b, uint64_t gpa, const void *p, size_t len);
void *vb_at(struct virtio_bench *b, uint64_t gpa);

#endif
