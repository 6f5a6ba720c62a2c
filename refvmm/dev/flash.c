/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two banks of NOR flash with the Intel/Sharp command set (JEP137 0001; the commands' sequences:
 * Intel StrataFlash P30 datasheet 306666, chapters 10 to 13), two 16-bit chips side by side in
 * each, which are always addressed together: a command may come on either half or both.
 *
 * A bank that shows its array is memory to the guest, mapped read-only: reads cost no exits, and
 * code runs there. The first command takes the mapping away, the one that ends it brings it back.
 * Without firmware nobody looks at flash, as a rule: both banks come into being when somebody does.
 *
 * Operations take no time: the chips are ready whenever they are asked.
 */
#include "dev/flash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dt.h"
#include "core/err.h"
#include "dev/flash_cfi.h"
#include "dev/flash_store.h"

#define SECTORS	       (FLASH_BANK_SIZE / FLASH_SECTOR_SIZE)
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

/* What the next write to a bank is. */
enum expects {
	ANY_COMMAND,
	ERASE_CONFIRM,
	LOCK_WHICH,
	PROGRAM_DATA,
	BUFFER_COUNT,
	BUFFER_DATA,
	BUFFER_CONFIRM,
};

struct bank {
	enum expects expects;
	uint8_t shows;	/* READ_ARRAY, READ_STATUS, READ_ID or READ_QUERY */
	uint8_t status; /* SR_READY and errors, which stay until cleared */
	bool mapped;
	uint32_t count;	    /* writes to the buffer still to come */
	uint64_t buffer_at; /* where it goes: the first word of data says so */
	uint32_t low, high; /* the bytes of it that were written */
	uint8_t locked[SECTORS / 8];
	uint8_t *buffer; /* FLASH_BUFFER_SIZE, once needed */
	struct flash_store store;
};

struct flash {
	struct dev dev;
	struct bank bank[FLASH_BANKS];
};

static struct flash *flash(const struct dev *d)
{
	return (struct flash *)(uintptr_t)d;
}

static const struct flash_conf *conf(const struct dev *d)
{
	static const struct flash_conf none;

	return d->conf ? d->conf : &none;
}

static bool is_locked(const struct bank *b, uint64_t off)
{
	uint64_t sector = off / FLASH_SECTOR_SIZE;

	return b->store.readonly || b->locked[sector / 8] >> sector % 8 & 1;
}

/* ---- memory or MMIO */

static void update_mapping(struct flash *f, unsigned n)
{
	struct bank *b = &f->bank[n];
	bool wanted = b->shows == READ_ARRAY && b->expects == ANY_COMMAND && b->store.mem;
	struct env *e = f->dev.env;

	if (wanted != b->mapped && e->ops->rom &&
	    !e->ops->rom(e, &f->dev, n, wanted ? b->store.mem : NULL, FLASH_BANK_SIZE))
		b->mapped = wanted;
}

/* ---- reading */

/* 16 bits of one chip, which its twin answers with, too. */
static uint16_t chip_word(const struct bank *b, uint64_t off)
{
	unsigned word = (unsigned)(off % FLASH_SECTOR_SIZE) >> 2;

	switch (b->shows) {
	case READ_ID:
		return flash_cfi_id(word, is_locked(b, off));
	case READ_QUERY:
		return flash_cfi_query(word);
	default:
		return b->status;
	}
}

/* From the first access on a bank is memory. False if there is none left for it. */
static bool look(struct flash *f, unsigned n)
{
	int ret = flash_store_open(&f->bank[n].store);

	if (ret)
		err_host(-ret, "flash bank %u", n);
	else
		update_mapping(f, n);
	return !ret;
}

static uint64_t bank_read(struct flash *f, unsigned n, uint64_t off, unsigned len)
{
	struct bank *b = &f->bank[n];
	uint8_t bytes[8] = {0};
	uint64_t val;

	if (b->shows == READ_ARRAY && look(f, n)) {
		memcpy(bytes, b->store.mem + off, len);
	} else {
		for (unsigned i = 0; i < len; i++)
			bytes[i] = (uint8_t)(chip_word(b, off + i) >> ((off + i) & 1) * 8);
	}
	memcpy(&val, bytes, sizeof(val));
	return val;
}

/* ---- changing */

static void show(struct bank *b, enum command what)
{
	b->shows = (uint8_t)what;
	b->expects = ANY_COMMAND;
}

static void fail(struct bank *b, unsigned bits)
{
	b->status |= (uint8_t)bits;
	show(b, READ_STATUS);
}

static void sequence_error(struct flash *f, unsigned n, uint64_t off)
{
	dev_guest_error(&f->dev, "flash command out of sequence at", off);
	fail(&f->bank[n], SR_SEQUENCE);
}

