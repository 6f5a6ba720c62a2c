/* SPDX-License-Identifier: Apache-2.0 */
/* The register file of the redistributors, RD_base and SGI_base: IHI 0069H 12.10 and 12.11. */
#include "regs.h"

#define ON_V3	    .vmm = "--machine gic-version=3"
#define ON_V3_SMP   .vmm = "--machine gic-version=3 --smp 4"
#define WITH_ITS    .vmm = "--machine gic-version=3,its=on"
#define NO_ITS	    .vmm = "--machine gic-version=3,its=off"
#define TYPER_PLPIS BIT(0)
#define TYPER_LAST  BIT(4)
#define CTLR_LPIS   BIT(0)
#define CTLR_CES    BIT(1)
#define CTLR_IR	    BIT(2)

static struct mmio begin(void)
{
	gic_need(3);
	gic_begin();
	return gic_redist(0);
}

static struct mmio sgi_base(unsigned cpu)
{
	return (struct mmio){gic_redist(cpu).base + GICR_SGI, 0x10000};
}

/* 12.11: read-only registers; GICR_STATUSR is optional, else RES0 */
TEST(gic, redistributor_read_only_registers_ignore_writes, RULE("GIC-RDREG-1"), ON_V3_SMP)
{
	static const struct reg regs[] = {
		{"GICR_IIDR", GICR_IIDR, 0, 0},
		{"GICR_TYPER", GICR_TYPER, 0, 0},
		{"GICR_TYPER high", GICR_TYPER + 4, 0, 0},
		{"GICR_SYNCR", GICR_SYNCR, 0, ~1U},
		{"GICR_PIDR4", 0xffd0, 0, 0},
		{"GICR_PIDR0", 0xffe0, 0, ~0xffU},
		{"GICR_PIDR2", GICR_PIDR2, 0, ~0xffU},
		{"GICR_CIDR0", 0xfff0, 0, ~0xffU},
		{"GICR_CIDR3", 0xfffc, 0, ~0xffU},
	};

	begin();
	for (unsigned n = 0; n < MIN(4U, smp_count()); n++)
		regs_check(gic_redist(n), regs, ARRAY_SIZE(regs));
}

/* 12.11 GICR_TYPER: affinity, a number of its own below the count, Last on one, no LPIs without an ITS */
TEST(gic, redistributor_type_names_its_cpu, RULE("GIC-RDREG-2"),
     .vmm = "--machine gic-version=3,its=off --smp 4")
{
	bool its = dt_find("arm,gic-v3-its", 0) != DT_NONE;
	unsigned last = 0;

	begin();
	for (unsigned n = 0; n < smp_count(); n++) {
		uint64_t typer = rd64(gic_redist(n), GICR_TYPER), mpidr = smp_mpidr(n);

		EXPECT_EQ(typer >> 32, BITS(mpidr, 39, 32) << 24 | BITS(mpidr, 23, 0));
		EXPECT_EQ(typer & TYPER_PLPIS, its);
		last += (typer & TYPER_LAST) != 0;
		if (gic_is_kvm()) {
			/* KVM numbers vCPUs by their id; no virtual LPIs, no direct LPIs, no DPG */
			EXPECT_EQ(BITS(typer, 23, 8), n);
			EXPECT_EQ(typer & (BIT(1) | BIT(2) | BIT(3) | BIT(5)), 0);
		}
	}
	EXPECT_EQ(last, dt_u32(dt_find("arm,gic-v3", 0), "#redistributor-regions", 1));
}

/* 12.11 GICR_CTLR.EnableLPIs is RES0 without LPIs */
TEST(gic, redistributor_has_no_lpis_without_an_its, RULE("GIC-RDREG-3"), NO_ITS)
{
	struct mmio r = begin();

	/* KVM has none without an ITS (arch/arm64/kvm/vgic/vgic-mmio-v3.c); another machine may */
	if (port_present())
		EXPECT_EQ(rd64(r, GICR_TYPER) & TYPER_PLPIS, 0);
	else if (rd64(r, GICR_TYPER) & TYPER_PLPIS)
		SKIP("this machine has LPIs");
	wr32(r, GICR_CTLR, CTLR_LPIS);
	EXPECT_EQ(rd32(r, GICR_CTLR) & CTLR_LPIS, 0);
}

