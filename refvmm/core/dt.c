/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libfdt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * The writer is ours and not libfdt's sequential one, which clears all memory it is given and steps through each
 * finished tree anew: half of what a machine needed to start. It writes the same bytes, that is version 17 of
 * the Devicetree Specification's chapter 5, each property's name a string of its own, the first one last.
 *
 *	| header | reservations | structure -> ... free ... <- strings |
 */
#define DT_BYTES_FIRST	0x3000UL /* most trees need less */
#define DT_RESERVATIONS 48U	 /* where they begin: one entry of zeros */
#define DT_STRUCTURE	64U
#define DT_VERSION	17U
#define DT_COMPATIBLE	16U

static void stick(struct fdt *f, const char *what)
{
	if (!f->err)
		f->err = what;
}

/* Twice the room, up to the limit. Memory that is not ours is large enough. */
static bool grow(struct fdt *f)
{
	size_t capacity = f->capacity * 2;
	uint8_t *blob = capacity > DT_BYTES_MAX ? NULL
			: f->borrowed		? f->blob
						: realloc(f->blob, capacity);

	if (!blob)
		return false;
	memmove(blob + capacity - f->strings, blob + f->capacity - f->strings, f->strings);
	f->blob = blob;
	f->capacity = capacity;
	return true;
}

static bool make_room(struct fdt *f, size_t len, const char *what)
{
	while (f->capacity - f->structure - f->strings < len) {
		if (!grow(f)) {
			stick(f, what);
			return false;
		}
	}
	return true;
}

/* Room for LEN bytes in the structure and NAME_LEN more in the strings; NULL: there is none. */
static inline uint8_t *room(struct fdt *f, size_t len, size_t name_len, const char *what)
{
	uint8_t *at;

	if (f->err)
		return NULL;
	if (f->capacity - f->structure - f->strings < len + name_len &&
	    !make_room(f, len + name_len, what))
		return NULL;
	at = f->blob + f->structure;
	f->structure += len;
	return at;
}

static inline void put32(uint8_t *at, uint32_t val)
{
	val = htonl(val);
	memcpy(at, &val, sizeof(val));
}

