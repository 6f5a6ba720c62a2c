/* SPDX-License-Identifier: Apache-2.0 */
/* PL061 against its manual, DDI 0190. */
#include "dev/pl061.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define GPIO 0x09030000ULL
#define SPI  7U

static struct fake_env *new_gpio(struct dev **d)
{
	struct fake_env *fe = fake_env_new();

	*d = fake_dev(fe, &pl061_ops, GPIO, 0x1000, SPI, 1, NULL);
	return fe;
}

static uint64_t rd(struct fake_env *fe, unsigned off)
{
	return fake_read(fe, GPIO + off, 4);
}

static void wr(struct fake_env *fe, unsigned off, uint32_t val)
{
	fake_write(fe, GPIO + off, 4, val);
}

TEST(pl061, identifies_itself_and_resets)
{
	static const uint8_t want[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct dev *d;
	struct fake_env *fe = new_gpio(&d);

	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ(rd(fe, 0xfe0 + 4 * i), want[i]);
	for (unsigned off = 0x400; off <= 0x410; off += 4)
		wr(fe, off, 0xff);
	wr(fe, 0x420, 0xff);
	d->ops->reset(d);
	for (unsigned off = 0x400; off <= 0x420; off += 4)
		EXPECT_EQ(off == 0x41c ? 0 : rd(fe, off), 0);
	fake_env_free(fe);
}

TEST(pl061, data_is_masked_by_the_address)
{
	struct dev *d;
	struct fake_env *fe = new_gpio(&d);

	wr(fe, 0x400, 0xff);
	wr(fe, 0x3fc, 0xa5);
	EXPECT_EQ(rd(fe, 0x3fc), 0xa5);
	wr(fe, 0x0f << 2, 0xff);
	EXPECT_EQ(rd(fe, 0x3fc), 0xaf);
	EXPECT_EQ(rd(fe, 0x30 << 2), 0x20);
	EXPECT_EQ(rd(fe, 0x000), 0);
	wr(fe, 0x400, 0x0f); /* now inputs: nobody drives them */
	EXPECT_EQ(rd(fe, 0x3fc), 0x0f);
	pl061_drive(d, 7, true);
	pl061_drive(d, 0, false);
	EXPECT_EQ(rd(fe, 0x3fc), 0x8f);
	fake_env_free(fe);
}

TEST(pl061, edges_are_latched_until_cleared)
{
	struct dev *d;
	struct fake_env *fe = new_gpio(&d);

	wr(fe, 0x40c, 0x08); /* rising */
	wr(fe, 0x410, 0x08);
	pl061_drive(d, 3, true);
	EXPECT(fe->level[SPI]);
	pl061_drive(d, 3, false);
	EXPECT(fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x414), 8);
	EXPECT_EQ(rd(fe, 0x418), 8);
	wr(fe, 0x41c, 8);
	EXPECT(!fe->level[SPI]);
	wr(fe, 0x40c, 0); /* falling */
	pl061_drive(d, 3, true);
	EXPECT(!fe->level[SPI]);
	pl061_drive(d, 3, false);
	EXPECT(fe->level[SPI]);
	wr(fe, 0x41c, 8);
	wr(fe, 0x408, 8); /* both */
	pl061_drive(d, 3, true);
	EXPECT(fe->level[SPI]);
	wr(fe, 0x41c, 8);
	pl061_drive(d, 3, true); /* no change, no edge */
	EXPECT(!fe->level[SPI]);
	pl061_drive(d, 3, false);
	EXPECT(fe->level[SPI]);
	fake_env_free(fe);
}

TEST(pl061, levels_follow_the_line)
{
	struct dev *d;
	struct fake_env *fe = new_gpio(&d);

	wr(fe, 0x404, 1);
	wr(fe, 0x40c, 1);
	wr(fe, 0x410, 1);
	EXPECT(!fe->level[SPI]);
	pl061_drive(d, 0, true);
	EXPECT(fe->level[SPI]);
	wr(fe, 0x41c, 1);
	EXPECT(fe->level[SPI]);
	wr(fe, 0x410, 0);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x414), 1);
	wr(fe, 0x410, 1);
	pl061_drive(d, 0, false);
	EXPECT(!fe->level[SPI]);
	wr(fe, 0x40c, 0); /* active low */
	EXPECT(fe->level[SPI]);
	fake_env_free(fe);
}

TEST(pl061, outputs_raise_nothing)
{
	struct dev *d;
	struct fake_env *fe = new_gpio(&d);

	wr(fe, 0x400, 0xff);
	wr(fe, 0x408, 0xff);
	wr(fe, 0x410, 0xff);
	pl061_drive(d, 2, true);
	wr(fe, 0x3fc, 0xff);
	EXPECT_EQ(rd(fe, 0x414), 0);
	EXPECT(!fe->level[SPI]);
	fake_env_free(fe);
}
