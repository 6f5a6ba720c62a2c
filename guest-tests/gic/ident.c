/* SPDX-License-Identifier: Apache-2.0 */
/* What the GIC says it is. */
#include "gictest.h"

/* ArchRev of PIDR2: IHI 0069H 12.9, for GICv3; GICv2's ICPIDR2 is only recommended (IHI 0048B 4.3.18) */
TEST(gic, identification_registers_name_the_architecture, RULE("GIC-ID-1"), ON_V2_AND_V3)
{
	unsigned version = gic_begin();
	struct mmio d = gic_dist();
	uint32_t typer = rd32(d, GICD_TYPER);

	FACT("gic.version", "%u", version);
	FACT("gic.intids", "%u", gic_intids());
	FACT("gic.iidr", "0x%x", rd32(d, GICD_IIDR));
	FACT("gic.typer", "0x%x", typer);
	if (version == 2) {
		/* GICD_TYPER.CPUNumber: CPU interfaces minus one */
		EXPECT_GE(BITS(typer, 7, 5) + 1, smp_count());
		return;
	}
	EXPECT_GE(BITS(rd32(d, GICD_V3_PIDR2), 7, 4), 3);
	EXPECT_LE(BITS(rd32(d, GICD_V3_PIDR2), 7, 4), 4);
	EXPECT_EQ(BITS(rd32(gic_redist(0), GICR_PIDR2), 7, 4), BITS(rd32(d, GICD_V3_PIDR2), 7, 4));
	/* GICD_TYPER.IDbits: INTID bits minus one; 10 is the least that reaches all SPIs */
	EXPECT_GE(BITS(typer, 23, 19) + 1, 10);
}

TEST(gic, identification_registers_ignore_writes, RULE("GIC-ID-2"), ON_V2_AND_V3)
{
	const unsigned v2[] = {GICD_TYPER, GICD_IIDR, GICD_V2_PIDR2};
	const unsigned v3[] = {GICD_TYPER, GICD_IIDR, GICD_V3_PIDR2};
	const unsigned *regs = gic_begin() == 2 ? v2 : v3;
	struct mmio d = gic_dist();

	for (size_t i = 0; i < ARRAY_SIZE(v2); i++) {
		uint32_t before = rd32(d, regs[i]);

		wr32(d, regs[i], ~before);
		EXPECT_EQ(rd32(d, regs[i]), before);
		wr32(d, regs[i], 0);
		EXPECT_EQ(rd32(d, regs[i]), before);
	}
}

/* IHI 0069H 12.9, IHI 0048B 4.3.2: 32 * (ITLinesNumber + 1) INTIDs; the registers of others are RAZ/WI */
TEST(gic, interrupts_beyond_the_advertised_ignore_writes, RULE("GIC-ID-3"), ON_V2_AND_V3)
{
	struct mmio d = (gic_begin(), gic_dist());
	unsigned end = 32 * ((rd32(d, GICD_TYPER) & 0x1f) + 1);

	EXPECT_GE(end, 64);
	if (end >= 1020)
		SKIP("the GIC has all %u interrupts", end);
	for (unsigned intid = end; intid < 1020; intid += 32) {
		wr32(d, GICD_ISENABLER + intid / 8, ~0U);
		EXPECT_EQ(rd32(d, GICD_ISENABLER + intid / 8), 0);
		wr32(d, GICD_ISPENDR + intid / 8, ~0U);
		EXPECT_EQ(rd32(d, GICD_ISPENDR + intid / 8), 0);
	}
	EXPECT_QUIET();
}

/* The board's lines end at the test port's: SPI 127 is INTID 159 */
TEST(gic, boards_interrupts_exist, RULE("GIC-ID-4"), ON_V2_AND_V3)
{
	gic_begin();
	ASSERT_GT(gic_intids(), TEST_SPI(15));
	for (unsigned intid = GIC_SPI_FIRST; intid <= TEST_SPI(15); intid++) {
		gic_enable(intid);
		EXPECT_EQ(gic_is_enabled(intid), true);
		gic_disable(intid);
		EXPECT_EQ(gic_is_enabled(intid), false);
	}
}

/* IHI 0069H 12.11, GICR_TYPER: one frame a PE by affinity, Last on the last of a region, numbers all different */
TEST(gic, redistributors_match_the_cpus, RULE("GIC-REDIST-1"),
     .vmm = "--machine gic-version=3 --smp 4")
{
	int node = (gic_need(3), dt_find("arm,gic-v3", 0));
	unsigned regions = dt_u32(node, "#redistributor-regions", 1), frames = 0;
	uint64_t numbers = 0;

	for (unsigned r = 0; r < regions; r++) {
		struct mmio m = dt_mmio_reg(node, 1 + r);
		uint64_t at = m.base, typer = 0;

		for (; at < m.base + m.size && !(typer & BIT(4)); frames++) {
			bool known = false;

			typer = mmio_rd64(at + GICR_TYPER);
			for (unsigned n = 0; n < smp_count(); n++) {
				uint64_t mpidr = smp_mpidr(n);

				known |= typer >> 32 ==
					 (BITS(mpidr, 39, 32) << 24 | BITS(mpidr, 23, 0));
			}
			EXPECT_EQ(known, true);
			/* the two halves read alone give the same as the whole */
			EXPECT_EQ(mmio_rd32(at + GICR_TYPER), (uint32_t)typer);
			EXPECT_EQ(mmio_rd32(at + GICR_TYPER + 4), (uint32_t)(typer >> 32));
			if (BITS(typer, 23, 8) < 64) {
				EXPECT_EQ(numbers & BIT(BITS(typer, 23, 8)), 0);
				numbers |= BIT(BITS(typer, 23, 8));
			}
			at += typer & BIT(1) ? 0x40000 : 0x20000;
		}
		EXPECT_NE(typer & BIT(4), 0);
	}
	EXPECT_EQ(frames, smp_count());
}

static void read_sre(void *arg)
{
	*(uint64_t *)arg = read_sysreg(ICC_SRE_EL1);
}

/* IHI 0069H 12.2, ICC_SRE_EL1.SRE: the system register interface is on; ID_AA64PFR0_EL1.GIC says it exists */
TEST(gic, sre_is_on, RULE("GIC-SRE-1"), .vmm = "--machine gic-version=3 --smp 2")
{
	uint64_t sre = 0;

	gic_need(3);
	EXPECT_NE(BITS(read_sysreg(id_aa64pfr0_el1), 27, 24), 0);
	for (unsigned n = 0; n < smp_count(); n++) {
		smp_call(n, read_sre, &sre);
		EXPECT_EQ(sre & 1, 1);
	}
	FACT("gic.sysreg", "%lu", sre & 1);
	FACT("gic.sre", "0x%lx", sre);
}
