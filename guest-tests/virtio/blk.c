/* SPDX-License-Identifier: Apache-2.0 */
/* Disks (virtio 1.2, 5.2). virtio/disk.img holds a pattern: guest-tests/room.mk. */
#include "common.h"

#include <assay/port.h>

#define SECTOR 512UL

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_ID = 8, T_DISCARD = 11, T_ZERO = 13 };
enum { OK, IOERR, UNSUPP };
#define F_RO	  BIT(5)
#define F_FLUSH	  BIT(9)
#define F_DISCARD BIT(13)
#define F_ZERO	  BIT(14)
#define ALL	  (F_USUAL | F_RO | F_FLUSH | F_DISCARD | F_ZERO)

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

static struct header *head;
static volatile uint8_t *result;
static uint8_t *data;

static struct vdev *disk(uint64_t features)
{
	struct vdev *v = device(VIRTIO_BLK);

	head = mem_alloc(64, 16);
	result = (uint8_t *)head + 32;
	data = mem_alloc(SZ_64K, 4096);
	start(v, features);
	return v;
}

/* The status of a request with `len` bytes of data; 0xff: it did not come back. */
static uint8_t request(struct vdev *v, uint32_t type, uint64_t sector, uint32_t len)
{
	bool in = type == T_IN || type == T_ID;

	*head = (struct header){.type = type, .sector = sector};
	*result = 0xff;
	put(v, 0, (uint64_t)head, sizeof(*head), D_NEXT, len ? 1 : 2);
	put(v, 1, (uint64_t)data, len, (uint16_t)(D_NEXT | (in ? D_WRITE : 0)), 2);
	put(v, 2, (uint64_t)result, 1, D_WRITE, 0);
	serve(v, 0);
	return *result;
}

/* The byte of the image at an offset. */
static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 5 + at / 512 * 3 + at / 65536);
}

static uint64_t sectors(const struct vdev *v)
{
	return config32(v, 0) | (uint64_t)config32(v, 4) << 32;
}

TEST(virtio, disk_holds_what_the_file_holds, RULE("VIRTIO-BLK-1"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);
	uint64_t bad = 0;

	EXPECT_EQ(sectors(v), 1024);
	for (uint64_t s = 0; s < 1024; s += 64) {
		ASSERT_EQ(request(v, T_IN, s, 64 * SECTOR), OK);
		EXPECT_EQ(used_len(v), 64 * SECTOR + 1);
		for (unsigned int i = 0; i < 64 * SECTOR; i++)
			bad += data[i] != pattern(s * SECTOR + i);
	}
	EXPECT_EQ(bad, 0);
}

/* 2.6.4 of 1.2 (message framing): the device may not depend on how a request is cut. */
TEST(virtio, request_may_be_cut_anywhere, RULE("VIRTIO-BLK-2"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);
	uint64_t h, bad = 0;

	*head = (struct header){.type = T_IN, .sector = 3};
	*result = 0xff;
	h = (uint64_t)head;
	put(v, 0, h, 3, D_NEXT, 1);
	put(v, 1, h + 3, 12, D_NEXT, 2);
	put(v, 2, h + 15, 1, D_NEXT, 3);
	put(v, 3, (uint64_t)data, 7, D_NEXT | D_WRITE, 4);
	put(v, 4, (uint64_t)data + 7, SECTOR - 7, D_NEXT | D_WRITE, 5);
	put(v, 5, (uint64_t)result, 1, D_WRITE, 0);
	serve(v, 0);
	EXPECT_EQ(*result, OK);
	for (unsigned int i = 0; i < SECTOR; i++)
		bad += data[i] != pattern(3 * SECTOR + i);
	EXPECT_EQ(bad, 0);
}

