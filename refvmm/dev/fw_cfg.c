/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fw_cfg as QEMU's docs/specs/fw_cfg.rst describes it, with the registers of ARM: data at 0, selector
 * (big-endian) at 8, DMA address (big-endian) at 16. Items are read-only. Whatever is selected can be
 * read for ever; behind its end there are zeros.
 */
#include "dev/fw_cfg.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dt.h"
#include "core/err.h"
#include "core/file.h"
#include "core/gpa.h"

#define DMA_SIGNATURE 0x51454d5520434647ULL /* "QEMU CFG" */
#define ID_FEATURES   3U		    /* the traditional interface, and DMA */
#define KEY_MASK      0x3fffU /* bit 14 asked for writing once, bit 15 is the architecture's */

enum { REG_DATA = 0, REG_SELECTOR = 8, REG_DMA = 16, REG_END = 24 };

enum {
	DMA_ERROR = 1 << 0,
	DMA_READ = 1 << 1,
	DMA_SKIP = 1 << 2,
	DMA_SELECT = 1 << 3,
	DMA_WRITE = 1 << 4,
};

struct item {
	const uint8_t *data;
	uint32_t len;
};

struct dma_access {
	uint32_t control, length;
	uint64_t address;
};

struct dir_entry {
	uint32_t size;
	uint16_t select, reserved;
	char name[FW_CFG_NAME_MAX];
};

struct fw_cfg {
	struct dev dev;
	struct item legacy[FW_CFG_FILE_FIRST];
	uint64_t number[FW_CFG_FILE_FIRST]; /* what fw_cfg_add_number() copied */
	struct item file[FW_CFG_FILES_MAX];
	char name[FW_CFG_FILES_MAX][FW_CFG_NAME_MAX]; /* ascending */
	unsigned nr_files;
	uint8_t *dir; /* made when it is first asked for */
	struct file user[FW_CFG_USER_MAX];
	unsigned key;
	uint32_t offset;
	uint32_t dma_high;
};

static struct fw_cfg *fw_cfg(const struct dev *d)
{
	return (struct fw_cfg *)(uintptr_t)d;
}

/* ---- items */

void fw_cfg_add(struct dev *d, enum fw_cfg_key key, const void *data, size_t len)
{
	fw_cfg(d)->legacy[key] = (struct item){data, (uint32_t)len};
}

void fw_cfg_add_number(struct dev *d, enum fw_cfg_key key, uint64_t val, unsigned len)
{
	struct fw_cfg *f = fw_cfg(d);

	f->number[key] = htole64(val);
	fw_cfg_add(d, key, &f->number[key], len);
}

int fw_cfg_add_file(struct dev *d, const char *name, const void *data, size_t len)
{
	struct fw_cfg *f = fw_cfg(d);
	unsigned at = 0, behind;

	if (f->nr_files == FW_CFG_FILES_MAX || strlen(name) >= FW_CFG_NAME_MAX || len > UINT32_MAX)
		return -ENOSPC;
	while (at < f->nr_files && strcmp(f->name[at], name) < 0)
		at++;
	if (at < f->nr_files && !strcmp(f->name[at], name))
		return -EEXIST;
	behind = f->nr_files++ - at;
	memmove(f->name[at + 1], f->name[at], behind * sizeof(f->name[0]));
	memmove(&f->file[at + 1], &f->file[at], behind * sizeof(f->file[0]));
	memset(f->name[at], 0, sizeof(f->name[at]));
	memcpy(f->name[at], name, strlen(name));
	f->file[at] = (struct item){data, (uint32_t)len};
	free(f->dir);
	f->dir = NULL;
	return 0;
}

static struct item directory(struct fw_cfg *f)
{
	size_t len = sizeof(uint32_t) + f->nr_files * sizeof(struct dir_entry);
	uint32_t count = htobe32(f->nr_files);

	if (!f->dir)
		f->dir = malloc(len);
	if (!f->dir)
		return (struct item){0};
	memcpy(f->dir, &count, sizeof(count));
	for (unsigned i = 0; i < f->nr_files; i++) {
		struct dir_entry e = {.size = htobe32(f->file[i].len),
				      .select = htobe16((uint16_t)(FW_CFG_FILE_FIRST + i))};

		memcpy(e.name, f->name[i], sizeof(e.name));
		memcpy(f->dir + sizeof(count) + i * sizeof(e), &e, sizeof(e));
	}
	return (struct item){f->dir, (uint32_t)len};
}

static struct item selected(struct fw_cfg *f)
{
	if (f->key == FW_CFG_FILE_DIR)
		return directory(f);
	if (f->key < FW_CFG_FILE_FIRST)
		return f->legacy[f->key];
	if (f->key - FW_CFG_FILE_FIRST < f->nr_files)
		return f->file[f->key - FW_CFG_FILE_FIRST];
	return (struct item){0};
}

static void choose(struct fw_cfg *f, unsigned key)
{
	f->key = key & KEY_MASK;
	f->offset = 0;
}

/* How many of the next `want` bytes the item has; they begin at *p. */
static uint32_t next(struct fw_cfg *f, uint32_t want, const uint8_t **p)
{
	struct item item = selected(f);
	uint32_t have = f->offset < item.len ? item.len - f->offset : 0;

	*p = have ? item.data + f->offset : NULL;
	if (have > want)
		have = want;
	f->offset += have;
	return have;
}

/* ---- DMA */

