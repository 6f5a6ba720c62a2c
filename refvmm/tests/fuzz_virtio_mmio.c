/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest on the virtio-mmio transports with one device of each class: registers, rings and buffers. Steps of 8
 * bytes: what to do, where, and a value; RAM behind the rings starts with what is left of the input.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/virtio_bench.h"
#include "virtio/mmio.h"

struct step {
	uint8_t op, where, slot, len;
	uint32_t val;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A disk in memory, a stream whose other end is ours. */
static struct virtio_bench *bench(int *other)
{
	struct virtio_bench *b;
	char disk[64], net[64], con[64];
	int fd = memfd_create("disk", MFD_CLOEXEC), pair[2], line[2];

	if (fd < 0 || ftruncate(fd, 65536) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, line))
		abort();
	snprintf(disk, sizeof(disk), "file=/proc/self/fd/%d,if=virtio-mmio", fd);
	snprintf(net, sizeof(net), "stream,fd=%d,if=virtio-mmio", pair[0]);
	snprintf(con, sizeof(con), "virtio-mmio");
	b = VBENCH("--drive", disk, "--net", net, "--rng", "virtio-mmio", "--console", con);
	if (!b->dev)
		abort();
	close(fd);
	close(line[0]);
	close(line[1]);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	*other = pair[1];
	return b;
}

static void answer(int other, uint32_t val)
{
	uint8_t frame[64] = {0, 0, (uint8_t)(val & 1), (uint8_t)(val >> 8)};
	uint8_t drop[4096];

	while (read(other, drop, sizeof(drop)) > 0)
		;
	if (write(other, frame, 1 + val % sizeof(frame)) < 0)
		return;
}

static void take(struct virtio_bench *b, const struct step *s, int other)
{
	unsigned len = 1U << (s->len & 3);
	uint64_t reg = s->where & ~(len - 1U);

	b->slot = ASSAY_VIRTIO_MMIO_BASE +
		  (uint64_t)(VIRTIO_MMIO_SLOTS - 1 - s->slot % 5) * VIRTIO_MMIO_STRIDE;
	switch (s->op & 7) {
	case 0:
		fake_write(b->fe, b->slot + reg + (s->op & 8 ? 0x100 : 0), len, s->val);
		break;
	case 1:
		fake_read(b->fe, b->slot + reg + (s->op & 8 ? 0x100 : 0), len);
		break;
	case 2: /* the usual way up, or little would ever be reached */
		vb_start(b, (s->op & 8 ? VB_EVENT : VB_FEATURES) | s->val);
		break;
	case 3:
	case 4:
		vb_offer(b, s->where & 1, (uint16_t)s->val);
		break;
	case 5: { /* a descriptor, most often into RAM */
		uint64_t addr = FAKE_RAM_BASE + s->val % (FAKE_RAM_SIZE + 64);

		vb_desc(b, s->where >> 7, s->where & 15, s->op & 8 ? s->val : addr,
			s->len >> 4 ? 16U << (s->len >> 4) : s->len, s->slot >> 4 & 7,
			s->slot >> 5);
		break;
	}
	case 6:
		memcpy((uint8_t *)vb_at(b, VB_RINGS + (s->where << 6)), &s->val, 4);
		break;
	default:
		answer(other, s->val);
		fake_serve(b->fe);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps = size / 2 / sizeof(struct step), used = steps * sizeof(struct step);
	int other;
	struct virtio_bench *b = bench(&other);

	memcpy(vb_at(b, VB_DATA), data + used, size - used);
	for (size_t i = 0; i < steps; i++) {
		struct step s;

		memcpy(&s, data + i * sizeof(s), sizeof(s));
		take(b, &s, other);
	}
	/* whatever was done, a reset makes a good device of it (the source of random numbers) */
	b->slot = ASSAY_VIRTIO_MMIO_BASE + (VIRTIO_MMIO_SLOTS - 3) * VIRTIO_MMIO_STRIDE;
	vb_start(b, VB_FEATURES);
	vb_desc(b, 0, 0, VB_DATA, 16, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	if (vb_used_idx(b, 0) != 1)
		abort();
	close(other);
	virtio_bench_free(b);
	return 0;
}
