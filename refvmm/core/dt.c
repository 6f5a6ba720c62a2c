/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most trees need a few KiB, and libfdt touches all the memory it is given. */
#define DT_BYTES_FIRST 0x2000UL

static void stick(struct fdt *f, int err, const char *what)
{
	if (err && !f->err) {
		f->err = err;
		f->err_what = what;
	}
}

/* Twice the room, up to the limit. libfdt relies on zeros between what it has written. */
static bool grow(struct fdt *f)
{
	size_t capacity = f->capacity * 2;
	uint8_t *blob = capacity <= DT_BYTES_MAX ? calloc(1, capacity) : NULL;

	if (!blob || fdt_resize(f->blob, blob, (int)capacity)) {
		free(blob);
		return false;
	}
	free(f->blob);
	f->blob = blob;
	f->capacity = capacity;
	return true;
}

/* Repeats a step of libfdt with more room as long as it says that there was too little. */
#define STEP(f, call, what)                                      \
	do {                                                     \
		int step_err;                                    \
                                                                 \
		do                                               \
			step_err = (call);                       \
		while (step_err == -FDT_ERR_NOSPACE && grow(f)); \
		stick(f, step_err, what);                        \
	} while (0)

int dt_new(struct fdt *f)
{
	*f = (struct fdt){.blob = calloc(1, DT_BYTES_FIRST), .capacity = DT_BYTES_FIRST};
	if (!f->blob)
		return err_host(ENOMEM, "device tree: %lu bytes", DT_BYTES_FIRST);
	stick(f, fdt_create_with_flags(f->blob, (int)f->capacity, FDT_CREATE_FLAG_NO_NAME_DEDUP),
	      "header");
	stick(f, fdt_finish_reservemap(f->blob), "memory reservations");
	dt_begin(f, "%s", "");
	return 0;
}

int dt_finish(struct fdt *f)
{
	dt_end(f);
	STEP(f, fdt_finish(f->blob), "end");
	if (!f->err)
		return 0;
	return err_host(EIO, "device tree: %s: %s", f->err_what, fdt_strerror(f->err));
}

int dt_open(struct fdt *f, const void *tree)
{
	*f = (struct fdt){.blob = calloc(1, DT_BYTES_MAX), .capacity = DT_BYTES_MAX};
	return f->blob ? fdt_open_into(tree, f->blob, (int)f->capacity) : -FDT_ERR_NOSPACE;
}

void dt_free(struct fdt *f)
{
	free(f->blob);
	f->blob = NULL;
}

size_t dt_size(const struct fdt *f)
{
	return fdt_totalsize(f->blob);
}

void dt_begin(struct fdt *f, const char *fmt, ...)
{
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	STEP(f, fdt_begin_node(f->blob, name), fmt);
}

void dt_end(struct fdt *f)
{
	STEP(f, fdt_end_node(f->blob), "end of node");
}

void dt_bytes(struct fdt *f, const char *name, const void *p, size_t len)
{
	STEP(f, fdt_property(f->blob, name, p, (int)len), name);
}

void dt_empty(struct fdt *f, const char *name)
{
	dt_bytes(f, name, NULL, 0);
}

void dt_u32(struct fdt *f, const char *name, uint32_t val)
{
	STEP(f, fdt_property_u32(f->blob, name, val), name);
}

void dt_u64(struct fdt *f, const char *name, uint64_t val)
{
	STEP(f, fdt_property_u64(f->blob, name, val), name);
}

void dt_str(struct fdt *f, const char *name, const char *s)
{
	dt_bytes(f, name, s, strlen(s) + 1);
}

void dt_strv(struct fdt *f, const char *name, const char *const *s, size_t n)
{
	size_t len = 0;
	char *at;
	void *p;

	for (size_t i = 0; i < n; i++)
		len += strlen(s[i]) + 1;
	STEP(f, fdt_property_placeholder(f->blob, name, (int)len, &p), name);
	if (f->err)
		return;
	at = p;
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, s[i]) + 1;
}

void dt_cellv(struct fdt *f, const char *name, const uint32_t *cell, size_t n)
{
	void *p;

	STEP(f, fdt_property_placeholder(f->blob, name, (int)(n * sizeof(*cell)), &p), name);
	if (f->err)
		return;
	for (size_t i = 0; i < n; i++) {
		uint32_t be = htonl(cell[i]);

		memcpy((uint8_t *)p + i * sizeof(be), &be, sizeof(be));
	}
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
