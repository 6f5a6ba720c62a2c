/* SPDX-License-Identifier: Apache-2.0 */
/* The classes against files and sockets of the test, and what the options say to nonsense. */
#include "tests/unit.h"
#include "tests/virtio_bench.h"

#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"

#define CONFIG 0x100

/* ---- options */

static int option(const char *name, const char *arg)
{
	struct virtio_bench *b = VBENCH(name, arg);
	int err = b->err;

	virtio_bench_free(b);
	return err;
}

TEST(virtio_options, nonsense_is_a_usage_error)
{
	static const char *const wrong[][2] = {
		{"--drive", ""},
		{"--drive", "if=virtio"},
		{"--drive", "file="},
		{"--drive", "file=/nowhere"},
		{"--drive", "file=/"},
		{"--drive", "file=/proc/self/exe,readonly=on,bootindex=-1"},
		{"--drive", "file=/proc/self/exe,readonly=on,bootindex=2147483648"},
		{"--drive", "file=/proc/self/exe,readonly=on,bootindex="},
		{"--drive", "file=/proc/self/exe,readonly=on,bootindex"},
		{"--net", "tap,bootindex=first"},
		{"--rng", "bootindex=1"},
		{"--console", "virtio,bootindex=1"},
		{"--drive", "file=/dev/null,if=ide"},
		{"--drive", "file=/dev/null"},
		{"--drive", "file=/proc/self/exe,format=qcow2"},
		{"--drive", "file=/proc/self/exe,readonly=maybe"},
		{"--drive", "file=/proc/self/exe,port=31"},
		{"--drive", "file=x,serial=twenty-one-characters"},
		{"--drive", "file=x,,if=virtio"},
		{"--net", "virtio"},
		{"--net", "user"},
		{"--net", "stream"},
		{"--net", "stream,path=/nowhere"},
		{"--net", "stream,server=on,path=x"},
		{"--net", "tap,mac=52:54:00:12:34"},
		{"--net", "tap,mac=53:54:00:12:34:56"},
		{"--net", "tap,mac=52-54-00-12-34-56"},
		{"--net", "tap,ifname=a-name-that-is-too-long"},
		{"--net", "tap,fd=x"},
		{"--rng", "file=x"},
		{"--console", "virtio,socket=/nowhere"},
		{"--console", "virtio,file=/nowhere/x"},
		{"--console", "virtio,tcp=x"},
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int err = option(wrong[i][0], wrong[i][1]);

		if (err != -ERR_USAGE)
			unit_fail_str(__FILE__, __LINE__, wrong[i][1], "taken", "a usage error");
	}
	EXPECT_EQ(option("--rng", ""), 0);
	EXPECT_EQ(option("--console", "virtio"), 0);
}

TEST(virtio_options, a_disk_is_not_shared_by_writers)
{
	char path[] = "/tmp/virtio-unit-XXXXXX", arg[64], ro[80];
	int fd = mkstemp(path);
	struct virtio_bench *b;

	EXPECT_EQ(ftruncate(fd, 65536), 0);
	snprintf(arg, sizeof(arg), "file=%s", path);
	snprintf(ro, sizeof(ro), "file=%s,readonly=on", path);
	b = VBENCH("--drive", arg);
	EXPECT_EQ(b->err, 0);
	EXPECT_EQ(option("--drive", arg), -ERR_USAGE);
	EXPECT_EQ(option("--drive", ro), -ERR_USAGE);
	virtio_bench_free(b);
	b = VBENCH("--drive", ro, "--drive", ro);
	EXPECT_EQ(b->err, 0);
	EXPECT_EQ(option("--drive", arg), -ERR_USAGE);
	virtio_bench_free(b);
	unlink(path);
	close(fd);
}

/* ---- network */

static struct virtio_bench *net(int *other)
{
	struct virtio_bench *b;
	char arg[64];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		abort();
	snprintf(arg, sizeof(arg), "stream,fd=%d,if=virtio-mmio", pair[0]);
	b = VBENCH("--net", arg);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	*other = pair[1];
	vb_start(b, VB_FEATURES | 1U << 16 | 1U << 5);
	return b;
}

