/* SPDX-License-Identifier: Apache-2.0 */
/* The register files of a GICv2, distributor and CPU interface: IHI 0048B 4.3 and 4.4. */
#include "regs.h"

#define ON_V2	  .vmm = "--machine gic-version=2"
#define ON_V2_SMP .vmm = "--machine gic-version=2 --smp 4"

static struct mmio begin(void)
{
	gic_need(2);
	gic_begin();
	return gic_dist();
}

/* 4.3.1 GICD_CTLR; 4.3.2, 4.3.3: TYPER and IIDR are read-only */
TEST(gic, legacy_distributor_control_and_type, RULE("GIC-V2-1"), ON_V2_SMP)
{
	static const struct reg regs[] = {
		{"GICD_TYPER", GICD_TYPER, 0, 0xffff0000}, /* 31:16 reserved */
		{"GICD_IIDR", GICD_IIDR, 0, 0},
		{"ICPIDR2", GICD_V2_PIDR2, 0, 0},
		{"ICCIDR0", 0xff0, 0, 0},
	};
	struct mmio d = begin();

	EXPECT_EQ(BITS(rd32(d, GICD_TYPER), 7, 5) + 1, smp_count());
	wr32(d, GICD_CTLR, 0);
	EXPECT_EQ(rd32(d, GICD_CTLR) & 1, 0);
	wr32(d, GICD_CTLR, ~0U);
	FACT("gic.ctlr_ones", "0x%x", rd32(d, GICD_CTLR));
	EXPECT_EQ(rd32(d, GICD_CTLR) & 1, 1);
	EXPECT_EQ(rd32(d, GICD_CTLR) & ~3U, 0);
	wr32(d, GICD_CTLR, 1);
	EXPECT_EQ(rd32(d, GICD_CTLR), 1);
	regs_check(d, regs, ARRAY_SIZE(regs));
}

static void own_targets(void *arg)
{
	uint32_t *own = arg;
	struct mmio d = gic_dist();

	*own = rd32(d, GICD_ITARGETSR);
	for (unsigned i = 0; i < 32; i += 4) {
		uint32_t v = rd32(d, GICD_ITARGETSR + i);

		reg_is("GICD_ITARGETSR", GICD_ITARGETSR + i, "of private interrupts", v, *own);
		wr32(d, GICD_ITARGETSR + i, ~v);
		reg_is("GICD_ITARGETSR", GICD_ITARGETSR + i, "after a write",
		       rd32(d, GICD_ITARGETSR + i), *own);
		reg_is("GICD_ITARGETSR", GICD_ITARGETSR + i, "as a byte",
		       rd8(d, GICD_ITARGETSR + i + 1), *own & 0xff);
	}
}

/* 4.3.12: ITARGETSR0 to 7 are read-only and give the CPU that reads; others hold the bits of CPUs that exist */
TEST(gic, legacy_targets_are_the_cpus_that_exist, RULE("GIC-V2-2"), ON_V2_SMP)
{
	struct mmio d = begin();
	unsigned cpus = smp_count(), all = 0;

	smp_need(2);
	for (unsigned n = 0; n < cpus; n++) {
		uint32_t own = 0;

		smp_call(n, own_targets, &own);
		EXPECT_EQ(own, (own & 0xff) * 0x01010101U);
		EXPECT_EQ(own & (own - 1) & 0xff, 0);
		EXPECT_EQ(all & own & 0xff, 0);
		all |= own & 0xff;
	}
	EXPECT_EQ(all, BIT(cpus) - 1);
	for (unsigned i = GIC_SPI_FIRST; i < gic_intids(); i += 4)
		wr32(d, GICD_ITARGETSR + i, (i * 0x9e3779b1U) & 0x01010101U * all);
	for (unsigned i = GIC_SPI_FIRST; i < gic_intids(); i += 4)
		reg_is("GICD_ITARGETSR", GICD_ITARGETSR + i, "after a write of its own value",
		       rd32(d, GICD_ITARGETSR + i), (i * 0x9e3779b1U) & 0x01010101U * all);
	wr32(d, GICD_ITARGETSR + 64, ~0U);
	EXPECT_EQ(rd32(d, GICD_ITARGETSR + 64), 0x01010101U * all);
	wr8(d, GICD_ITARGETSR + 66, 0);
	EXPECT_EQ(rd32(d, GICD_ITARGETSR + 64), (0x01010101U * all) & 0xff00ffff);
	EXPECT_EQ(rd8(d, GICD_ITARGETSR + 66), 0);
	EXPECT_EQ(rd8(d, GICD_ITARGETSR + 67), all);
}

