/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NOR flash with the Intel/Sharp command set (JEP137 0001; the commands' sequences: Intel StrataFlash P30 datasheet
 * 306666, chapters 10 to 13), two 16-bit chips side by side, which are always addressed together: a command may come
 * on either half or both.
 *
 * Operations take no time, but where a file has to be written: then the vCPU that asked goes on when it is, and
 * another finds the chips busy.
 */
#include "dev/flash_chips.h"

#include <string.h>

#include "dev/flash_cfi.h"

#define BUFFER_AT(off) ((off) & ~(uint64_t)(FLASH_BUFFER_SIZE - 1))

enum command {
	PROGRAM_OLD = 0x10,
	ERASE = 0x20,
	PROGRAM = 0x40,
	CLEAR_STATUS = 0x50,
	LOCK_SETUP = 0x60,
	READ_STATUS = 0x70,
	READ_ID = 0x90,
	READ_QUERY = 0x98,
	SUSPEND = 0xb0,
	CONFIRM = 0xd0, /* resume, when nothing waits for it */
	BUFFER = 0xe8,
	RESET_AMD = 0xf0, /* how probes ask for the other command set: back to the array */
	READ_ARRAY = 0xff,

	LOCK = 0x01,
	LOCK_DOWN = 0x2f,
};

enum {
	SR_LOCKED = 1 << 1,
	SR_PROGRAM = 1 << 4,
	SR_ERASE = 1 << 5,
	SR_SEQUENCE = SR_PROGRAM | SR_ERASE,
	SR_READY = 1 << 7,
};

static bool is_locked(const struct flash_chips *c, uint64_t off)
{
	uint64_t sector = off / FLASH_SECTOR_SIZE;

	return c->store.readonly || c->locked[sector / 8] >> sector % 8 & 1;
}

/* ---- reading */

/* 16 bits of one chip, which its twin answers with, too. */
static uint16_t chip_word(const struct flash_chips *c, uint64_t off)
{
	unsigned word = (unsigned)(off % FLASH_SECTOR_SIZE) >> 2;

	switch (c->shows) {
	case FLASH_ID:
		return flash_cfi_id(word, is_locked(c, off));
	case FLASH_QUERY:
		return flash_cfi_query(word);
	default:
		return (uint16_t)(c->errors | (c->busy ? 0 : SR_READY));
	}
}

uint64_t flash_chips_read(const struct flash_chips *c, uint64_t off, unsigned len)
{
	uint8_t bytes[8] = {0};
	uint64_t val;

	if (c->shows == FLASH_ARRAY && c->store.mem) {
		memcpy(bytes, c->store.mem + off, len);
	} else {
		for (unsigned i = 0; i < len; i++)
			bytes[i] = (uint8_t)(chip_word(c, off + i) >> ((off + i) & 1) * 8);
	}
	memcpy(&val, bytes, sizeof(val));
	return val;
}

/* ---- changing */

static void show(struct flash_chips *c, enum flash_shows what)
{
	c->shows = what;
	c->expects = ANY_COMMAND;
}

static void expect(struct flash_chips *c, enum flash_expects what)
{
	c->shows = FLASH_STATUS;
	c->expects = what;
}

static void fail(struct flash_chips *c, unsigned bits)
{
	c->errors |= (uint8_t)bits;
	show(c, FLASH_STATUS);
}

static void sequence_error(struct flash_chips *c, uint64_t off)
{
	dev_guest_error(c->dev, "flash command out of sequence at", off);
	fail(c, SR_SEQUENCE);
}

static void work(struct env_work *w)
{
	struct flash_chips *c = w->arg;

	c->saved = flash_store_save(&c->store, &c->change);
}

static void done(struct env_work *w)
{
	struct flash_chips *c = w->arg;

	c->busy = false;
	if (c->saved || flash_store_show(&c->store, &c->change))
		fail(c, c->change.data ? SR_PROGRAM : SR_ERASE);
}

static void change(struct flash_chips *c, uint64_t off, const uint8_t *data, size_t len)
{
	struct env *e = c->dev->env;

	show(c, FLASH_STATUS);
	c->change = (struct flash_change){.off = off, .len = len, .data = data};
	c->work = (struct env_work){.work = work, .done = done, .arg = c};
	c->busy = true;
	if (c->store.path && !e->ops->settle(e, &c->work))
		return;
	work(&c->work);
	done(&c->work);
}

/* Programming clears bits and sets none. */
static void program(struct flash_chips *c, uint64_t off, uint8_t *data, unsigned len)
{
	const uint8_t *old = c->store.mem + off;

	if (is_locked(c, off)) {
		fail(c, SR_PROGRAM | SR_LOCKED);
		return;
	}
	for (unsigned i = 0; i < len; i++)
		data[i] &= old[i];
	change(c, off, data, len);
}

