/* SPDX-License-Identifier: Apache-2.0 */
/* The GICv2m frame: identification, and edges for its own interrupts only. */
#include <assay/board.h>

#include "dev/gicv2m.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

static struct fake_env *frame(void)
{
	struct fake_env *fe = fake_env_new();

	fake_dev(fe, &gicv2m_ops, ASSAY_GIC_V2M_BASE, ASSAY_GIC_V2M_SIZE, ASSAY_SPI_GIC_V2M,
		 ASSAY_SPI_GIC_V2M_COUNT, NULL);
	return fe;
}

TEST(gicv2m, typer_names_first_interrupt_and_count)
{
	struct fake_env *fe = frame();

	EXPECT_EQ(fake_read(fe, ASSAY_GIC_V2M_BASE + 0x008, 4), 80 << 16 | 64); /* SPI 48: ID 80 */
	EXPECT_EQ(fake_read(fe, ASSAY_GIC_V2M_BASE + 0x040, 4), 0);
	EXPECT_EQ(fe->guest_errors, 0);
	fake_env_free(fe);
}

TEST(gicv2m, message_is_an_edge_of_its_interrupt)
{
	struct fake_env *fe = frame();

	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 80);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 143);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 143);
	EXPECT_EQ(fe->rises[48], 1);
	EXPECT_EQ(fe->rises[111], 2);
	EXPECT_EQ(fe->level[48] | fe->level[111], 0);
	fake_env_free(fe);
}

TEST(gicv2m, foreign_interrupts_are_ignored)
{
	struct fake_env *fe = frame();

	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 79);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 144);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 4, 0);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x044, 4, 80);
	fake_write(fe, ASSAY_GIC_V2M_BASE + 0x040, 2, 80);
	EXPECT_EQ(fe->guest_errors, 5);
	for (unsigned i = 0; i < FAKE_SPIS; i++)
		EXPECT_EQ(fe->rises[i], 0);
	fake_env_free(fe);
}
