/* SPDX-License-Identifier: Apache-2.0 */
/* Split rings by a driver that keeps the rules, and by one that keeps none (virtio 1.2, 2.7). */
#include "tests/unit.h"
#include "tests/virtio_bench.h"

#include <linux/virtio_mmio.h>

#define SPI	(ASSAY_SPI_VIRTIO_MMIO + 31)
#define RAM_END (FAKE_RAM_BASE + FAKE_RAM_SIZE)

static struct virtio_bench *rng(uint64_t features)
{
	struct virtio_bench *b = VBENCH("--rng", "virtio-mmio");

	vb_start(b, features);
	return b;
}

TEST(virtio_queue, a_chain_is_used_and_told)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	vb_desc(b, 0, 3, VB_DATA, 64, VB_WRITE, 0);
	vb_offer(b, 0, 3);
	EXPECT_EQ(vb_used_idx(b, 0), 1);
	EXPECT_EQ(vb_used_id(b, 0), 3);
	EXPECT_EQ(vb_used_len(b, 0), 64);
	EXPECT(b->fe->level[SPI]);
	EXPECT_EQ(vb_read(b, VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	vb_write(b, VIRTIO_MMIO_INTERRUPT_ACK, 1);
	EXPECT(!b->fe->level[SPI]);
	EXPECT(!vb_needs_reset(b));
	virtio_bench_free(b);
}

TEST(virtio_queue, indices_wrap)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	vb_desc(b, 0, 0, VB_DATA, 8, VB_WRITE, 0);
	for (unsigned i = 0; i < 0x10003; i++)
		vb_offer(b, 0, 0);
	EXPECT_EQ(vb_used_idx(b, 0), 3);
	EXPECT(!vb_needs_reset(b));
	virtio_bench_free(b);
}

TEST(virtio_queue, an_indirect_table_is_followed)
{
	struct virtio_bench *b = rng(VB_FEATURES);
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} t[2] = {{VB_DATA + 0x100, 5, VB_WRITE | VB_NEXT, 1}, {VB_DATA + 0x200, 6, VB_WRITE, 0}};

	vb_store(b, VB_DATA, t, sizeof(t));
	vb_desc(b, 0, 0, VB_DATA, sizeof(t), VB_INDIRECT, 0);
	vb_offer(b, 0, 0);
	EXPECT_EQ(vb_used_len(b, 0), 11);
	EXPECT(!vb_needs_reset(b));
	virtio_bench_free(b);
}

