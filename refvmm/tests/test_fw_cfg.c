/* SPDX-License-Identifier: Apache-2.0 */
/* fw_cfg against QEMU's docs/specs/fw_cfg.rst. */
#include <endian.h>
#include <errno.h>

#include "core/err.h"
#include "dev/fw_cfg.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define BASE 0x09020000ULL
#define DESC (FAKE_RAM_BASE + 0x100)
#define TO   (FAKE_RAM_BASE + 0x1000)

static struct fake_env *new_fw_cfg(struct dev **d, const struct fw_cfg_conf *c)
{
	struct fake_env *fe = fake_env_new();

	*d = fake_dev(fe, &fw_cfg_ops, BASE, 0x18, 0, 0, c);
	return fe;
}

static void choose(struct fake_env *fe, unsigned key)
{
	fake_write(fe, BASE + 8, 2, htobe16((uint16_t)key));
}

/* The control word after the operation. */
static uint32_t dma_at(struct fake_env *fe, uint64_t desc, uint32_t control, uint64_t to,
		       uint32_t len)
{
	struct {
		uint32_t control, len;
		uint64_t to;
	} d = {htobe32(control), htobe32(len), htobe64(to)};

	gmem_write(&fe->mem, desc, &d, sizeof(d));
	fake_write(fe, BASE + 16, 8, htobe64(desc));
	gmem_read(&fe->mem, desc, &d, sizeof(d));
	return be32toh(d.control);
}

static uint32_t dma(struct fake_env *fe, uint32_t control, uint64_t to, uint32_t len)
{
	return dma_at(fe, DESC, control, to, len);
}

TEST(fw_cfg, identifies_itself)
{
	struct dev *d;
	struct fake_env *fe = new_fw_cfg(&d, NULL);

	EXPECT_EQ(fake_read(fe, BASE, 4), 0x554d4551); /* item 0 after reset */
	choose(fe, 1);
	EXPECT_EQ(fake_read(fe, BASE, 4), 3);
	EXPECT_EQ(fake_read(fe, BASE, 8), 0);
	EXPECT_EQ(fake_read(fe, BASE + 16, 8), htobe64(0x51454d5520434647));
	EXPECT_EQ(fake_read(fe, BASE + 16, 1), 'Q');
	EXPECT_EQ(fake_read(fe, BASE + 20, 2), 'C' << 8 | ' ');
	fake_env_free(fe);
}

TEST(fw_cfg, directory_lists_files_by_name)
{
	struct dev *d;
	struct fake_env *fe = new_fw_cfg(&d, NULL);
	uint8_t dir[4 + 3 * 64];

	EXPECT_EQ(fw_cfg_add_file(d, "opt/b", "BB", 2), 0);
	EXPECT_EQ(fw_cfg_add_file(d, "etc/a", "A", 1), 0);
	EXPECT_EQ(fw_cfg_add_file(d, "opt/c", "CCC", 3), 0);
	EXPECT_EQ(fw_cfg_add_file(d, "etc/a", "A", 1), (uint64_t)-EEXIST);
	EXPECT_EQ(dma(fe, 0x19U << 16 | 8 | 2, TO, sizeof(dir)), 0);
	gmem_read(&fe->mem, TO, dir, sizeof(dir));
	EXPECT_EQ(dir[3], 3);
	EXPECT_STR((char *)dir + 4 + 8, "etc/a");
	EXPECT_STR((char *)dir + 4 + 64 + 8, "opt/b");
	EXPECT_EQ(dir[4 + 64 + 3], 2);
	EXPECT_EQ(dir[4 + 64 + 5], 0x21);
	choose(fe, 0x22);
	EXPECT_EQ(fake_read(fe, BASE, 4), 0x434343);
	fake_env_free(fe);
}

