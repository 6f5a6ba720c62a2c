/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/flash_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/file.h"
#include "refuse.h"

#define COPY_SIZE 4096U
#define SUFFIXED  4096U /* longest path with a suffix behind it */

static bool suffixed(char *buf, const char *path, const char *suffix)
{
	int n = snprintf(buf, SUFFIXED, "%s%s", path, suffix);

	return n > 0 && (unsigned)n < SUFFIXED;
}

/* A regular file of at most a bank; returns an open descriptor or a negative error, logged. */
static int open_image(const char *option, const char *path, int flags, uint64_t *size)
{
	int fd = open(path, flags | O_CLOEXEC);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return err_usage("%s %s: %s", option, path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		ret = err_usage("%s %s: not a regular file", option, path);
	else if (!st.st_size)
		ret = err_usage("%s %s: empty file", option, path);
	else if ((uint64_t)st.st_size > FLASH_BANK_SIZE)
		ret = err_usage("%s %s: %" PRIu64 " bytes; a flash bank holds %llu MiB", option,
				path, (uint64_t)st.st_size, FLASH_BANK_SIZE >> 20);
	if (ret) {
		close(fd);
		return ret;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static int check_sectors(const char *option, const char *path, uint64_t size)
{
	return size % FLASH_SECTOR_SIZE
		       ? err_usage("%s %s: %" PRIu64 " bytes are no whole number of flash sectors "
				   "(%llu KiB)",
				   option, path, size, FLASH_SECTOR_SIZE >> 10)
		       : 0;
}

static int check_image(const char *option, const char *path, int flags, bool sectors)
{
	uint64_t size = 0;
	int fd = open_image(option, path, flags, &size);

	if (fd < 0)
		return fd;
	close(fd);
	return sectors ? check_sectors(option, path, size) : 0;
}

/* Of all that is no firmware for this board only what is certain is named. */
static int check_refused(const char *path)
{
	struct file f;
	int ret = file_open(&f, "--firmware", path);
	size_t part = f.len < 1024 ? f.len : 1024;
	const struct refusal *r =
		ret ? NULL : refuse_image(f.data, part, f.data + f.len - part, part);

	if (r && strcmp(r->name, "arm64-firmware") != 0)
		ret = refuse(r, path);
	file_close(&f);
	return ret;
}

int flash_store_check_rom(const char *path)
{
	int ret = check_image("--firmware", path, O_RDONLY, false);

	return ret ? ret : check_refused(path);
}

int flash_store_check_vars(const char *path, const char *template)
{
	if (!access(path, F_OK))
		return check_image("--vars", path, O_RDWR, true);
	if (errno != ENOENT)
		return err_usage("--vars %s: %s", path, strerror(errno));
	if (!template)
		return 0;
	return check_image("--vars-template", template, O_RDONLY, true);
}

static int map_at(struct flash_store *s, uint64_t off, uint64_t size, int fd, uint64_t from)
{
	void *p = mmap(s->mem + off, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		       (off_t)from);

	return p == MAP_FAILED ? -errno : 0;
}

static int make_ones(struct flash_store *s)
{
	uint8_t ones[4096];
	int ret = 0;

	if (s->ones >= 0)
		return 0;
	s->ones = memfd_create("erased flash", MFD_CLOEXEC);
	if (s->ones < 0)
		return -errno;
	memset(ones, 0xff, sizeof(ones));
	for (uint64_t at = 0; !ret && at < FLASH_SECTOR_SIZE; at += sizeof(ones)) {
		if (pwrite(s->ones, ones, sizeof(ones), (off_t)at) != sizeof(ones))
			ret = errno ? -errno : -ENOMEM;
	}
	return ret;
}

static int erase_sectors(struct flash_store *s, uint64_t from, uint64_t to)
{
	int ret = make_ones(s);

	for (; !ret && from < to; from += FLASH_SECTOR_SIZE)
		ret = map_at(s, from, FLASH_SECTOR_SIZE, s->ones, 0);
	return ret;
}

/*
 * The file where it has data. Its holes are zeros without it: a look at a hole that is mapped makes tmpfs find memory
 * for it, and what finds none is a bus error.
 */
static int map_file(struct flash_store *s, int fd, uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int ret = 0;

	for (uint64_t at = 0; !ret && at < size;) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			return 0;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0) { /* a file system that does not know */
			data = (off_t)at;
			hole = (off_t)size;
		}
		at = ((uint64_t)hole + page - 1) & ~(page - 1);
		data &= ~(off_t)(page - 1);
		ret = map_at(s, (uint64_t)data, at - (uint64_t)data, fd, (uint64_t)data);
	}
	return ret;
}

/* `fd`, of `size` bytes, and behind it erased sectors. */
static int fill(struct flash_store *s, int fd, uint64_t size)
{
	uint64_t end = (size + FLASH_SECTOR_SIZE - 1) & ~(FLASH_SECTOR_SIZE - 1);
	void *p = mmap(NULL, FLASH_BANK_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int ret;

	if (p == MAP_FAILED)
		return -errno;
	s->mem = p;
	ret = map_file(s, fd, size);
	if (!ret)
		memset(s->mem + size, 0xff, end - size);
	return ret ? ret : erase_sectors(s, end, FLASH_BANK_SIZE);
}

int flash_store_open(struct flash_store *s)
{
	return s->mem ? 0 : fill(s, -1, 0);
}

int flash_store_open_rom(struct flash_store *s, const char *path)
{
	uint64_t size = 0;
	int fd = open_image("--firmware", path, O_RDONLY, &size), ret;

	*s = FLASH_STORE_NONE;
	s->readonly = true;
	if (fd < 0)
		return fd;
	ret = fill(s, fd, size);
	close(fd);
	return ret ? err_host(-ret, "--firmware %s: mmap", path) : 0;
}

/* Holes stay holes: a template is mostly zeros. */
static int copy(int to, int from, uint64_t size)
{
	static const uint8_t zeros[COPY_SIZE];
	uint8_t buf[COPY_SIZE];

	for (uint64_t at = 0; at < size; at += COPY_SIZE) {
		size_t want = size - at < COPY_SIZE ? (size_t)(size - at) : COPY_SIZE;
		ssize_t n = pread(from, buf, want, (off_t)at);

		if (n != (ssize_t)want)
			return n < 0 ? -errno : -EIO;
		if (!memcmp(buf, zeros, want))
			continue;
		n = pwrite(to, buf, want, (off_t)at);
		if (n != (ssize_t)want)
			return n < 0 ? -errno : -ENOSPC;
	}
	if (ftruncate(to, (off_t)size) || fsync(to))
		return -errno;
	return 0;
}

/*
 * The file appears under its name when it is whole, or not at all. Without a template it is zeros,
 * as Debian's is: firmware that finds no variable store there formats one.
 */
static int create_vars(const char *path, const char *template)
{
	uint64_t size = FLASH_BANK_SIZE;
	int from = -1, to, ret;
	char temp[SUFFIXED];

	if (!suffixed(temp, path, ".XXXXXX"))
		return err_usage("--vars %s: name too long", path);
	if (template) {
		from = open_image("--vars-template", template, O_RDONLY, &size);
		if (from < 0)
			return from;
	}
	to = mkostemp(temp, O_CLOEXEC);
	if (to < 0)
		ret = -errno;
	else if (template)
		ret = copy(to, from, size);
	else
		ret = ftruncate(to, (off_t)size) ? -errno : 0;
	if (from >= 0)
		close(from);
	if (to < 0)
		return err_usage("--vars %s: cannot be made: %s", path, strerror(-ret));
	close(to);
	/* link(): whoever made it meanwhile keeps his */
	if (!ret && link(temp, path) && errno != EEXIST)
		ret = -errno;
	unlink(temp);
	return ret ? err_usage("--vars %s: cannot be made: %s", path, strerror(-ret)) : 0;
}

static int open_journal(struct flash_store *s)
{
	char name[SUFFIXED];

	if (!suffixed(name, s->path, ".journal"))
		return err_usage("--vars %s: name too long", s->path);
	s->journal = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->journal < 0)
		return err_usage("--vars %s: its journal %s: %s", s->path, name, strerror(errno));
	return 0;
}

static int recover(struct flash_store *s)
{
	int ret = flash_journal_replay(s->journal, s->fd, s->limit);

	if (ret < 0)
		return err_usage("--vars %s: the change a crash interrupted cannot be finished: %s",
				 s->path, strerror(-ret));
	if (ret)
		err_note("--vars %s: finished the change that a crash interrupted", s->path);
	return 0;
}

int flash_store_open_vars(struct flash_store *s, const char *path, const char *template)
{
	int ret = access(path, F_OK) ? create_vars(path, template) : 0;

	*s = FLASH_STORE_NONE;
	s->path = path;
	if (ret)
		return ret;
	s->fd = open_image("--vars", path, O_RDWR, &s->limit);
	if (s->fd < 0) {
		ret = s->fd;
		s->fd = -1;
		return ret;
	}
	if (flock(s->fd, LOCK_EX | LOCK_NB) &&
	    errno == EWOULDBLOCK) { /* ENOSYS: nobody has locks */
		ret = err_usage("--vars %s: in use by another machine", path);
		close(s->fd); /* and its journal is the other's */
		s->fd = -1;
		return ret;
	}
	ret = check_sectors("--vars", path, s->limit);
	if (!ret)
		ret = open_journal(s);
	if (!ret)
		ret = recover(s);
	if (ret)
		return ret;
	ret = fill(s, s->fd, s->limit);
	return ret ? err_host(-ret, "--vars %s: mmap", path) : 0;
}

void flash_store_close(struct flash_store *s)
{
	char name[SUFFIXED];
	struct stat st;

	if (s->mem)
		munmap(s->mem, FLASH_BANK_SIZE);
	if (s->ones >= 0)
		close(s->ones);
	if (s->journal >= 0) {
		/* Nothing of it is needed unless a change could not be undone. */
		uint64_t left = 0;

		if (pread(s->journal, &left, sizeof(left), 0) >= 0 && !left &&
		    !fstat(s->journal, &st) && suffixed(name, s->path, ".journal"))
			unlink(name);
		close(s->journal);
	}
	if (s->fd >= 0)
		close(s->fd);
	*s = FLASH_STORE_NONE;
}

int flash_store_save(struct flash_store *s, const struct flash_change *c)
{
	int ret;

	if (s->readonly || !s->path)
		return s->readonly ? -EROFS : 0;
	ret = c->off + c->len > s->limit ? -EFBIG : flash_journal_apply(s->journal, s->fd, c);
	if (ret && !s->told)
		err_note("--vars %s: not written at 0x%" PRIx64 ", and the file is as it was: %s",
			 s->path, c->off, strerror(-ret));
	s->told = ret;
	return ret;
}

int flash_store_show(struct flash_store *s, const struct flash_change *c)
{
	if (!c->data)
		return erase_sectors(s, c->off, c->off + c->len);
	memcpy(s->mem + c->off, c->data, c->len);
	return 0;
}
