/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a journal that anybody may have left beside a flash file, most often with a checksum that is right.
 * What is carried out is what the record says and nothing else, once; a change that is applied leaves no record.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev/flash_store.h"

#define FILE_BYTES (3 * FLASH_SECTOR_SIZE)

struct header {
	uint64_t magic, off;
	uint32_t len, fill, crc, zero;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Before and after, and the two files. */
static struct {
	int fd, journal;
	uint8_t *was, *is;
} f;

static void open_files(void)
{
	f.fd = memfd_create("flash", MFD_CLOEXEC);
	f.journal = memfd_create("journal", MFD_CLOEXEC);
	f.was = malloc(FILE_BYTES);
	f.is = malloc(FILE_BYTES);
	if (f.fd < 0 || f.journal < 0 || !f.was || !f.is)
		abort();
	memset(f.was, 0x42, FILE_BYTES);
	if (pwrite(f.fd, f.was, FILE_BYTES, 0) != (ssize_t)FILE_BYTES)
		abort();
}

/* The file holds [off, off + len) of `data` (NULL: ones) and is otherwise as it was. */
static void check(uint64_t off, size_t len, const uint8_t *data)
{
	if (data)
		memcpy(f.was + off, data, len);
	else
		memset(f.was + off, 0xff, len);
	if (lseek(f.fd, 0, SEEK_END) != (off_t)FILE_BYTES ||
	    pread(f.fd, f.is, FILE_BYTES, 0) != (ssize_t)FILE_BYTES ||
	    memcmp(f.was, f.is, FILE_BYTES) != 0)
		abort();
}

static void replay(const uint8_t *data, size_t size, uint8_t how)
{
	struct header h = {0};
	uint8_t *record = malloc(size ? size : 1);
	int ret;

	if (!record)
		abort();
	memcpy(record, data, size);
	memcpy(&h, record, size < sizeof(h) ? size : sizeof(h));
	if (size >= sizeof(h) && how & 1) {
		h.magic = 0x314a465341ULL;
		h.off &= how & 2 ? UINT64_MAX : 0xfffff;
		h.len &= how & 4 ? UINT32_MAX : 0x1ff;
		h.fill &= how & 8 ? UINT32_MAX : 1;
		if (h.fill && how & 16)
			h.len <<= 9;
		h.crc = 0;
		memcpy(record, &h, sizeof(h));
		h.crc = flash_journal_crc(record, sizeof(h) + (h.fill ? 0
							       : h.len < size - sizeof(h)
								       ? h.len
								       : size - sizeof(h)));
		memcpy(record, &h, sizeof(h));
	}
	if (ftruncate(f.journal, 0) || pwrite(f.journal, record, size, 0) != (ssize_t)size)
		abort();
	ret = flash_journal_replay(f.journal, f.fd, FILE_BYTES);
	if (ret < 0 || (ret && h.off + h.len > FILE_BYTES))
		abort();
	check(ret ? h.off : 0, ret ? h.len : 0, h.fill ? NULL : record + sizeof(h));
	if (ret && flash_journal_replay(f.journal, f.fd, FILE_BYTES))
		abort();
	free(record);
}

static void apply(const uint8_t *data, size_t size, uint32_t at)
{
	struct flash_change c = {.off = at % FILE_BYTES,
				 .len = size < FLASH_BUFFER_SIZE ? size : FLASH_BUFFER_SIZE,
				 .data = at >> 24 & 1 ? NULL : data};
	int ret;

	if (c.len > FILE_BYTES - c.off)
		c.len = FILE_BYTES - c.off;
	ret = flash_journal_apply(f.journal, f.fd, &c);
	if (ret)
		abort();
	check(c.off, c.len, c.data);
	if (flash_journal_replay(f.journal, f.fd, FILE_BYTES))
		abort();
	check(0, 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t at;

	if (size < 6)
		return 0;
	if (!f.was)
		open_files();
	memcpy(&at, data + 1, sizeof(at));
	if (data[0] & 0x80)
		apply(data + 5, size - 5, at);
	else
		replay(data + 5, size - 5, data[0]);
	return 0;
}
