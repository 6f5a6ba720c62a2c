/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell Real Time Clock PL031 (DDI 0224, chapter 3). It starts with the
 * host's time of day and then counts seconds that are never stepped; it is
 * running from the start, as if firmware had set RTCCR.
 */
#include "dev/pl031.h"

#include <string.h>

#include "core/dt.h"
#include "core/irq.h"

#define NS_PER_S 1000000000ULL
#define WRAP_S	 (1ULL << 32)

enum reg {
	DR = 0x00,
	MR = 0x04,
	LR = 0x08,
	CR = 0x0c,
	IMSC = 0x10,
	RIS = 0x14,
	MIS = 0x18,
	ICR = 0x1c,
	PERIPH_ID0 = 0xfe0,
};

struct pl031 {
	struct dev dev;
	struct irq_line irq;
	uint64_t start_ns; /* when the counter held `start` */
	uint32_t start, match, load, imsc, ris;
};

/* DDI 0224, 3.3.9 and 3.3.10 */
static const uint8_t ids[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl031 *pl031(const struct dev *d)
{
	return (struct pl031 *)(uintptr_t)d;
}

static uint64_t elapsed_s(const struct pl031 *r)
{
	return (r->dev.env->ops->clock_ns(r->dev.env) - r->start_ns) / NS_PER_S;
}

static uint32_t counter(const struct pl031 *r)
{
	return r->start + (uint32_t)elapsed_s(r);
}

static void update(struct pl031 *r)
{
	irq_set(&r->irq, &r->dev, 0, r->ris & r->imsc);
}

/* The comparator raises when the counter becomes equal to RTCMR; the next time is a wrap away. */
static void arm(struct pl031 *r)
{
	uint64_t wait = (uint32_t)(r->match - counter(r));

	if (!wait) {
		r->ris = 1;
		wait = WRAP_S;
	}
	r->dev.env->ops->timer(r->dev.env, &r->dev, r->start_ns + (elapsed_s(r) + wait) * NS_PER_S);
	update(r);
}

/* However late it comes: the counter has been equal meanwhile. */
static void pl031_timer(struct dev *d)
{
	pl031(d)->ris = 1;
	arm(pl031(d));
}

static uint64_t pl031_read(struct dev *d, uint64_t off, unsigned len)
{
	const struct pl031 *r = pl031(d);

	(void)len;
	if (off >= PERIPH_ID0)
		return ids[(off - PERIPH_ID0) / 4];
	switch (off) {
	case DR:
		return counter(r);
	case MR:
		return r->match;
	case LR:
		return r->load;
	case CR:
		return 1;
	case IMSC:
		return r->imsc;
	case RIS:
		return r->ris;
	case MIS:
		return r->ris & r->imsc;
	default:
		dev_guest_error(d, "read of no register at", off);
		return 0;
	}
}

static void pl031_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	struct pl031 *r = pl031(d);

	(void)len;
	switch (off) {
	case MR:
		r->match = (uint32_t)val;
		arm(r);
		break;
	case LR:
		r->load = r->start = (uint32_t)val;
		r->start_ns = d->env->ops->clock_ns(d->env);
		arm(r);
		break;
	case CR: /* once started it cannot be stopped: 3.3.4 */
		break;
	case IMSC:
		r->imsc = val & 1;
		update(r);
		break;
	case ICR:
		r->ris &= ~(uint32_t)val;
		update(r);
		break;
	default:
		dev_guest_error(d, "write to no register at", off);
		break;
	}
}

static void pl031_reset(struct dev *d)
{
	struct pl031 *r = pl031(d);

	irq_reset(&r->irq, d, 0);
	r->match = r->load = r->imsc = r->ris = 0;
	r->start = (uint32_t)d->env->ops->wall_s(d->env);
	r->start_ns = d->env->ops->clock_ns(d->env);
	d->env->ops->timer(d->env, d, 0);
}

static int pl031_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "pl031", d->range[0].base);
	dt_strs(f, "compatible", "arm,pl031", "arm,primecell");
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_spi(f, d->spi, DT_IRQ_LEVEL);
	dt_cells(f, "clocks", DT_PHANDLE_APB_PCLK);
	dt_str(f, "clock-names", "apb_pclk");
	dt_end(f);
	return 0;
}

const struct dev_ops pl031_ops = {
	.name = "pl031",
	.compatible = "arm,pl031",
	.size = sizeof(struct pl031),
	.window = {{"rtc", 1, 4, pl031_read, pl031_write}},
	.reset = pl031_reset,
	.describe = pl031_describe,
	.timer = pl031_timer,
};