TEST(virtio_net, frames_go_out_behind_their_length)
{
	int other;
	struct virtio_bench *b = net(&other);
	uint8_t got[64];

	memcpy(vb_at(b, VB_DATA + 12), "frame", 5);
	vb_desc(b, 1, 0, VB_DATA, 12, VB_NEXT, 1);
	vb_desc(b, 1, 1, VB_DATA + 12, 5, 0, 0);
	vb_offer(b, 1, 0);
	EXPECT_EQ(vb_used_idx(b, 1), 1);
	EXPECT_EQ(read(other, got, sizeof(got)), 9);
	EXPECT(!memcmp(got, "\0\0\0\5frame", 9));
	vb_desc(b, 1, 0, VB_DATA, 12, 0, 0); /* a header alone is no frame */
	vb_offer(b, 1, 0);
	EXPECT_EQ(vb_used_idx(b, 1), 2);
	EXPECT_EQ((uint64_t)read(other, got, sizeof(got)), (uint64_t)-1);
	close(other);
	virtio_bench_free(b);
}

TEST(virtio_net, frames_come_in_whole_and_in_parts)
{
	int other;
	struct virtio_bench *b = net(&other);

	EXPECT_EQ(write(other, "\0\0\0\4one!\0\0", 10), 10);
	vb_desc(b, 0, 0, VB_DATA, 1526, VB_WRITE, 0);
	vb_desc(b, 0, 1, VB_DATA + 2048, 1526, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	fake_serve(b->fe);
	EXPECT_EQ(vb_used_idx(b, 0), 1);
	EXPECT_EQ(vb_used_len(b, 0), 16);
	EXPECT(!memcmp(vb_at(b, VB_DATA + 12), "one!", 4));
	EXPECT_EQ(((uint8_t *)vb_at(b, VB_DATA))[10], 1); /* num_buffers */
	EXPECT_EQ(write(other, "\0\3two\0\0\0\1x", 10), 10);
	vb_offer(b, 0, 1);
	fake_serve(b->fe);
	EXPECT_EQ(vb_used_idx(b, 0), 2);
	EXPECT(!memcmp(vb_at(b, VB_DATA + 2048 + 12), "two", 3));
	vb_offer(b, 0, 0); /* the third waited for a buffer */
	EXPECT_EQ(vb_used_idx(b, 0), 3);
	EXPECT_EQ(vb_used_len(b, 0), 13);
	close(other);
	virtio_bench_free(b);
}

TEST(virtio_net, a_frame_too_large_for_its_buffer_is_dropped)
{
	int other;
	struct virtio_bench *b = net(&other);

	EXPECT_EQ(write(other, "\0\0\0\4long\0\0\0\1s", 13), 13);
	vb_desc(b, 0, 0, VB_DATA, 14, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	fake_serve(b->fe);
	EXPECT_EQ(vb_used_idx(b, 0), 1);
	EXPECT_EQ(vb_used_len(b, 0), 13);
	EXPECT(!vb_needs_reset(b));
	close(other);
	virtio_bench_free(b);
}

/* A stream that ends, or that cannot be one, takes the link down: status, generation, interrupt. */
static void expect_link_down(struct virtio_bench *b, uint32_t generation)
{
	fake_serve(b->fe);
	EXPECT_EQ(vb_read(b, CONFIG + 4) >> 16 & 1, 0);
	EXPECT_EQ(vb_read(b, VIRTIO_MMIO_CONFIG_GENERATION), generation + 1);
	EXPECT_EQ(vb_read(b, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2);
	EXPECT_EQ(b->fe->nr_watch, 1); /* the doorbell's alone: nobody spins on a dead socket */
}

TEST(virtio_net, the_end_of_the_stream_takes_the_link_down)
{
	int other;
	struct virtio_bench *b = net(&other);
	uint32_t generation = vb_read(b, VIRTIO_MMIO_CONFIG_GENERATION);

	EXPECT_EQ(vb_read(b, CONFIG + 4) >> 16 & 1, 1);
	vb_desc(b, 0, 0, VB_DATA, 1526, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	close(other);
	expect_link_down(b, generation);
	virtio_bench_free(b);
}

TEST(virtio_net, a_length_of_nothing_takes_the_link_down)
{
	int other;
	struct virtio_bench *b = net(&other);
	uint32_t generation = vb_read(b, VIRTIO_MMIO_CONFIG_GENERATION);

	vb_desc(b, 0, 0, VB_DATA, 1526, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	EXPECT_EQ(write(other, "\0\1\0\0garbage", 11), 11);
	expect_link_down(b, generation);
	close(other);
	virtio_bench_free(b);
}

/* What the peer does not take waits, and nothing of it is lost or doubled. */
TEST(virtio_net, a_slow_peer_gets_everything)
{
	int other;
	struct virtio_bench *b = net(&other);
	size_t want = 0, got = 0, n = 0;
	static uint8_t buf[1 << 20];

	for (unsigned i = 0; i < 60000; i++)
		((uint8_t *)vb_at(b, VB_DATA + 12))[i] = (uint8_t)(i * 3);
	vb_desc(b, 1, 0, VB_DATA, 60012, 0, 0);
	for (unsigned i = 0; i < VB_SIZE; i++, want += 60004)
		vb_offer(b, 1, 0);
	EXPECT(vb_used_idx(b, 1) < VB_SIZE);
	while (got < want && n++ < 10000) {
		ssize_t r = read(other, buf, sizeof(buf));

		for (ssize_t i = 0; i < r; i++) {
			size_t at = (got + (size_t)i) % 60004;

			if (at >= 4 && buf[i] != (uint8_t)((at - 4) * 3)) {
				unit_fail(__FILE__, __LINE__, "byte of the stream", at, got);
				r = 0;
				want = 0;
			}
		}
		got += r > 0 ? (size_t)r : 0;
		fake_serve(b->fe);
	}
	EXPECT_EQ(got, want);
	EXPECT_EQ(vb_used_idx(b, 1), VB_SIZE);
	close(other);
	virtio_bench_free(b);
}

/* How long a frame is was said before its first byte. The other end must not take its middle for a new one. */
TEST(virtio_net, a_frame_that_changes_while_it_is_sent_takes_the_link_down)
{
	static const uint32_t changed[] = {12 + 60001, 12 + 59999, 12, 1 << 17};

	for (unsigned n = 0; n < sizeof(changed) / sizeof(changed[0]); n++) {
		static uint8_t buf[1 << 16];
		size_t got = 0;
		ssize_t r;
		int other;
		struct virtio_bench *b = net(&other);

		vb_desc(b, 1, 0, VB_DATA, 12 + 60000, 0, 0);
		for (unsigned i = 0; i < VB_SIZE; i++)
			vb_offer(b, 1, 0);
		EXPECT(vb_used_idx(b, 1) < VB_SIZE);
		EXPECT(vb_read(b, CONFIG + 4) >> 16 & 1);
		vb_desc(b, 1, 0, VB_DATA, changed[n], 0, 0);
		for (unsigned i = 0; i < 100; i++) {
			r = read(other, buf, sizeof(buf));
			got += r > 0 ? (size_t)r : 0;
			fake_serve(b->fe);
		}
		EXPECT(!(vb_read(b, CONFIG + 4) >> 16 & 1));
		EXPECT(got % 60004); /* it ends within that frame */
		EXPECT_EQ(vb_used_idx(b, 1), VB_SIZE);
		close(other);
		virtio_bench_free(b);
	}
}

/* ---- console */

TEST(virtio_console, output_reaches_the_file)
{
	char path[] = "/tmp/virtio-unit-XXXXXX", arg[80], got[16] = "";
	int fd = mkstemp(path);
	struct virtio_bench *b;

	snprintf(arg, sizeof(arg), "virtio-mmio,file=%s", path);
	b = VBENCH("--console", arg);
	vb_start(b, VB_FEATURES);
	memcpy(vb_at(b, VB_DATA), "hello", 5);
	vb_desc(b, 1, 0, VB_DATA, 2, VB_NEXT, 1);
	vb_desc(b, 1, 1, VB_DATA + 2, 3, 0, 0);
	vb_offer(b, 1, 0);
	EXPECT_EQ(vb_used_idx(b, 1), 1);
	EXPECT_EQ(read(fd, got, sizeof(got)), 5);
	EXPECT_STR(got, "hello");
	virtio_bench_free(b);
	unlink(path);
	close(fd);
}

/* ---- disk: a file that shrinks under the guest */

TEST(virtio_blk, a_file_that_shrank_is_an_io_error)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct virtio_bench *b;
	char arg[64];

	EXPECT_EQ(ftruncate(fd, 65536), 0);
	snprintf(arg, sizeof(arg), "file=/proc/self/fd/%d,if=virtio-mmio", fd);
	b = VBENCH("--drive", arg);
	ASSERT_EQ(b->err, 0);
	vb_start(b, VB_FEATURES);
	EXPECT_EQ(vb_read(b, CONFIG), 128);
	EXPECT_EQ(ftruncate(fd, 512), 0);
	*(uint64_t *)vb_at(b, VB_DATA + 8) = 100; /* sector; type 0: read */
	vb_desc(b, 0, 0, VB_DATA, 16, VB_NEXT, 1);
	vb_desc(b, 0, 1, VB_DATA + 512, 513, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	EXPECT_EQ(*(uint8_t *)vb_at(b, VB_DATA + 1024), 1);
	EXPECT_EQ(vb_used_len(b, 0), 0); /* nothing was written in front of the status */
	virtio_bench_free(b);
	close(fd);
}
