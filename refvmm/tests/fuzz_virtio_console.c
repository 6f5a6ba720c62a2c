/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of a console on a socket, whose other end types, reads late and hangs up. After a reset what is sent
 * arrives, and what is typed as well, unless the other end is gone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/virtio_hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int other;
static bool ended;

static size_t swallow(uint8_t *last)
{
	static uint8_t buf[70000];
	size_t all = 0;
	ssize_t n;

	while (!ended && (n = read(other, buf, sizeof(buf))) > 0) {
		all += (size_t)n;
		*last = buf[n - 1];
	}
	return all;
}

static void request(struct virtio_bench *b, const struct hostile_step *s)
{
	unsigned q = s->where & 1;
	uint16_t dir = q ? 0 : VB_WRITE;

	vb_desc(b, q, 0, VB_DATA, s->len, VB_NEXT | dir, 1);
	vb_desc(b, q, 1, VB_DATA + 64, s->val & 0x3ffff, dir, 0);
	vb_offer(b, q, s->more & 1);
}

static void outside(struct virtio_bench *b, const struct hostile_step *s)
{
	uint8_t text[256], last;

	(void)b;
	memset(text, (int)s->val, sizeof(text));
	if (!ended && write(other, text, s->len) < 0)
		swallow(&last);
	if (s->where & 1)
		swallow(&last);
	if (s->where == 0xff) {
		ended = true;
		shutdown(other, SHUT_RDWR);
	}
}

static void check_line(struct virtio_bench *b)
{
	uint8_t last = 0, *at = vb_at(b, VB_DATA);

	vb_start(b, VB_FEATURES);
	swallow(&last);
	memset(at, 'x', 200);
	at[99] = 'y';
	vb_desc(b, 1, 0, VB_DATA, 100, 0, 0);
	vb_offer(b, 1, 0);
	if (vb_used_idx(b, 1) != 1 || (!ended && (swallow(&last) != 100 || last != 'y')))
		abort();
	if (ended)
		return;
	if (write(other, "z", 1) != 1)
		abort();
	vb_desc(b, 0, 0, VB_DATA + 0x1000, 1, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	fake_serve(b->fe);
	if (vb_used_idx(b, 0) != 1 || vb_used_len(b, 0) != 1) /* it, or what was typed before */
		abort();
}

/* A socket that refvmm connects to; removed at once. */
static struct virtio_bench *bench(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct virtio_bench *b;
	char arg[160];

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/refvmm-fuzz-console-%d", getpid());
	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		abort();
	snprintf(arg, sizeof(arg), "virtio-mmio,socket=%s", a.sun_path);
	b = VBENCH("--console", arg);
	other = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!b->dev || other < 0)
		abort();
	unlink(a.sun_path);
	close(fd);
	return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hostile_driver h = {request, outside};
	struct virtio_bench *b;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	b = bench();
	ended = false;
	hostile_drive(b, &h, data, size);
	check_line(b);
	virtio_bench_free(b);
	close(other);
	return 0;
}
