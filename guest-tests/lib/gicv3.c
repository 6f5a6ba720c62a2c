/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 (IHI 0069H): redistributors by affinity, the CPU interface in system registers. */
#include "gic_impl.h"
#include "smp.h"
#include "test.h"

#define GICD_CTLR_RWP	  BIT(31)
#define GICR_CTLR_RWP	  BIT(3)
#define GICR_TYPER_VLPIS  BIT(1)
#define GICR_TYPER_LAST	  BIT(4)
#define GICR_WAKER_SLEEP  BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)

static struct mmio dist;
static bool groups_off;
static int gic_node;
static uint64_t redists[CPUS_MAX]; /* by CPU; found when first asked for */

/* EnableGrp1A and ARE_NS (12.9); with one security state bit 0 is EnableGrp0 */
static void dist_on(void)
{
	wr32(dist, GICD_CTLR, 1U << 4 | 1U << 1);
	while (rd32(dist, GICD_CTLR) & GICD_CTLR_RWP)
		cpu_relax();
}

bool gicv3_init(int node, struct mmio d)
{
	dist = d;
	gic_node = node;
	dist_on();
	for (unsigned i = 32; i < MIN(1020U, 32 * ((rd32(dist, GICD_TYPER) & 0x1f) + 1)); i += 32)
		wr32(dist, GICD_IGROUPR + i / 8, ~0U);
	return true;
}

static void note_redist(uint64_t at, uint64_t affinity)
{
	for (unsigned n = 0; n < smp_count(); n++)
		if ((BITS(smp_mpidr(n), 39, 32) << 24 | BITS(smp_mpidr(n), 23, 0)) == affinity)
			redists[n] = at;
}

/* One walk for all CPUs: each step is an exit. GICR_TYPER (12.11): affinity in 63:32, Last in bit 4 */
static void find_redists(void)
{
	unsigned regions = dt_u32(gic_node, "#redistributor-regions", 1);

	for (unsigned r = 0; r < regions; r++) {
		struct mmio m = dt_mmio_reg(gic_node, 1 + r);
		uint64_t stride, typer;

		for (uint64_t at = m.base; at + 0x20000 <= m.base + m.size; at += stride) {
			typer = mmio_rd64(at + GICR_TYPER);
			note_redist(at, typer >> 32);
			if (typer & GICR_TYPER_LAST)
				break;
			stride = typer & GICR_TYPER_VLPIS ? 0x40000 : 0x20000;
		}
	}
}

struct mmio gic_redist(unsigned cpu)
{
	if (!redists[cpu])
		find_redists();
	if (!redists[cpu])
		test_error("no redistributor for CPU %u (MPIDR 0x%lx)", cpu, smp_mpidr(cpu));
	return (struct mmio){redists[cpu], 0x20000};
}

uint64_t gic_msi_address(void)
{
	struct mmio its = dt_mmio("arm,gic-v3-its");

	return its.size ? its.base + 0x10040 : 0;
}

static struct mmio private_frame(void)
{
	struct mmio r = gic_redist(cpu_index());

	return (struct mmio){r.base + GICR_SGI, 0x10000};
}

static void wait_rwp(unsigned intid)
{
	struct mmio f = intid < GIC_SPI_FIRST ? gic_redist(cpu_index()) : dist;
	uint64_t busy = intid < GIC_SPI_FIRST ? GICR_CTLR_RWP : GICD_CTLR_RWP;

	while (rd32(f, GICD_CTLR) & busy)
		cpu_relax();
}

void gic_leave_groups_off(void)
{
	groups_off = true;
	gic_need(3);
	groups_off = false;
}

static void cpu_init(void)
{
	struct mmio r = gic_redist(cpu_index());
	uint32_t waker = rd32(r, GICR_WAKER);

	if (waker & GICR_WAKER_SLEEP) {
		wr32(r, GICR_WAKER, waker & ~(uint32_t)GICR_WAKER_SLEEP);
		while (rd32(r, GICR_WAKER) & GICR_WAKER_ASLEEP)
			cpu_relax();
	}
	wr32(private_frame(), GICD_IGROUPR, ~0U);
	write_sysreg(ICC_SRE_EL1, read_sysreg(ICC_SRE_EL1) | 1); /* SRE */
	isb();
	write_sysreg(ICC_PMR_EL1, 0xff);
	write_sysreg(ICC_CTLR_EL1, 0); /* EOImode 0, CBPR 0: ICC_BPR1_EL1 is its own */
	isb();
	write_sysreg(ICC_BPR0_EL1, 0); /* the finest the GIC has */
	write_sysreg(ICC_BPR1_EL1, 0);
	if (!groups_off)
		write_sysreg(ICC_IGRPEN1_EL1, 1);
	isb();
}

