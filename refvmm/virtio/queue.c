/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/queue.h"

#include <endian.h>
#include <linux/virtio_ring.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "virtio 1.2 is little-endian, and so is every host refvmm knows"
#endif

/* Offsets in the available and the used ring (2.7.6, 2.7.8): flags, idx, then the entries. */
enum { RING_FLAGS = 0, RING_IDX = 2, RING_ENTRIES = 4 };
enum { AVAIL_ENTRY = 2, USED_ENTRY = 8 };

static bool breaks(struct virtq *q, const char *rule)
{
	if (!q->broken)
		q->broken = rule;
	return false;
}

/* One 16-bit word of a ring. The areas lay in RAM when the queue was started, and RAM stays. */
static uint16_t *word(const struct virtq *q, uint64_t ring, uint64_t off)
{
	return gpa_ptr(q->mem, ring + off, sizeof(uint16_t));
}

static uint16_t load(const uint16_t *p)
{
	return p ? __atomic_load_n(p, __ATOMIC_ACQUIRE) : 0;
}

static void store(uint16_t *p, uint16_t val)
{
	if (p)
		__atomic_store_n(p, val, __ATOMIC_RELEASE);
}

void virtq_reset(struct virtq *q)
{
	*q = (struct virtq){.mem = q->mem, .size = VIRTQ_SIZE_MAX, .epoch = q->epoch};
}

bool virtq_start(struct virtq *q)
{
	uint64_t n = q->size;

	if (!n || n > VIRTQ_SIZE_MAX || n & (n - 1))
		return breaks(q, "a queue size that is no power of two or too large");
	if (q->desc % 16 || q->avail % 2 || q->used % 4)
		return breaks(q, "an area of a queue that is not aligned");
	/* with the event word behind each ring, which is there whether used or not (2.7) */
	if (!gpa_ptr(q->mem, q->desc, n * sizeof(struct vring_desc)) ||
	    !gpa_ptr(q->mem, q->avail, RING_ENTRIES + n * AVAIL_ENTRY + 2) ||
	    !gpa_ptr(q->mem, q->used, RING_ENTRIES + n * USED_ENTRY + 2))
		return breaks(q, "an area of a queue outside of RAM");
	q->next_avail = q->next_used = q->signalled = 0;
	q->epoch++;
	q->ready = true;
	return true;
}

/* ---- chains */

/* The descriptors being walked: the queue's own, or an indirect table. */
struct table {
	uint64_t gpa;
	uint32_t nr;
	bool indirect;
};

static bool add_segment(struct virtq *q, struct virtq_chain *c, const struct vring_desc *d)
{
	unsigned at = c->nr_out + c->nr_in;
	bool in = d->flags & VRING_DESC_F_WRITE;
	void *p;

	if (c->nr_in && !in)
		return breaks(q, "a readable descriptor behind a writable one");
	if (!d->len) /* not forbidden; nothing to add */
		return true;
	p = gpa_ptr(q->mem, d->addr, d->len);
	if (!p)
		return breaks(q, "a buffer outside of RAM");
	c->seg[at] = (struct iovec){.iov_base = p, .iov_len = d->len};
	if (in) {
		c->nr_in++;
		c->in_len += d->len;
	} else {
		c->nr_out++;
		c->out_len += d->len;
	}
	return true;
}

/* 2.7.5.3: the rest of the chain is the table that this descriptor points to. */
static bool enter_indirect(struct virtq *q, struct table *t, const struct vring_desc *d)
{
	if (!q->indirect)
		return breaks(q, "an indirect descriptor that was not negotiated");
	if (t->indirect)
		return breaks(q, "an indirect descriptor in an indirect table");
	if (d->flags & VRING_DESC_F_NEXT)
		return breaks(q, "an indirect descriptor with a next one");
	if (!d->len || d->len % sizeof(*d))
		return breaks(q, "an indirect table of odd length");
	/* the walk below ends after VIRTQ_SIZE_MAX, however long the table is */
	*t = (struct table){.gpa = d->addr, .nr = d->len / sizeof(*d), .indirect = true};
	return true;
}

static bool walk(struct virtq *q, struct virtq_chain *c)
{
	struct table t = {.gpa = q->desc, .nr = q->size};
	uint32_t i = c->head;

	for (unsigned seen = 0; seen < VIRTQ_SIZE_MAX; seen++) {
		struct vring_desc d; /* the one copy that is looked at */

		if (i >= t.nr)
			return breaks(q, "a descriptor index beyond the table");
		if (gmem_read(q->mem, t.gpa + i * sizeof(d), &d, sizeof(d)))
			return breaks(q, "a descriptor outside of RAM");
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (!enter_indirect(q, &t, &d))
				return false;
			i = 0;
			seen--; /* stands for the table; there is at most one */
			continue;
		}
		if (!add_segment(q, c, &d))
			return false;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return true;
		i = d.next;
		if (!t.indirect && seen + 1 == q->size)
			break;
	}
	return breaks(q, "a chain longer than the queue, or a loop");
}