/* 4.3.15: GICD_SGIR is write-only; filter 3 is reserved; 4.3.7, 4.3.8: pending bits of SGIs are read-only */
TEST(gic, legacy_sgi_registers_pend_by_source, RULE("GIC-V2-3"), ON_V2)
{
	struct mmio d = begin();

	EXPECT_EQ(rd32(d, GICD_SGIR), 0);
	for (unsigned i = 0; i < 16; i++) {
		gic_disable(i);
		if (gic_is_enabled(i))
			SKIP("the SGIs of this GIC are always enabled");
	}
	wr32(d, GICD_SGIR, 3U << 24 | 0xff << 16 | 4);
	EXPECT_EQ(rd32(d, GICD_ISPENDR) & 0xffff, 0);
	wr32(d, GICD_ISPENDR, 0xffff);
	EXPECT_EQ(rd32(d, GICD_ISPENDR) & 0xffff, 0);
	/* 4.3.16, 4.3.17: a byte an SGI, a bit a source */
	for (unsigned i = 0; i < 16; i++) {
		uint8_t sources = (uint8_t)(rnd() | 1);

		wr8(d, GICD_SPENDSGIR + i, sources);
		reg_is("GICD_SPENDSGIR", GICD_SPENDSGIR + i, "", rd8(d, GICD_SPENDSGIR + i),
		       sources);
		reg_is("GICD_CPENDSGIR", GICD_CPENDSGIR + i, "", rd8(d, GICD_CPENDSGIR + i),
		       sources);
		reg_is("GICD_ISPENDR", GICD_ISPENDR, "", rd32(d, GICD_ISPENDR) & 0xffff, BIT(i));
		wr32(d, GICD_ICPENDR, 0xffff);
		reg_is("GICD_SPENDSGIR", GICD_SPENDSGIR + i, "after ICPENDR",
		       rd8(d, GICD_SPENDSGIR + i), sources);
		wr8(d, GICD_CPENDSGIR + i, sources & 0xfe);
		reg_is("GICD_CPENDSGIR", GICD_CPENDSGIR + i, "but one", rd8(d, GICD_CPENDSGIR + i),
		       1);
		reg_is("GICD_ISPENDR", GICD_ISPENDR, "one left", rd32(d, GICD_ISPENDR) & 0xffff,
		       BIT(i));
		wr8(d, GICD_CPENDSGIR + i, 1);
		reg_is("GICD_ISPENDR", GICD_ISPENDR, "none left", rd32(d, GICD_ISPENDR) & 0xffff,
		       0);
	}
	for (unsigned i = 0; i < 16; i += 4) {
		wr32(d, GICD_SPENDSGIR + i, 0x08040201);
		reg_is("GICD_SPENDSGIR", GICD_SPENDSGIR + i, "a word", rd32(d, GICD_SPENDSGIR + i),
		       0x08040201);
		wr32(d, GICD_CPENDSGIR + i, 0x00ff00ff);
		reg_is("GICD_CPENDSGIR", GICD_CPENDSGIR + i, "a word", rd32(d, GICD_CPENDSGIR + i),
		       0x08000200);
	}
	EXPECT_EQ(rd32(d, GICD_ISPENDR) & 0xffff, 0xaaaa);
	wr32(d, GICD_CPENDSGIR, ~0U);
	EXPECT_EQ(rd32(d, GICD_ISPENDR) & 0xffff, 0xaaa0);
}

static void banked(void *arg)
{
	struct mmio d = gic_dist();
	uint32_t own = 0x00e00000U & (uint32_t)rnd();

	(void)arg;
	wr32(d, GICD_ICENABLER, 0xffff0000);
	reg_is("GICD_ISENABLER", GICD_ISENABLER, "at first", rd32(d, GICD_ISENABLER) >> 16, 0);
	wr32(d, GICD_ISENABLER, 0x00200000U << cpu_index() | own);
	wr32(d, GICD_ISPENDR, 0x00200000U);
	gic_set_priority(PPI_UNWIRED, (uint8_t)(0x10 * cpu_index()));
}

/* 4.3.4 to 4.3.11: the registers of INTIDs 0 to 31 are banked */
TEST(gic, legacy_private_interrupts_are_banked, RULE("GIC-V2-4"), ON_V2_SMP)
{
	struct mmio d = begin();

	smp_need(4);
	gic_set_priority(PPI_UNWIRED, 0x70);
	wr32(d, GICD_ICENABLER, 0xffff0000);
	for (unsigned n = 1; n < 4; n++)
		smp_call(n, banked, NULL);
	EXPECT_EQ(rd32(d, GICD_ISENABLER) >> 16, 0);
	EXPECT_EQ(rd32(d, GICD_ISPENDR) & BIT(PPI_UNWIRED), 0);
	EXPECT_EQ(gic_get_priority(PPI_UNWIRED), 0x70);
}

