/* SPDX-License-Identifier: Apache-2.0 */
/* A disk whose file takes its time: what waits for it, what does not, and what becomes of a request nobody wants any more. */
#include "tests/unit.h"
#include "tests/virtio_bench.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK	  (1U << 20)
#define HEAD(n)	  (VB_DATA + 64ULL * (n)) /* of request n */
#define STATUS(n) (VB_DATA + 0x1000ULL + (n))
#define BUFFER(n) (VB_DATA + 0x2000ULL + 0x1000ULL * (n))

struct slow_disk {
	struct virtio_bench *b;
	int fd;
};

/* What the disk holds, and what is written to it: no sector and no portion is like another. */
static uint8_t content_at(uint32_t at)
{
	return (uint8_t)(at * 5 + at / 509);
}

static uint8_t new_at(uint32_t at)
{
	return (uint8_t)(at * 3 + at / 1021);
}

static void disk_new(struct slow_disk *d)
{
	static uint8_t content[DISK];
	char arg[64];

	d->fd = memfd_create("disk", MFD_CLOEXEC);
	for (unsigned i = 0; i < DISK; i++)
		content[i] = content_at(i);
	if (d->fd < 0 || pwrite(d->fd, content, DISK, 0) != DISK)
		abort();
	snprintf(arg, sizeof(arg), "file=/proc/self/fd/%d,if=virtio-mmio", d->fd);
	d->b = VBENCH("--drive", arg);
	if (!d->b->dev)
		abort();
	d->b->fe->works = true;
	vb_start(d->b, VB_FEATURES);
}

static void disk_free(struct slow_disk *d)
{
	virtio_bench_free(d->b);
	close(d->fd);
}

/* Request n, made of descriptors 3n to 3n + 2; not offered yet. */
static void prepare(struct slow_disk *d, unsigned n, uint32_t type, uint64_t sector, uint64_t data,
		    uint32_t len)
{
	const struct virtio_blk_outhdr h = {.type = type, .sector = sector};
	uint16_t at = (uint16_t)(3 * n);

	vb_store(d->b, HEAD(n), &h, sizeof(h));
	*(uint8_t *)vb_at(d->b, STATUS(n)) = 0xff;
	vb_desc(d->b, 0, at, HEAD(n), sizeof(h), VB_NEXT, (uint16_t)(at + (len ? 1 : 2)));
	vb_desc(d->b, 0, at + 1U, data, len,
		(uint16_t)(VB_NEXT | (type == VIRTIO_BLK_T_IN ? VB_WRITE : 0)), (uint16_t)(at + 2));
	vb_desc(d->b, 0, at + 2U, STATUS(n), 1, VB_WRITE, 0);
}

static void ask(struct slow_disk *d, unsigned n, uint32_t type, uint64_t sector, uint32_t len)
{
	prepare(d, n, type, sector, BUFFER(n), len);
	vb_offer(d->b, 0, (uint16_t)(3 * n));
}

static uint8_t status(struct slow_disk *d, unsigned n)
{
	return *(uint8_t *)vb_at(d->b, STATUS(n));
}

static uint8_t in_file(struct slow_disk *d, off_t at)
{
	uint8_t byte;

	if (pread(d->fd, &byte, 1, at) != 1)
		abort();
	return byte;
}

TEST(virtio_blk, requests_wait_for_the_file_and_nobody_else_does)
{
	struct slow_disk d;

	disk_new(&d);
	memset(vb_at(d.b, BUFFER(0)), 0xaa, 512);
	memset(vb_at(d.b, BUFFER(1)), 0xbb, 512);
	ask(&d, 0, VIRTIO_BLK_T_OUT, 1, 512);
	ask(&d, 1, VIRTIO_BLK_T_OUT, 1, 512); /* the same sector: order matters */
	ask(&d, 2, VIRTIO_BLK_T_FLUSH, 0, 0);
	EXPECT_EQ(vb_used_idx(d.b, 0), 0);
	EXPECT_EQ(in_file(&d, 512), content_at(512));
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(vb_used_idx(d.b, 0), 1);
	EXPECT_EQ(vb_used_id(d.b, 0), 0);
	EXPECT_EQ(status(&d, 0), VIRTIO_BLK_S_OK);
	EXPECT_EQ(status(&d, 1), 0xff);
	EXPECT_EQ(in_file(&d, 512), 0xaa);
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(in_file(&d, 512), 0xbb);
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(vb_used_idx(d.b, 0), 3);
	EXPECT_EQ(vb_used_id(d.b, 0), 6);
	EXPECT(!fake_work(d.b->fe));
	disk_free(&d);
}

/* Data that the driver changes behind the device's back is written as it was when the device took it. */
TEST(virtio_blk, data_to_be_written_is_taken_once)
{
	struct slow_disk d;

	disk_new(&d);
	memset(vb_at(d.b, BUFFER(0)), 0xaa, 512);
	ask(&d, 0, VIRTIO_BLK_T_OUT, 3, 512);
	memset(vb_at(d.b, BUFFER(0)), 0xcc, 512);
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(in_file(&d, 1536), 0xaa);
	disk_free(&d);
}