static uint16_t available(const struct virtq *q)
{
	return load(word(q, q->avail, RING_IDX));
}

bool virtq_pop(struct virtq *q, struct virtq_chain *c)
{
	uint16_t idx, *entry;

	if (!q->ready || q->broken)
		return false;
	idx = available(q);
	if (idx == q->next_avail)
		return false;
	if ((uint16_t)(idx - q->next_avail) > q->size)
		return breaks(q, "more chains available than the queue has entries");
	entry = word(q, q->avail, RING_ENTRIES + (uint64_t)(q->next_avail % q->size) * AVAIL_ENTRY);
	c->head = load(entry);
	c->nr_out = c->nr_in = 0;
	c->out_len = c->in_len = 0;
	if (!walk(q, c))
		return false;
	q->next_avail++;
	return true;
}

void virtq_unpop(struct virtq *q)
{
	q->next_avail--;
}

void virtq_push(struct virtq *q, uint16_t head, uint32_t len)
{
	struct vring_used_elem e = {.id = head, .len = len};
	uint64_t at = RING_ENTRIES + (uint64_t)(q->next_used % q->size) * USED_ENTRY;

	if (!q->ready || gmem_write(q->mem, q->used + at, &e, sizeof(e)))
		return;
	q->next_used++;
	store(word(q, q->used, RING_IDX), q->next_used);
}

bool virtq_more(struct virtq *q)
{
	if (!q->ready || q->broken)
		return false;
	if (available(q) != q->next_avail)
		return true;
	if (!q->event_idx)
		return false;
	/* 2.7.10: the driver notifies when it makes this entry available, and looks at the word after
	   it did; we look at its index after we wrote the word */
	store(word(q, q->used, RING_ENTRIES + (uint64_t)q->size * USED_ENTRY), q->next_avail);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return available(q) != q->next_avail;
}

bool virtq_tell(struct virtq *q)
{
	uint16_t before = q->signalled, event;

	if (!q->ready || q->next_used == before)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index first, then what the driver wants */
	if (!q->event_idx) {
		q->signalled = q->next_used;
		return !(load(word(q, q->avail, RING_FLAGS)) & VRING_AVAIL_F_NO_INTERRUPT);
	}
	event = load(word(q, q->avail, RING_ENTRIES + (uint64_t)q->size * AVAIL_ENTRY));
	q->signalled = q->next_used;
	return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - before);
}

/* ---- bytes of a chain */

static unsigned slice(const struct iovec *seg, unsigned nr, uint64_t off, uint64_t len,
		      struct iovec *iov)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nr && len; i++) {
		uint64_t part = seg[i].iov_len;

		if (off >= part) {
			off -= part;
			continue;
		}
		part = part - off < len ? part - off : len;
		iov[n++] = (struct iovec){.iov_base = (uint8_t *)seg[i].iov_base + off,
					  .iov_len = part};
		len -= part;
		off = 0;
	}
	return n;
}

unsigned virtq_out_slice(const struct virtq_chain *c, uint64_t off, uint64_t len,
			 struct iovec iov[VIRTQ_SIZE_MAX])
{
	return slice(c->seg, c->nr_out, off, len, iov);
}

unsigned virtq_in_slice(const struct virtq_chain *c, uint64_t off, uint64_t len,
			struct iovec iov[VIRTQ_SIZE_MAX])
{
	return slice(c->seg + c->nr_out, c->nr_in, off, len, iov);
}

/* Between one buffer and the segments, one way or the other. */
static size_t copy(const struct iovec *seg, unsigned nr, uint64_t off, uint8_t *to,
		   const uint8_t *from, size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < nr && done < len; i++) {
		uint64_t part = seg[i].iov_len;
		uint8_t *p;

		if (off >= part) {
			off -= part;
			continue;
		}
		p = (uint8_t *)seg[i].iov_base + off;
		part = part - off < len - done ? part - off : len - done;
		if (to)
			memcpy(to + done, p, part);
		else
			memcpy(p, from + done, part);
		done += part;
		off = 0;
	}
	return done;
}

size_t virtq_read(const struct virtq_chain *c, uint64_t off, void *buf, size_t len)
{
	return copy(c->seg, c->nr_out, off, buf, NULL, len);
}

size_t virtq_write(const struct virtq_chain *c, uint64_t off, const void *buf, size_t len)
{
	return copy(c->seg + c->nr_out, c->nr_in, off, NULL, buf, len);
}