static inline uint32_t get32(const uint8_t *at)
{
	uint32_t val;

	memcpy(&val, at, sizeof(val));
	return ntohl(val);
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Where a property's LEN bytes go; NULL: no room. Its name's place is counted from the end for now. */
static inline uint8_t *property(struct fdt *f, const char *name, size_t len)
{
	size_t name_len = strlen(name) + 1;
	uint8_t *at = room(f, 12 + padded(len), name_len, name);

	if (!at)
		return NULL;
	f->strings += name_len;
	memcpy(f->blob + f->capacity - f->strings, name, name_len);
	put32(at, FDT_PROP);
	put32(at + 4, (uint32_t)len);
	put32(at + 8, (uint32_t)f->strings);
	if (len)
		put32(at + 8 + padded(len), 0); /* what pads it */
	return at + 12;
}

static void token(struct fdt *f, uint32_t val)
{
	uint8_t *at = room(f, sizeof(val), 0, "end");

	if (at)
		put32(at, val);
}

static void begin(struct fdt *f)
{
	memset(f->blob, 0, DT_STRUCTURE);
	dt_begin(f, "");
}

int dt_new(struct fdt *f)
{
	*f = (struct fdt){.blob = malloc(DT_BYTES_FIRST),
			  .capacity = DT_BYTES_FIRST,
			  .structure = DT_STRUCTURE};
	if (!f->blob)
		return err_host(ENOMEM, "device tree: %lu bytes", DT_BYTES_FIRST);
	begin(f);
	return 0;
}

void dt_new_at(struct fdt *f, void *memory)
{
	*f = (struct fdt){.blob = memory,
			  .capacity = DT_BYTES_FIRST,
			  .structure = DT_STRUCTURE,
			  .borrowed = true};
	begin(f);
}

/* Now that all strings are there: their places from the beginning. */
static void name_properties(struct fdt *f)
{
	for (size_t at = DT_STRUCTURE; at < f->structure;) {
		uint8_t *p = f->blob + at;

		switch (get32(p)) {
		case FDT_BEGIN_NODE:
			for (at += 8; f->blob[at - 1]; at += 4)
				; /* the name is padded with zeros */
			break;
		case FDT_PROP:
			put32(p + 8, (uint32_t)f->strings - get32(p + 8));
			at += 12 + padded(get32(p + 4));
			break;
		default:
			at += 4;
			break;
		}
	}
}

/* What is left of the strings where they stood before. */
static void clear_behind(const struct fdt *f)
{
	size_t end = f->structure + f->strings, from = f->capacity - f->strings;

	if (from < end)
		from = end;
	memset(f->blob + from, 0, f->capacity - from);
}

int dt_finish(struct fdt *f)
{
	uint32_t header[] = {
		FDT_MAGIC, 0, DT_STRUCTURE, 0, DT_RESERVATIONS, DT_VERSION, DT_COMPATIBLE, 0, 0, 0};

	dt_end(f);
	token(f, FDT_END);
	if (f->err)
		return err_host(EIO, "device tree: no room for %s", f->err);
	name_properties(f);
	memmove(f->blob + f->structure, f->blob + f->capacity - f->strings, f->strings);
	clear_behind(f);
	header[1] = (uint32_t)(f->structure + f->strings);
	header[3] = (uint32_t)f->structure;
	header[8] = (uint32_t)f->strings;
	header[9] = (uint32_t)f->structure - DT_STRUCTURE;
	for (unsigned i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		put32(f->blob + 4UL * i, header[i]);
	return 0;
}

int dt_open(struct fdt *f, const void *tree)
{
	*f = (struct fdt){.blob = calloc(1, DT_BYTES_MAX), .capacity = DT_BYTES_MAX};
	return f->blob ? fdt_open_into(tree, f->blob, (int)f->capacity) : -FDT_ERR_NOSPACE;
}

void dt_free(struct fdt *f)
{
	if (!f->borrowed)
		free(f->blob);
	f->blob = NULL;
}

size_t dt_size(const struct fdt *f)
{
	return fdt_totalsize(f->blob);
}

void dt_begin(struct fdt *f, const char *name)
{
	size_t len = strlen(name) + 1;
	uint8_t *at = room(f, 4 + padded(len), 0, name);

	if (!at)
		return;
	put32(at, FDT_BEGIN_NODE);
	put32(at + padded(len), 0); /* what pads the name */
	memcpy(at + 4, name, len);
}

void dt_begin_at(struct fdt *f, const char *name, uint64_t address)
{
	unsigned digits = address ? (67U - (unsigned)__builtin_clzll(address)) / 4 : 1;
	size_t len = strlen(name);
	char full[64];

	if (len + digits + 2 > sizeof(full)) {
		stick(f, name);
		return;
	}
	memcpy(full, name, len);
	full[len++] = '@';
	while (digits--)
		full[len++] = "0123456789abcdef"[address >> 4 * digits & 0xf];
	full[len] = '\0';
	dt_begin(f, full);
}

void dt_end(struct fdt *f)
{
	token(f, FDT_END_NODE);
}

void dt_bytes(struct fdt *f, const char *name, const void *p, size_t len)
{
	uint8_t *at = property(f, name, len);

	if (at && len)
		memcpy(at, p, len);
}

void dt_empty(struct fdt *f, const char *name)
{
	dt_bytes(f, name, NULL, 0);
}

void dt_u32(struct fdt *f, const char *name, uint32_t val)
{
	dt_cellv(f, name, &val, 1);
}

void dt_u64(struct fdt *f, const char *name, uint64_t val)
{
	dt_cells(f, name, DT_U64(val));
}

void dt_str(struct fdt *f, const char *name, const char *s)
{
	dt_bytes(f, name, s, strlen(s) + 1);
}

void dt_strv(struct fdt *f, const char *name, const char *const *s, size_t n)
{
	size_t len = 0;
	uint8_t *at;

	for (size_t i = 0; i < n; i++)
		len += strlen(s[i]) + 1;
	at = property(f, name, len);
	for (size_t i = 0; at && i < n; i++)
		at = (uint8_t *)stpcpy((char *)at, s[i]) + 1;
}

void dt_cellv(struct fdt *f, const char *name, const uint32_t *cell, size_t n)
{
	uint8_t *at = property(f, name, n * sizeof(*cell));

	for (size_t i = 0; at && i < n; i++)
		put32(at + i * sizeof(*cell), cell[i]);
}

void dt_phandle(struct fdt *f, uint32_t phandle)
{
	dt_u32(f, "phandle", phandle);
}

void dt_reg(struct fdt *f, uint64_t base, uint64_t size)
{
	dt_cells(f, "reg", DT_U64(base), DT_U64(size));
}

void dt_spi(struct fdt *f, unsigned spi, enum dt_irq_type type)
{
	dt_cells(f, "interrupts", 0 /* SPI */, spi, type);
}
