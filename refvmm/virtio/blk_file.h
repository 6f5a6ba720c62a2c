/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a block device asks of the host's file, portion by portion, by way of a buffer: whoever does it touches neither
 * the guest's memory nor the device, and may take as long as the file takes.
 */
#ifndef REFVMM_VIRTIO_BLK_FILE_H
#define REFVMM_VIRTIO_BLK_FILE_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLK_PORTION	  131072U /* bytes of a transfer done at a time */
#define BLK_SECTOR	  512U
#define BLK_RANGES_MAX	  16U	     /* of a discard or write zeroes request */
#define BLK_RANGE_SECTORS (1U << 21) /* of one of them: 1 GiB */

struct blk_job {
	int fd;
	bool readonly;
	uint32_t type; /* VIRTIO_BLK_T_… */
	uint64_t off;  /* in the file, of this portion */
	uint8_t *buf;  /* its data, BLK_PORTION bytes */
	uint32_t len;  /* bytes of it */
	unsigned ranges;
	struct virtio_blk_discard_write_zeroes range[BLK_RANGES_MAX];
	uint8_t status; /* VIRTIO_BLK_S_…: how it went */
};

/* Does what the job says; its type is one of those that need the file. */
void blk_file_work(struct blk_job *j);

/*
 * Reads the whole vector if it can be had without waiting. *never: on this file nothing can, as far as the kernel
 * knows (preadv2(2), RWF_NOWAIT).
 */
bool blk_file_read_now(int fd, const struct iovec *iov, unsigned nr, uint64_t len, uint64_t off,
		       bool *never);

#endif
