/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that means harm. Whatever it writes into rings, descriptors and registers, the device may stop and ask for
 * a reset (2.1.2), but it touches nothing outside of RAM, the machine goes on, and a reset makes the device good.
 */
#include "common.h"
#include "smp.h"

#include <assay/port.h>

struct attack {
	const char *what;
	struct desc d;
};

/* One descriptor (number 0; the table is followed by another good one, number 1). */
static void attack(struct vdev *v, const char *what, struct desc d)
{
	uint16_t before;

	start(v, F_USUAL);
	before = used_idx(v);
	put(v, 1, (uint64_t)mem_alloc(64, 16), 16, D_WRITE, 0);
	put(v, 0, d.addr, d.len, d.flags, d.next);
	offer(v, 0);
	if (port_present()) { /* refvmm promises it; the specification only allows it */
		if (!EXPECT_EVENTUALLY(status(v) & S_NEEDS_RESET))
			NOTE("%s: used index %u", what, used_idx(v));
		EXPECT_EQ(used_idx(v), before);
	}
	expect_works(v);
}

static uint64_t window_of(const char *compatible)
{
	return dt_mmio(compatible).base;
}

TEST(virtio, buffers_outside_ram_stop_the_device, RULE("VIRTIO-HOSTILE-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t end = ram_end();

	attack(v, "flash", (struct desc){0, 64, D_WRITE, 0});
	attack(v, "PL011", (struct desc){window_of("arm,pl011"), 64, D_WRITE, 0});
	if (port_present())
		attack(v, "test port", (struct desc){window_of("assay,test-port"), 64, D_WRITE, 0});
	attack(v, "itself", (struct desc){v->pci ? v->common : v->mmio, 64, D_WRITE, 0});
	attack(v, "the end of RAM", (struct desc){end, 64, D_WRITE, 0});
	attack(v, "across the end", (struct desc){end - 32, 64, D_WRITE, 0});
	attack(v, "the top", (struct desc){~0ULL - 31, 64, D_WRITE, 0});
	attack(v, "bit 63", (struct desc){BIT(63), 64, D_WRITE, 0});
	attack(v, "4 GiB long", (struct desc){end - 64, ~0U, D_WRITE, 0});
	ASSERT_TRUE(!port_present() || port_ping(7) == 7);
}

TEST(virtio, chains_that_never_end_stop_the_device, RULE("VIRTIO-HOSTILE-2"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t buf = (uint64_t)mem_alloc(64, 16);

	attack(v, "itself", (struct desc){buf, 16, D_WRITE | D_NEXT, 0});
	attack(v, "beyond the table", (struct desc){buf, 16, D_WRITE | D_NEXT, QUEUE});
	attack(v, "far beyond", (struct desc){buf, 16, D_WRITE | D_NEXT, 0xffff});
}

TEST(virtio, bad_indirect_tables_stop_the_device, RULE("VIRTIO-HOSTILE-3"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	struct desc *t = mem_alloc(4 * sizeof(*t), 16);
	uint64_t at = (uint64_t)t;

	NEED("indirect", offered(v) & F_INDIRECT, "the device does not offer indirect descriptors");
	t[0] = (struct desc){at + sizeof(*t), sizeof(*t), D_INDIRECT, 0};
	t[1] = (struct desc){at, 16, D_WRITE, 0};
	attack(v, "indirect in indirect", (struct desc){at, sizeof(*t), D_INDIRECT, 0});
	t[0].addr = at;
	attack(v, "itself", (struct desc){at, sizeof(*t), D_INDIRECT, 0});
	t[0] = (struct desc){at, 16, D_WRITE | D_NEXT, 0};
	attack(v, "a loop", (struct desc){at, sizeof(*t), D_INDIRECT, 0});
	t[0].next = 1;
	attack(v, "beyond its end", (struct desc){at, sizeof(*t), D_INDIRECT, 0});
	t[0].flags = D_WRITE;
	attack(v, "with a next one", (struct desc){at, sizeof(*t), D_INDIRECT | D_NEXT, 1});
	attack(v, "half a descriptor", (struct desc){at, 8, D_INDIRECT, 0});
	attack(v, "outside of RAM", (struct desc){ram_end(), sizeof(*t), D_INDIRECT, 0});
	attack(v, "a MMIO window",
	       (struct desc){window_of("arm,pl011"), sizeof(*t), D_INDIRECT, 0});
}

/* A queue whose areas are no good is not taken; one that ends exactly with RAM is. */
TEST(virtio, rings_at_the_end_of_ram_are_exact, RULE("VIRTIO-HOSTILE-4"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t end = ram_end(), desc = (uint64_t)mem_alloc(1024, 64), avail = desc + 512;
	uint64_t used = (uint64_t)mem_alloc(512, 64), used_size = 6 + 8 * QUEUE;
	struct {
		uint64_t desc, avail, used;
	} bad[] = {
		{end - 16, avail, used},
		{end, avail, used},
		{0, avail, used},
		{desc, end - 16, used},
		{desc, end, used},
		{desc, ~1ULL, used},
		{desc, avail,
		 (end - used_size + 4) & ~3ULL}, /* the event word alone is behind the end */
		{desc, avail, 0},
		{~15ULL, ~1ULL, ~3ULL},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		start_features(v, F_USUAL);
		v->q.n = 0;
		queue_place(v, QUEUE, bad[i].desc, bad[i].avail, bad[i].used);
		set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
		notify(v);
		if (port_present()) /* who does not look before the first request is no worse */
			EXPECT_TRUE(status(v) & S_NEEDS_RESET);
	}
	start_features(v, F_USUAL);
	v->q = (struct queue){.desc = (struct desc *)desc,
			      .avail = (uint16_t *)avail,
			      .used = (uint16_t *)((end - used_size) & ~3ULL)};
	memset((void *)v->q.used, 0, used_size);
	queue_place(v, QUEUE, desc, avail, (uint64_t)v->q.used);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	put(v, 0, desc + 320, 16, D_WRITE, 0);
	serve(v, 0);
	expect_works(v);
}

TEST(virtio, index_that_ran_away_stops_the_device, RULE("VIRTIO-HOSTILE-5"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);

	start(v, F_USUAL);
	put(v, 0, (uint64_t)mem_alloc(64, 16), 16, D_WRITE, 0);
	v->q.avail[1] = QUEUE + 1; /* more than there are entries */
	notify(v);
	EXPECT_EVENTUALLY(status(v) & S_NEEDS_RESET);
	start(v, F_USUAL);
	put(v, 0, (uint64_t)mem_alloc(64, 16), 16, D_WRITE, 0);
	v->q.avail[2] = 0xfff0; /* a head beyond the table */
	v->q.avail[1] = 1;
	notify(v);
	EXPECT_EVENTUALLY(status(v) & S_NEEDS_RESET);
	expect_works(v);
}

/* ---- another CPU rewrites the descriptor while the device reads it */

#define CANARY 0x5a5a5a5a5a5a5a5aULL

struct flip {
	volatile struct desc *d;
	uint64_t good;
	volatile bool stop;
	volatile uint64_t flips;
};

static void flipper(void *arg)
{
	struct flip *f = arg;

	while (!f->stop) {
		f->d->len = 16;
		f->d->addr = f->good;
		f->d->addr = ram_end() - 8; /* with the old length: across the end */
		f->d->len = ~0U;
		f->d->addr = f->good;
		f->d->len = 16;
		f->flips++;
	}
}

TEST(virtio, descriptors_rewritten_while_read_do_no_harm, RULE("VIRTIO-HOSTILE-6"),
     .vmm = "--smp 2", RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t *buf = mem_alloc(4096, 4096);
	struct flip f = {.good = (uint64_t)(buf + 64)};
	unsigned int served = 0, stopped = 0;
	struct wait w = wait_begin(stress_ms(300));

	smp_need(2);
	for (unsigned int i = 0; i < 512; i++)
		buf[i] = CANARY;
	start(v, F_USUAL);
	f.d = v->q.desc;
	put(v, 0, f.good, 16, D_WRITE, 0);
	smp_run(1, flipper, &f);
	while (wait_more(&w)) {
		offer(v, 0);
		if (status(v) & S_NEEDS_RESET) {
			stopped++;
			set_status(v, 0);
			start_features(v, F_USUAL);
			v->q.next = 0;
			memset((void *)v->q.avail, 0, 6 + 2 * QUEUE);
			memset((void *)v->q.used, 0, 6 + 8 * QUEUE);
			queue_place(v, QUEUE, (uint64_t)v->q.desc, (uint64_t)v->q.avail,
				    (uint64_t)v->q.used);
			set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
		} else {
			served++;
		}
	}
	f.stop = true;
	smp_wait(1);
	set_status(v, 0);
	for (unsigned int i = 0; i < 512; i++)
		if (i < 64 || i >= 66)
			EXPECT_EQ(buf[i], CANARY);
	EXPECT_GT(f.flips, 0);
	EXPECT_GT(served + stopped, 0);
	FACT("virtio.flips", "%lu", f.flips);
	expect_works(v);
}

/* ---- registers */

static void poke(uint64_t at, unsigned int width)
{
	switch (width) {
	case 1:
		(void)mmio_rd8(at);
		mmio_wr8(at, (uint8_t)rnd());
		break;
	case 2:
		(void)mmio_rd16(at);
		mmio_wr16(at, (uint16_t)rnd());
		break;
	case 4:
		(void)mmio_rd32(at);
		mmio_wr32(at, (uint32_t)rnd());
		break;
	default:
		(void)mmio_rd64(at);
		mmio_wr64(at, rnd());
		break;
	}
}

static void poke_all(uint64_t from, uint64_t size, unsigned int step)
{
	for (unsigned int width = 1; width <= 8; width *= 2)
		for (uint64_t off = 0; off + width <= size; off += step > width ? step : width)
			poke(from + off, width);
}

/* Random values may make a queue of it that writes anywhere in RAM: registers of the queue are left out. */
TEST(virtio, registers_survive_every_width, RULE("VIRTIO-HOSTILE-7"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);

	if (v->pci) {
		poke_all(v->common, 22, 1); /* up to the queue's */
		set_status(v, 0);
		poke_all(v->common + 56, 16, 1);
		poke_all(v->isr, 16, 1);
		poke_all(v->notify, 64, 1);
		poke_all(v->notify + 0x1000 - 64, 64, 8);
	} else {
		poke_all(v->mmio, 0x30, 1);
		poke_all(v->mmio + 0x48, 0x38, 1);
		set_status(v, 0);
		poke_all(v->mmio + 0xa8, 0x158, 1);
	}
	set_status(v, 0);
	EXPECT_EVENTUALLY(status(v) == 0);
	expect_works(v);
}

/* The same with a queue that is ready: addresses and sizes of one that runs cannot be changed (2.7, 4.2.2.2). */
TEST(virtio, running_queue_cannot_be_moved, RULE("VIRTIO-QUEUE-4"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);

	start(v, F_USUAL);
	for (unsigned int i = 0; i < 6; i++)
		mmio_wr32((v->pci ? v->common + 32 : v->mmio + 0x080) +
				  4UL * (v->pci ? i : i / 2 * 4 + i % 2),
			  (uint32_t)rnd());
	put(v, 0, (uint64_t)mem_alloc(64, 16), 16, D_WRITE, 0);
	serve(v, 0);
	EXPECT_EQ(status(v) & S_NEEDS_RESET, 0);
}
