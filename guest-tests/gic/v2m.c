/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv2m frame: a write of an interrupt number becomes an edge of that SPI (Arm Server Base System
 * Architecture, appendix on GICv2m; the registers also in Linux, drivers/irqchip/irq-gic-v2m.c).
 */
#include "gictest.h"

#define WITH_V2M      .vmm = "--machine gic-version=2"
#define MSI_TYPER     0x008
#define MSI_SETSPI_NS 0x040

static struct mmio frame;
static unsigned first, count;

static void v2m_begin(void)
{
	uint32_t typer;

	gic_begin();
	frame = dt_mmio("arm,gic-v2m-frame");
	if (!frame.size)
		SKIP("the device tree of this machine has no arm,gic-v2m-frame");
	typer = rd32(frame, MSI_TYPER);
	first = (unsigned)BITS(typer, 25, 16);
	count = (unsigned)BITS(typer, 9, 0);
	FACT("v2m.first", "%u", first);
	FACT("v2m.count", "%u", count);
}

TEST(gic, v2m_names_spis_that_exist, RULE("GIC-V2M-1"), WITH_V2M)
{
	uint32_t typer;

	v2m_begin();
	EXPECT_GE(first, GIC_SPI_FIRST);
	EXPECT_GE(count, 1);
	EXPECT_LE(first + count, gic_intids());
	typer = rd32(frame, MSI_TYPER);
	wr32(frame, MSI_TYPER, ~typer);
	EXPECT_EQ(rd32(frame, MSI_TYPER), typer);
	EXPECT_EQ(typer & 0xfc00fc00, 0);
}

TEST(gic, v2m_message_gives_one_edge, RULE("GIC-V2M-2"), WITH_V2M)
{
	v2m_begin();
	for (unsigned i = 0; i < count; i += 1 + (unsigned)rnd_below(5)) {
		spi_setup(first + i, true, GIC_PRIORITY);
		wr32(frame, MSI_SETSPI_NS, first + i);
		EXPECT_EQ(take_soon(), first + i);
		EXPECT_QUIET();
	}
	/* the first and the last */
	for (unsigned i = 0; i < count; i += MAX(1U, count - 1)) {
		spi_setup(first + i, true, GIC_PRIORITY);
		wr32(frame, MSI_SETSPI_NS, first + i);
		EXPECT_EQ(take_soon(), first + i);
	}
	EXPECT_QUIET();
}

/* pending already, it is one; while it is handled, one more */
TEST(gic, v2m_messages_merge_while_pending, RULE("GIC-V2M-2"), WITH_V2M)
{
	uint32_t iar;

	v2m_begin();
	spi_setup(first, true, GIC_PRIORITY);
	gic_set_pmr(0);
	for (unsigned i = 0; i < 3; i++)
		wr32(frame, MSI_SETSPI_NS, first);
	gic_set_pmr(0xff);
	iar = ack_soon();
	EXPECT_EQ(gic_intid(iar), first);
	wr32(frame, MSI_SETSPI_NS, first);
	wr32(frame, MSI_SETSPI_NS, first);
	gic_eoi(iar);
	EXPECT_EQ(take_soon(), first);
	EXPECT_QUIET();
}

/* a number outside of the frame's range is nobody's */
TEST(gic, v2m_ignores_interrupts_of_others, RULE("GIC-V2M-3"), WITH_V2M)
{
	v2m_begin();
	for (unsigned i = 0; i < 2; i++) {
		unsigned intid = i ? first + count : first - 1;

		if (intid < GIC_SPI_FIRST || intid >= gic_intids())
			continue;
		spi_setup(intid, true, GIC_PRIORITY);
		wr32(frame, MSI_SETSPI_NS, intid);
		EXPECT_EQ(gic_is_pending(intid), false);
	}
	gic_enable(5);
	wr32(frame, MSI_SETSPI_NS, 5);
	wr32(frame, MSI_SETSPI_NS, 1023);
	EXPECT_QUIET();
}