/* 12.11 GICR_CTLR: EnableLPIs goes on, and off where CES says it can; CES and IR are read-only */
TEST(gic, redistributor_control_switches_lpis, RULE("GIC-RDREG-3"), .tags = "alone", WITH_ITS)
{
	struct mmio r = begin();
	uint32_t ctlr = rd32(r, GICR_CTLR);

	NEED("its", rd64(r, GICR_TYPER) & TYPER_PLPIS, "this machine has no LPIs");
	FACT("gic.gicr_ctlr", "0x%x", ctlr);
	EXPECT_EQ(ctlr & CTLR_LPIS, 0);
	wr64(r, GICR_PROPBASER, (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K) | 13);
	wr64(r, GICR_PENDBASER, (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K) | BIT(62));
	wr32(r, GICR_CTLR, ~(uint32_t)CTLR_LPIS);
	EXPECT_EQ(rd32(r, GICR_CTLR), ctlr);
	wr32(r, GICR_CTLR, CTLR_LPIS);
	EXPECT_EQ(rd32(r, GICR_CTLR), ctlr | CTLR_LPIS);
	wr32(r, GICR_CTLR, CTLR_LPIS);
	EXPECT_EQ(rd32(r, GICR_CTLR), ctlr | CTLR_LPIS);
	if (!(ctlr & CTLR_CES))
		SKIP("GICR_CTLR.CES is 0: LPIs need not go off again");
	wr32(r, GICR_CTLR, 0);
	EXPECT_EVENTUALLY(!(rd32(r, GICR_CTLR) & BIT(3)));
	EXPECT_EQ(rd32(r, GICR_CTLR) & CTLR_LPIS, 0);
}

/*
 * 12.11 GICR_PROPBASER, GICR_PENDBASER: what is RES0, what holds; each half alone; shareability and
 * cacheability are whatever the GIC makes of them. PTZ of GICR_PENDBASER is write-only: RAZ.
 */
TEST(gic, redistributor_table_registers_hold_addresses, RULE("GIC-RDREG-4"), .tags = "alone",
     WITH_ITS)
{
	const uint64_t prop = 0x000ffffffffff01fULL, prop_zero = 0xf8f0000000000060ULL;
	const uint64_t pend = 0x000fffffffff0000ULL, pend_zero = 0xf8f000000000f07fULL;
	struct mmio r = begin();

	NEED("its", rd64(r, GICR_TYPER) & TYPER_PLPIS, "this machine has no LPIs");
	for (unsigned i = 0; i < 8; i++) {
		uint64_t v = i == 0 ? 0 : i == 1 ? ~0ULL : rnd();

		wr64(r, GICR_PROPBASER, v);
		EXPECT_EQ(rd64(r, GICR_PROPBASER) & prop, v & prop);
		EXPECT_EQ(rd64(r, GICR_PROPBASER) & prop_zero, 0);
		EXPECT_EQ(rd32(r, GICR_PROPBASER), (uint32_t)rd64(r, GICR_PROPBASER));
		EXPECT_EQ(rd32(r, GICR_PROPBASER + 4), rd64(r, GICR_PROPBASER) >> 32);
		wr64(r, GICR_PENDBASER, v);
		EXPECT_EQ(rd64(r, GICR_PENDBASER) & pend, v & pend);
		EXPECT_EQ(rd64(r, GICR_PENDBASER) & pend_zero, 0);
		EXPECT_EQ(rd32(r, GICR_PENDBASER), (uint32_t)rd64(r, GICR_PENDBASER));
		EXPECT_EQ(rd32(r, GICR_PENDBASER + 4), rd64(r, GICR_PENDBASER) >> 32);
	}
	wr64(r, GICR_PROPBASER, 0);
	wr32(r, GICR_PROPBASER + 4, 0x5);
	EXPECT_EQ(rd64(r, GICR_PROPBASER) & prop, 0x500000000);
	wr32(r, GICR_PROPBASER, 0x4567800d);
	EXPECT_EQ(rd64(r, GICR_PROPBASER) & prop, 0x54567800d);
	wr64(r, GICR_PENDBASER, 0);
	wr32(r, GICR_PENDBASER, 0x43210000);
	EXPECT_EQ(rd64(r, GICR_PENDBASER) & pend, 0x43210000);
	wr32(r, GICR_PENDBASER + 4, 0x6);
	EXPECT_EQ(rd64(r, GICR_PENDBASER) & pend, 0x643210000);
}

/*
 * 12.11: the shareability and cacheability fields show what is supported. KVM avoids outer shareable
 * and non-cacheable inner memory; a write while LPIs are on is UNPREDICTABLE, and KVM ignores it.
 */
