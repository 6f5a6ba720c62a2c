/* SPDX-License-Identifier: Apache-2.0 */
/* PL031 against its manual, DDI 0224. */
#include "dev/pl031.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define RTC 0x09010000ULL
#define SPI 2U
#define S   1000000000ULL

static struct fake_env *new_rtc(struct dev **d)
{
	struct fake_env *fe = fake_env_new();

	fe->now_ns = 5 * S;
	*d = fake_dev(fe, &pl031_ops, RTC, 0x1000, SPI, 1, NULL);
	return fe;
}

static uint32_t rd(struct fake_env *fe, unsigned off)
{
	return (uint32_t)fake_read(fe, RTC + off, 4);
}

static void wr(struct fake_env *fe, unsigned off, uint32_t val)
{
	fake_write(fe, RTC + off, 4, val);
}

TEST(pl031, identifies_itself_and_resets)
{
	static const uint8_t want[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ(rd(fe, 0xfe0 + 4 * i), want[i]);
	wr(fe, 0x10, 1);
	wr(fe, 0x04, rd(fe, 0x00));
	EXPECT(fe->level[SPI]);
	d->ops->reset(d);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x04), 0);
	EXPECT_EQ(rd(fe, 0x10), 0);
	EXPECT_EQ(rd(fe, 0x14), 0);
	EXPECT_EQ(fe->deadline_ns, 0);
	fake_env_free(fe);
}

TEST(pl031, counts_seconds_from_the_time_of_day)
{
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	EXPECT_EQ(rd(fe, 0x00), 1700000005);
	fake_advance(fe, S - 1);
	EXPECT_EQ(rd(fe, 0x00), 1700000005);
	fake_advance(fe, 1);
	EXPECT_EQ(rd(fe, 0x00), 1700000006);
	EXPECT_EQ(rd(fe, 0x0c), 1);
	wr(fe, 0x0c, 0);
	fake_advance(fe, S);
	EXPECT_EQ(rd(fe, 0x00), 1700000007);
	fake_env_free(fe);
}

TEST(pl031, match_raises_once_and_clears)
{
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	fake_advance(fe, 7 * S);
	wr(fe, 0x10, 1);
	wr(fe, 0x04, rd(fe, 0x00) + 2);
	EXPECT_EQ(fe->deadline_ns, fe->now_ns + 2 * S);
	fake_advance(fe, 2 * S - 1);
	EXPECT(!fe->level[SPI]);
	fake_advance(fe, 1);
	EXPECT(fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x14), 1);
	EXPECT_EQ(rd(fe, 0x18), 1);
	wr(fe, 0x10, 0);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x14), 1);
	EXPECT_EQ(rd(fe, 0x18), 0);
	wr(fe, 0x10, 1);
	fake_advance(fe, S);
	wr(fe, 0x1c, 1);
	EXPECT(!fe->level[SPI]);
	fake_advance(fe, 10 * S);
	EXPECT(!fe->level[SPI]);
	fake_env_free(fe);
}

TEST(pl031, a_late_timer_still_raises)
{
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	wr(fe, 0x10, 1);
	wr(fe, 0x04, rd(fe, 0x00) + 2);
	fake_advance(fe, 9 * S); /* the host was busy */
	EXPECT(fe->level[SPI]);
	wr(fe, 0x1c, 1);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(fe->deadline_ns, 7 * S + (1ULL << 32) * S);
	fake_env_free(fe);
}

TEST(pl031, load_moves_the_counter_and_the_alarm)
{
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	wr(fe, 0x10, 1);
	wr(fe, 0x04, 100);
	wr(fe, 0x08, 97);
	EXPECT_EQ(rd(fe, 0x08), 97);
	EXPECT_EQ(rd(fe, 0x00), 97);
	fake_advance(fe, 2 * S);
	EXPECT(!fe->level[SPI]);
	fake_advance(fe, S);
	EXPECT(fe->level[SPI]);
	fake_env_free(fe);
}

TEST(pl031, counter_and_alarm_wrap_at_32_bits)
{
	struct dev *d;
	struct fake_env *fe = new_rtc(&d);

	wr(fe, 0x10, 1);
	wr(fe, 0x08, UINT32_MAX);
	wr(fe, 0x04, 1);
	fake_advance(fe, S);
	EXPECT_EQ(rd(fe, 0x00), 0);
	EXPECT(!fe->level[SPI]);
	fake_advance(fe, S);
	EXPECT(fe->level[SPI]);
	fake_env_free(fe);
}
