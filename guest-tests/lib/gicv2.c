/* SPDX-License-Identifier: Apache-2.0 */
/* GICv2 (IHI 0048B): the CPU interface is memory mapped, SGIs and targets go by CPU interface number. */
#include "gic_impl.h"
#include "smp.h"
#include "test.h"

static struct mmio dist, cpu;
static volatile uint8_t
	interface_mask[8]; /* by CPU: its bit in ITARGETSR, as each reads it itself */

void gicv2_init(int node, struct mmio d)
{
	dist = d;
	cpu = dt_mmio_reg(node, 1);
	gicv2_impl.dist_on();
}

static void dist_on(void)
{
	wr32(dist, GICD_CTLR, 1);
}

struct mmio gic_cpu_frame(void)
{
	gic_need(2);
	return cpu;
}

static void cpu_init(void)
{
	/* 4.3.12: a read of ITARGETSR0-7 gives the reading CPU's own interface */
	uint32_t target = rd32(dist, GICD_ITARGETSR);

	if (cpu_index() < ARRAY_SIZE(interface_mask))
		interface_mask[cpu_index()] =
			(uint8_t)(target | target >> 8 | target >> 16 | target >> 24);
	wr32(cpu, GICC_PMR, 0xff);
	wr32(cpu, GICC_BPR, 0);
	wr32(cpu, GICC_ABPR, 0);
	wr32(cpu, GICC_CTLR, 1);
}

/* one CPU need not implement ITARGETSR (reads as zero): it is interface 0 */
static uint32_t mask_of(unsigned n)
{
	if (n >= ARRAY_SIZE(interface_mask))
		return 0;
	return interface_mask[n] ? interface_mask[n] : (uint32_t)BIT(n);
}

static void wait_rwp(unsigned intid)
{
	(void)intid; /* GICv2 has no RWP: a read back orders the write */
	(void)rd32(dist, GICD_CTLR);
}

/* 4.3.15, 4.3.16: an SGI is pended for a source CPU; the library uses the CPU itself */
static void sgi_set_pending(unsigned intid, bool pending)
{
	wr8(dist, (pending ? GICD_SPENDSGIR : GICD_CPENDSGIR) + intid,
	    (uint8_t)(pending ? mask_of(cpu_index()) : 0xff));
}

static void drop_active(void)
{
	unsigned end = 32 * ((rd32(dist, GICD_TYPER) & 0x1f) + 1);

	for (unsigned i = 0; i < MIN(1020U, end); i++)
		if (rd32(dist, GICD_ISACTIVER + i / 32 * 4) & BIT(i % 32))
			/* an SGI ends with the CPU it came from: any */
			for (uint32_t from = 0; from < (i < 16 ? 8 : 1); from++)
				wr32(cpu, GICC_EOIR, from << 10 | i);
}

static void route(unsigned intid, unsigned n)
{
	wr8(dist, GICD_ITARGETSR + intid, (uint8_t)mask_of(n));
}

static uint32_t ack(void)
{
	uint32_t iar = rd32(cpu, GICC_IAR);

	/* bits 12:10 are the SGI's source CPU; gic_intid() must not see them in the INTID */
	return (iar & 0x3ff) | (iar & 0x1c00) << 14;
}

static uint32_t to_register(uint32_t iar)
{
	return (iar & 0x3ff) | (iar >> 14 & 0x1c00);
}

static void eoi(uint32_t iar)
{
	wr32(cpu, GICC_EOIR, to_register(iar));
}

static void deactivate(uint32_t iar)
{
	wr32(cpu, GICC_DIR, to_register(iar));
}

static unsigned highest_pending(void)
{
	return rd32(cpu, GICC_HPPIR) & 0x3ff;
}

static void set_pmr(uint8_t mask)
{
	wr32(cpu, GICC_PMR, mask);
}

static uint8_t get_pmr(void)
{
	return (uint8_t)rd32(cpu, GICC_PMR);
}

static uint8_t running_priority(void)
{
	return (uint8_t)rd32(cpu, GICC_RPR);
}

static void set_eoimode(bool split)
{
	wr32(cpu, GICC_CTLR, split ? 1 | (uint32_t)GICC_CTLR_EOIMODE : 1);
}

static bool get_eoimode(void)
{
	return rd32(cpu, GICC_CTLR) & GICC_CTLR_EOIMODE;
}

/* GICD_SGIR (4.3.15): filter in 25:24, list in 23:16 */
static void sgi(unsigned intid, unsigned n)
{
	wr32(dist, GICD_SGIR, mask_of(n) << 16 | intid);
}

static void sgi_list(unsigned intid, uint64_t cpus)
{
	uint32_t mask = 0;

	for (unsigned n = 0; n < ARRAY_SIZE(interface_mask); n++)
		if (cpus & BIT(n))
			mask |= mask_of(n);
	wr32(dist, GICD_SGIR, mask << 16 | intid);
}

static void sgi_others(unsigned intid)
{
	wr32(dist, GICD_SGIR, 1U << 24 | intid);
}

const struct gic_impl gicv2_impl = {
	.version = 2,
	.dist_on = dist_on,
	.cpu_init = cpu_init,
	.drop_active = drop_active,
	.wait_rwp = wait_rwp,
	.sgi_set_pending = sgi_set_pending,
	.route = route,
	.ack = ack,
	.eoi = eoi,
	.deactivate = deactivate,
	.highest_pending = highest_pending,
	.set_pmr = set_pmr,
	.get_pmr = get_pmr,
	.running_priority = running_priority,
	.set_eoimode = set_eoimode,
	.get_eoimode = get_eoimode,
	.sgi = sgi,
	.sgi_list = sgi_list,
	.sgi_others = sgi_others,
};