/* More than fits into the device's buffer: in portions, one behind the other. */
TEST(virtio_blk, a_long_transfer_is_done_in_portions)
{
	const uint32_t len = 300U * 1024;
	struct slow_disk d;
	unsigned portions = 0;
	uint64_t bad = 0;
	uint8_t *p;

	disk_new(&d);
	p = vb_at(d.b, BUFFER(1));
	prepare(&d, 0, VIRTIO_BLK_T_IN, 5, BUFFER(1), len);
	vb_offer(d.b, 0, 0);
	EXPECT_EQ(p[0], 0);
	while (fake_work(d.b->fe))
		portions++;
	EXPECT_EQ(portions, 3);
	EXPECT_EQ(vb_used_idx(d.b, 0), 1);
	EXPECT_EQ(vb_used_len(d.b, 0), len + 1);
	for (uint32_t i = 0, at = 5 * 512; i < len; i++, at++)
		bad += p[i] != content_at(at);
	EXPECT_EQ(bad, 0);
	for (uint32_t i = 0; i < len; i++)
		p[i] = new_at(i);
	prepare(&d, 1, VIRTIO_BLK_T_OUT, 7, BUFFER(1), len);
	vb_offer(d.b, 0, 3);
	while (fake_work(d.b->fe))
		;
	for (uint32_t i = 0; i < len; i += 512)
		bad += in_file(&d, 7 * 512 + i) != new_at(i);
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(in_file(&d, 7 * 512 + len), content_at(7 * 512 + len));
	EXPECT_EQ(in_file(&d, 7 * 512 - 1), content_at(7 * 512 - 1));
	disk_free(&d);
}

/* A read that was under way: after a reset its buffer and its ring belong to the driver alone (2.4.2). */
static void forget(void (*how)(struct slow_disk *d))
{
	struct env_work *w;
	struct slow_disk d;

	disk_new(&d);
	prepare(&d, 0, VIRTIO_BLK_T_IN, 0, BUFFER(0), 160 * 512); /* too long to be tried at once */
	vb_offer(d.b, 0, 0);
	w = fake_work_begin(d.b->fe);
	ASSERT(w);
	how(&d);
	ask(&d, 1, VIRTIO_BLK_T_OUT, 9, 512); /* waits behind the one that is forgotten */
	EXPECT(!fake_work(d.b->fe));
	w->done(w);
	EXPECT_EQ(vb_used_idx(d.b, 0), 0);
	EXPECT_EQ(status(&d, 0), 0xff);
	for (unsigned i = 0; i < 160 * 512; i += 512)
		EXPECT_EQ(((uint8_t *)vb_at(d.b, BUFFER(0)))[i + 1], 0);
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(vb_used_idx(d.b, 0), 1);
	EXPECT_EQ(vb_used_id(d.b, 0), 3);
	EXPECT_EQ(status(&d, 1), VIRTIO_BLK_S_OK);
	EXPECT(!vb_needs_reset(d.b));
	disk_free(&d);
}

static void by_device_reset(struct slow_disk *d)
{
	vb_start(d->b, VB_FEATURES);
}

static void by_queue_stop(struct slow_disk *d)
{
	vb_write(d->b, VIRTIO_MMIO_QUEUE_SEL, 0);
	vb_write(d->b, VIRTIO_MMIO_QUEUE_READY, 0);
	vb_queue(d->b, 0);
}

static void by_machine_reset(struct slow_disk *d)
{
	d->b->dev->ops->reset(d->b->dev);
	vb_start(d->b, VB_FEATURES);
}

TEST(virtio_blk, a_reset_forgets_the_request_under_way)
{
	forget(by_device_reset);
	forget(by_queue_stop);
	forget(by_machine_reset);
}

/* Without a new driver, too. */
TEST(virtio_blk, a_device_at_rest_is_left_alone)
{
	static const unsigned put_to_rest_by[] = {VIRTIO_MMIO_STATUS, VIRTIO_MMIO_QUEUE_READY};

	for (unsigned n = 0; n < 2; n++) {
		struct env_work *w;
		struct slow_disk d;

		disk_new(&d);
		ask(&d, 0, VIRTIO_BLK_T_OUT, 0, 512);
		w = fake_work_begin(d.b->fe);
		ASSERT(w);
		vb_write(d.b, VIRTIO_MMIO_QUEUE_SEL, 0);
		vb_write(d.b, put_to_rest_by[n], 0);
		w->done(w);
		EXPECT_EQ(status(&d, 0), 0xff);
		EXPECT_EQ(vb_used_idx(d.b, 0), 0);
		EXPECT_EQ(vb_read(d.b, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
		disk_free(&d);
	}
}

/* A chain that breaks a rule is not looked at before the request in front of it is done. */
TEST(virtio_blk, a_bad_chain_waits_its_turn)
{
	struct slow_disk d;

	disk_new(&d);
	prepare(&d, 0, VIRTIO_BLK_T_OUT, 0, BUFFER(0), 512);
	vb_desc(d.b, 0, 3, 0, 16, 0, 0); /* outside of RAM */
	vb_offer(d.b, 0, 0);
	vb_offer(d.b, 0, 3);
	EXPECT(!vb_needs_reset(d.b));
	EXPECT(fake_work(d.b->fe));
	EXPECT_EQ(status(&d, 0), VIRTIO_BLK_S_OK);
	EXPECT_EQ(vb_used_idx(d.b, 0), 1);
	EXPECT(vb_needs_reset(d.b));
	disk_free(&d);
}
