/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2m: a frame of 4 KiB that turns writes of an interrupt number into edges of SPIs, so that
 * PCIe functions have message-signalled interrupts with a GICv2 (Arm Server Base System
 * Architecture, appendix "GICv2m"; registers also in Linux, drivers/irqchip/irq-gic-v2m.c).
 */

#include <assay/board.h>

#include "core/dev.h"
#include "core/dt.h"
#include "dev/gicv2m.h"

enum { MSI_TYPER = 0x008, MSI_SETSPI_NS = GICV2M_SETSPI, MSI_IIDR = 0xfcc };

static uint64_t v2m_read(struct dev *d, uint64_t off, unsigned len)
{
	(void)len;
	switch (off) {
	case MSI_TYPER: /* bits 25:16 first interrupt ID, bits 9:0 how many */
		return ASSAY_SPI_TO_INTID(d->spi) << 16 | d->nr_spi;
	case MSI_SETSPI_NS: /* write-only */
	case MSI_IIDR:
		return 0;
	default:
		dev_guest_error(d, "read of a reserved register at", off);
		return 0;
	}
}

static void v2m_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	uint64_t first = ASSAY_SPI_TO_INTID(d->spi);

	(void)len;
	if (off != MSI_SETSPI_NS) {
		dev_guest_error(d, "write of a reserved register at", off);
		return;
	}
	val &= 0x3ff;
	if (val < first || val - first >= d->nr_spi) {
		dev_guest_error(d, "message for an interrupt of somebody else:", val);
		return;
	}
	dev_irq(d, (unsigned)(val - first), true);
	dev_irq(d, (unsigned)(val - first), false);
}

/* Linux, bindings/interrupt-controller/arm,gic.yaml: how many and where the frame says itself. */
static int v2m_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "v2m", d->range[0].base);
	dt_strs(f, "compatible", "arm,gic-v2m-frame");
	dt_empty(f, "msi-controller");
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_phandle(f, DT_PHANDLE_MSI);
	dt_end(f);
	return 0;
}

const struct dev_ops gicv2m_ops = {
	.name = "gicv2m",
	.compatible = "arm,gic-v2m-frame",
	.size = sizeof(struct dev),
	.window = {{"v2m", 4, 4, v2m_read, v2m_write}},
	.describe = v2m_describe,
};
