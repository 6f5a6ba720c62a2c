/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory and the bus: every access is answered, none reaches beyond. */
#include <errno.h>
#include <stdlib.h>

#include "tests/fake_env.h"
#include "tests/unit.h"

TEST(gpa, pointer_only_inside_one_slot)
{
	uint8_t a[0x1000], b[0x1000];
	struct gmem m = {0};

	ASSERT_EQ(gmem_add(&m, 0x10000, sizeof(a), a), 0);
	ASSERT_EQ(gmem_add(&m, 0x11000, sizeof(b), b), 0);
	EXPECT(gpa_ptr(&m, 0x10000, 0x1000) == a);
	EXPECT(gpa_ptr(&m, 0x10fff, 1) == a + 0xfff);
	EXPECT(!gpa_ptr(&m, 0x10fff, 2));
	EXPECT(!gpa_ptr(&m, 0xffff, 1));
	EXPECT(!gpa_ptr(&m, 0x12000, 1));
	EXPECT(!gpa_ptr(&m, 0x10000, 0));
	EXPECT(!gpa_ptr(&m, 0x10800, UINT64_MAX));
	EXPECT(!gpa_ptr(&m, UINT64_MAX, 2));
}

TEST(gpa, overlap_and_wrap_are_refused)
{
	uint8_t a[0x1000];
	struct gmem m = {0};

	ASSERT_EQ(gmem_add(&m, 0x10000, 0x1000, a), 0);
	EXPECT_EQ(gmem_add(&m, 0x10fff, 0x1000, a), -EEXIST);
	EXPECT_EQ(gmem_add(&m, 0xf001, 0x1000, a), -EEXIST);
	EXPECT_EQ(gmem_add(&m, 0x10400, 0x10, a), -EEXIST);
	EXPECT_EQ(gmem_add(&m, 0x20000, 0, a), -EINVAL);
	EXPECT_EQ(gmem_add(&m, UINT64_MAX, 0x1000, a), -EINVAL);
	EXPECT_EQ(m.nr, 1);
}

TEST(gpa, copies_whole_or_not_at_all)
{
	uint8_t ram[16] = {0}, buf[16] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct gmem m = {0};

	ASSERT_EQ(gmem_add(&m, 0, sizeof(ram), ram), 0);
	EXPECT_EQ(gmem_write(&m, 12, buf, 8), -EFAULT);
	EXPECT_EQ(ram[12], 0);
	EXPECT_EQ(gmem_write(&m, 8, buf, 8), 0);
	EXPECT_EQ(ram[15], 8);
	EXPECT_EQ(gmem_read(&m, 9, buf, 8), -EFAULT);
	EXPECT_EQ(gmem_read(&m, UINT64_MAX, buf, 0), 0);
	EXPECT_EQ(gmem_zero(&m, 9, 8), -EFAULT);
	EXPECT_EQ(ram[15], 8);
	EXPECT_EQ(gmem_zero(&m, 9, 7), 0);
	EXPECT_EQ(ram[8], 1);
	EXPECT_EQ(ram[15], 0);
}

struct scratch {
	struct dev dev;
	uint64_t last_off, last_val, before_val; /* what was written last, and before it */
	unsigned last_len, reads, writes;
};

/* The high half of a word tells its offset. */
static uint64_t scratch_read(struct dev *d, uint64_t off, unsigned len)
{
	struct scratch *s = (struct scratch *)d;

	s->reads++;
	s->last_off = off;
	s->last_len = len;
	return 0x1122334455667788ULL ^ off << 16;
}

static void scratch_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	struct scratch *s = (struct scratch *)d;

	s->writes++;
	s->last_off = off;
	s->last_len = len;
	s->before_val = s->last_val;
	s->last_val = val;
}

static const struct dev_ops scratch_ops = {
	.name = "scratch",
	.size = sizeof(struct scratch),
	.window = {{"regs", 2, 4, scratch_read, scratch_write}},
};

TEST(bus, dispatches_to_the_window_with_relative_offsets)
{
	struct fake_env *fe = fake_env_new();
	struct scratch *lo = (struct scratch *)fake_dev(fe, &scratch_ops, 0x2000, 0x100, 0, 0, 0);
	struct scratch *hi = (struct scratch *)fake_dev(fe, &scratch_ops, 0x3000, 0x100, 0, 0, 0);

	EXPECT_EQ(fake_read(fe, 0x20fc, 4), 0x559a7788);
	EXPECT_EQ(lo->last_off, 0xfc);
	EXPECT_EQ(lo->last_len, 4);
	fake_write(fe, 0x3002, 2, 0xdeadbeef);
	EXPECT_EQ(hi->last_off, 2);
	EXPECT_EQ(hi->last_val, 0xbeef);
	EXPECT_EQ(lo->writes, 0);
	EXPECT_EQ(fe->bus.unclaimed, 0);
	fake_env_free(fe);
}

