/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers that both distributors have for every SPI, word by word and byte by byte:
 * IHI 0069H 12.9, IHI 0048B 4.3. Each interrupt's field is its own and no other's.
 */
#include "regs.h"

TEST(gic, enable_words_set_and_clear_alone, RULE("GIC-SPIREG-1"), ON_V2_AND_V3)
{
	gic_begin();
	bit_pair_check("GICD_I[SC]ENABLER", GICD_ISENABLER, GICD_ICENABLER, 12);
}

TEST(gic, pending_words_set_and_clear_alone, RULE("GIC-SPIREG-2"), ON_V2_AND_V3)
{
	gic_begin();
	bit_pair_check("GICD_I[SC]PENDR", GICD_ISPENDR, GICD_ICPENDR, 12);
	EXPECT_QUIET();
}

TEST(gic, active_words_set_and_clear_alone, RULE("GIC-SPIREG-3"), ON_V2_AND_V3)
{
	gic_begin();
	/* few: an active interrupt occupies one of the hypervisor's list registers */
	bit_pair_check("GICD_I[SC]ACTIVER", GICD_ISACTIVER, GICD_ICACTIVER, 1);
	EXPECT_QUIET();
}

/* IHI 0069H 12.9 GICD_IGROUPR; IHI 0048B 4.3.4: optional there without the Security Extensions */
TEST(gic, group_words_hold_what_is_written, RULE("GIC-SPIREG-4"), ON_V2_AND_V3)
{
	bool v2 = gic_begin() == 2;
	struct mmio d = gic_dist();
	unsigned words = gic_intids() / 32;
	uint32_t want[32];

	if (v2) {
		wr32(d, GICD_IGROUPR + 4, ~0U);
		if (rd32(d, GICD_IGROUPR + 4) == 0)
			SKIP("this GICv2 has no interrupt groups");
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned w = 1; w < words; w++) {
			want[w] = (uint32_t)rnd();
			wr32(d, GICD_IGROUPR + 4 * w, want[w]);
		}
		for (unsigned w = 1; w < words; w++)
			reg_is("GICD_IGROUPR", GICD_IGROUPR + 4 * w, "after a write",
			       rd32(d, GICD_IGROUPR + 4 * w), want[w]);
	}
}

/* IHI 0069H 4.8: at least 16 levels, the low bits not implemented are RAZ/WI; every interrupt has the same */
TEST(gic, priority_words_hold_what_is_written, RULE("GIC-SPIREG-5"), ON_V2_AND_V3)
{
	struct mmio d = (gic_begin(), gic_dist());
	unsigned end = gic_intids(), first = GIC_SPI_FIRST;
	uint32_t mask, seed = (uint32_t)rnd();

	gic_set_priority(first, 0xff);
	mask = gic_get_priority(first);
	EXPECT_EQ(mask & 0xf0, 0xf0);
	EXPECT_EQ((~mask & 0xff) & ((~mask & 0xff) + 1), 0);
	if (gic_is_kvm())
		EXPECT_EQ(mask, 0xf8);
	mask *= 0x01010101;
	for (unsigned i = first; i < end; i += 4)
		wr32(d, GICD_IPRIORITYR + i, (i + seed) * 0x9e3779b1U);
	for (unsigned i = first; i < end; i += 4)
		reg_is("GICD_IPRIORITYR", GICD_IPRIORITYR + i, "after a write of its own value",
		       rd32(d, GICD_IPRIORITYR + i), (i + seed) * 0x9e3779b1U & mask);
	for (unsigned i = first; i < end; i += 1 + (unsigned)rnd_below(12))
		reg_is("GICD_IPRIORITYR", GICD_IPRIORITYR + i, "byte", rd8(d, GICD_IPRIORITYR + i),
		       ((i & ~3U) + seed) * 0x9e3779b1U >> (i % 4 * 8) & mask & 0xff);
}

