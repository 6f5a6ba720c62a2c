/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/blk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

/* All of it, from the file or to it. The end of a file that shrank under us is an error. */
static uint8_t transfer(int fd, bool out, uint8_t *buf, size_t len, uint64_t off)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = out ? pwrite(fd, buf + at, len - at, (off_t)(off + at))
				: pread(fd, buf + at, len - at, (off_t)(off + at));

		if (n == 0 || (n < 0 && errno != EINTR))
			return VIRTIO_BLK_S_IOERR;
		at += n > 0 ? (size_t)n : 0;
	}
	return VIRTIO_BLK_S_OK;
}

/* ---- ranges: discard and write zeroes (5.2.6.2) */

static uint8_t write_zeroes(int fd, uint64_t off, uint64_t len)
{
	static const uint8_t zeroes[4096];

	while (len) {
		size_t n = len < sizeof(zeroes) ? len : sizeof(zeroes);

		if (transfer(fd, true, (uint8_t *)(uintptr_t)zeroes, n, off))
			return VIRTIO_BLK_S_IOERR;
		off += n;
		len -= n;
	}
	return VIRTIO_BLK_S_OK;
}

static bool punch(int fd, int mode, uint64_t off, uint64_t len)
{
	return !fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len);
}

/* Not an error of the disk: no holes here, or (EINVAL) a block device whose blocks are larger than the range's ends. */
static bool cannot(void)
{
	return errno == EOPNOTSUPP || errno == EINVAL || errno == ENODEV;
}

static uint8_t do_range(int fd, const struct virtio_blk_discard_write_zeroes *r, bool discard)
{
	uint64_t off = r->sector * BLK_SECTOR, len = (uint64_t)r->num_sectors * BLK_SECTOR;
	bool unmap = r->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (!len)
		return VIRTIO_BLK_S_OK;
	if (discard) {
		/* a hint: a file system that knows no holes keeps the data */
		return punch(fd, FALLOC_FL_PUNCH_HOLE, off, len) || cannot() ? VIRTIO_BLK_S_OK
									     : VIRTIO_BLK_S_IOERR;
	}
	if (punch(fd, unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, off, len))
		return VIRTIO_BLK_S_OK;
	return cannot() ? write_zeroes(fd, off, len) : VIRTIO_BLK_S_IOERR;
}

/* ---- */

void blk_file_work(struct blk_job *j)
{
	j->status = VIRTIO_BLK_S_OK;
	switch (j->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		j->status = transfer(j->fd, j->type == VIRTIO_BLK_T_OUT, j->buf, j->len, j->off);
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (!j->readonly && fdatasync(j->fd))
			j->status = VIRTIO_BLK_S_IOERR;
		break;
	default:
		for (unsigned i = 0; !j->status && i < j->ranges; i++)
			j->status = do_range(j->fd, &j->range[i], j->type == VIRTIO_BLK_T_DISCARD);
	}
}

bool blk_file_read_now(int fd, const struct iovec *iov, unsigned nr, uint64_t len, uint64_t off,
		       bool *never)
{
	ssize_t n = preadv2(fd, iov, (int)nr, (off_t)off, RWF_NOWAIT);

	*never = n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS);
	return n >= 0 && (uint64_t)n == len;
}
