/* SPDX-License-Identifier: Apache-2.0 */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

#define FORGET_BYTES (1UL << 20) /* less is not worth a system call */

int file_open(struct file *f, const char *option, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
	void *p;
	int err = 0;

	*f = (struct file){0};
	if (fd < 0)
		return err_usage("%s %s: %s", option, path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_usage("%s %s: not a regular file", option, path);
	}
	if (!st.st_size) {
		close(fd);
		return err_usage("%s %s: empty file", option, path);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err = errno;
	close(fd);
	if (err)
		return err_host(err, "%s %s: mmap", option, path);
	*f = (struct file){p, (size_t)st.st_size};
	return 0;
}

int file_scratch(struct file *f, size_t len, void **out)
{
	int fd = memfd_create("unpacked", MFD_CLOEXEC), err = 0;

	*f = (struct file){0};
	if (fd < 0)
		return -errno;
	*out = ftruncate(fd, (off_t)len)
		       ? MAP_FAILED
		       : mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*out == MAP_FAILED)
		err = errno;
	close(fd);
	if (!err)
		*f = (struct file){*out, len};
	return -err;
}

int file_scratch_done(struct file *f)
{
	return mprotect((void *)(uintptr_t)f->data, f->len, PROT_READ) ? -errno : 0;
}

void file_forget(const struct file *f)
{
	if (f->len >= FORGET_BYTES)
		madvise((void *)(uintptr_t)f->data, f->len, MADV_DONTNEED);
}

void file_close(struct file *f)
{
	if (f->data)
		munmap((void *)(uintptr_t)f->data, f->len);
	f->data = NULL;
}
