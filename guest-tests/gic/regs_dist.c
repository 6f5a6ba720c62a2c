/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register file of the GICv3 distributor: IHI 0069H 12.9, with one security state (GICD_CTLR.DS
 * is 1) and affinity routing always on, as a guest of KVM sees it.
 */
#include "regs.h"

#define ON_V3	   .vmm = "--machine gic-version=3"
#define WITH_ITS   .vmm = "--machine gic-version=3,its=on"
#define NO_ITS	   .vmm = "--machine gic-version=3,its=off"
#define CTLR_GRP1  BIT(1)
#define CTLR_ARE   BIT(4)
#define CTLR_DS	   BIT(6)
#define TYPER_LPIS BIT(17)

static struct mmio begin(void)
{
	gic_need(3);
	gic_begin();
	return gic_dist();
}

/* 12.9 GICD_CTLR: ARE is RAO/WI where nothing else is implemented; DS is RAO/WI with one security state */
TEST(gic, distributor_control_has_one_writable_enable, RULE("GIC-DIST-1"), ON_V3)
{
	struct mmio d = begin();
	uint32_t ctlr = rd32(d, GICD_CTLR);

	FACT("gic.ctlr", "0x%x", ctlr);
	EXPECT_EQ(ctlr & (CTLR_ARE | CTLR_DS | CTLR_GRP1), CTLR_ARE | CTLR_DS | CTLR_GRP1);
	wr32(d, GICD_CTLR, ctlr & ~(uint32_t)CTLR_GRP1);
	EXPECT_EQ(rd32(d, GICD_CTLR) & CTLR_GRP1, 0);
	wr32(d, GICD_CTLR, 0);
	EXPECT_EQ(rd32(d, GICD_CTLR) & (CTLR_ARE | CTLR_DS | CTLR_GRP1), CTLR_ARE | CTLR_DS);
	wr32(d, GICD_CTLR, ~0U);
	FACT("gic.ctlr_ones", "0x%x", rd32(d, GICD_CTLR));
	EXPECT_EQ(rd32(d, GICD_CTLR) & (CTLR_ARE | CTLR_DS | CTLR_GRP1),
		  CTLR_ARE | CTLR_DS | CTLR_GRP1);
	/* nothing that KVM has not: bits 7 to 30 (E1NWF, nASSGIreq without GICv4.1) */
	if (gic_is_kvm())
		EXPECT_EQ(BITS(rd32(d, GICD_CTLR), 30, 9), 0);
}

/* 12.9 GICD_TYPER: LPIS and IDbits say whether there are LPIs: at least 14 bits then (2.2.1) */
TEST(gic, distributor_type_shows_lpis_with_an_its, RULE("GIC-DIST-2"), WITH_ITS)
{
	uint32_t typer = rd32(begin(), GICD_TYPER);

	NEED("its", dt_find("arm,gic-v3-its", 0) != DT_NONE, "this machine has no ITS");
	EXPECT_NE(typer & TYPER_LPIS, 0);
	EXPECT_GE(BITS(typer, 23, 19) + 1, 14);
}

TEST(gic, distributor_type_shows_no_lpis_without, RULE("GIC-DIST-2"), NO_ITS)
{
	uint32_t typer = rd32(begin(), GICD_TYPER);

	if (dt_find("arm,gic-v3-its", 0) != DT_NONE)
		SKIP("this machine has an ITS");
	EXPECT_EQ(typer & TYPER_LPIS, 0);
	EXPECT_EQ(BITS(typer, 23, 19) + 1, 10);
	EXPECT_EQ(BITS(typer, 15, 11), 0); /* num_LPIs: RES0 without LPIS */
}

/* 12.9: TYPER and IIDR read-only; in 12.9 GICD_SGIR, CPENDSGIR, SPENDSGIR, ITARGETSR are RES0 with ARE */
TEST(gic, distributor_read_only_registers_ignore_writes, RULE("GIC-DIST-3"), ON_V3)
{
	static const struct reg regs[] = {
		{"GICD_TYPER", GICD_TYPER, 0, 0},  {"GICD_IIDR", GICD_IIDR, 0, 0},
		{"GICD_TYPER2", 0x0c, 0, ~0x1ffU}, {"GICD_PIDR4", 0xffd0, 0, 0},
		{"GICD_PIDR0", 0xffe0, 0, ~0xffU}, {"GICD_PIDR1", 0xffe4, 0, ~0xffU},
		{"GICD_PIDR2", 0xffe8, 0, ~0xffU}, {"GICD_PIDR3", 0xffec, 0, ~0xffU},
		{"GICD_CIDR0", 0xfff0, 0, ~0xffU}, {"GICD_CIDR3", 0xfffc, 0, ~0xffU},
	};

	regs_check(begin(), regs, ARRAY_SIZE(regs));
}

