/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell UART PL011 (DDI 0183, chapter 3). Characters leave at once, so the
 * transmit FIFO is always empty and the line never busy; the 32 bit periods
 * after which received data times out have always just passed.
 *
 * One thing is kinder than the manual: characters are sent (and counted) and
 * received although the guest has not enabled the UART, because without firmware
 * nobody did it before the guest's early console, and programs written for
 * QEMU's board, which is as kind, never do it.
 */
#include "dev/pl011.h"

#include <string.h>

#include "core/dt.h"
#include "core/irq.h"

#define FIFO_DEPTH 16U
#define CLOCK_HZ   24000000U

enum reg {
	DR = 0x00,
	RSR_ECR = 0x04,
	FR = 0x18,
	ILPR = 0x20,
	IBRD = 0x24,
	FBRD = 0x28,
	LCR_H = 0x2c,
	CR = 0x30,
	IFLS = 0x34,
	IMSC = 0x38,
	RIS = 0x3c,
	MIS = 0x40,
	ICR = 0x44,
	DMACR = 0x48,
	PERIPH_ID0 = 0xfe0,
};

enum {
	FR_CTS = 1 << 0,
	FR_DSR = 1 << 1,
	FR_DCD = 1 << 2,
	FR_RXFE = 1 << 4,
	FR_RXFF = 1 << 6,
	FR_TXFE = 1 << 7,
	FR_RI = 1 << 8,

	LCR_H_FEN = 1 << 4,

	CR_UARTEN = 1 << 0,
	CR_LBE = 1 << 7,
	CR_TXE = 1 << 8,
	CR_RXE = 1 << 9,
	CR_DTR = 1 << 10,
	CR_RTS = 1 << 11,
	CR_OUT1 = 1 << 12,
	CR_OUT2 = 1 << 13,
	CR_WRITABLE = 0xff87,

	INT_RI = 1 << 0,
	INT_CTS = 1 << 1,
	INT_DCD = 1 << 2,
	INT_DSR = 1 << 3,
	INT_RX = 1 << 4,
	INT_TX = 1 << 5,
	INT_RT = 1 << 6,
	INT_OE = 1 << 10,
	INT_ALL = 0x7ff,

	DR_OE = 1 << 11,
	RSR_OE = 1 << 3,
};

struct pl011 {
	struct dev dev;
	struct irq_line irq;
	uint16_t fifo[FIFO_DEPTH]; /* as DR reads: data and error bits */
	unsigned head, level;
	bool overrun; /* a character was lost; the next one that fits carries it */
	uint16_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, ris, dmacr;
};