/* IHI 0069H 12.9 GICD_ICFGR, IHI 0048B 4.3.13: the upper bit of each pair says edge, the lower is reserved */
TEST(gic, configuration_words_hold_edge_or_level, RULE("GIC-SPIREG-6"), ON_V2_AND_V3)
{
	struct mmio d = (gic_begin(), gic_dist());
	unsigned words = gic_intids() / 16;
	uint32_t want[64];

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned w = 2; w < words; w++) {
			want[w] = (uint32_t)rnd();
			wr32(d, GICD_ICFGR + 4 * w, want[w]);
		}
		for (unsigned w = 2; w < words; w++)
			reg_is("GICD_ICFGR", GICD_ICFGR + 4 * w, "after a write",
			       rd32(d, GICD_ICFGR + 4 * w) & 0xaaaaaaaa, want[w] & 0xaaaaaaaa);
	}
	if (gic_is_kvm())
		EXPECT_EQ(rd32(d, GICD_ICFGR + 8) & 0x55555555, 0);
}

/* IHI 0069H 12.9 GICR_ICFGR0, IHI 0048B 4.3.13: an SGI is edge-triggered, and cannot be otherwise */
TEST(gic, sgis_are_edge_triggered_for_ever, RULE("GIC-SPIREG-7"), ON_V2_AND_V3)
{
	struct mmio f = (gic_begin(), gic_frame(0));
	uint32_t ppi;

	EXPECT_EQ(rd32(f, GICD_ICFGR) & 0xaaaaaaaa, 0xaaaaaaaa);
	wr32(f, GICD_ICFGR, 0);
	EXPECT_EQ(rd32(f, GICD_ICFGR) & 0xaaaaaaaa, 0xaaaaaaaa);
	/* whether PPIs can be configured is the implementation's choice; KVM's are level-sensitive */
	ppi = rd32(f, GICD_ICFGR + 4);
	wr32(f, GICD_ICFGR + 4, ~ppi & 0xaaaaaaaa);
	FACT("gic.ppi_config_writable", "%d", rd32(f, GICD_ICFGR + 4) != ppi);
	if (gic_is_kvm()) {
		EXPECT_EQ(ppi, 0);
		EXPECT_EQ(rd32(f, GICD_ICFGR + 4), 0);
	}
	wr32(f, GICD_ICFGR + 4, ppi);
}

/* IHI 0069H 12.9 GICD_TYPER, IHI 0048B 4.3.2: registers of interrupts beyond ITLinesNumber are RAZ/WI */
TEST(gic, words_beyond_the_last_interrupt_are_zero, RULE("GIC-ID-3"), ON_V2_AND_V3)
{
	static const struct {
		const char *name;
		unsigned offset, bits;
	} regs[] = {
		{"GICD_IGROUPR", GICD_IGROUPR, 1},     {"GICD_ISENABLER", GICD_ISENABLER, 1},
		{"GICD_ICENABLER", GICD_ICENABLER, 1}, {"GICD_ISPENDR", GICD_ISPENDR, 1},
		{"GICD_ICPENDR", GICD_ICPENDR, 1},     {"GICD_ISACTIVER", GICD_ISACTIVER, 1},
		{"GICD_ICACTIVER", GICD_ICACTIVER, 1}, {"GICD_IPRIORITYR", GICD_IPRIORITYR, 8},
		{"GICD_ICFGR", GICD_ICFGR, 2},
	};
	bool v2 = gic_begin() == 2;
	struct mmio d = gic_dist();
	unsigned end = 32 * ((rd32(d, GICD_TYPER) & 0x1f) + 1);

	if (end >= 1020)
		SKIP("the GIC has all %u interrupts", end);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		unsigned last = regs[i].offset + 1020 / 8 * regs[i].bits - 4;

		reg_raz_wi(d, regs[i].name, regs[i].offset + end / 8 * regs[i].bits);
		reg_raz_wi(d, regs[i].name, last & ~3U);
	}
	if (!v2) {
		reg_raz_wi(d, "GICD_IROUTER", GICD_IROUTER + 8 * end);
		reg_raz_wi(d, "GICD_IROUTER", GICD_IROUTER + 8 * 1019);
	} else {
		reg_raz_wi(d, "GICD_ITARGETSR", GICD_ITARGETSR + end);
	}
	EXPECT_QUIET();
}
