/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtio devices that the command line asks for, and the host's files behind them. Those are
 * opened once, before anything else exists, and outlive the devices that use them.
 */
#ifndef REFVMM_VIRTIO_CONF_H
#define REFVMM_VIRTIO_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dev.h"

#define VIRTIO_DEVS_MAX	    32U
#define VIRTIO_MMIO_SLOTS   32U
#define VIRTIO_SERIAL_BYTES 20U

enum virtio_kind { VIRTIO_BLK, VIRTIO_NET, VIRTIO_RNG, VIRTIO_CONSOLE };

/* What is behind a network or console device. */
enum virtio_peer { PEER_NONE, PEER_TAP, PEER_STREAM, PEER_FILE, PEER_STDIO };

struct virtio_conf_dev {
	enum virtio_kind kind;
	unsigned index; /* among those of its kind */
	bool mmio;	/* else PCI */
	int port;	/* PCI: as pcie_endpoint_conf.port */
	bool readonly;
	enum virtio_peer peer;
	const char *path; /* file, device or socket; tap: the interface; points into an argument */
	int path_len;
	char serial[VIRTIO_SERIAL_BYTES];
	uint8_t mac[6];
	bool boots; /* bootindex= was given */
	uint32_t bootindex;
	int fd;		/* -1: not open */
	bool by_number; /* fd was handed over */
	uint64_t size;	/* blk: bytes */
};

struct virtio_conf {
	unsigned nr;
	struct virtio_conf_dev dev[VIRTIO_DEVS_MAX];
};

/* --drive, --net, --rng; and --console where its argument begins "virtio". */
extern const struct dev_option virtio_options[];
int virtio_parse_console(struct virtio_conf *c, const char *arg);

/* Opens what the devices need; 0 or a negative error, logged. virtio_conf_close() after failure, too. */
int virtio_conf_open(struct virtio_conf *c);
void virtio_conf_close(struct virtio_conf *c);

/* "--drive file=disk.img": the option that a device came from, for messages. */
const char *virtio_conf_name(const struct virtio_conf_dev *d, char *buf, size_t size);

#endif