/* Each line breaks one rule; the device stops, says so, and takes nothing. */
static void expect_broken(uint64_t features, uint64_t addr, uint32_t len, uint16_t flags,
			  uint16_t next)
{
	struct virtio_bench *b = rng(features);

	vb_desc(b, 0, 0, addr, len, flags, next);
	vb_offer(b, 0, 0);
	EXPECT(vb_needs_reset(b));
	EXPECT_EQ(vb_used_idx(b, 0), 0);
	EXPECT_EQ(vb_read(b, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2); /* 2.1.2: it tells */
	vb_desc(b, 0, 1, VB_DATA, 8, VB_WRITE, 0);
	vb_offer(b, 0, 1);
	EXPECT_EQ(vb_used_idx(b, 0), 0);
	vb_start(b, features); /* and a reset heals it */
	vb_desc(b, 0, 1, VB_DATA, 8, VB_WRITE, 0);
	vb_offer(b, 0, 1);
	EXPECT_EQ(vb_used_idx(b, 0), 1);
	virtio_bench_free(b);
}

TEST(virtio_queue, bad_descriptors_stop_the_device)
{
	expect_broken(VB_FEATURES, 0, 8, VB_WRITE, 0);			/* flash */
	expect_broken(VB_FEATURES, ASSAY_UART_BASE, 8, VB_WRITE, 0);	/* MMIO */
	expect_broken(VB_FEATURES, RAM_END - 4, 8, VB_WRITE, 0);	/* across the end */
	expect_broken(VB_FEATURES, UINT64_MAX - 3, 8, VB_WRITE, 0);	/* wraps */
	expect_broken(VB_FEATURES, VB_DATA, UINT32_MAX, VB_WRITE, 0);	/* longer than RAM */
	expect_broken(VB_FEATURES, VB_DATA, 8, VB_WRITE | VB_NEXT, 0);	/* itself */
	expect_broken(VB_FEATURES, VB_DATA, 8, VB_WRITE | VB_NEXT, 16); /* beyond the table */
	expect_broken(VB_FEATURES, VB_DATA, 8, VB_WRITE | VB_NEXT, 0xffff);
	expect_broken(VB_FEATURES, VB_DATA, 8, VB_INDIRECT, 0);		   /* half a descriptor */
	expect_broken(VB_FEATURES, VB_DATA, 0, VB_INDIRECT, 0);		   /* no table */
	expect_broken(VB_FEATURES, VB_DATA, 16, VB_INDIRECT | VB_NEXT, 1); /* 2.7.5.3.1 */
	expect_broken(VB_FEATURES, RAM_END - 16, 32, VB_INDIRECT | VB_NEXT, 1);
	expect_broken(VB_FEATURES, 0x10, 16, VB_INDIRECT, 0);
	expect_broken(1ULL << 32, VB_DATA, 16, VB_INDIRECT, 0); /* not negotiated */
}

TEST(virtio_queue, indirect_in_indirect_stops_the_device)
{
	struct virtio_bench *b = rng(VB_FEATURES);
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} t = {VB_DATA, 16, VB_INDIRECT, 0};

	vb_store(b, VB_DATA, &t, sizeof(t));
	vb_desc(b, 0, 0, VB_DATA, sizeof(t), VB_INDIRECT, 0);
	vb_offer(b, 0, 0);
	EXPECT(vb_needs_reset(b));
	virtio_bench_free(b);
}

TEST(virtio_queue, a_loop_ends)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	for (unsigned i = 0; i < VB_SIZE; i++)
		vb_desc(b, 0, i, VB_DATA, 1, VB_WRITE | VB_NEXT, (uint16_t)((i + 1) % VB_SIZE));
	vb_offer(b, 0, 0);
	EXPECT(vb_needs_reset(b));
	virtio_bench_free(b);
}

TEST(virtio_queue, a_chain_as_long_as_the_queue_is_taken)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	for (unsigned i = 0; i < VB_SIZE; i++)
		vb_desc(b, 0, i, VB_DATA + i, 1, VB_WRITE | (i + 1 < VB_SIZE ? VB_NEXT : 0),
			(uint16_t)(i + 1));
	vb_offer(b, 0, 0);
	EXPECT_EQ(vb_used_len(b, 0), VB_SIZE);
	virtio_bench_free(b);
}

TEST(virtio_queue, readable_behind_writable_stops_the_device)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	vb_desc(b, 0, 0, VB_DATA, 1, VB_WRITE | VB_NEXT, 1);
	vb_desc(b, 0, 1, VB_DATA, 1, 0, 0);
	vb_offer(b, 0, 0);
	EXPECT(vb_needs_reset(b));
	virtio_bench_free(b);
}

TEST(virtio_queue, an_index_that_ran_away_stops_the_device)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	b->next[0] = VB_SIZE; /* one more than there can be */
	vb_offer(b, 0, 0);
	EXPECT(vb_needs_reset(b));
	virtio_bench_free(b);
}

static void expect_queue_refused(unsigned reg, uint32_t val)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	vb_write(b, VIRTIO_MMIO_QUEUE_SEL, 0);
	vb_write(b, VIRTIO_MMIO_QUEUE_READY, 0);
	vb_write(b, reg, val);
	vb_write(b, VIRTIO_MMIO_QUEUE_READY, 1);
	EXPECT(vb_needs_reset(b));
	EXPECT_EQ(vb_read(b, VIRTIO_MMIO_QUEUE_READY), 0);
	virtio_bench_free(b);
}