/* PeriphID0..3 (part 0x011, ARM, revision r1p4: 16-byte FIFOs), PCellID0..3: DDI 0183F, 3.3.15, 3.3.16. */
static const uint8_t ids[8] = {0x11, 0x10, 0x24, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl011 *pl011(const struct dev *d)
{
	return (struct pl011 *)(uintptr_t)d;
}

static unsigned depth(const struct pl011 *u)
{
	return u->lcr_h & LCR_H_FEN ? FIFO_DEPTH : 1;
}

/* RXIFLSEL in eighths of the FIFO; reserved values act as the highest. */
static unsigned rx_trigger(const struct pl011 *u)
{
	static const uint8_t level[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	return u->lcr_h & LCR_H_FEN ? level[(u->ifls >> 3) & 7U] : 1;
}

static void update(struct pl011 *u)
{
	irq_set(&u->irq, &u->dev, 0, u->ris & u->imsc);
}

/* Modem inputs: a peer that is always there, or our own outputs in loopback (DDI 0183, 2.4.5). */
static uint16_t modem(const struct pl011 *u)
{
	if (!(u->cr & CR_LBE))
		return FR_CTS | FR_DSR | FR_DCD;
	return (uint16_t)((u->cr & CR_RTS ? FR_CTS : 0) | (u->cr & CR_DTR ? FR_DSR : 0) |
			  (u->cr & CR_OUT1 ? FR_DCD : 0) | (u->cr & CR_OUT2 ? FR_RI : 0));
}

static void receive(struct pl011 *u, uint8_t c)
{
	if (u->level == depth(u)) {
		u->overrun = true;
		u->rsr |= RSR_OE;
		u->ris |= INT_OE;
		return;
	}
	u->fifo[(u->head + u->level++) % FIFO_DEPTH] = (uint16_t)(c | (u->overrun ? DR_OE : 0));
	u->overrun = false;
	if (u->level >= rx_trigger(u))
		u->ris |= INT_RX;
	u->ris |= INT_RT;
}

static void transmit(struct pl011 *u, uint8_t c)
{
	if ((u->cr & (CR_UARTEN | CR_TXE)) != (CR_UARTEN | CR_TXE))
		dev_guest_error(&u->dev, "character sent while disabled:", c);
	if (u->cr & CR_LBE)
		receive(u, c);
	else
		u->dev.env->ops->console(u->dev.env, &c, 1);
	u->ris |= INT_TX; /* the FIFO has fallen to its trigger level */
}

static uint16_t read_data(struct pl011 *u)
{
	uint16_t v;

	if (!u->level)
		return 0;
	v = u->fifo[u->head];
	u->head = (u->head + 1) % FIFO_DEPTH;
	u->level--;
	u->rsr = (uint16_t)((u->rsr & RSR_OE) | (v >> 8));
	if (u->level < rx_trigger(u))
		u->ris &= (uint16_t)~INT_RX;
	if (!u->level)
		u->ris &= (uint16_t)~INT_RT;
	return v;
}

static uint16_t flags(const struct pl011 *u)
{
	return (uint16_t)(modem(u) | FR_TXFE | (u->level ? 0 : FR_RXFE) |
			  (u->level == depth(u) ? FR_RXFF : 0));
}

static void write_lcr_h(struct pl011 *u, uint16_t val)
{
	if ((u->lcr_h ^ val) & LCR_H_FEN) {
		u->head = u->level = 0; /* turning the FIFOs on or off empties them */
		u->ris &= (uint16_t) ~(INT_RX | INT_RT);
	}
	u->lcr_h = val & 0xff;
}

static void write_cr(struct pl011 *u, uint16_t val)
{
	uint16_t before = modem(u), changed;

	u->cr = val & CR_WRITABLE;
	changed = before ^ modem(u);
	u->ris |= (uint16_t)((changed & FR_RI ? INT_RI : 0) | (changed & FR_CTS ? INT_CTS : 0) |
			     (changed & FR_DCD ? INT_DCD : 0) | (changed & FR_DSR ? INT_DSR : 0));
}

static uint64_t pl011_read(struct dev *d, uint64_t off, unsigned len)
{
	struct pl011 *u = pl011(d);
	uint64_t v;

	(void)len;
	if (off >= PERIPH_ID0 && !(off & 3))
		return ids[(off - PERIPH_ID0) / 4];
	switch (off) {
	case DR:
		v = read_data(u);
		update(u);
		return v;
	case RSR_ECR:
		return u->rsr;
	case FR:
		return flags(u);
	case ILPR:
		return u->ilpr;
	case IBRD:
		return u->ibrd;
	case FBRD:
		return u->fbrd;
	case LCR_H:
		return u->lcr_h;
	case CR:
		return u->cr;
	case IFLS:
		return u->ifls;
	case IMSC:
		return u->imsc;
	case RIS:
		return u->ris;
	case MIS:
		return u->ris & u->imsc;
	case DMACR:
		return u->dmacr;
	default:
		dev_guest_error(d, "read of no register at", off);
		return 0;
	}
}

static void pl011_write(struct dev *d, uint64_t off, unsigned len, uint64_t value)
{
	struct pl011 *u = pl011(d);
	uint16_t val = (uint16_t)value;

	(void)len;
	switch (off) {
	case DR:
		transmit(u, (uint8_t)val);
		break;
	case RSR_ECR:
		u->rsr = 0;
		break;
	case ILPR:
		u->ilpr = val & 0xff;
		break;
	case IBRD:
		u->ibrd = val;
		break;
	case FBRD:
		u->fbrd = val & 0x3f;
		break;
	case LCR_H:
		write_lcr_h(u, val);
		break;
	case CR:
		write_cr(u, val);
		break;
	case IFLS:
		u->ifls = val & 0x3f;
		break;
	case IMSC:
		u->imsc = val & INT_ALL;
		break;
	case ICR:
		u->ris &= (uint16_t)~val;
		break;
	case DMACR:
		u->dmacr = val & 7;
		break;
	default:
		dev_guest_error(d, "write to no register at", off);
		break;
	}
	update(u);
}

static size_t pl011_input(struct dev *d, const uint8_t *buf, size_t len)
{
	struct pl011 *u = pl011(d);
	size_t n = 0;

	if (u->cr & CR_LBE)
		return 0;
	while (n < len && u->level < depth(u))
		receive(u, buf[n++]);
	update(u);
	return n;
}

static void pl011_reset(struct dev *d)
{
	struct pl011 *u = pl011(d);

	irq_reset(&u->irq, d, 0);
	memset(&u->fifo, 0, sizeof(*u) - offsetof(struct pl011, fifo));
	u->cr = CR_TXE | CR_RXE;
	u->ifls = 0x12;
}

static int pl011_describe(const struct dev *d, struct fdt *f)
{
	dt_begin(f, "apb-pclk");
	dt_str(f, "compatible", "fixed-clock");
	dt_u32(f, "#clock-cells", 0);
	dt_u32(f, "clock-frequency", CLOCK_HZ);
	dt_str(f, "clock-output-names", "clk24mhz");
	dt_phandle(f, DT_PHANDLE_APB_PCLK);
	dt_end(f);

	dt_begin_at(f, "pl011", d->range[0].base);
	dt_strs(f, "compatible", "arm,pl011", "arm,primecell");
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_spi(f, d->spi, DT_IRQ_LEVEL);
	dt_cells(f, "clocks", DT_PHANDLE_APB_PCLK, DT_PHANDLE_APB_PCLK);
	dt_strs(f, "clock-names", "uartclk", "apb_pclk");
	dt_end(f);
	return 0;
}

const struct dev_ops pl011_ops = {
	.name = "pl011",
	.compatible = "arm,pl011",
	.size = sizeof(struct pl011),
	.window = {{"uart", 1, 4, pl011_read, pl011_write}},
	.reset = pl011_reset,
	.describe = pl011_describe,
	.input = pl011_input,
};