TEST(gic, redistributor_table_attributes_are_kvms, RULE("GIC-RDREG-5"), .tags = "alone", WITH_ITS)
{
	struct mmio r = begin();
	uint64_t old;

	NEED("its", rd64(r, GICR_TYPER) & TYPER_PLPIS, "this machine has no LPIs");
	if (!gic_is_kvm())
		SKIP("what attributes are supported is this implementation's choice");
	for (unsigned base = GICR_PROPBASER; base <= GICR_PENDBASER; base += 8) {
		wr64(r, base, UINT64_C(2) << 10); /* outer shareable, inner Device, outer same */
		EXPECT_EQ(BITS(rd64(r, base), 11, 10), 1);
		EXPECT_EQ(BITS(rd64(r, base), 9, 7), 3);
		wr64(r, base, UINT64_C(1) << 7); /* inner non-cacheable */
		EXPECT_EQ(BITS(rd64(r, base), 9, 7), 3);
		wr64(r, base, UINT64_C(5) << 7 | UINT64_C(1) << 10 | UINT64_C(5) << 56);
		EXPECT_EQ(BITS(rd64(r, base), 11, 7), 0xd);
		EXPECT_EQ(BITS(rd64(r, base), 58, 56), 0); /* same as inner */
		wr64(r, base, UINT64_C(1) << 56);	   /* outer non-cacheable is kept */
		EXPECT_EQ(BITS(rd64(r, base), 58, 56), 1);
	}
	wr64(r, GICR_PROPBASER, (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K) | 13);
	wr64(r, GICR_PENDBASER, (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K) | BIT(62));
	wr32(r, GICR_CTLR, CTLR_LPIS);
	old = rd64(r, GICR_PROPBASER);
	wr64(r, GICR_PROPBASER, old ^ 0x10000);
	EXPECT_EQ(rd64(r, GICR_PROPBASER), old);
	old = rd64(r, GICR_PENDBASER);
	wr64(r, GICR_PENDBASER, old ^ 0x10000);
	EXPECT_EQ(rd64(r, GICR_PENDBASER), old);
}

/* 12.11: INVLPIR and INVALLR are write-only; with DS 1 GICR_NSACR and IGRPMODR are RES0; the rest is reserved */
TEST(gic, redistributor_reserved_space_is_zero, RULE("GIC-RDREG-6"), ON_V3)
{
	static const struct {
		unsigned from, to;
	} gaps[] = {{0x18, 0x40},	{0x110, 0x800},	    {0x800, 0xc000},   {0x10000, 0x10080},
		    {0x10500, 0x10800}, {0x10e10, 0x11000}, {0x11000, 0x1c000}};
	struct mmio r = begin();

	for (size_t g = 0; g < ARRAY_SIZE(gaps); g++) {
		unsigned words = (gaps[g].to - gaps[g].from) / 4;

		for (unsigned i = 0; i < 8; i++)
			reg_raz_wi(r, "reserved word",
				   gaps[g].from + 4 * (unsigned)rnd_below(words));
		reg_raz_wi(r, "first reserved word", gaps[g].from);
		reg_raz_wi(r, "last reserved word", gaps[g].to - 4);
	}
	reg_raz_wi(r, "GICR_IGRPMODR0", GICR_SGI + GICD_IGRPMODR);
	reg_raz_wi(r, "GICR_NSACR", GICR_SGI + GICD_NSACR);
	EXPECT_EQ(rd64(r, GICR_INVLPIR), 0);
	EXPECT_EQ(rd64(r, GICR_INVALLR), 0);
	/* WAKER: with one security state ProcessorSleep is the guest's; KVM has no sleep */
	FACT("gic.waker", "0x%x", rd32(r, GICR_WAKER));
	EXPECT_EQ(rd32(r, GICR_WAKER) & BIT(2), 0);
	FACT("gic.gicr_statusr", "0x%x", rd32(r, GICR_STATUSR));
}