TEST(virtio_queue, areas_outside_ram_or_unaligned_are_refused)
{
	expect_queue_refused(VIRTIO_MMIO_QUEUE_NUM, 0);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_NUM, 3);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_NUM, 512);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_NUM, 0x10010);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_DESC_LOW, FAKE_RAM_BASE + 8);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_AVAIL_LOW, FAKE_RAM_BASE + 1);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_USED_LOW, FAKE_RAM_BASE + 2);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_DESC_HIGH, 1);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, UINT32_MAX);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)RAM_END - 16 * VB_SIZE + 16);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)RAM_END - 2 * VB_SIZE - 4);
	expect_queue_refused(VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)RAM_END - 8 * VB_SIZE - 4);
}

/* The event words are the last of each ring: nothing of them may be cut off. */
TEST(virtio_queue, areas_may_end_with_ram)
{
	struct virtio_bench *b = rng(VB_EVENT);

	vb_write(b, VIRTIO_MMIO_QUEUE_SEL, 0);
	vb_write(b, VIRTIO_MMIO_QUEUE_READY, 0);
	vb_write(b, VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)RAM_END - 8 * VB_SIZE - 8);
	vb_write(b, VIRTIO_MMIO_QUEUE_READY, 1);
	vb_desc(b, 0, 0, RAM_END - 8 * VB_SIZE - 24, 16, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	EXPECT(!vb_needs_reset(b));
	EXPECT_EQ(*(uint16_t *)vb_at(b, RAM_END - 8 * VB_SIZE - 6), 1);
	virtio_bench_free(b);
}

/* 2.7.7.1 and 2.7.10.1 */
TEST(virtio_queue, the_driver_is_told_when_it_wants_to_be)
{
	struct virtio_bench *b = rng(VB_FEATURES);
	uint16_t flag = 1;

	vb_desc(b, 0, 0, VB_DATA, 8, VB_WRITE, 0);
	vb_store(b, VB_RINGS + VB_AVAIL, &flag, 2); /* NO_INTERRUPT */
	vb_offer(b, 0, 0);
	EXPECT(!b->fe->level[SPI]);
	flag = 0;
	vb_store(b, VB_RINGS + VB_AVAIL, &flag, 2);
	vb_offer(b, 0, 0);
	EXPECT(b->fe->level[SPI]);
	virtio_bench_free(b);
}

TEST(virtio_queue, the_event_index_suppresses_exactly)
{
	struct virtio_bench *b = rng(VB_EVENT);
	uint64_t event = VB_RINGS + VB_AVAIL + 4 + 2 * VB_SIZE;
	uint64_t avail_event = VB_RINGS + VB_USED + 4 + 8 * VB_SIZE;

	vb_desc(b, 0, 0, VB_DATA, 8, VB_WRITE, 0);
	for (uint16_t i = 0; i < 40; i++) {
		uint16_t want = (uint16_t)(i / 3 * 3 + 2); /* the third of each three */

		vb_store(b, event, &want, 2);
		vb_write(b, VIRTIO_MMIO_INTERRUPT_ACK, 1);
		vb_offer(b, 0, 0);
		EXPECT_EQ(b->fe->level[SPI], i % 3 == 2);
		EXPECT_EQ(*(uint16_t *)vb_at(b, avail_event), i + 1);
	}
	virtio_bench_free(b);
}

/* Nothing happens before DRIVER_OK (3.1.1), but what was made available then is not forgotten. */
TEST(virtio_queue, chains_wait_for_driver_ok)
{
	struct virtio_bench *b = rng(VB_FEATURES);

	vb_write(b, VIRTIO_MMIO_STATUS, 0);
	vb_write(b, VIRTIO_MMIO_STATUS, 3);
	vb_write(b, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	vb_write(b, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	vb_write(b, VIRTIO_MMIO_STATUS, 11);
	vb_queue(b, 0);
	vb_desc(b, 0, 0, VB_DATA, 8, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	EXPECT_EQ(vb_used_idx(b, 0), 0);
	vb_write(b, VIRTIO_MMIO_STATUS, 15);
	EXPECT_EQ(vb_used_idx(b, 0), 1);
	virtio_bench_free(b);
}
