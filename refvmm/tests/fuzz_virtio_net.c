/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of a network device on a stream, whose other end sends frames, nonsense and silence. What comes out is
 * frames behind their length, whatever the driver does; after a reset a frame still goes out if the link is up.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/virtio_hostile.h"

#define HEADER 12U /* struct virtio_net_hdr_v1 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	int fd;
	uint8_t prefix[4];
	uint32_t have; /* bytes of the prefix */
	uint32_t left; /* of the frame */
	uint64_t frames;
	bool ended;
} other;

/* Reads all there is, and follows the framing. */
static void swallow(void)
{
	static uint8_t buf[70000];
	ssize_t n;

	while (!other.ended && (n = read(other.fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (other.left) {
				other.frames += !--other.left;
				continue;
			}
			other.prefix[other.have++] = buf[i];
			if (other.have < 4)
				continue;
			other.have = 0;
			other.left = (uint32_t)other.prefix[2] << 8 | other.prefix[3];
			if (other.prefix[0] || other.prefix[1] || !other.left)
				abort();
		}
	}
}

static void request(struct virtio_bench *b, const struct hostile_step *s)
{
	unsigned q = s->where & 1;
	uint16_t dir = q ? 0 : VB_WRITE;

	vb_desc(b, q, 0, VB_DATA, s->more & 1 ? s->len : HEADER, VB_NEXT | dir, 1);
	vb_desc(b, q, 1, VB_DATA + 64, s->more & 2 ? s->val & 0x1ffff : s->len, VB_NEXT | dir, 2);
	vb_desc(b, q, 2, VB_DATA + 0x20000, s->val >> 20, dir, 0);
	vb_offer(b, q, s->more >> 2 & 3);
}

static void outside(struct virtio_bench *b, const struct hostile_step *s)
{
	uint8_t frame[300] = {0, 0, (uint8_t)(s->val >> 8 & 1), (uint8_t)s->val};
	size_t len = s->where & 1 ? 4U + frame[2] * 256U + frame[3] : s->len;

	(void)b;
	if (s->where & 2)
		memcpy(frame, &s->val, 4); /* no frame's length, as a rule */
	if (s->where & 4)
		swallow();
	if (len > sizeof(frame))
		len = sizeof(frame);
	if (!other.ended && write(other.fd, frame, len) < 0)
		swallow();
	if (s->where == 0xff && !other.ended) {
		swallow();
		other.ended = true;
		shutdown(other.fd, SHUT_RDWR);
	}
}

/* What is under way may end, or the reset cuts it, and the link. */
static void check_frame(struct virtio_bench *b, bool wait)
{
	uint64_t before;

	for (int i = 0; wait && i < 100; i++) {
		swallow();
		fake_serve(b->fe);
	}
	vb_start(b, VB_FEATURES);
	swallow();
	if (other.ended ||
	    !(vb_read(b, 0x100 + 4) >> 16 & 1)) /* status is bytes 6 and 7 of the configuration */
		return;
	if (other.left || other.have)
		abort(); /* half a frame, and the link up */
	before = other.frames;
	vb_desc(b, 1, 0, VB_DATA, HEADER + 60, 0, 0);
	vb_offer(b, 1, 0);
	swallow();
	if (vb_used_idx(b, 1) != 1 || other.frames != before + 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hostile_driver h = {request, outside};
	struct virtio_bench *b;
	int pair[2];
	char arg[64];

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	memset(&other, 0, sizeof(other));
	other.fd = pair[1];
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	snprintf(arg, sizeof(arg), "stream,fd=%d,if=virtio-mmio", pair[0]);
	b = VBENCH("--net", arg);
	if (!b->dev)
		abort();
	hostile_drive(b, &h, data, size);
	check_frame(b, size & 1);
	virtio_bench_free(b);
	close(other.fd);
	return 0;
}