TEST(virtio, disk_end_is_respected, RULE("VIRTIO-BLK-3"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);
	uint64_t n = sectors(v);

	EXPECT_EQ(request(v, T_IN, n - 1, SECTOR), OK);
	EXPECT_EQ(request(v, T_IN, n, SECTOR), IOERR);
	EXPECT_EQ(request(v, T_IN, n - 1, 2 * SECTOR), IOERR);
	EXPECT_EQ(request(v, T_IN, ~0ULL, SECTOR), IOERR);
	EXPECT_EQ(request(v, T_IN, ~0ULL / SECTOR, SECTOR), IOERR);
	EXPECT_EQ(request(v, T_IN, ~0ULL / SECTOR + 1, SECTOR), IOERR);
	EXPECT_EQ(request(v, T_IN, 0, SECTOR - 1), IOERR);
	EXPECT_EQ(request(v, T_IN, 0, SECTOR), OK);
	EXPECT_EQ(status(v) & S_NEEDS_RESET, 0);
}

TEST(virtio, read_only_disk_takes_no_writes, RULE("VIRTIO-BLK-4"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);

	EXPECT_TRUE(offered(v) & F_RO);
	EXPECT_EQ(request(v, T_OUT, 0, SECTOR), IOERR);
	EXPECT_NE(request(v, T_DISCARD, 0, 16), OK);
	EXPECT_NE(request(v, T_ZERO, 0, 16), OK);
	EXPECT_EQ(request(v, T_IN, 0, SECTOR), OK);
	EXPECT_EQ(data[1], pattern(1));
}

TEST(virtio, unknown_request_is_unsupported, RULE("VIRTIO-BLK-5"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);

	EXPECT_EQ(request(v, 2, 0, SECTOR), UNSUPP);
	EXPECT_EQ(request(v, 0x80000000, 0, 0), UNSUPP);
	EXPECT_EQ(request(v, ~0U, ~0ULL, 0), UNSUPP);
	EXPECT_EQ(request(v, T_IN, 0, SECTOR), OK);
}

TEST(virtio, disk_has_an_id, RULE("VIRTIO-BLK-6"),
     .variants = "mmio: --drive "
		 "file=virtio/disk.img,readonly=on,serial=twenty-characters-ok,if=virtio-mmio | "
		 "pci: --drive file=virtio/disk.img,readonly=on,serial=twenty-characters-ok")
{
	struct vdev *v = disk(ALL);

	EXPECT_EQ(request(v, T_ID, 0, 20), OK);
	data[20] = 0;
	EXPECT_EQ(strcmp((const char *)data, "twenty-characters-ok"), 0);
}

TEST(virtio, written_sectors_come_back, RULE("VIRTIO-BLK-7"), BLK_BOTH(SCRATCH))
{
	struct vdev *v = disk(ALL);
	uint8_t salt = (uint8_t)rnd();
	uint64_t bad = 0;

	for (unsigned int i = 0; i < 16 * SECTOR; i++)
		data[i] = (uint8_t)(pattern(i) ^ salt);
	EXPECT_EQ(request(v, T_OUT, 8, 16 * SECTOR), OK);
	EXPECT_EQ(used_len(v), 1);
	EXPECT_EQ(request(v, T_FLUSH, 0, 0), OK);
	memset(data, 0, 16 * SECTOR);
	EXPECT_EQ(request(v, T_IN, 8, 16 * SECTOR), OK);
	for (unsigned int i = 0; i < 16 * SECTOR; i++)
		bad += data[i] != (uint8_t)(pattern(i) ^ salt);
	EXPECT_EQ(bad, 0);
	/* a disk does not grow */
	EXPECT_EQ(request(v, T_OUT, sectors(v), SECTOR), IOERR);
	EXPECT_EQ(request(v, T_OUT, sectors(v) - 1, 2 * SECTOR), IOERR);
}

static uint8_t range(struct vdev *v, uint32_t type, uint64_t sector, uint32_t n, uint32_t flags)
{
	struct {
		uint64_t sector;
		uint32_t n, flags;
	} *r = (void *)data;

	r->sector = sector;
	r->n = n;
	r->flags = flags;
	return request(v, type, 0, sizeof(*r));
}

