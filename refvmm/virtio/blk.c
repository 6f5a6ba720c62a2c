/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block device (virtio 1.2, 5.2) on a file or a block device of the host, by its page cache: what
 * was written is safe once the driver has flushed (5.2.6.2).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

#include "virtio/virtio.h"

#define SECTOR		512U
#define BIT64(n)	(1ULL << (n))
#define SEGMENTS	(VIRTQ_SIZE_MAX - 2U) /* beside request header and status */
#define RANGES_MAX	16U		      /* of a discard or write zeroes request */
#define RANGE_SECTORS	(1U << 21)	      /* of one of them: 1 GiB */
#define DISCARD_SECTORS 8U		      /* what a hole's ends are aligned to: 4 KiB */

struct blk {
	struct virtio_dev v;
	uint64_t sectors;
	struct iovec part[VIRTQ_SIZE_MAX]; /* of the request being done */
};

static struct blk *of(struct virtio_dev *v)
{
	return (struct blk *)v;
}

static void init(struct virtio_dev *v)
{
	of(v)->sectors = v->conf->size / SECTOR;
	v->offered |= BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_BLK_SIZE) |
		      BIT64(VIRTIO_BLK_F_FLUSH);
	if (v->conf->readonly)
		v->offered |= BIT64(VIRTIO_BLK_F_RO);
	else
		v->offered |= BIT64(VIRTIO_BLK_F_DISCARD) | BIT64(VIRTIO_BLK_F_WRITE_ZEROES);
}

static void config(const struct virtio_dev *v, void *buf)
{
	struct virtio_blk_config c = {
		.capacity = v->conf->size / SECTOR, .seg_max = SEGMENTS, .blk_size = SECTOR};

	if (!v->conf->readonly) {
		c.max_discard_sectors = c.max_write_zeroes_sectors = RANGE_SECTORS;
		c.max_discard_seg = c.max_write_zeroes_seg = RANGES_MAX;
		c.discard_sector_alignment = DISCARD_SECTORS;
		c.write_zeroes_may_unmap = 1;
	}
	memcpy(buf, &c, v->class->config_size);
}

/* ---- the host's file */

typedef ssize_t (*transfer_fn)(int fd, const struct iovec *iov, int nr, off_t off);

/* Drops the first `done` bytes of a vector. */
static void advance(struct iovec **iov, unsigned *nr, size_t done)
{
	while (*nr && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*nr)--;
	}
	if (*nr) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

