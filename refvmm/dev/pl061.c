/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell General Purpose Input/Output PL061 (DDI 0190, chapter 3). Lines
 * that nobody drives are low. The board's power key is on line 3.
 */
#include "dev/pl061.h"

#include <string.h>

#include "core/dt.h"
#include "core/irq.h"

#define KEY_POWER 116 /* Linux input-event-codes.h */

enum reg {
	DATA_LAST = 0x3fc, /* GPIODATA: address bits 9:2 choose the lines */
	DIR = 0x400,
	IS = 0x404,
	IBE = 0x408,
	IEV = 0x40c,
	IE = 0x410,
	RIS = 0x414,
	MIS = 0x418,
	IC = 0x41c,
	AFSEL = 0x420,
	PERIPH_ID0 = 0xfe0,
};

struct pl061 {
	struct dev dev;
	struct irq_line irq;
	uint8_t pins; /* what the outside drives; survives a reset */
	uint8_t out, dir, is, ibe, iev, ie, edges, afsel;
};

/* DDI 0190, 3.3.11 and 3.3.12 */
static const uint8_t ids[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl061 *pl061(const struct dev *d)
{
	return (struct pl061 *)(uintptr_t)d;
}

static uint8_t lines(const struct pl061 *g)
{
	return (uint8_t)((g->out & g->dir) | (g->pins & ~g->dir));
}

/* Levels are as the line is; edges stay until cleared. */
static uint8_t raw(const struct pl061 *g)
{
	uint8_t levels = (uint8_t) ~(lines(g) ^ g->iev);

	return (uint8_t)((levels & g->is & ~g->dir) | g->edges);
}

static void update(struct pl061 *g)
{
	irq_set(&g->irq, &g->dev, 0, raw(g) & g->ie);
}

void pl061_drive(struct dev *d, unsigned line, bool level)
{
	struct pl061 *g = pl061(d);
	uint8_t bit = (uint8_t)(1U << line % PL061_LINES);
	uint8_t wanted = g->ibe & bit ? bit : (uint8_t)(level ? g->iev & bit : ~g->iev & bit);

	if (!(g->pins & bit) == !level)
		return;
	g->pins ^= bit;
	g->edges |= (uint8_t)(wanted & ~g->is & ~g->dir);
	update(g);
}

bool pl061_armed(struct dev *d, unsigned line)
{
	return pl061(d)->ie >> line % PL061_LINES & 1;
}

static uint64_t pl061_read(struct dev *d, uint64_t off, unsigned len)
{
	const struct pl061 *g = pl061(d);

	(void)len;
	if (off <= DATA_LAST)
		return lines(g) & off >> 2;
	if (off >= PERIPH_ID0)
		return ids[(off - PERIPH_ID0) / 4];
	switch (off) {
	case DIR:
		return g->dir;
	case IS:
		return g->is;
	case IBE:
		return g->ibe;
	case IEV:
		return g->iev;
	case IE:
		return g->ie;
	case RIS:
		return raw(g);
	case MIS:
		return raw(g) & g->ie;
	case AFSEL:
		return g->afsel;
	default:
		dev_guest_error(d, "read of no register at", off);
		return 0;
	}
}

static void pl061_write(struct dev *d, uint64_t off, unsigned len, uint64_t value)
{
	struct pl061 *g = pl061(d);
	uint8_t val = (uint8_t)value, mask = (uint8_t)(off >> 2);

	(void)len;
	switch (off) {
	case 0x000 ... DATA_LAST:
		g->out = (uint8_t)((g->out & ~mask) | (val & mask));
		break;
	case DIR:
		g->dir = val;
		break;
	case IS:
		g->is = val;
		g->edges &= (uint8_t)~val;
		break;
	case IBE:
		g->ibe = val;
		break;
	case IEV:
		g->iev = val;
		break;
	case IE:
		g->ie = val;
		break;
	case IC:
		g->edges &= (uint8_t)~val;
		break;
	case AFSEL:
		g->afsel = val;
		break;
	default:
		dev_guest_error(d, "write to no register at", off);
		break;
	}
	update(g);
}

static void pl061_reset(struct dev *d)
{
	struct pl061 *g = pl061(d);

	irq_reset(&g->irq, d, 0);
	memset(&g->out, 0, sizeof(*g) - offsetof(struct pl061, out));
}

static int pl061_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "pl061", d->range[0].base);
	dt_strs(f, "compatible", "arm,pl061", "arm,primecell");
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_spi(f, d->spi, DT_IRQ_LEVEL);
	dt_u32(f, "#gpio-cells", 2);
	dt_empty(f, "gpio-controller");
	dt_u32(f, "#interrupt-cells", 2);
	dt_u32(f, "#address-cells", 0);
	dt_empty(f, "interrupt-controller");
	dt_cells(f, "clocks", DT_PHANDLE_APB_PCLK);
	dt_str(f, "clock-names", "apb_pclk");
	dt_phandle(f, DT_PHANDLE_GPIO);
	dt_end(f);

	dt_begin(f, "gpio-keys");
	dt_str(f, "compatible", "gpio-keys");
	dt_begin(f, "poweroff");
	dt_str(f, "label", "Power key");
	dt_u32(f, "linux,code", KEY_POWER);
	dt_cells(f, "gpios", DT_PHANDLE_GPIO, PL061_POWER_KEY, 0);
	dt_end(f);
	dt_end(f);
	return 0;
}

const struct dev_ops pl061_ops = {
	.name = "pl061",
	.compatible = "arm,pl061",
	.size = sizeof(struct pl061),
	.window = {{"gpio", 1, 4, pl061_read, pl061_write}},
	.reset = pl061_reset,
	.describe = pl061_describe,
};