static void erase(struct flash_chips *c, uint64_t off)
{
	if (is_locked(c, off))
		fail(c, SR_ERASE | SR_LOCKED);
	else
		change(c, off & ~(FLASH_SECTOR_SIZE - 1), NULL, FLASH_SECTOR_SIZE);
}

static void lock(struct flash_chips *c, uint64_t off, uint8_t how)
{
	uint64_t sector = off / FLASH_SECTOR_SIZE;
	uint8_t bit = (uint8_t)(1U << sector % 8);

	show(c, FLASH_STATUS);
	if (how == LOCK || how == LOCK_DOWN)
		c->locked[sector / 8] |= bit;
	else if (how == CONFIRM)
		c->locked[sector / 8] &= (uint8_t)~bit;
	else
		sequence_error(c, off);
}

static void buffer_begin(struct flash_chips *c, uint64_t off)
{
	if (!c->buffer)
		c->buffer = malloc(FLASH_BUFFER_SIZE);
	if (!c->buffer) {
		fail(c, SR_PROGRAM);
		return;
	}
	memset(c->buffer, 0xff, FLASH_BUFFER_SIZE); /* which changes nothing */
	c->buffer_at = off;			    /* of the command: any address of the sector */
	c->low = FLASH_BUFFER_SIZE;
	c->high = 0;
	expect(c, BUFFER_COUNT);
}

/* What comes is the count less one, of words of both chips. */
static void buffer_count(struct flash_chips *c, uint64_t off, uint64_t val)
{
	c->count = (uint32_t)(val & 0xffff) + 1;
	if (c->count > FLASH_BUFFER_SIZE / 4)
		sequence_error(c, off);
	else
		expect(c, BUFFER_DATA);
}

static void buffer_data(struct flash_chips *c, uint64_t off, const uint8_t *data, unsigned len)
{
	uint32_t at;

	if (!c->high && off / FLASH_SECTOR_SIZE == c->buffer_at / FLASH_SECTOR_SIZE)
		c->buffer_at = BUFFER_AT(off);
	at = (uint32_t)(off - c->buffer_at);
	if (BUFFER_AT(off) != c->buffer_at) {
		sequence_error(c, off);
		return;
	}
	memcpy(c->buffer + at, data, len);
	if (at < c->low)
		c->low = at;
	if (at + len > c->high)
		c->high = at + len;
	if (!--c->count)
		expect(c, BUFFER_CONFIRM);
}

static void first_command(struct flash_chips *c, uint64_t off, uint8_t cmd)
{
	switch (cmd) {
	case PROGRAM:
	case PROGRAM_OLD:
		expect(c, PROGRAM_DATA);
		break;
	case ERASE:
		expect(c, ERASE_CONFIRM);
		break;
	case LOCK_SETUP:
		expect(c, LOCK_WHICH);
		break;
	case BUFFER:
		buffer_begin(c, off);
		break;
	case CLEAR_STATUS:
		c->errors = 0;
		show(c, FLASH_ARRAY);
		break;
	case READ_ID:
		show(c, FLASH_ID);
		break;
	case READ_QUERY:
		show(c, FLASH_QUERY);
		break;
	case READ_STATUS:
	case SUSPEND: /* nothing ever runs that could be */
	case CONFIRM:
		show(c, FLASH_STATUS);
		break;
	case 0:
	case RESET_AMD:
	case READ_ARRAY:
		show(c, FLASH_ARRAY);
		break;
	default:
		dev_guest_error(c->dev, "no flash command:", cmd);
		show(c, FLASH_ARRAY);
		break;
	}
}

void flash_chips_write(struct flash_chips *c, uint64_t off, unsigned len, uint64_t val)
{
	uint8_t cmd = (uint8_t)val, data[8];

	if (c->busy) {
		if (cmd != READ_STATUS)
			dev_guest_error(c->dev, "write to a busy flash at", off);
		return;
	}
	memcpy(data, &val, sizeof(data));
	switch (c->expects) {
	case ANY_COMMAND:
		first_command(c, off, cmd);
		break;
	case PROGRAM_DATA:
		memcpy(c->word, data, len);
		program(c, off, c->word, len);
		break;
	case ERASE_CONFIRM:
		if (cmd == CONFIRM)
			erase(c, off);
		else if (cmd == READ_ARRAY)
			show(c, FLASH_ARRAY);
		else
			sequence_error(c, off);
		break;
	case LOCK_WHICH:
		if (cmd == READ_ARRAY)
			show(c, FLASH_ARRAY);
		else
			lock(c, off, cmd);
		break;
	case BUFFER_COUNT:
		buffer_count(c, off, val);
		break;
	case BUFFER_DATA:
		buffer_data(c, off, data, len);
		break;
	case BUFFER_CONFIRM:
		if (cmd == CONFIRM)
			program(c, c->buffer_at + c->low, c->buffer + c->low, c->high - c->low);
		else
			sequence_error(c, off);
		break;
	}
}
