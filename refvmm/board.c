/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/err.h"
#include "dev/flash.h"
#include "dev/fw_cfg.h"
#include "dev/gicv2m.h"
#include "dev/pcie_host.h"
#include "dev/pl011.h"
#include "dev/pl031.h"
#include "dev/pl061.h"
#include "dev/test_port.h"
#include "virtio/mmio.h"
#include "virtio/pci.h"

#define REDIST_SIZE 0x20000ULL /* two frames of 64 KiB: IHI 0069, 12.10 */

static bool has_v2m(const struct machine_conf *c)
{
	return c->gic == GIC_V2;
}

/* clang-format off */
/* THE table of devices. A new one is one file in dev/ and one line here. */
const struct board_row board_table[] = {
	{&flash_ops, {BOARD_FLASH0, BOARD_FLASH1}, {0}, 0, 0, NULL},
	{&gicv2m_ops, {BOARD_GIC_V2M}, {0},
	 ASSAY_SPI_GIC_V2M, ASSAY_SPI_GIC_V2M_COUNT, has_v2m},
	{&pl011_ops, {BOARD_UART}, {0},
	 ASSAY_SPI_UART, ASSAY_SPI_UART_COUNT, NULL},
	{&pl031_ops, {BOARD_RTC}, {0},
	 ASSAY_SPI_RTC, ASSAY_SPI_RTC_COUNT, NULL},
	{&fw_cfg_ops, {BOARD_FW_CFG}, {0}, 0, 0, NULL},
	{&pl061_ops, {BOARD_GPIO}, {0},
	 ASSAY_SPI_GPIO, ASSAY_SPI_GPIO_COUNT, NULL},
	{&virtio_mmio_ops, {BOARD_VIRTIO_MMIO}, {0},
	 ASSAY_SPI_VIRTIO_MMIO, ASSAY_SPI_VIRTIO_MMIO_COUNT, NULL},
	{&test_port_ops, {BOARD_TEST_PORT}, {0},
	 ASSAY_SPI_TEST_PORT, ASSAY_SPI_TEST_PORT_COUNT, NULL},
	{&pcie_host_ops,
	 {[PCIE_WINDOW_ECAM] = BOARD_PCIE_ECAM, [PCIE_WINDOW_MMIO32] = BOARD_PCIE_MMIO,
	  [PCIE_WINDOW_PIO] = BOARD_PCIE_PIO},
	 {[PCIE_WINDOW_ECAM] = BOARD_PCIE_ECAM_HIGH, [PCIE_WINDOW_MMIO64] = BOARD_PCIE_MMIO_HIGH},
	 ASSAY_SPI_PCIE_INTX, ASSAY_SPI_PCIE_INTX_COUNT, NULL},
};
/* clang-format on */

const unsigned board_rows = sizeof(board_table) / sizeof(board_table[0]);
_Static_assert(sizeof(board_table) / sizeof(board_table[0]) <= CONF_DEVS_MAX, "CONF_DEVS_MAX");

static const struct {
	const char *name;
	struct dev_range range;
} regions[BOARD_REGIONS] = {
#define REGION_X(name, base, size) [BOARD_##name] = {#name, {base, size}},
	ASSAY_BOARD_REGIONS(REGION_X)
#undef REGION_X
};

static const struct {
	const char *name;
	unsigned spi, count;
} spis[] = {
#define SPI_X(name, spi, count) {#name, spi, count},
	ASSAY_BOARD_SPIS(SPI_X)
#undef SPI_X
};

struct dev_range board_region_range(enum board_region r)
{
	return regions[r].range;
}

unsigned board_redists_low(unsigned smp)
{
	unsigned room = (unsigned)(ASSAY_GIC_REDIST_SIZE / REDIST_SIZE);

	return smp < room ? smp : room;
}

static enum board_region window(const struct board_row *row, unsigned i, bool highmem)
{
	return highmem && row->high[i] ? row->high[i] : row->low[i];
}

int board_check(void)
{
	for (unsigned i = BOARD_NONE + 1; i + 1 < BOARD_REGIONS; i++) {
		struct dev_range a = regions[i].range, b = regions[i + 1].range;

		if (a.base + a.size > b.base || !b.size) {
			err_note("board: %s and %s overlap", regions[i].name, regions[i + 1].name);
			return -EEXIST;
		}
	}
	for (unsigned i = 0; i + 1 < sizeof(spis) / sizeof(spis[0]); i++) {
		if (spis[i].spi + spis[i].count > spis[i + 1].spi) {
			err_note("board: SPIs of %s and %s overlap", spis[i].name,
				 spis[i + 1].name);
			return -EEXIST;
		}
	}
	return 0;
}

int board_conf_init(struct machine_conf *c)
{
	for (unsigned i = 0; i < board_rows; i++) {
		size_t size = board_table[i].ops->conf_size;

		c->dev[i] = size ? calloc(1, size) : NULL;
		if (size && !c->dev[i]) {
			board_conf_free(c);
			return err_host(ENOMEM, "options of %s", board_table[i].ops->name);
		}
	}
	return 0;
}

