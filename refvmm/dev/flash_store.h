/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a flash bank remembers: a file, or nothing (erased). Erased sectors are all views of one
 * sector of ones, so that they take no memory until something is programmed.
 *
 * A file that is written is never torn. Each change first goes to FILE.journal as one record with
 * a checksum, then to FILE, and both are on the disk before the guest sees its command done. A
 * record that is whole was perhaps not carried out: the next start carries it out again, which
 * does no harm if it was. A record that is not whole was not begun. What cannot be written leaves
 * FILE as it was.
 */
#ifndef REFVMM_DEV_FLASH_STORE_H
#define REFVMM_DEV_FLASH_STORE_H

#include "dev/flash.h"

struct flash_store {
	uint8_t *mem;	  /* FLASH_BANK_SIZE; NULL: erased, and nobody has looked */
	int ones;	  /* the sector of ones, -1 until needed */
	const char *path; /* of the file; NULL: forgotten at the end */
	uint64_t limit;	  /* the file's size: what lies behind it cannot be written */
	int fd, journal;  /* of a file that is written, else -1 */
	bool readonly;
	bool told; /* that the file cannot be written */
};

#define FLASH_STORE_NONE                            \
	(struct flash_store)                        \
	{                                           \
		.ones = -1, .fd = -1, .journal = -1 \
	}

/* Both check without changing anything: 0, or a usage error. */
int flash_store_check_rom(const char *path);
int flash_store_check_vars(const char *path, const char *template);

/* 0 or a negative error, logged. */
int flash_store_open_rom(struct flash_store *s, const char *path);
int flash_store_open_vars(struct flash_store *s, const char *path, const char *template);
void flash_store_close(struct flash_store *s);

/* Makes an erased bank that nobody has looked at yet; does nothing to another. */
int flash_store_open(struct flash_store *s);

struct flash_change {
	uint64_t off;
	size_t len;
	const uint8_t *data; /* NULL: 0xff */
};

/*
 * A change is made in two steps, whole or not at all (-errno). First in the file, which takes as long as the file takes
 * and changes nothing that the guest sees; then in memory.
 */
int flash_store_save(struct flash_store *s, const struct flash_change *c);
int flash_store_show(struct flash_store *s, const struct flash_change *c);

/* flash_journal.c: a change of a file that is whole after a crash. 0 or -errno, unlogged; after an error the file is as before. */
int flash_journal_apply(int journal, int fd, const struct flash_change *c);
/* Carries out the record that a crash left behind; 1: there was one, 0: none, or -errno. */
int flash_journal_replay(int journal, int fd, uint64_t limit);
/* CRC-32 (IEEE 802.3) of a record whose own `crc` is 0. */
uint32_t flash_journal_crc(const void *buf, size_t len);

#endif
