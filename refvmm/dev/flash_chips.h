/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chips of one flash bank: what a guest reads of them, and what a write does to them. They know their manual and
 * nothing of the board: not where they are, and not that their array may be mapped.
 */
#ifndef REFVMM_DEV_FLASH_CHIPS_H
#define REFVMM_DEV_FLASH_CHIPS_H

#include <stdlib.h>

#include "dev/flash_store.h"

#define FLASH_SECTORS (FLASH_BANK_SIZE / FLASH_SECTOR_SIZE)

enum flash_shows {
	FLASH_ARRAY,
	FLASH_STATUS,
	FLASH_ID,
	FLASH_QUERY,
};

/* What the next write is. While it is no command, and while they are busy, the chips show their status. */
enum flash_expects {
	ANY_COMMAND,
	ERASE_CONFIRM,
	LOCK_WHICH,
	PROGRAM_DATA,
	BUFFER_COUNT,
	BUFFER_DATA,
	BUFFER_CONFIRM,
};

struct flash_chips {
	struct dev *dev; /* who hears of a guest that breaks the rules */
	struct flash_store store;
	uint8_t *buffer; /* FLASH_BUFFER_SIZE, once needed */
	struct env_work work;

	/* At power-on all of the following is 0. */
	enum flash_shows shows;
	enum flash_expects expects;
	bool busy; /* with `change`; what it consists of is not ours to touch */
	struct flash_change change;
	int saved;	    /* how it went in the file */
	uint8_t word[4];    /* what it consists of, if it is no buffer */
	uint8_t errors;	    /* status bits, which stay until cleared */
	uint32_t count;	    /* writes to the buffer still to come */
	uint64_t buffer_at; /* where it goes: the first word of data says so */
	uint32_t low, high; /* the bytes of it that were written */
	uint8_t locked[FLASH_SECTORS / 8];
};

/* These two are here because every machine runs them, and most nothing else of the chips (link.ld). */
static inline void flash_chips_reset(struct flash_chips *c)
{
	*c = (struct flash_chips){.dev = c->dev, .store = c->store, .buffer = c->buffer};
}

static inline void flash_chips_free(struct flash_chips *c)
{
	free(c->buffer);
	flash_store_close(&c->store);
}

/* Up to 8 bytes; the array's if the store is open, else the status. */
uint64_t flash_chips_read(const struct flash_chips *c, uint64_t off, unsigned len);
/* Up to 4, which is what both chips are wide; the store is open. */
void flash_chips_write(struct flash_chips *c, uint64_t off, unsigned len, uint64_t val);

#endif