/* 4.3: what is reserved is RAZ/WI; GICD_NSACR is without the Security Extensions */
TEST(gic, legacy_distributor_reserved_space_is_zero, RULE("GIC-V2-5"), ON_V2)
{
	static const struct {
		unsigned from, to;
	} gaps[] = {{0x0c, 0x20}, {0x40, 0x80}, {0xe00, 0xf00}, {0xf04, 0xf10}, {0xf30, 0xfc0}};
	struct mmio d = begin();

	for (size_t g = 0; g < ARRAY_SIZE(gaps); g++)
		for (unsigned at = gaps[g].from; at < gaps[g].to; at += 4)
			reg_raz_wi(d, "reserved word", at);
}

/* 4.1.4: byte access where it is defined; other widths are UNPREDICTABLE, and KVM makes them RAZ/WI */
TEST(gic, legacy_distributor_registers_have_their_widths, RULE("GIC-WIDTH-1"), ON_V2)
{
	struct mmio d = begin();
	unsigned spi = TEST_SPI(0);

	if (!gic_is_kvm())
		SKIP("what other widths do is this implementation's choice");
	gic_enable(spi);
	gic_set_edge(spi, true);
	gic_route(spi, 0);
	reg_has_only_32_bits(d, "GICD_CTLR", GICD_CTLR);
	reg_has_only_32_bits(d, "GICD_TYPER", GICD_TYPER);
	reg_has_only_32_bits(d, "GICD_ISENABLER", GICD_ISENABLER + spi / 32 * 4);
	reg_has_only_32_bits(d, "GICD_ISPENDR", GICD_ISPENDR + spi / 32 * 4);
	reg_has_only_32_bits(d, "GICD_ICFGR", GICD_ICFGR + spi / 16 * 4);
	EXPECT_EQ(rd16(d, GICD_ITARGETSR + spi), 0);
	wr16(d, GICD_ITARGETSR + spi, 0);
	EXPECT_EQ(rd8(d, GICD_ITARGETSR + spi), 1);
	wr8(d, GICD_SGIR, 0);
	wr16(d, GICD_SGIR, 0);
	EXPECT_QUIET();
}

/* 4.4.1 to 4.4.3, 4.4.12: what the CPU interface holds; reads of write-only registers are not judged */
TEST(gic, legacy_cpu_interface_holds_what_is_written, RULE("GIC-V2-6"), ON_V2)
{
	struct mmio c = (begin(), gic_cpu_frame());
	uint32_t pmr, bpr;

	wr32(c, GICC_CTLR, 0);
	EXPECT_EQ(rd32(c, GICC_CTLR) & 1, 0);
	for (unsigned i = 0; i < 32; i++) {
		uint32_t v = (uint32_t)rnd() &
			     (uint32_t)(GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_ACKCTL |
					GICC_CTLR_FIQEN | GICC_CTLR_CBPR | GICC_CTLR_EOIMODE);

		wr32(c, GICC_CTLR, v);
		EXPECT_EQ(rd32(c, GICC_CTLR), v);
	}
	wr32(c, GICC_CTLR, 1);
	wr32(c, GICC_PMR, 0xff);
	pmr = rd32(c, GICC_PMR);
	FACT("gic.pmr_mask", "0x%x", pmr);
	EXPECT_EQ(pmr & 0xf0, 0xf0);
	for (unsigned v = 0; v < 256; v += 8) {
		wr32(c, GICC_PMR, v);
		EXPECT_EQ(rd32(c, GICC_PMR), v & pmr);
	}
	/* the least binary point: as many bits of preemption as there are */
	wr32(c, GICC_BPR, 0);
	bpr = rd32(c, GICC_BPR);
	FACT("gic.bpr_min", "%u", bpr);
	EXPECT_LE(bpr, 3);
	for (uint32_t v = bpr; v < 8; v++) {
		wr32(c, GICC_BPR, v);
		wr32(c, GICC_ABPR, 7);
		EXPECT_EQ(rd32(c, GICC_BPR), v);
	}
	wr32(c, GICC_BPR, 3);
	for (uint32_t v = bpr + 1; v < 8; v++) {
		wr32(c, GICC_ABPR, v);
		EXPECT_EQ(rd32(c, GICC_ABPR), v);
		EXPECT_EQ(rd32(c, GICC_BPR), 3);
	}
	EXPECT_EQ(rd32(c, GICC_RPR), 0xff);
	EXPECT_EQ(rd32(c, GICC_HPPIR) & 0x3ff, GIC_SPURIOUS);
	EXPECT_EQ(rd32(c, GICC_IAR) & 0x3ff, GIC_SPURIOUS);
	for (unsigned n = 0; n < 4; n++)
		EXPECT_EQ(rd32(c, GICC_APR + 4 * n), 0);
	/* 4.4.14: architecture version 2 */
	FACT("gic.gicc_iidr", "0x%x", rd32(c, GICC_IIDR));
	EXPECT_EQ(BITS(rd32(c, GICC_IIDR), 19, 16), 2);
	pmr = rd32(c, GICC_IIDR);
	wr32(c, GICC_IIDR, ~pmr);
	EXPECT_EQ(rd32(c, GICC_IIDR), pmr);
}