TEST(gic, distributor_legacy_registers_are_gone, RULE("GIC-DIST-4"), ON_V3)
{
	struct mmio d = begin();
	unsigned words = gic_intids() / 4;

	for (unsigned i = 0; i < words; i += 1 + (unsigned)rnd_below(4))
		reg_raz_wi(d, "GICD_ITARGETSR", GICD_ITARGETSR + 4 * i);
	reg_raz_wi(d, "GICD_SGIR", GICD_SGIR);
	for (unsigned i = 0; i < 4; i++) {
		reg_raz_wi(d, "GICD_CPENDSGIR", GICD_CPENDSGIR + 4 * i);
		reg_raz_wi(d, "GICD_SPENDSGIR", GICD_SPENDSGIR + 4 * i);
	}
	EXPECT_QUIET();
}

/* 12.9: with DS 1 GICD_IGRPMODR and GICD_NSACR are RES0 */
TEST(gic, distributor_security_registers_are_zero, RULE("GIC-DIST-5"), ON_V3)
{
	struct mmio d = begin();

	if (!(rd32(d, GICD_CTLR) & CTLR_DS))
		SKIP("this GIC shows two security states");
	for (unsigned i = 0; i < gic_intids() / 32; i++)
		reg_raz_wi(d, "GICD_IGRPMODR", GICD_IGRPMODR + 4 * i);
	for (unsigned i = 0; i < gic_intids() / 16; i++)
		reg_raz_wi(d, "GICD_NSACR", GICD_NSACR + 4 * i);
}

/* 12.9: with affinity routing the words of INTIDs 0 to 31 stand in the redistributor, here they are RAZ/WI */
TEST(gic, distributor_has_no_private_interrupts, RULE("GIC-DIST-6"), ON_V3)
{
	static const struct {
		const char *name;
		unsigned offset, words;
	} regs[] = {
		{"GICD_IGROUPR", GICD_IGROUPR, 1},     {"GICD_ISENABLER", GICD_ISENABLER, 1},
		{"GICD_ICENABLER", GICD_ICENABLER, 1}, {"GICD_ISPENDR", GICD_ISPENDR, 1},
		{"GICD_ICPENDR", GICD_ICPENDR, 1},     {"GICD_ISACTIVER", GICD_ISACTIVER, 1},
		{"GICD_ICACTIVER", GICD_ICACTIVER, 1}, {"GICD_IPRIORITYR", GICD_IPRIORITYR, 8},
		{"GICD_ICFGR", GICD_ICFGR, 2},
	};
	struct mmio d = begin(), own = gic_frame(0);
	uint32_t enabled;

	gic_enable(PPI_UNWIRED);
	enabled = rd32(own, GICD_ISENABLER);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		for (unsigned w = 0; w < regs[i].words; w++)
			reg_raz_wi(d, regs[i].name, regs[i].offset + 4 * w);
	EXPECT_EQ(rd32(own, GICD_ISENABLER), enabled);
	EXPECT_EQ(rd32(own, GICD_ISPENDR) & BIT(PPI_UNWIRED), 0);
	EXPECT_EQ(rd32(own, GICD_ISACTIVER), 0);
	EXPECT_QUIET();
}

/* 12.9 GICD_IROUTER: Aff2 to Aff0; Aff3 where GICD_TYPER.A3V; Interrupt_Routing_Mode; the rest RES0 */
TEST(gic, distributor_routes_hold_any_affinity, RULE("GIC-DIST-7"), ON_V3)
{
	struct mmio d = begin();
	uint64_t mask = rd32(d, GICD_TYPER) & BIT(24) ? 0xff00ffffffULL : 0xffffffULL;
	uint32_t seed = (uint32_t)rnd();

	for (unsigned i = GIC_SPI_FIRST; i < gic_intids(); i += 7)
		wr64(d, GICD_IROUTER + 8UL * i,
		     ((uint64_t)(i * 0x10001U + seed) * 0x9e3779b1U) & mask);
	for (unsigned i = GIC_SPI_FIRST; i < gic_intids(); i += 7)
		reg_is("GICD_IROUTER", GICD_IROUTER + 8 * i, "after a write of its own affinity",
		       rd64(d, GICD_IROUTER + 8UL * i),
		       ((uint64_t)(i * 0x10001U + seed) * 0x9e3779b1U) & mask);
	for (unsigned i = GIC_SPI_FIRST; i < gic_intids(); i += 35) {
		unsigned at = GICD_IROUTER + 8 * i;

		/* 12.1.3: a 64-bit register of the distributor can be accessed in two halves */
		wr64(d, at, 0);
		wr32(d, at, 0x00123456);
		reg_is("GICD_IROUTER", at, "low half alone", rd64(d, at), 0x123456);
		wr32(d, at + 4, 0);
		reg_is("GICD_IROUTER", at, "after a write of its high half", rd64(d, at), 0x123456);
		reg_is("GICD_IROUTER", at, "low half read alone", rd32(d, at), 0x123456);
		reg_is("GICD_IROUTER", at + 4, "high half read alone", rd32(d, at + 4), 0);
		wr64(d, at, ~0ULL);
		reg_is("GICD_IROUTER", at, "bits that are RES0", rd64(d, at) & ~(mask | BIT(31)),
		       0);
		wr64(d, at, 0);
	}
	wr64(d, GICD_IROUTER + 8UL * GIC_SPI_FIRST, BIT(31));
	/* GICD_TYPER.No1N says whether Interrupt_Routing_Mode 1 is supported; KVM says so and has it not */
	FACT("gic.one_of_n_offered", "%u", ~rd32(d, GICD_TYPER) >> 25 & 1);
	FACT("gic.one_of_n_held", "%lu", rd64(d, GICD_IROUTER + 8UL * GIC_SPI_FIRST) >> 31 & 1);
}