/* All of it or nothing: memory the guest does not have gets no part of an item. */
static uint32_t transfer(struct fw_cfg *f, uint64_t addr, uint32_t len)
{
	const struct gmem *mem = f->dev.env->mem;
	const uint8_t *p;
	uint32_t n;

	if (!len)
		return 0;
	if (!gpa_ptr(mem, addr, len)) {
		dev_guest_error(&f->dev, "DMA to what is no memory at", addr);
		return DMA_ERROR;
	}
	n = next(f, len, &p);
	if (n)
		gmem_write(mem, addr, p, n);
	if (len > n)
		gmem_zero(mem, addr + n, len - n);
	return 0;
}

static void dma(struct fw_cfg *f, uint64_t addr)
{
	const struct gmem *mem = f->dev.env->mem;
	struct dma_access a;
	const uint8_t *skipped;
	uint32_t control, result = 0;

	if (gmem_read(mem, addr, &a, sizeof(a))) {
		dev_guest_error(&f->dev, "DMA descriptor that is not in memory at", addr);
		result = htobe32(DMA_ERROR);
		(void)gmem_write(mem, addr, &result,
				 sizeof(result)); /* its end may lie outside alone */
		return;
	}
	control = be32toh(a.control);
	if (control & DMA_SELECT)
		choose(f, control >> 16);
	if (control & DMA_READ)
		result = transfer(f, be64toh(a.address), be32toh(a.length));
	else if (control & DMA_WRITE)
		result = DMA_ERROR; /* no item can be written */
	else if (control & DMA_SKIP)
		next(f, be32toh(a.length), &skipped);
	result = htobe32(result);
	(void)gmem_write(mem, addr, &result, sizeof(result));
}

/* ---- registers */

/* Bytes in their order, whatever the width. */
static uint64_t read_data(struct fw_cfg *f, unsigned len)
{
	uint8_t bytes[8] = {0};
	const uint8_t *p;
	uint32_t n = next(f, len, &p);
	uint64_t val;

	if (n)
		memcpy(bytes, p, n);
	memcpy(&val, bytes, sizeof(val));
	return val;
}

static uint64_t fw_cfg_read(struct dev *d, uint64_t off, unsigned len)
{
	if (off < REG_SELECTOR)
		return read_data(fw_cfg(d), len);
	if (off >= REG_DMA) /* as a string, too */
		return be64toh(DMA_SIGNATURE) >> (off - REG_DMA) * 8;
	dev_guest_error(d, "read of the selector or behind it at", off);
	return 0;
}

static void fw_cfg_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	struct fw_cfg *f = fw_cfg(d);
	uint32_t high = f->dma_high;

	if (off == REG_SELECTOR && len == 2) {
		choose(f, be16toh((uint16_t)val));
	} else if (off == REG_DMA && len == 8) {
		f->dma_high = 0;
		dma(f, be64toh(val));
	} else if (off == REG_DMA && len == 4) {
		f->dma_high = be32toh((uint32_t)val);
	} else if (off == REG_DMA + 4 && len == 4) {
		f->dma_high = 0;
		dma(f, (uint64_t)high << 32 | be32toh((uint32_t)val));
	} else {
		dev_guest_error(d, "write to no register at", off);
	}
}

/* ---- life */

static int fw_cfg_init(struct dev *d)
{
	fw_cfg_add(d, FW_CFG_SIGNATURE, "QEMU", 4);
	fw_cfg_add_number(d, FW_CFG_ID, ID_FEATURES, 4);
	return 0;
}

static int start_user(struct fw_cfg *f, const struct fw_cfg_user *u, struct file *file)
{
	int ret = u->file ? file_open(file, "--fw-cfg file", u->file) : 0;

	if (ret)
		return ret;
	ret = u->file ? fw_cfg_add_file(&f->dev, u->name, file->data, file->len)
		      : fw_cfg_add_file(&f->dev, u->name, u->string, strlen(u->string));
	return ret ? err_usage("--fw-cfg name=%s: %s", u->name,
			       ret == -EEXIST ? "there is a file of this name" : "too many files")
		   : 0;
}

static int fw_cfg_start(struct dev *d)
{
	const struct fw_cfg_conf *c = d->conf;
	int ret = 0;

	for (unsigned i = 0; !ret && c && i < c->nr; i++)
		ret = start_user(fw_cfg(d), &c->user[i], &fw_cfg(d)->user[i]);
	return ret;
}

static void fw_cfg_reset(struct dev *d)
{
	choose(fw_cfg(d), FW_CFG_SIGNATURE);
	fw_cfg(d)->dma_high = 0;
}

static void fw_cfg_fini(struct dev *d)
{
	struct fw_cfg *f = fw_cfg(d);

	for (unsigned i = 0; i < FW_CFG_USER_MAX; i++)
		file_close(&f->user[i]);
	free(f->dir);
}

/* Documentation/devicetree/bindings/firmware/qemu,fw-cfg-mmio.yaml */
static int fw_cfg_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "fw-cfg", d->range[0].base);
	dt_str(f, "compatible", "qemu,fw-cfg-mmio");
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_empty(f, "dma-coherent");
	dt_end(f);
	return 0;
}

const struct dev_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.compatible = "qemu,fw-cfg-mmio",
	.size = sizeof(struct fw_cfg),
	.conf_size = sizeof(struct fw_cfg_conf),
	.options = fw_cfg_options,
	.window = {{"fw_cfg", 1, 8, fw_cfg_read, fw_cfg_write}},
	.init = fw_cfg_init,
	.start = fw_cfg_start,
	.reset = fw_cfg_reset,
	.fini = fw_cfg_fini,
	.describe = fw_cfg_describe,
};
