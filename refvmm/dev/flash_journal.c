/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a flash file: one record, of the change that is being made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/flash_store.h"

#define MAGIC 0x314a465341ULL /* "ASFJ1" */

struct header {
	uint64_t magic;
	uint64_t off;
	uint32_t len;
	uint32_t fill; /* 1: the change is `len` bytes of 0xff, and no data follow */
	uint32_t crc;  /* of the header with crc 0, and of the data */
	uint32_t zero;
};

struct record {
	struct header h;
	uint8_t data[FLASH_BUFFER_SIZE];
};

uint32_t flash_journal_crc(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint32_t crc = UINT32_MAX;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* *done says how far it came. */
static int write_at(int fd, uint64_t off, const uint8_t *p, size_t len, size_t *done)
{
	for (*done = 0; *done < len;) {
		ssize_t n = pwrite(fd, p + *done, len - *done, (off_t)(off + *done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		*done += (size_t)n;
	}
	return 0;
}

static int fill_at(int fd, uint64_t off, size_t len, size_t *done)
{
	uint8_t ones[4096];
	int ret = 0;

	memset(ones, 0xff, sizeof(ones));
	for (*done = 0; !ret && *done < len;) {
		size_t n = len - *done < sizeof(ones) ? len - *done : sizeof(ones), part;

		ret = write_at(fd, off + *done, ones, n, &part);
		*done += part;
	}
	return ret;
}

static int sync_file(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}

/* One write, so that a crash leaves it whole or with a wrong checksum. */
static int put_record(int journal, const struct flash_change *c)
{
	struct record r = {
		.h = {.magic = MAGIC, .off = c->off, .len = (uint32_t)c->len, .fill = !c->data}};
	size_t n = sizeof(r.h), done;
	int ret;

	if (c->data) {
		memcpy(r.data, c->data, c->len);
		n += c->len;
	}
	r.h.crc = flash_journal_crc(&r, n);
	ret = write_at(journal, 0, (const uint8_t *)&r, n, &done);
	return ret ? ret : sync_file(journal);
}

/* Needs no sync: a record that comes back describes what has been done. */
static void drop_record(int journal)
{
	static const struct header none;
	size_t done;

	if (write_at(journal, 0, (const uint8_t *)&none, sizeof(none), &done))
		(void)!ftruncate(journal, 0);
}

static int change(int fd, const struct flash_change *c, size_t *done)
{
	int ret = c->data ? write_at(fd, c->off, c->data, c->len, done)
			  : fill_at(fd, c->off, c->len, done);

	return ret ? ret : sync_file(fd);
}

static int apply(int journal, int fd, const struct flash_change *c, const uint8_t *old)
{
	struct flash_change undo = {.off = c->off, .data = old};
	int ret = put_record(journal, c);
	size_t done;

	if (ret) {
		drop_record(journal);
		return ret;
	}
	ret = change(fd, c, &undo.len);
	/* What was written has its place on the disk now, so that writing there again succeeds. */
	if (ret && change(fd, &undo, &done))
		return ret; /* the record stays: the next start makes the change whole */
	drop_record(journal);
	return ret;
}

int flash_journal_apply(int journal, int fd, const struct flash_change *c)
{
	uint8_t *old = malloc(c->len);
	ssize_t n = old ? pread(fd, old, c->len, (off_t)c->off) : -1;
	int ret = !old ? -ENOMEM : n < 0 ? -errno : n != (ssize_t)c->len ? -EIO : 0;

	if (!ret)
		ret = apply(journal, fd, c, old);
	free(old);
	return ret;
}

int flash_journal_replay(int journal, int fd, uint64_t limit)
{
	struct record r = {0};
	ssize_t n = pread(journal, &r, sizeof(r), 0);
	struct flash_change c;
	uint32_t crc = r.h.crc;
	size_t want, done;
	int ret;

	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(r.h) || r.h.magic != MAGIC || r.h.fill > 1 ||
	    (r.h.fill ? r.h.len > FLASH_SECTOR_SIZE : r.h.len > sizeof(r.data)))
		return 0;
	want = sizeof(r.h) + (r.h.fill ? 0 : r.h.len);
	r.h.crc = 0;
	if ((size_t)n < want || flash_journal_crc(&r, want) != crc || r.h.off > limit ||
	    r.h.len > limit - r.h.off)
		return 0;
	c = (struct flash_change){.off = r.h.off, .len = r.h.len, .data = r.h.fill ? NULL : r.data};
	ret = change(fd, &c, &done);
	if (ret)
		return ret;
	drop_record(journal);
	return 1;
}
