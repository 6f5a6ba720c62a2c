/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree being written. The first error sticks and is reported once by
 * dt_finish(), so that describe() functions need not check every property.
 *
 *	int pl011_describe(const struct dev *d, struct fdt *f)
 *	{
 *		dt_begin_at(f, "pl011", d->range[0].base);
 *		dt_strs(f, "compatible", "arm,pl011", "arm,primecell");
 *		dt_reg(f, d->range[0].base, d->range[0].size);
 *		dt_spi(f, d->spi, DT_IRQ_LEVEL);
 *		dt_end(f);
 *		return 0;
 *	}
 */
#ifndef REFVMM_CORE_DT_H
#define REFVMM_CORE_DT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define DT_BYTES_MAX 0x80000UL /* 512 KiB */

/* Fixed, so that a node may refer to one that is written later. */
enum dt_phandle {
	DT_PHANDLE_GIC = 1,
	DT_PHANDLE_MSI = 2, /* the ITS or the v2m frame */
	DT_PHANDLE_APB_PCLK = 3,
	DT_PHANDLE_GPIO = 4,
};

/* Linux Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml */
enum dt_irq_type {
	DT_IRQ_EDGE = 1,
	DT_IRQ_LEVEL = 4,
};

struct fdt {
	uint8_t *blob;
	size_t capacity;
	size_t structure; /* while it is written: where the next node or property goes */
	size_t strings;	  /* and the bytes of names, at the end of the blob */
	bool borrowed;	  /* the memory is somebody else's */
	const char *err;  /* the property or node there was no room for; NULL: fine so far */
};

int dt_new(struct fdt *f); /* begins the root node; 0 or -ENOMEM */
/* The same in DT_BYTES_MAX bytes of memory that somebody else frees. */
void dt_new_at(struct fdt *f, void *memory);
int dt_finish(
	struct fdt *f); /* ends the root node, packs; f->blob is then valid; 0 or -EIO, logged */
/* A copy of a whole, checked tree with room to change it; 0 or libfdt's error. */
int dt_open(struct fdt *f, const void *tree);
void dt_free(struct fdt *f);
size_t dt_size(const struct fdt *f); /* after dt_finish */

void dt_begin(struct fdt *f, const char *name);
void dt_begin_at(struct fdt *f, const char *name, uint64_t address); /* "name@9000000" */
void dt_end(struct fdt *f);
void dt_empty(struct fdt *f, const char *name);
void dt_bytes(struct fdt *f, const char *name, const void *p, size_t len);
void dt_u32(struct fdt *f, const char *name, uint32_t val);
void dt_u64(struct fdt *f, const char *name, uint64_t val);
void dt_str(struct fdt *f, const char *name, const char *s);
void dt_strv(struct fdt *f, const char *name, const char *const *s, size_t n);
void dt_cellv(struct fdt *f, const char *name, const uint32_t *cell, size_t n);
void dt_phandle(struct fdt *f, uint32_t phandle);

/* dt_cells(f, "bus-range", 0, 15); dt_strs(f, "compatible", "arm,pl011", "arm,primecell") */
#define dt_cells(f, name, ...)                             \
	dt_cellv(f, name, (const uint32_t[]){__VA_ARGS__}, \
		 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define dt_strs(f, name, ...)                                \
	dt_strv(f, name, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
/* A 64-bit number as two cells, inside dt_cells(). */
#define DT_U64(x) (uint32_t)((uint64_t)(x) >> 32), (uint32_t)(x)

/* #address-cells = #size-cells = 2 everywhere under the root. */
void dt_reg(struct fdt *f, uint64_t base, uint64_t size);
/* interrupts = <SPI spi type>; spi is 0-based, as in the binding. */
void dt_spi(struct fdt *f, unsigned spi, enum dt_irq_type type);

#endif