/* Programming clears bits and sets none. */
static void program(struct bank *b, uint64_t off, uint8_t *data, unsigned len)
{
	const uint8_t *old = b->store.mem + off;

	if (is_locked(b, off)) {
		fail(b, SR_PROGRAM | SR_LOCKED);
		return;
	}
	for (unsigned i = 0; i < len; i++)
		data[i] &= old[i];
	if (flash_store_write(&b->store, off, data, len))
		fail(b, SR_PROGRAM);
	else
		show(b, READ_STATUS);
}

static void erase(struct bank *b, uint64_t off)
{
	off &= ~(FLASH_SECTOR_SIZE - 1);
	if (is_locked(b, off))
		fail(b, SR_ERASE | SR_LOCKED);
	else if (flash_store_write(&b->store, off, NULL, FLASH_SECTOR_SIZE))
		fail(b, SR_ERASE);
	else
		show(b, READ_STATUS);
}

static void lock(struct flash *f, unsigned n, uint64_t off, uint8_t how)
{
	struct bank *b = &f->bank[n];
	uint64_t sector = off / FLASH_SECTOR_SIZE;
	uint8_t bit = (uint8_t)(1U << sector % 8);

	if (how == LOCK || how == LOCK_DOWN)
		b->locked[sector / 8] |= bit;
	else if (how == CONFIRM)
		b->locked[sector / 8] &= (uint8_t)~bit;
	else
		sequence_error(f, n, off);
}

static void buffer_begin(struct flash *f, unsigned n, uint64_t off)
{
	struct bank *b = &f->bank[n];

	if (!b->buffer)
		b->buffer = malloc(FLASH_BUFFER_SIZE);
	if (!b->buffer) {
		fail(b, SR_PROGRAM);
		return;
	}
	memset(b->buffer, 0xff, FLASH_BUFFER_SIZE); /* which changes nothing */
	b->buffer_at = off;			    /* of the command: any address of the sector */
	b->low = FLASH_BUFFER_SIZE;
	b->high = 0;
	b->shows = READ_STATUS;
	b->expects = BUFFER_COUNT;
}

static void buffer_data(struct flash *f, unsigned n, uint64_t off, uint64_t val, unsigned len)
{
	struct bank *b = &f->bank[n];
	uint32_t at;

	if (!b->high && off / FLASH_SECTOR_SIZE == b->buffer_at / FLASH_SECTOR_SIZE)
		b->buffer_at = BUFFER_AT(off);
	at = (uint32_t)(off - b->buffer_at);
	if (BUFFER_AT(off) != b->buffer_at) {
		sequence_error(f, n, off);
		return;
	}
	memcpy(b->buffer + at, &val, len);
	if (at < b->low)
		b->low = at;
	if (at + len > b->high)
		b->high = at + len;
	if (!--b->count)
		b->expects = BUFFER_CONFIRM;
}

static void first_command(struct flash *f, unsigned n, uint64_t off, uint8_t cmd)
{
	struct bank *b = &f->bank[n];

	switch (cmd) {
	case PROGRAM:
	case PROGRAM_OLD:
		show(b, READ_STATUS);
		b->expects = PROGRAM_DATA;
		break;
	case ERASE:
		show(b, READ_STATUS);
		b->expects = ERASE_CONFIRM;
		break;
	case LOCK_SETUP:
		show(b, READ_STATUS);
		b->expects = LOCK_WHICH;
		break;
	case BUFFER:
		buffer_begin(f, n, off);
		break;
	case CLEAR_STATUS:
		b->status = SR_READY;
		show(b, READ_ARRAY);
		break;
	case READ_STATUS:
	case READ_ID:
	case READ_QUERY:
		show(b, cmd);
		break;
	case SUSPEND: /* nothing ever runs that could be */
	case CONFIRM:
		show(b, READ_STATUS);
		break;
	case 0:
	case RESET_AMD:
	case READ_ARRAY:
		show(b, READ_ARRAY);
		break;
	default:
		dev_guest_error(&f->dev, "no flash command:", cmd);
		show(b, READ_ARRAY);
		break;
	}
}