static void drop_active(void)
{
	write_sysreg(ICC_AP0R0_EL1, 0);
	write_sysreg(ICC_AP1R0_EL1, 0);
	isb();
}

static void route(unsigned intid, unsigned n)
{
	uint64_t mpidr = smp_mpidr(n);

	/* GICD_IROUTER<n> (12.9): the affinity fields, Interrupt_Routing_Mode 0 */
	wr64(dist, GICD_IROUTER + 8UL * intid, mpidr & 0xff00ffffffULL);
}

static uint32_t ack(void)
{
	uint32_t iar = (uint32_t)read_sysreg(ICC_IAR1_EL1);

	dsb(sy); /* IHI 0069H 4.1.2: the acknowledge is done before what follows */
	return iar;
}

static void eoi(uint32_t iar)
{
	dsb(sy); /* the device was quieted before the interrupt ends */
	write_sysreg(ICC_EOIR1_EL1, iar);
	isb();
}

static void deactivate(uint32_t iar)
{
	write_sysreg(ICC_DIR_EL1, iar);
	isb();
}

static unsigned highest_pending(void)
{
	return (unsigned)read_sysreg(ICC_HPPIR1_EL1) & 0xffffff;
}

static void set_pmr(uint8_t mask)
{
	write_sysreg(ICC_PMR_EL1, mask);
	isb();
	dsb(sy);
}

static uint8_t get_pmr(void)
{
	return (uint8_t)read_sysreg(ICC_PMR_EL1);
}

static uint8_t running_priority(void)
{
	return (uint8_t)read_sysreg(ICC_RPR_EL1);
}

static void set_eoimode(bool split)
{
	write_sysreg(ICC_CTLR_EL1, split ? ICC_CTLR_EOIMODE : 0);
	isb();
}

static bool get_eoimode(void)
{
	return read_sysreg(ICC_CTLR_EL1) & ICC_CTLR_EOIMODE;
}

static void sgi1r(uint64_t v)
{
	write_sysreg(ICC_SGI1R_EL1, v);
	isb();
}

/* ICC_SGI1R_EL1 (12.2): Aff3 55:48, RS 47:44, IRM 40, Aff2 39:32, INTID 27:24, Aff1 23:16, list 15:0 */
static uint64_t sgi_target(uint64_t mpidr)
{
	return BITS(mpidr, 39, 32) << 48 | BITS(mpidr, 7, 4) << 44 | BITS(mpidr, 23, 16) << 32 |
	       BITS(mpidr, 15, 8) << 16;
}

static void sgi(unsigned intid, unsigned n)
{
	uint64_t mpidr = smp_mpidr(n);

	sgi1r(sgi_target(mpidr) | (uint64_t)intid << 24 | BIT(mpidr & 0xf));
}

static void sgi_list(unsigned intid, uint64_t cpus)
{
	for (unsigned n = 0; n < MIN(64U, smp_count()); n++) {
		uint64_t target = sgi_target(smp_mpidr(n)), list = 0;

		if (!(cpus & BIT(n)))
			continue;
		/* one write for all that share the upper affinity */
		for (unsigned m = n; m < MIN(64U, smp_count()); m++) {
			if ((cpus & BIT(m)) && sgi_target(smp_mpidr(m)) == target) {
				list |= BIT(smp_mpidr(m) & 0xf);
				cpus &= ~BIT(m);
			}
		}
		sgi1r(target | (uint64_t)intid << 24 | list);
	}
}

static void sgi_others(unsigned intid)
{
	sgi1r(BIT(40) | (uint64_t)intid << 24);
}

const struct gic_impl gicv3_impl = {
	.version = 3,
	.dist_on = dist_on,
	.cpu_init = cpu_init,
	.drop_active = drop_active,
	.private_frame = private_frame,
	.wait_rwp = wait_rwp,
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
