/* SPDX-License-Identifier: Apache-2.0 */
/* The board of one machine: the devices of the table in board.c that this configuration has. */
#ifndef REFVMM_BOARD_H
#define REFVMM_BOARD_H

#include <assay/board.h>

#include "conf.h"
#include "core/bus.h"
#include "virtio/conf.h"

/* The windows of one row; index into a table made from abi/assay/board.h. 0: none. */
enum board_region {
	BOARD_NONE = 0,
#define BOARD_X(name, base, size) BOARD_##name,
	ASSAY_BOARD_REGIONS(BOARD_X)
#undef BOARD_X
		BOARD_REGIONS,
};

struct board_row {
	const struct dev_ops *ops;
	enum board_region low[DEV_WINDOWS_MAX];	 /* with highmem=off */
	enum board_region high[DEV_WINDOWS_MAX]; /* with highmem=on, where it differs */
	unsigned spi, nr_spi;
	bool (*present)(const struct machine_conf *c); /* NULL: always */
};

extern const struct board_row board_table[];
extern const unsigned board_rows;

struct board {
	struct dev *dev[CONF_DEVS_MAX]; /* in the order of the table */
	unsigned nr;
	struct bus bus;
};

/* Allocates the zeroed option structures of all rows; conf_free() frees them. */
int board_conf_init(struct machine_conf *c);
void board_conf_free(struct machine_conf *c);
/* Once all options are read: devices that one row's options ask for on another row's bus. */
int board_conf_finish(struct machine_conf *c);
struct virtio_conf *board_virtio_conf(const struct machine_conf *c);

/* 0, or what the device whose init refuses says. */
int board_build(struct board *b, const struct machine_conf *c, struct env *env);
void board_free(struct board *b);
/* Calls start() of all devices; 0 or what the first that fails says. */
int board_start(struct board *b);
void board_reset(struct board *b);
/* The options of a row's device; NULL: it has none. */
const void *board_conf(const struct machine_conf *c, const struct dev_ops *ops);
/* The device of a row; NULL: this machine has none. */
struct dev *board_dev(const struct board *b, const struct dev_ops *ops);
/* Does a device keep a file, a socket or a network device open while the machine runs? */
bool board_keeps_files(const struct machine_conf *c);
/* Is this descriptor one that a device was given by number? */
bool board_keeps_descriptor(const struct machine_conf *c, int fd);
/* Does the machine start in its flash? */
bool board_has_firmware(const struct machine_conf *c);

/* -EEXIST and one line if two regions of the map or two SPIs meet, or a row drives a foreign one. */
int board_check(void);

/* One past the highest address the machine uses; the IPA space must hold it. */
uint64_t board_top(const struct machine_conf *c);

struct dev_range board_region_range(enum board_region r);

/* How many redistributors (128 KiB each) stand in GIC_REDIST; the rest in GIC_REDIST_HIGH. */
unsigned board_redists_low(unsigned smp);

#endif
