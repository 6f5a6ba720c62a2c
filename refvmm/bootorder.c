/* SPDX-License-Identifier: Apache-2.0 */
#include "bootorder.h"

#include <assay/board.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dev/pcie_host.h"

#define PATH_LEN 96

/* The host bridge has no address in these paths: QEMU writes all ones. */
#define PCI_ROOT "/pci@ffffffffffffffff"

/* The first device is in the last slot: virtio/mmio.c. */
static uint64_t mmio_base(const struct virtio_conf *v, const struct virtio_conf_dev *d)
{
	uint64_t slot = VIRTIO_MMIO_SLOTS - 1;

	for (const struct virtio_conf_dev *e = v->dev; e < d; e++)
		slot -= e->mmio;
	return ASSAY_VIRTIO_MMIO_BASE + slot * (ASSAY_VIRTIO_MMIO_SIZE / VIRTIO_MMIO_SLOTS);
}

static void path_of(char path[PATH_LEN], const struct virtio_conf *v,
		    const struct virtio_conf_dev *d, const struct board *b)
{
	static const char *const pci[] = {[VIRTIO_BLK] = "scsi", [VIRTIO_NET] = "ethernet"};
	static const char *const unit[] = {
		[VIRTIO_BLK] = "disk@0,0", [VIRTIO_NET] = "ethernet-phy@0"};
	char bridge[24] = "";
	int port, slot;

	if (d->mmio) {
		snprintf(path, PATH_LEN, "/virtio-mmio@%016" PRIx64 "/%s", mmio_base(v, d),
			 unit[d->kind]);
		return;
	}
	pcie_where(board_dev(b, &pcie_host_ops), d, &port, &slot);
	if (port >= 0)
		snprintf(bridge, sizeof(bridge), "/pci-bridge@%x", (unsigned)port);
	snprintf(path, PATH_LEN, PCI_ROOT "%s/%s@%x/%s", bridge, pci[d->kind], (unsigned)slot,
		 unit[d->kind]);
}

/* The next one after `last`; NULL: none. */
static const struct virtio_conf_dev *next(const struct virtio_conf *v,
					  const struct virtio_conf_dev *last)
{
	const struct virtio_conf_dev *found = NULL;

	for (unsigned i = 0; i < v->nr; i++) {
		const struct virtio_conf_dev *d = &v->dev[i];

		if (d->boots && (!last || d->bootindex > last->bootindex) &&
		    (!found || d->bootindex < found->bootindex))
			found = d;
	}
	return found;
}

int bootorder_build(struct buf *out, const struct machine_conf *c, const struct board *b)
{
	const struct virtio_conf *v = board_virtio_conf(c);

	*out = (struct buf){0};
	for (const struct virtio_conf_dev *d = next(v, NULL); d; d = next(v, d)) {
		char path[PATH_LEN];

		path_of(path, v, d, b);
		if (out->len)
			buf_u8(out, '\n');
		buf_bytes(out, path, strlen(path));
	}
	if (out->len)
		buf_u8(out, 0);
	return out->failed ? -ENOMEM : 0;
}
