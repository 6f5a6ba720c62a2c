/* SPDX-License-Identifier: Apache-2.0 */
/* fw_cfg: QEMU's docs/specs/fw_cfg.rst; Linux Documentation/devicetree/bindings/firmware/qemu,fw-cfg-mmio.yaml. */
#ifndef FWCFG_FWCFG_H
#define FWCFG_FWCFG_H

#include "mem.h"
#include "test.h"

#define FWCFG_COMPATIBLE "qemu,fw-cfg-mmio"

enum { FWCFG_DATA = 0, FWCFG_SELECTOR = 8, FWCFG_DMA = 16 };

enum fwcfg_key {
	KEY_SIGNATURE = 0x00,
	KEY_ID = 0x01,
	KEY_RAM_SIZE = 0x03,
	KEY_NB_CPUS = 0x05,
	KEY_FILE_DIR = 0x19,
	KEY_FILE_FIRST = 0x20,
	KEY_NONE = 0x3fff,
};

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

struct fwcfg_dma {
	uint32_t control, length; /* big-endian, all of it */
	uint64_t address;
};

struct fwcfg_file {
	uint32_t size;
	uint16_t select;
	char name[57];
};

struct mmio fwcfg_begin(void);
void fwcfg_select(struct mmio f, unsigned key);
void fwcfg_read(struct mmio f, void *buf, uint32_t len); /* byte by byte */
uint32_t fwcfg_be32(struct mmio f);
/* The nth file; false behind the last. */
bool fwcfg_file(struct mmio f, unsigned nth, struct fwcfg_file *file);
bool fwcfg_find(struct mmio f, const char *name, struct fwcfg_file *file);
/* Runs the operation; what the control word holds then. `control` as the device sees it. */
uint32_t fwcfg_dma(struct mmio f, uint32_t control, uint64_t address, uint32_t len);

#endif
