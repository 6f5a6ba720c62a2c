/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

ssize_t file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	if (fd < 0)
		return -errno;
	while (have < size - 1) {
		ssize_t n = read(fd, buf + have, size - 1 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		if (n == 0)
			break;
		have += (size_t)n;
	}
	close(fd);
	buf[have] = '\0';
	return (ssize_t)have;
}

bool file_line(const char *path, char *buf, size_t size)
{
	if (file_read(path, buf, size) < 0)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int file_append(int to, const char *from)
{
	char buf[65536];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n) {
			close(fd);
			return -ENOSPC;
		}
	}
	close(fd);
	return n < 0 ? -EIO : 0;
}

int file_in_memory(void)
{
	int fd = memfd_create("file", 0);

	if (fd < 0)
		test_error("memfd_create: %s", strerrorname_np(errno));
	return fd;
}

const char *file_name_of(int fd, char name[32])
{
	snprintf(name, 32, "/proc/self/fd/%d", fd);
	return name;
}
