/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueues (virtio 1.2, 2.7), the device's side. The three areas of a queue belong to the
 * guest, who may write anything there at any time: each word is read once, checked, and used as it
 * was read. Every walk is bounded by the size of the queue. What breaks the rules of 2.7 makes the
 * queue `broken` for good; the device then asks for a reset (2.1.1).
 */
#ifndef REFVMM_VIRTIO_QUEUE_H
#define REFVMM_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/gpa.h"

#define VIRTQ_SIZE_MAX 256U /* and of one chain, as 2.7.5.3.1 demands */

struct virtq {
	const struct gmem *mem;
	uint64_t desc, avail, used; /* addresses of the three areas */
	uint16_t size;		    /* a power of two, at most VIRTQ_SIZE_MAX */
	bool ready;
	bool indirect, event_idx; /* negotiated */
	const char *broken;	  /* the rule that the guest broke; NULL: none */
	uint16_t next_avail;	  /* the next entry of the available ring to be looked at */
	uint16_t next_used;
	uint32_t epoch;	    /* how often it was started */
	uint16_t signalled; /* next_used as it was when the driver was told last */
};

/* A chain of descriptors: first what the device reads, then what it writes. */
struct virtq_chain {
	uint16_t head;
	unsigned nr_out, nr_in; /* segments, out first */
	uint64_t out_len, in_len;
	struct iovec seg[VIRTQ_SIZE_MAX];
};

/* The driver made the queue ready: do its areas lie in RAM, aligned as 2.7 says? */
bool virtq_start(struct virtq *q);
/* Back to reset. `mem` stays. */
void virtq_reset(struct virtq *q);

/* The next chain that the driver made available; false: none, or the queue is broken. */
bool virtq_pop(struct virtq *q, struct virtq_chain *c);
/* The chain popped last goes back: the next virtq_pop() gives it again. */
void virtq_unpop(struct virtq *q);
/* Gives the chain back to the driver, with `len` bytes written into it. */
void virtq_push(struct virtq *q, uint16_t head, uint32_t len);
/* Is there anything to pop? If not, the driver is asked to notify about the next one. */
bool virtq_more(struct virtq *q);
/* Does the driver want to hear of what was pushed since the last time (2.7.7, 2.7.10)? */
bool virtq_tell(struct virtq *q);

/* Copies between a chain's readable (writable) bytes from `off` on and a buffer; how many there were. */
size_t virtq_read(const struct virtq_chain *c, uint64_t off, void *buf, size_t len);
size_t virtq_write(const struct virtq_chain *c, uint64_t off, const void *buf, size_t len);
/* The segments of `len` bytes from `off` on, as a vector; how many entries it has. */
unsigned virtq_out_slice(const struct virtq_chain *c, uint64_t off, uint64_t len,
			 struct iovec iov[VIRTQ_SIZE_MAX]);
unsigned virtq_in_slice(const struct virtq_chain *c, uint64_t off, uint64_t len,
			struct iovec iov[VIRTQ_SIZE_MAX]);

#endif