/* 12.10: GICR_IGROUPR0, I[SC]ENABLER0, I[SC]PENDR0, I[SC]ACTIVER0, IPRIORITYR of each CPU, written from one */
TEST(gic, redistributor_private_interrupts_are_each_cpus_own, RULE("GIC-RDREG-7"), ON_V3_SMP)
{
	static const struct {
		const char *name;
		unsigned set, clear;
		uint32_t can;
	} pairs[] = {{"GICR_I[SC]ENABLER0", GICD_ISENABLER, GICD_ICENABLER, ~0U},
		     {"GICR_I[SC]PENDR0", GICD_ISPENDR, GICD_ICPENDR, 0x00e0ffff},
		     {"GICR_I[SC]ACTIVER0", GICD_ISACTIVER, GICD_ICACTIVER, 0x00000103}};
	unsigned cpus = (begin(), smp_need(4), 4);
	uint32_t want[4];

	for (size_t p = 0; p < ARRAY_SIZE(pairs); p++) {
		for (unsigned n = 0; n < cpus; n++)
			wr32(sgi_base(n), pairs[p].clear, ~0U);
		for (unsigned n = 0; n < cpus; n++) {
			want[n] = ((uint32_t)rnd() | 1U << n) & pairs[p].can;
			wr32(sgi_base(n), pairs[p].set, want[n]);
		}
		for (unsigned n = 0; n < cpus; n++) {
			reg_is(pairs[p].name, n, "of the CPU after bits were set",
			       rd32(sgi_base(n), pairs[p].set) & pairs[p].can, want[n]);
			wr32(sgi_base(n), pairs[p].clear, 0xffff);
		}
		for (unsigned n = 0; n < cpus; n++) {
			reg_is(pairs[p].name, n, "of the CPU after SGIs were cleared",
			       rd32(sgi_base(n), pairs[p].clear) & pairs[p].can,
			       want[n] & ~0xffffU);
			wr32(sgi_base(n), pairs[p].clear, ~0U);
			reg_is(pairs[p].name, n, "of the CPU after all were cleared",
			       rd32(sgi_base(n), pairs[p].set) & pairs[p].can, 0);
		}
	}
	for (unsigned n = 0; n < cpus; n++) {
		wr32(sgi_base(n), GICD_IGROUPR, want[n] = (uint32_t)rnd());
		for (unsigned i = 0; i < 32; i += 4)
			wr32(sgi_base(n), GICD_IPRIORITYR + i,
			     0x08101820U * (n + 1) + i * 0x08080808U);
	}
	for (unsigned n = 0; n < cpus; n++) {
		reg_is("GICR_IGROUPR0", n, "of the CPU", rd32(sgi_base(n), GICD_IGROUPR), want[n]);
		wr32(sgi_base(n), GICD_IGROUPR, ~0U);
		for (unsigned i = 0; i < 32; i += 4)
			reg_is("GICR_IPRIORITYR", i, "of a CPU",
			       rd32(sgi_base(n), GICD_IPRIORITYR + i) & 0xf0f0f0f0,
			       (0x08101820U * (n + 1) + i * 0x08080808U) & 0xf0f0f0f0);
	}
}

static void take_one(void *arg)
{
	*(volatile unsigned *)arg = take_soon();
}

/* 12.10: a CPU can enable and pend another's private interrupt through its redistributor */
TEST(gic, redistributor_pends_another_cpus_interrupt, RULE("GIC-RDREG-7"), ON_V3_SMP)
{
	unsigned intids[] = {3, PPI_UNWIRED};

	begin();
	smp_need(4);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		for (unsigned n = 1; n < 4; n++) {
			volatile unsigned got = 0;

			gic_enable(intids[i]);
			smp_run(n, take_one, (void *)(uintptr_t)&got);
			wr32(sgi_base(n), GICD_ISENABLER, (uint32_t)BIT(intids[i]));
			wr32(sgi_base(n), GICD_ISPENDR, (uint32_t)BIT(intids[i]));
			smp_wait(n);
			EXPECT_EQ(got, intids[i]);
			EXPECT_EVENTUALLY(!(rd32(sgi_base(n), GICD_ISPENDR) & BIT(intids[i])));
			EXPECT_EQ(gic_is_pending(intids[i]), false);
		}
	}
	EXPECT_QUIET();
}

/* 12.1.3, 12.11: widths; others are UNPREDICTABLE, and KVM makes them RAZ/WI */
TEST(gic, redistributor_registers_have_their_widths, RULE("GIC-WIDTH-1"), ON_V3)
{
	struct mmio r = begin();
	uint64_t typer = rd64(r, GICR_TYPER);

	EXPECT_EQ(rd32(r, GICR_TYPER), (uint32_t)typer);
	EXPECT_EQ(rd32(r, GICR_TYPER + 4), typer >> 32);
	if (!gic_is_kvm())
		SKIP("what other widths do is this implementation's choice");
	gic_enable(PPI_UNWIRED);
	gic_set_priority(PPI_UNWIRED, 0x30);
	reg_has_only_32_bits(r, "GICR_IIDR", GICR_IIDR);
	reg_has_only_32_bits(r, "GICR_CTLR", GICR_CTLR);
	reg_has_only_32_bits(r, "GICR_IGROUPR0", GICR_SGI + GICD_IGROUPR);
	reg_has_only_32_bits(r, "GICR_ISENABLER0", GICR_SGI + GICD_ISENABLER);
	reg_has_only_32_bits(r, "GICR_ISPENDR0", GICR_SGI + GICD_ISPENDR);
	reg_has_only_32_bits(r, "GICR_ISACTIVER0", GICR_SGI + GICD_ISACTIVER);
	reg_has_only_32_bits(r, "GICR_ICFGR0", GICR_SGI + GICD_ICFGR);
	reg_has_only_32_bits(r, "GICR_PIDR2", GICR_PIDR2);
	EXPECT_EQ(rd8(r, GICR_TYPER), 0);
	EXPECT_EQ(rd16(r, GICR_TYPER), 0);
	EXPECT_EQ(rd64(r, GICR_SGI + GICD_IPRIORITYR), 0);
	wr64(r, GICR_SGI + GICD_IPRIORITYR + 16, 0);
	EXPECT_EQ(gic_get_priority(PPI_UNWIRED), 0x30);
}
