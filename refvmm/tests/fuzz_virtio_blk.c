/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of a disk: requests of every type, whole and torn, and a file that shrinks and grows under it. A disk
 * that is read-only keeps its content; none grows; after a reset the first sector is read as it is in the file. The file
 * may take its time: then what was asked of it is done, or done with, whenever the input says.
 */
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/virtio_hostile.h"

#define DISK 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int disk = -1; /* a second descriptor of the file */

static void request(struct virtio_bench *b, const struct hostile_step *s)
{
	struct virtio_blk_outhdr h = {.type = s->where & 15, .sector = s->val & 0xff};
	uint32_t len = s->len & 0x80 ? s->len : 512U * (s->len & 15);
	bool in = !(h.type & 1);

	if (s->more & 1)
		h.sector = s->val * 0x100000001ULL;
	if (h.type == VIRTIO_BLK_T_DISCARD || h.type == VIRTIO_BLK_T_WRITE_ZEROES)
		len = 16U * (s->len & 31), in = false;
	vb_store(b, VB_DATA, &h, sizeof(h));
	vb_desc(b, 0, 0, VB_DATA, 16, VB_NEXT, 1);
	vb_desc(b, 0, 1, VB_DATA + 64, len, (uint16_t)(VB_NEXT | (in ? VB_WRITE : 0)), 2);
	vb_desc(b, 0, 2, VB_DATA + 0x8000, s->more & 2 ? s->more : 1, VB_WRITE, 0);
	vb_offer(b, 0, s->more & 4 ? 1 : 0);
}

static struct env_work *under_way; /* the file has answered, and the device does not know yet */

static void end_work(struct virtio_bench *b, bool all)
{
	struct env_work *w = under_way;

	under_way = NULL;
	if (w)
		w->done(w);
	while (all && fake_work(b->fe))
		;
}

static void outside(struct virtio_bench *b, const struct hostile_step *s)
{
	if (s->more & 1 && under_way)
		end_work(b, s->more & 2);
	else if (s->more & 1)
		under_way = fake_work_begin(b->fe);
	else if (ftruncate(disk, s->val & 1 ? DISK : (off_t)(s->val % DISK)))
		abort();
}

static void check_first_sector(struct virtio_bench *b)
{
	const struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN};
	uint8_t want[512];

	end_work(b, true); /* what was asked before may still be written */
	if (ftruncate(disk, DISK) || pread(disk, want, 512, 0) != 512)
		abort();
	vb_start(b, VB_FEATURES);
	vb_store(b, VB_DATA, &h, sizeof(h));
	vb_desc(b, 0, 0, VB_DATA, 16, VB_NEXT, 1);
	vb_desc(b, 0, 1, VB_DATA + 512, 512, VB_NEXT | VB_WRITE, 2);
	vb_desc(b, 0, 2, VB_DATA + 1024, 1, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	end_work(b, true);
	if (vb_used_idx(b, 0) != 1 || vb_used_len(b, 0) != 513 ||
	    *(uint8_t *)vb_at(b, VB_DATA + 1024) != VIRTIO_BLK_S_OK ||
	    memcmp(vb_at(b, VB_DATA + 512), want, 512) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hostile_driver h = {request, outside};
	static uint8_t content[DISK];
	bool readonly = size && data[0] & 1;
	struct virtio_bench *b;
	char arg[96];

	disk = memfd_create("disk", MFD_CLOEXEC);
	memset(content, 0x5a, sizeof(content));
	if (disk < 0 || pwrite(disk, content, DISK, 0) != DISK)
		abort();
	snprintf(arg, sizeof(arg), "file=/proc/self/fd/%d,if=virtio-mmio%s", disk,
		 readonly ? ",readonly=on" : "");
	b = VBENCH("--drive", arg);
	if (!b->dev)
		abort();
	b->fe->works = size && data[0] & 2;
	if (size)
		hostile_drive(b, &h, data + 1, size - 1);
	if (lseek(disk, 0, SEEK_END) > DISK)
		abort();
	check_first_sector(b);
	for (off_t at = 0; readonly && at < DISK; at += 512) {
		uint8_t byte; /* zero: where it was cut off */

		if (pread(disk, &byte, 1, at) != 1 || (byte != 0x5a && byte))
			abort();
	}
	virtio_bench_free(b);
	close(disk);
	return 0;
}