TEST(fw_cfg, dma_moves_all_or_nothing)
{
	struct dev *d;
	struct fake_env *fe = new_fw_cfg(&d, NULL);
	uint64_t end = FAKE_RAM_BASE + FAKE_RAM_SIZE;

	fe->ram[FAKE_RAM_SIZE - 2] = 0x77;
	EXPECT_EQ(dma(fe, 8 | 2, end - 2, 4), 1);
	EXPECT_EQ(fe->ram[FAKE_RAM_SIZE - 2], 0x77);
	EXPECT_EQ(dma(fe, 8 | 2, end - 4, 4), 0);
	EXPECT_EQ(fe->ram[FAKE_RAM_SIZE - 4], 'Q');
	EXPECT_EQ(dma(fe, 2, UINT64_MAX - 1, 8), 1);
	EXPECT_EQ(dma(fe, 2, BASE, 8), 1);
	EXPECT_EQ(dma(fe, 2, FAKE_RAM_BASE, UINT32_MAX), 1);
	EXPECT_EQ(dma(fe, 8 | 16, TO, 4), 1);
	EXPECT_EQ(dma(fe, 8 | 4, 0, 2), 0);
	EXPECT_EQ(dma(fe, 2, TO, 6), 0);
	EXPECT_EQ(fe->ram[0x1000], 'M');
	EXPECT_EQ(fe->ram[0x1002], 0);
	fake_write(fe, BASE + 16, 8, htobe64(end - 8)); /* the descriptor reaches out of RAM */
	EXPECT_EQ(fe->ram[FAKE_RAM_SIZE - 5], 1);
	fake_write(fe, BASE + 16, 8, 0);
	EXPECT(fe->guest_errors >= 2);
	fake_env_free(fe);
}

TEST(fw_cfg, a_descriptor_may_be_its_own_target)
{
	struct dev *d;
	struct fake_env *fe = new_fw_cfg(&d, NULL);

	EXPECT_EQ(dma(fe, 8 | 2, DESC, 16), 0);
	EXPECT_EQ(dma_at(fe, DESC + 3, 8 | 2, DESC, 4), 0); /* nor need it be aligned */
	fake_env_free(fe);
}

TEST(fw_cfg, halves_of_the_address_are_forgotten_by_reset)
{
	struct dev *d;
	struct fake_env *fe = new_fw_cfg(&d, NULL);
	uint32_t control = htobe32(8 | 2), len = htobe32(4);
	uint64_t to = htobe64(TO);

	gmem_write(&fe->mem, DESC, &control, 4);
	gmem_write(&fe->mem, DESC + 4, &len, 4);
	gmem_write(&fe->mem, DESC + 8, &to, 8);
	fake_write(fe, BASE + 16, 4, htobe32(7));
	d->ops->reset(d);
	fake_write(fe, BASE + 20, 4, htobe32((uint32_t)DESC));
	EXPECT_EQ(fe->ram[0x1000], 'Q');
	fake_env_free(fe);
}

TEST(fw_cfg, options_say_name_and_content)
{
	static const char longest[] =
		"name=a-name-that-is-longer-than-a-directory-entry-has-room-for-it,string=x";
	static const char *const bad[] = {"",
					  "name=",
					  "name=x",
					  "name=x,",
					  "name=x,text=y",
					  "name=,string=y",
					  "name=x,file=",
					  longest};
	struct fw_cfg_conf c = {0};
	struct dev *d;
	struct fake_env *fe;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(fw_cfg_options[0].parse(&c, bad[i]), (uint64_t)-ERR_USAGE);
	EXPECT_EQ(fw_cfg_options[0].parse(&c, "name=opt/x,string=a,b=c"), 0);
	EXPECT_EQ(c.nr, 1);
	fe = new_fw_cfg(&d, &c);
	EXPECT_EQ(d->ops->start(d), 0);
	choose(fe, 0x20);
	EXPECT_EQ(fake_read(fe, BASE, 8), 0x633d622c61); /* "a,b=c" */
	fake_env_free(fe);
	for (unsigned i = 1; i < FW_CFG_USER_MAX; i++)
		EXPECT_EQ(fw_cfg_options[0].parse(&c, "opt/x,string="), 0);
	EXPECT_EQ(fw_cfg_options[0].parse(&c, "opt/y,string="), (uint64_t)-ERR_USAGE);
	fe = new_fw_cfg(&d, &c);
	EXPECT_EQ(d->ops->start(d), (uint64_t)-ERR_USAGE); /* twice the same name */
	fake_env_free(fe);
}
