/* SPDX-License-Identifier: Apache-2.0 */
/* Chains come back, with what was written; and the driver hears of them when it wants to (2.7, 2.6.1). */
#include "common.h"
#include "gic.h"
#include "irq.h"
#include "its.h"

#define AVAIL_FLAGS 0
#define USED_EVENT  (2 + QUEUE)
#define AVAIL_EVENT (2 + 4 * QUEUE) /* in 16-bit words of the used ring */

static bool all_zero(const volatile uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

TEST(virtio, chain_comes_back_filled, RULE("VIRTIO-QUEUE-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	volatile uint8_t *buf = mem_alloc(256, 16);

	start(v, F_USUAL);
	put(v, 5, (uint64_t)buf + 64, 64, D_WRITE, 0);
	if (!serve(v, 5))
		return;
	EXPECT_EQ(used_id(v), 5);
	EXPECT_GE(used_len(v), 1); /* 5.4.6.2 */
	EXPECT_LE(used_len(v), 64);
	EXPECT_TRUE(!all_zero(buf + 64, 64));
	EXPECT_TRUE(all_zero(buf, 64) && all_zero(buf + 128, 128));
}

TEST(virtio, indices_wrap_around, RULE("VIRTIO-QUEUE-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	start(v, F_USUAL);
	for (uint16_t i = 0; i < 3 * QUEUE; i++) {
		put(v, i % QUEUE, buf, 16, D_WRITE, 0);
		if (!serve(v, i % QUEUE))
			return;
		EXPECT_EQ(used_id(v), i % QUEUE);
	}
}

TEST(virtio, long_chain_is_one_request, RULE("VIRTIO-QUEUE-2"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint8_t *buf = mem_alloc(64UL * QUEUE, 16);

	start(v, F_USUAL);
	for (unsigned int i = 0; i < QUEUE; i++)
		put(v, i, (uint64_t)buf + 64UL * i, 4,
		    (uint16_t)(D_WRITE | (i < QUEUE - 1 ? D_NEXT : 0)), (uint16_t)(i + 1));
	if (!serve(v, 0))
		return;
	EXPECT_LE(used_len(v), 4 * QUEUE);
	EXPECT_EQ(status(v) & S_NEEDS_RESET, 0);
}

TEST(virtio, indirect_table_is_followed, RULE("VIRTIO-QUEUE-3"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	struct desc *t = mem_alloc(3 * sizeof(*t), 16);
	uint8_t *buf = mem_alloc(256, 16);

	NEED("indirect", offered(v) & F_INDIRECT, "the device does not offer indirect descriptors");
	start(v, F_USUAL);
	for (unsigned int i = 0; i < 3; i++)
		t[i] = (struct desc){.addr = (uint64_t)buf + 64UL * i,
				     .len = 8,
				     .flags = (uint16_t)(D_WRITE | (i < 2 ? D_NEXT : 0)),
				     .next = (uint16_t)(i + 1)};
	put(v, 0, (uint64_t)t, 3 * sizeof(*t), D_INDIRECT, 0);
	if (!serve(v, 0))
		return;
	EXPECT_GE(used_len(v), 1);
	EXPECT_LE(used_len(v), 24);
	EXPECT_EQ(status(v) & S_NEEDS_RESET, 0);
}

/* 3.1.1: not before DRIVER_OK, and then what is there already */
TEST(virtio, nothing_is_used_before_driver_ok, RULE("VIRTIO-INIT-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	start_features(v, F_USUAL);
	queue_fresh(v, 0);
	put(v, 0, buf, 16, D_WRITE, 0);
	offer(v, 0);
	EXPECT_EQ(status(v) & S_NEEDS_RESET, 0); /* an access that it must have seen by then */
	EXPECT_EQ(used_idx(v), 0);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	notify(v);
	EXPECT_EVENTUALLY(used_idx(v) == 1);
}

/* 2.6.1: the queue stops, keeps nothing, and starts anew; the device goes on */
TEST(virtio, queue_is_reset_alone, RULE("VIRTIO-RESET-2"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	NEED("ring-reset", offered(v) & F_RING_RESET,
	     "the device does not offer VIRTIO_F_RING_RESET");
	start(v, F_USUAL | F_RING_RESET);
	put(v, 0, buf, 16, D_WRITE, 0);
	serve(v, 0);
	queue_reset(v);
	EXPECT_TRUE(!queue_ready(v));
	EXPECT_EQ(status(v) & (S_DRIVER_OK | S_NEEDS_RESET), S_DRIVER_OK);
	offer(v, 0);
	EXPECT_TRUE(!queue_ready(v));
	EXPECT_EQ(used_idx(v), 1);
	queue_fresh(v, 0);
	EXPECT_TRUE(queue_ready(v));
	put(v, 0, buf, 16, D_WRITE, 0);
	serve(v, 0);
}

/* ---- interrupts: without MSI-X, by status and line */

TEST(virtio, used_buffer_sets_the_interrupt_status, RULE("VIRTIO-IRQ-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	start(v, F_USUAL);
	EXPECT_EQ(interrupt_status(v), 0);
	put(v, 0, buf, 16, D_WRITE, 0);
	serve(v, 0);
	EXPECT_EVENTUALLY(interrupt_status(v) == 1);
	EXPECT_EQ(interrupt_status(v), 0); /* that read (and wrote) acknowledged it */
}

static struct vdev *quiet_device;
static volatile uint32_t seen_status;

static void quiet(unsigned int intid)
{
	(void)intid;
	seen_status |= interrupt_status(quiet_device);
}

TEST(virtio, used_buffer_interrupts_by_its_line, RULE("VIRTIO-IRQ-2"),
     .variants = "mmio: --rng virtio-mmio")
{
	struct vdev *v = quiet_device = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);
	struct irq_watch w;

	gic_need_any();
	seen_status = 0;
	irq_handler(v->intid, quiet);
	start(v, F_USUAL); /* its reset lowers the line */
	w = irq_watch(v->intid);
	for (unsigned int i = 1; i <= 3; i++) {
		put(v, 0, buf, 16, D_WRITE, 0);
		serve(v, 0);
		EXPECT_EVENTUALLY(irq_seen(&w) == i);
	}
	EXPECT_EQ(seen_status, 1);
}

TEST(virtio, driver_that_wants_no_interrupts_gets_none, RULE("VIRTIO-IRQ-3"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	start(v, F_USUAL);
	v->q.avail[AVAIL_FLAGS] = 1;
	put(v, 0, buf, 16, D_WRITE, 0);
	serve(v, 0);
	serve(v, 0); /* the first one's interrupt would be there by now */
	EXPECT_EQ(interrupt_status(v), 0);
	v->q.avail[AVAIL_FLAGS] = 0;
	serve(v, 0);
	EXPECT_EVENTUALLY(interrupt_status(v) == 1);
}

/* 2.7.10: when the index passes used_event, and at no other; avail_event is what was taken */
TEST(virtio, event_index_suppresses_exactly, RULE("VIRTIO-IRQ-4"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	NEED("event-idx", offered(v) & F_EVENT_IDX, "the device does not offer VIRTIO_F_EVENT_IDX");
	start(v, F_USUAL | F_EVENT_IDX);
	for (uint16_t i = 0; i < 2 * QUEUE; i++) {
		bool wanted = i % 3 == 2;

		v->q.avail[USED_EVENT] = (uint16_t)(i / 3 * 3 + 2);
		put(v, 0, buf, 16, D_WRITE, 0);
		if (!serve(v, 0))
			return;
		EXPECT_EVENTUALLY(v->q.used[AVAIL_EVENT] == (uint16_t)(i + 1));
		if (wanted)
			EXPECT_EVENTUALLY(interrupt_status(v) == 1);
		else if (i) /* the first may come unasked: nothing was told before it */
			EXPECT_EQ(interrupt_status(v), 0);
		else
			(void)interrupt_status(v);
	}
}