void board_conf_free(struct machine_conf *c)
{
	for (unsigned i = 0; i < CONF_DEVS_MAX; i++) {
		free(c->dev[i]);
		c->dev[i] = NULL;
	}
}

static void *conf_of(const struct machine_conf *c, const struct dev_ops *ops)
{
	for (unsigned i = 0; i < board_rows; i++) {
		if (board_table[i].ops == ops)
			return c->dev[i];
	}
	return NULL;
}

const void *board_conf(const struct machine_conf *c, const struct dev_ops *ops)
{
	return conf_of(c, ops);
}

bool board_has_firmware(const struct machine_conf *c)
{
	const struct flash_conf *f = board_conf(c, &flash_ops);

	return f && f->firmware;
}

bool board_keeps_files(const struct machine_conf *c)
{
	const struct flash_conf *f = board_conf(c, &flash_ops);

	return f->firmware || f->vars || board_virtio_conf(c)->nr;
}

bool board_keeps_descriptor(const struct machine_conf *c, int fd)
{
	const struct virtio_conf *v = board_virtio_conf(c);
	bool keeps = false;

	for (unsigned i = 0; i < v->nr; i++)
		keeps |= v->dev[i].fd == fd;
	return keeps;
}

struct dev *board_dev(const struct board *b, const struct dev_ops *ops)
{
	for (unsigned i = 0; i < b->nr; i++) {
		if (b->dev[i]->ops == ops)
			return b->dev[i];
	}
	return NULL;
}

int board_start(struct board *b)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < b->nr; i++)
		ret = b->dev[i]->ops->start ? b->dev[i]->ops->start(b->dev[i]) : 0;
	return ret;
}

void board_reset(struct board *b)
{
	for (unsigned i = 0; i < b->nr; i++) {
		if (b->dev[i]->ops->reset)
			b->dev[i]->ops->reset(b->dev[i]);
	}
}

struct virtio_conf *board_virtio_conf(const struct machine_conf *c)
{
	return conf_of(c, &virtio_mmio_ops);
}

int board_conf_finish(struct machine_conf *c)
{
	static const char *const options[] = {[VIRTIO_BLK] = "--drive …",
					      [VIRTIO_NET] = "--net …",
					      [VIRTIO_RNG] = "--rng virtio",
					      [VIRTIO_CONSOLE] = "--console virtio"};
	struct virtio_conf *v = board_virtio_conf(c);

	for (unsigned i = 0; i < v->nr; i++) {
		struct pcie_endpoint_conf *e;

		if (v->dev[i].mmio)
			continue;
		e = pcie_conf_add(conf_of(c, &pcie_host_ops));
		if (!e)
			return -ERR_REFUSED;
		e->port = v->dev[i].port;
		e->ops = &virtio_pci_ops;
		e->conf = &v->dev[i];
		e->option = options[v->dev[i].kind];
		e->msix = VPCI_MSIX_SIZE;
		e->bar64 = VPCI_BAR_SIZE;
	}
	return 0;
}

int board_build(struct board *b, const struct machine_conf *c, struct env *env)
{
	*b = (struct board){0};
	for (unsigned i = 0; i < board_rows; i++) {
		const struct board_row *row = &board_table[i];
		struct dev_place place = {
			.spi = row->spi, .nr_spi = row->nr_spi, .conf = c->dev[i]};
		int ret;

		if (row->present && !row->present(c))
			continue;
		for (unsigned w = 0; w < DEV_WINDOWS_MAX; w++)
			place.range[w] = regions[window(row, w, c->highmem)].range;
		ret = dev_new(&b->dev[b->nr], row->ops, env, &place);
		if (ret)
			goto fail;
		ret = bus_add(&b->bus, b->dev[b->nr++]);
		if (ret) {
			err_host(-ret, "board: windows of %s", row->ops->name);
			goto fail;
		}
		continue;
	fail:
		board_free(b);
		return ret;
	}
	return 0;
}

void board_free(struct board *b)
{
	while (b->nr)
		dev_free(b->dev[--b->nr]);
	*b = (struct board){0};
}

uint64_t board_top(const struct machine_conf *c)
{
	uint64_t top = ASSAY_RAM_BASE + c->ram.size;

	if (c->smp > board_redists_low(c->smp) && top < ASSAY_GIC_REDIST_HIGH_BASE)
		top = ASSAY_GIC_REDIST_HIGH_BASE + ASSAY_GIC_REDIST_HIGH_SIZE;
	for (unsigned i = 0; i < board_rows; i++) {
		const struct board_row *row = &board_table[i];

		if (row->present && !row->present(c))
			continue;
		for (unsigned w = 0; w < DEV_WINDOWS_MAX; w++) {
			struct dev_range r = regions[window(row, w, c->highmem)].range;

			if (r.base + r.size > top)
				top = r.base + r.size;
		}
	}
	return top;
}