static void bank_write(struct flash *f, unsigned n, uint64_t off, unsigned len, uint64_t val)
{
	struct bank *b = &f->bank[n];
	uint8_t cmd = (uint8_t)val, data[8];

	memcpy(data, &val, sizeof(data));
	switch (b->expects) {
	case ANY_COMMAND:
		first_command(f, n, off, cmd);
		break;
	case PROGRAM_DATA:
		program(b, off, data, len);
		break;
	case ERASE_CONFIRM:
		if (cmd == CONFIRM)
			erase(b, off);
		else if (cmd == READ_ARRAY)
			show(b, READ_ARRAY);
		else
			sequence_error(f, n, off);
		break;
	case LOCK_WHICH:
		if (cmd == READ_ARRAY) {
			show(b, READ_ARRAY);
			break;
		}
		show(b, READ_STATUS);
		lock(f, n, off, cmd);
		break;
	case BUFFER_COUNT: /* less one, of words of both chips */
		b->count = (uint32_t)(val & 0xffff) + 1;
		if (b->count > FLASH_BUFFER_SIZE / 4)
			sequence_error(f, n, off);
		else
			b->expects = BUFFER_DATA;
		break;
	case BUFFER_DATA:
		buffer_data(f, n, off, val, len);
		break;
	case BUFFER_CONFIRM:
		if (cmd == CONFIRM)
			program(b, b->buffer_at + b->low, b->buffer + b->low, b->high - b->low);
		else
			sequence_error(f, n, off);
		break;
	}
}

/* The chips are 32 bits wide together. */
static void write_words(struct flash *f, unsigned n, uint64_t off, unsigned len, uint64_t val)
{
	if (!look(f, n))
		return;
	bank_write(f, n, off, len < 4 ? len : 4, len < 8 ? val : (uint32_t)val);
	if (len == 8)
		bank_write(f, n, off + 4, 4, val >> 32);
	update_mapping(f, n);
}

static uint64_t read0(struct dev *d, uint64_t off, unsigned len)
{
	return bank_read(flash(d), 0, off, len);
}

static uint64_t read1(struct dev *d, uint64_t off, unsigned len)
{
	return bank_read(flash(d), 1, off, len);
}

static void write0(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	write_words(flash(d), 0, off, len, val);
}

static void write1(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	write_words(flash(d), 1, off, len, val);
}

/* ---- life */

static int flash_init(struct dev *d)
{
	const struct flash_conf *c = conf(d);
	int ret = c->firmware ? flash_store_check_rom(c->firmware) : 0;

	for (unsigned n = 0; n < FLASH_BANKS; n++)
		flash(d)->bank[n].store = FLASH_STORE_NONE;
	return ret || !c->vars ? ret : flash_store_check_vars(c->vars, c->vars_template);
}

static int flash_start(struct dev *d)
{
	const struct flash_conf *c = conf(d);
	struct flash *f = flash(d);
	int ret = c->firmware ? flash_store_open_rom(&f->bank[0].store, c->firmware) : 0;

	if (!ret && c->vars)
		ret = flash_store_open_vars(&f->bank[1].store, c->vars, c->vars_template);
	if (ret)
		return ret;
	if (!c->firmware && !c->vars)
		return 0;
	return look(f, 0) && look(f, 1) ? 0 : -ENOMEM;
}

static void flash_reset(struct dev *d)
{
	struct flash *f = flash(d);

	for (unsigned n = 0; n < FLASH_BANKS; n++) {
		struct bank *b = &f->bank[n];

		show(b, READ_ARRAY);
		b->status = SR_READY;
		memset(b->locked, 0, sizeof(b->locked));
		update_mapping(f, n);
	}
}

static void flash_fini(struct dev *d)
{
	struct flash *f = flash(d);

	for (unsigned n = 0; n < FLASH_BANKS; n++) {
		free(f->bank[n].buffer);
		flash_store_close(&f->bank[n].store);
	}
}

static int flash_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "flash", d->range[0].base);
	dt_str(f, "compatible", "cfi-flash");
	dt_cells(f, "reg", DT_U64(d->range[0].base), DT_U64(d->range[0].size),
		 DT_U64(d->range[1].base), DT_U64(d->range[1].size));
	dt_u32(f, "bank-width", 4);
	dt_end(f);
	return 0;
}

static int opt_firmware(void *c, const char *arg)
{
	((struct flash_conf *)c)->firmware = arg;
	return 0;
}

static int opt_vars(void *c, const char *arg)
{
	((struct flash_conf *)c)->vars = arg;
	return 0;
}

static int opt_template(void *c, const char *arg)
{
	((struct flash_conf *)c)->vars_template = arg;
	return 0;
}

static const struct dev_option flash_options[] = {
	{"--firmware", "FILE", "firmware in flash bank 0: the machine starts there", opt_firmware},
	{"--vars", "FILE", "its variables in flash bank 1; made if it does not exist", opt_vars},
	{"--vars-template", "FILE", "what to make it of (an empty store)", opt_template},
	{0},
};

const struct dev_ops flash_ops = {
	.name = "flash",
	.compatible = "cfi-flash",
	.size = sizeof(struct flash),
	.conf_size = sizeof(struct flash_conf),
	.options = flash_options,
	.window = {{"bank 0", 1, 8, read0, write0}, {"bank 1", 1, 8, read1, write1}},
	.init = flash_init,
	.start = flash_start,
	.reset = flash_reset,
	.fini = flash_fini,
	.describe = flash_describe,
};
