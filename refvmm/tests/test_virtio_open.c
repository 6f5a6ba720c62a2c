/* SPDX-License-Identifier: Apache-2.0 */
/* The host's files behind virtio devices: what can be one, and what is refused before anything else exists. */
#include "core/err.h"
#include "core/file.h"
#include "tests/unit.h"
#include "tests/virtio_bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define USAGE ((uint64_t)-ERR_USAGE)

/* What opening the device of this option says; its name is `path`, where %s is. */
static int opened(const char *option, const char *format, const char *path)
{
	char *arg;
	struct virtio_bench *b;
	int err;

	if (asprintf(&arg, format, path) < 0)
		abort();
	b = VBENCH(option, arg);
	err = b->err;
	virtio_bench_free(b);
	free(arg);
	return err;
}

/* A file in memory, of which nothing is left; until the next is asked for. */
static const char *file_of(size_t bytes)
{
	static char path[32];
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("file", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

TEST(virtio_open, a_disk_is_a_file_of_whole_sectors)
{
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", file_of(512)), 0);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", file_of(511)), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", file_of(513)), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", file_of(0)), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", "/tmp"), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio,readonly=on", "/tmp"), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio,readonly=on", "/dev/null"), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", "/tmp/no/such/disk"), USAGE);
}

TEST(virtio_open, a_disk_has_one_writer_or_many_readers)
{
	const char *path = file_of(512);
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CLOEXEC);

	EXPECT_EQ(fcntl(fd, F_OFD_SETLK, &l), 0);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", path), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio,readonly=on", path), 0);
	l.l_type = F_WRLCK;
	EXPECT_EQ(fcntl(fd, F_OFD_SETLK, &l), 0);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio,readonly=on", path), USAGE);
	close(fd);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", path), 0);
}

TEST(virtio_open, names_that_are_too_long_or_lead_nowhere)
{
	char name[5000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", name), USAGE);
	EXPECT_EQ(opened("--console", "virtio-mmio,file=%s", name), USAGE);
	EXPECT_EQ(opened("--net", "tap,if=virtio-mmio,ifname=%s", name), USAGE);
	EXPECT_EQ(opened("--console", "virtio-mmio,file=%s", "/tmp/no/such/folder"), USAGE);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,path=%s", "/tmp/no/such/socket"), USAGE);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,path=%s", file_of(0)), USAGE);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,path=%s", "/tmp"), USAGE);
}

/* unix(7): sun_path has 108 bytes, one of them for the NUL. */
TEST(virtio_open, a_socket_s_name_is_not_cut_off)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char longer[sizeof(a.sun_path) + 1], unique[40];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(longer, 'x', sizeof(longer));
	memcpy(longer, unique,
	       (size_t)snprintf(unique, sizeof(unique), "/tmp/refvmm-%d-", getpid()));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(a.sun_path, longer, sizeof(a.sun_path) - 1);
	EXPECT(!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 8));
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,path=%s", a.sun_path), 0);
	EXPECT_EQ(opened("--console", "virtio-mmio,socket=%s", a.sun_path), 0);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,path=%s", longer), USAGE);
	EXPECT_EQ(opened("--console", "virtio-mmio,socket=%s", longer), USAGE);
	unlink(a.sun_path);
	close(fd);
}

/* It might be a disk of this machine, opened just before. */
TEST(virtio_open, a_descriptor_is_what_it_is_said_to_be)
{
	char number[12];
	int pair[2], file = open(file_of(512), O_RDWR | O_CLOEXEC);

	if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	snprintf(number, sizeof(number), "%d", file);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,fd=%s", number), USAGE);
	file = open("/dev/null", O_RDWR | O_CLOEXEC); /* the bench closed the other */
	snprintf(number, sizeof(number), "%d", file);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,fd=%s", number), USAGE);
	snprintf(number, sizeof(number), "%d", pair[0]);
	EXPECT_EQ(opened("--net", "tap,if=virtio-mmio,fd=%s", number), USAGE);
	snprintf(number, sizeof(number), "%d", pair[1]);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,fd=%s", number), 0);
	EXPECT_EQ(opened("--net", "stream,if=virtio-mmio,fd=%s", "900"), USAGE);
}

/* One that nobody writes would be waited for for ever. */
TEST(virtio_open, a_fifo_is_no_disk_and_no_kernel)
{
	char path[40];
	struct file f;

	snprintf(path, sizeof(path), "/tmp/refvmm-fifo-%d", getpid());
	if (mkfifo(path, 0600))
		abort();
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio", path), USAGE);
	EXPECT_EQ(opened("--drive", "file=%s,if=virtio-mmio,readonly=on", path), USAGE);
	EXPECT_EQ(file_open(&f, "--kernel", path), USAGE);
	unlink(path);
}

TEST(virtio_open, a_console_may_be_standard_input_and_output)
{
	struct virtio_bench *b = VBENCH("--console", "virtio-mmio,stdio");

	EXPECT_EQ(b->err, 0);
	EXPECT_EQ(b->conf.dev[0].fd, STDIN_FILENO);
	virtio_bench_free(b);
	EXPECT(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it is not ours to close */
}