/* 0, or the status for the driver. The end of a file that shrank under us is an error. */
static uint8_t transfer(const struct virtio_dev *v, transfer_fn fn, struct iovec *iov, unsigned nr,
			uint64_t off)
{
	while (nr) {
		ssize_t n = fn(v->conf->fd, iov, (int)(nr < IOV_MAX ? nr : IOV_MAX), (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return VIRTIO_BLK_S_IOERR;
		off += (uint64_t)n;
		advance(&iov, &nr, (size_t)n);
	}
	return VIRTIO_BLK_S_OK;
}

static bool inside(const struct blk *b, uint64_t sector, uint64_t nr)
{
	return sector <= b->sectors && nr <= b->sectors - sector;
}

static uint8_t read_write(struct virtio_dev *v, const struct virtq_chain *c, uint64_t sector,
			  bool in)
{
	struct blk *b = of(v);
	uint64_t len = in ? c->in_len - 1 : c->out_len - sizeof(struct virtio_blk_outhdr);
	unsigned nr;

	if (len % SECTOR || !inside(b, sector, len / SECTOR) || (!in && v->conf->readonly))
		return VIRTIO_BLK_S_IOERR;
	nr = in ? virtq_in_slice(c, 0, len, b->part)
		: virtq_out_slice(c, sizeof(struct virtio_blk_outhdr), len, b->part);
	return transfer(v, in ? preadv : pwritev, b->part, nr, sector * SECTOR);
}

static uint8_t flush(const struct virtio_dev *v)
{
	return v->conf->readonly || !fdatasync(v->conf->fd) ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

/* ---- ranges: discard and write zeroes (5.2.6.2) */

static uint8_t write_zeroes(const struct virtio_dev *v, uint64_t off, uint64_t len)
{
	static const uint8_t zeroes[4096];

	while (len) {
		struct iovec iov = {.iov_base = (void *)(uintptr_t)zeroes,
				    .iov_len = len < sizeof(zeroes) ? len : sizeof(zeroes)};
		size_t n = iov.iov_len;

		if (transfer(v, pwritev, &iov, 1, off))
			return VIRTIO_BLK_S_IOERR;
		off += n;
		len -= n;
	}
	return VIRTIO_BLK_S_OK;
}

static bool punch(const struct virtio_dev *v, int mode, uint64_t off, uint64_t len)
{
	return !fallocate(v->conf->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len);
}

/* Not an error of the disk: no holes here, or (EINVAL) a block device whose blocks are larger than the range's ends. */
static bool cannot(void)
{
	return errno == EOPNOTSUPP || errno == EINVAL || errno == ENODEV;
}

static uint8_t do_range(struct virtio_dev *v, const struct virtio_blk_discard_write_zeroes *r,
			bool discard)
{
	uint64_t off = r->sector * SECTOR, len = (uint64_t)r->num_sectors * SECTOR;
	bool unmap = r->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (r->flags & ~(discard ? 0U : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP))
		return VIRTIO_BLK_S_UNSUPP;
	if (!inside(of(v), r->sector, r->num_sectors) || r->num_sectors > RANGE_SECTORS)
		return VIRTIO_BLK_S_IOERR;
	if (!len)
		return VIRTIO_BLK_S_OK;
	if (discard) {
		/* a hint: a file system that knows no holes keeps the data */
		return punch(v, FALLOC_FL_PUNCH_HOLE, off, len) || cannot() ? VIRTIO_BLK_S_OK
									    : VIRTIO_BLK_S_IOERR;
	}
	if (punch(v, unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, off, len))
		return VIRTIO_BLK_S_OK;
	return cannot() ? write_zeroes(v, off, len) : VIRTIO_BLK_S_IOERR;
}

static uint8_t ranges(struct virtio_dev *v, const struct virtq_chain *c, bool discard)
{
	struct virtio_blk_discard_write_zeroes range[RANGES_MAX];
	uint64_t len = c->out_len - sizeof(struct virtio_blk_outhdr);
	uint8_t status = VIRTIO_BLK_S_OK;

	if (!virtio_has(v, discard ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES))
		return VIRTIO_BLK_S_UNSUPP;
	if (!len || len % sizeof(range[0]) || len > sizeof(range))
		return VIRTIO_BLK_S_IOERR;
	virtq_read(c, sizeof(struct virtio_blk_outhdr), range, len);
	for (unsigned i = 0; !status && i < len / sizeof(range[0]); i++)
		status = do_range(v, &range[i], discard);
	return status;
}

static uint8_t get_id(const struct virtio_dev *v, const struct virtq_chain *c)
{
	if (c->in_len - 1 < VIRTIO_BLK_ID_BYTES)
		return VIRTIO_BLK_S_IOERR;
	virtq_write(c, 0, v->conf->serial, VIRTIO_BLK_ID_BYTES);
	return VIRTIO_BLK_S_OK;
}

/* ---- requests */

static uint8_t request(struct virtio_dev *v, const struct virtq_chain *c,
		       const struct virtio_blk_outhdr *h)
{
	switch (h->type) {
	case VIRTIO_BLK_T_IN:
		return read_write(v, c, h->sector, true);
	case VIRTIO_BLK_T_OUT:
		return read_write(v, c, h->sector, false);
	case VIRTIO_BLK_T_FLUSH:
		return flush(v);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(v, c);
	case VIRTIO_BLK_T_DISCARD:
		return ranges(v, c, true);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return ranges(v, c, false);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* The status is the last byte that the device may write. */
static bool one(struct virtio_dev *v, struct virtq_chain *c)
{
	struct virtio_blk_outhdr h;
	uint8_t status;
	uint64_t written;

	if (virtq_read(c, 0, &h, sizeof(h)) != sizeof(h) || !c->in_len) {
		virtio_needs_reset(v, "a block request without header or status, of device type");
		return false;
	}
	status = request(v, c, &h);
	virtq_write(c, c->in_len - 1, &status, 1);
	/* only what was written without a gap counts (2.7.8.2) */
	written = status && c->in_len > 1 ? 0 : c->in_len;
	virtq_push(&v->queue[0], c->head, written > UINT32_MAX ? UINT32_MAX : (uint32_t)written);
	return true;
}

static void service(struct virtio_dev *v, unsigned n)
{
	virtio_drain(v, n, one);
}

const struct virtio_class virtio_blk = {
	.name = "virtio-blk",
	.id = 2,
	.pci_class = 0x010000,
	.size = sizeof(struct blk),
	.queues = 1,
	.config_size = 60,
	.init = init,
	.service = service,
	.config = config,
};
_Static_assert(sizeof(struct virtio_blk_config) >= 60, "5.2.4");