TEST(virtio, zeroed_sectors_read_zero, RULE("VIRTIO-BLK-8"), BLK_BOTH(SCRATCH))
{
	struct vdev *v = disk(ALL);
	uint64_t bad = 0;

	NEED("write-zeroes", offered(v) & F_ZERO,
	     "the disk does not offer VIRTIO_BLK_F_WRITE_ZEROES");
	for (unsigned int unmap = 0; unmap < 2; unmap++) {
		memset(data, 0xee, 4 * SECTOR);
		EXPECT_EQ(request(v, T_OUT, 64, 4 * SECTOR), OK);
		EXPECT_EQ(range(v, T_ZERO, 65, 2, unmap), OK);
		EXPECT_EQ(request(v, T_IN, 64, 4 * SECTOR), OK);
		for (unsigned int i = 0; i < 4 * SECTOR; i++)
			bad += data[i] != (i / SECTOR == 1 || i / SECTOR == 2 ? 0 : 0xee);
	}
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(range(v, T_ZERO, 0, 1, 2), UNSUPP); /* a flag that is none */
	EXPECT_EQ(range(v, T_ZERO, sectors(v), 1, 0), IOERR);
	EXPECT_EQ(range(v, T_ZERO, 1, ~0U, 0), IOERR);
}

TEST(virtio, discard_keeps_to_its_range, RULE("VIRTIO-BLK-9"), BLK_BOTH(SCRATCH))
{
	struct vdev *v = disk(ALL);
	uint64_t bad = 0;

	NEED("discard", offered(v) & F_DISCARD, "the disk does not offer VIRTIO_BLK_F_DISCARD");
	memset(data, 0xdd, 24 * SECTOR);
	EXPECT_EQ(request(v, T_OUT, 128, 24 * SECTOR), OK);
	EXPECT_EQ(range(v, T_DISCARD, 136, 8, 0), OK);
	EXPECT_EQ(request(v, T_IN, 128, 24 * SECTOR), OK);
	for (unsigned int i = 0; i < 24 * SECTOR; i++)
		bad += (i < 8 * SECTOR || i >= 16 * SECTOR) && data[i] != 0xdd;
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(range(v, T_DISCARD, 0, 8, 1), UNSUPP); /* unmap is of the other */
	EXPECT_EQ(range(v, T_DISCARD, sectors(v) - 1, 8, 0), IOERR);
}

/* A request without room for its status cannot be answered. */
TEST(virtio, request_without_status_stops_the_device, RULE("VIRTIO-HOSTILE-8"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);

	put(v, 0, (uint64_t)head, sizeof(*head), 0, 0);
	offer(v, 0);
	EXPECT_EVENTUALLY(status(v) & S_NEEDS_RESET);
	start(v, ALL);
	put(v, 0, (uint64_t)head, 15, D_NEXT, 1); /* a header that is cut off */
	put(v, 1, (uint64_t)result, 1, D_WRITE, 0);
	offer(v, 0);
	EXPECT_EVENTUALLY(status(v) & S_NEEDS_RESET);
	start(v, ALL);
	EXPECT_EQ(request(v, T_IN, 0, SECTOR), OK);
}

/* ---- exits to user space on the way of a read */

static uint64_t exits(void)
{
	static const char name[] = "mmio_exit_user";
	struct assay_action a = {.op = ASSAY_ACT_STAT, .arg = {(uint64_t)name, sizeof(name) - 1}};
	int status_of = port_action(&a);

	NEED("kvm-stats", status_of == 0, "no KVM statistic mmio_exit_user");
	return a.ret[0];
}

#define READS 50U

TEST(virtio, reads_do_not_leave_the_kernel, RULE("VIRTIO-FAST-1"), BLK_BOTH(DISK))
{
	struct vdev *v = disk(ALL);
	uint64_t cost, before, after;

	NEED("test-port", port_present(), "only refvmm counts exits");
	v->q.avail[0] = 1; /* polled: no interrupts */
	before = exits();
	cost = exits() - before; /* of asking */
	before = exits();
	for (unsigned int i = 0; i < READS; i++)
		request(v, T_IN, 8UL * (i % 64), 4096);
	after = exits();
	EXPECT_EQ(after - before, cost);
	EXPECT_EQ(*result, OK);
	FACT("virtio.exits_of_50_reads", "%lu", after - before - cost);
}