TEST(bus, unclaimed_reads_zero_and_counts)
{
	struct fake_env *fe = fake_env_new();

	fake_dev(fe, &scratch_ops, 0x2000, 0x100, 0, 0, NULL);
	EXPECT_EQ(fake_read(fe, 0x1ffc, 4), 0);
	EXPECT_EQ(fake_read(fe, 0x2100, 4), 0);
	fake_write(fe, UINT64_MAX - 3, 4, 1);
	EXPECT_EQ(fe->bus.unclaimed, 3);
	fake_env_free(fe);
}

TEST(bus, sixty_four_bits_of_a_narrow_window_are_two_accesses)
{
	struct fake_env *fe = fake_env_new();
	struct scratch *s = (struct scratch *)fake_dev(fe, &scratch_ops, 0x2000, 0x104, 0, 0, NULL);

	EXPECT_EQ(fake_read(fe, 0x2008, 8), 0x556a7788556e7788); /* 8 << 16 below, 12 << 16 above */
	EXPECT_EQ(s->reads, 2);
	EXPECT_EQ(s->last_off, 0xc);
	fake_write(fe, 0x2010, 8, 0x1122334455667788);
	EXPECT_EQ(s->writes, 2);
	EXPECT_EQ(s->last_off, 0x14);
	EXPECT_EQ(s->last_len, 4);
	EXPECT_EQ(s->before_val, 0x55667788);
	EXPECT_EQ(s->last_val, 0x11223344);
	EXPECT_EQ(fake_read(fe, 0x2100, 8), 0); /* across the end */
	EXPECT_EQ(fe->bus.malformed, 1);
	fake_env_free(fe);
}

/* What is narrower still is not taken apart. */
TEST(bus, sixty_four_bits_of_a_byte_wide_window_are_refused)
{
	static const struct dev_ops bytes_ops = {
		.name = "bytes",
		.size = sizeof(struct scratch),
		.window = {{"bytes", 1, 1, scratch_read, scratch_write}},
	};
	struct fake_env *fe = fake_env_new();
	struct scratch *s = (struct scratch *)fake_dev(fe, &bytes_ops, 0x2000, 0x100, 0, 0, NULL);

	EXPECT_EQ(fake_read(fe, 0x2008, 8), 0);
	fake_write(fe, 0x2008, 8, 1);
	EXPECT_EQ(s->reads + s->writes, 0);
	EXPECT_EQ(fe->bus.malformed, 2);
	fake_env_free(fe);
}

TEST(bus, wrong_width_or_alignment_never_reaches_the_device)
{
	struct fake_env *fe = fake_env_new();
	struct scratch *s = (struct scratch *)fake_dev(fe, &scratch_ops, 0x2000, 0x102, 0, 0, NULL);

	EXPECT_EQ(fake_read(fe, 0x2000, 1), 0);
	EXPECT_EQ(fake_read(fe, 0x2004, 8), 0);
	EXPECT_EQ(fake_read(fe, 0x2002, 4), 0);
	EXPECT_EQ(fake_read(fe, 0x2100, 4), 0);
	fake_write(fe, 0x2001, 2, 1);
	EXPECT_EQ(s->reads + s->writes, 0);
	EXPECT_EQ(fe->bus.malformed, 5);
	EXPECT_EQ(fe->guest_errors, 5);
	EXPECT_EQ(fake_read(fe, 0x2100, 2), 0x7788);
	fake_env_free(fe);
}

TEST(bus, overlapping_windows_are_refused)
{
	struct fake_env *fe = fake_env_new();
	struct dev_place at = {.range = {{0x20ff, 0x100}}};
	struct dev *d = NULL;

	fake_dev(fe, &scratch_ops, 0x2000, 0x100, 0, 0, NULL);
	ASSERT_EQ(dev_new(&d, &scratch_ops, &fe->env, &at), 0);
	EXPECT_EQ(bus_add(&fe->bus, d), -EEXIST);
	d->range[0].base = 0x1f01;
	EXPECT_EQ(bus_add(&fe->bus, d), -EEXIST);
	d->range[0].base = 0x1f00;
	EXPECT_EQ(bus_add(&fe->bus, d), 0);
	dev_free(d);
	fake_env_free(fe);
}