/* 12.9: what the tables of the architecture leave out is RES0 */
TEST(gic, distributor_reserved_space_is_zero, RULE("GIC-DIST-8"), ON_V3)
{
	static const struct {
		unsigned from, to;
	} gaps[] = {{0x14, 0x40},    {0x60, 0x80},     {0xe00, 0xf00},
		    {0xf30, 0x1000}, {0x1000, 0x6000}, {0x8000, 0xc000}};
	struct mmio d = begin();

	for (size_t g = 0; g < ARRAY_SIZE(gaps); g++) {
		unsigned words = (gaps[g].to - gaps[g].from) / 4;

		for (unsigned i = 0; i < 8; i++)
			reg_raz_wi(d, "reserved word",
				   gaps[g].from + 4 * (unsigned)rnd_below(words));
		reg_raz_wi(d, "first reserved word", gaps[g].from);
		reg_raz_wi(d, "last reserved word", gaps[g].to - 4);
	}
	FACT("gic.statusr", "0x%x", rd32(d, GICD_STATUSR));
}

/* 12.1.3: which widths a register has; others are UNPREDICTABLE, and KVM makes them RAZ/WI */
TEST(gic, distributor_registers_have_their_widths, RULE("GIC-WIDTH-1"), ON_V3)
{
	struct mmio d = begin();
	unsigned spi = TEST_SPI(0), word = spi / 32 * 4;

	if (!gic_is_kvm())
		SKIP("what other widths do is this implementation's choice");
	gic_set_group(spi, true);
	gic_enable(spi);
	gic_set_edge(spi, true);
	reg_has_only_32_bits(d, "GICD_CTLR", GICD_CTLR);
	reg_has_only_32_bits(d, "GICD_TYPER", GICD_TYPER);
	reg_has_only_32_bits(d, "GICD_IIDR", GICD_IIDR);
	reg_has_only_32_bits(d, "GICD_IGROUPR", GICD_IGROUPR + word);
	reg_has_only_32_bits(d, "GICD_ISENABLER", GICD_ISENABLER + word);
	reg_has_only_32_bits(d, "GICD_ICENABLER", GICD_ICENABLER + word);
	reg_has_only_32_bits(d, "GICD_ISPENDR", GICD_ISPENDR + word);
	reg_has_only_32_bits(d, "GICD_ISACTIVER", GICD_ISACTIVER + word);
	reg_has_only_32_bits(d, "GICD_ICFGR", GICD_ICFGR + spi / 16 * 4);
	reg_has_only_32_bits(d, "GICD_PIDR2", GICD_V3_PIDR2);
	gic_set_priority(spi, 0x50);
	EXPECT_EQ(rd16(d, GICD_IPRIORITYR + spi), 0);
	EXPECT_EQ(rd64(d, GICD_IPRIORITYR + spi), 0);
	wr16(d, GICD_IPRIORITYR + spi, 0xf0f0);
	wr64(d, GICD_IPRIORITYR + spi, ~0ULL);
	EXPECT_EQ(gic_get_priority(spi), 0x50);
	gic_route(spi, 0);
	EXPECT_EQ(rd8(d, GICD_IROUTER + 8UL * spi), 0);
	wr8(d, GICD_IROUTER + 8UL * spi, 0x11);
	wr16(d, GICD_IROUTER + 8UL * spi, 0x1111);
	EXPECT_EQ(rd64(d, GICD_IROUTER + 8UL * spi), smp_mpidr(0));
}
