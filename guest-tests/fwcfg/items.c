/* SPDX-License-Identifier: Apache-2.0 */
/* Items and the data register. */
#include "fwcfg.h"
#include "smp.h"

SUITE(fwcfg, .device = FWCFG_COMPATIBLE);

struct mmio fwcfg_begin(void)
{
	return dt_mmio(FWCFG_COMPATIBLE);
}

void fwcfg_select(struct mmio f, unsigned key)
{
	wr16(f, FWCFG_SELECTOR, __builtin_bswap16((uint16_t)key));
}

void fwcfg_read(struct mmio f, void *buf, uint32_t len)
{
	uint8_t *p = buf;

	while (len--)
		*p++ = rd8(f, FWCFG_DATA);
}

uint32_t fwcfg_be32(struct mmio f)
{
	uint32_t v;

	fwcfg_read(f, &v, sizeof(v));
	return __builtin_bswap32(v);
}

bool fwcfg_file(struct mmio f, unsigned nth, struct fwcfg_file *file)
{
	uint16_t half[2];
	uint32_t count;

	fwcfg_select(f, KEY_FILE_DIR);
	count = fwcfg_be32(f);
	if (nth >= count)
		return false;
	for (uint32_t skip = 0; skip < nth * 8; skip++)
		(void)rd64(f, FWCFG_DATA); /* 64 bytes an entry */
	file->size = fwcfg_be32(f);
	fwcfg_read(f, half, sizeof(half));
	file->select = __builtin_bswap16(half[0]);
	fwcfg_read(f, file->name, 56);
	file->name[56] = '\0';
	return true;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

bool fwcfg_find(struct mmio f, const char *name, struct fwcfg_file *file)
{
	for (unsigned n = 0; fwcfg_file(f, n, file); n++) {
		if (same(file->name, name))
			return true;
	}
	return false;
}

TEST(fwcfg, signature_says_qemu, RULE("FWCFG-ITEM-1"))
{
	struct mmio f = fwcfg_begin();
	char text[5] = "";

	fwcfg_select(f, KEY_SIGNATURE);
	fwcfg_read(f, text, 4);
	EXPECT_TRUE(same(text, "QEMU"));
}

/* "Data Register": every width takes the next bytes, in memory order */
TEST(fwcfg, wide_reads_keep_the_order_of_bytes, RULE("FWCFG-DATA-1"))
{
	struct mmio f = fwcfg_begin();

	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd32(f, FWCFG_DATA), 0x554d4551); /* "QEMU" */
	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd16(f, FWCFG_DATA), 0x4551);
	EXPECT_EQ(rd16(f, FWCFG_DATA), 0x554d);
	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd64(f, FWCFG_DATA), 0x554d4551);
}

TEST(fwcfg, ends_of_items_read_as_zeros, RULE("FWCFG-DATA-2"))
{
	struct mmio f = fwcfg_begin();

	fwcfg_select(f, KEY_SIGNATURE);
	(void)rd32(f, FWCFG_DATA);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(rd32(f, FWCFG_DATA), 0);
	fwcfg_select(f, KEY_NONE);
	EXPECT_EQ(rd32(f, FWCFG_DATA), 0);
}

TEST(fwcfg, selecting_again_begins_again, RULE("FWCFG-SELECT-1"))
{
	struct mmio f = fwcfg_begin();

	for (unsigned i = 0; i < 2; i++) {
		fwcfg_select(f, KEY_SIGNATURE);
		EXPECT_EQ(rd8(f, FWCFG_DATA), 'Q');
		EXPECT_EQ(rd8(f, FWCFG_DATA), 'E');
	}
}

/* "Revision/feature bitmap" */
TEST(fwcfg, features_offer_the_interfaces_that_are_there, RULE("FWCFG-ITEM-2"))
{
	struct mmio f = fwcfg_begin();
	uint32_t id;

	fwcfg_select(f, KEY_ID);
	fwcfg_read(f, &id, sizeof(id)); /* little-endian */
	EXPECT_EQ(id & 1, 1);
	EXPECT_EQ(!!(id & 2), __builtin_bswap64(rd64(f, FWCFG_DMA)) == 0x51454d5520434647);
	FACT("fwcfg.features", "0x%x", id);
}

TEST(fwcfg, directory_is_well_formed, RULE("FWCFG-DIR-1"))
{
	struct mmio f = fwcfg_begin();
	struct fwcfg_file file;
	uint16_t last = 0;
	unsigned n;

	for (n = 0; fwcfg_file(f, n, &file); n++) {
		EXPECT_EQ(file.name[55], 0);
		EXPECT_NE(file.name[0], 0);
		EXPECT_GE(file.select, KEY_FILE_FIRST);
		EXPECT_GT(file.select, last);
		last = file.select;
	}
	NOTE("%u files", n);
	EXPECT_TRUE(!fwcfg_file(f, n, &file));
}

TEST(fwcfg, numbers_are_those_of_the_device_tree, RULE("FWCFG-ITEM-3"))
{
	struct mmio f = fwcfg_begin();
	uint64_t base = 0, size = 0, ram = 0;
	uint16_t cpus = 0;

	dt_memory(0, &base, &size);
	fwcfg_select(f, KEY_RAM_SIZE);
	fwcfg_read(f, &ram, sizeof(ram));
	EXPECT_EQ(ram, size);
	fwcfg_select(f, KEY_NB_CPUS);
	fwcfg_read(f, &cpus, sizeof(cpus));
	EXPECT_EQ(cpus, smp_count());
}

#define USER_ITEM "--fw-cfg name=opt/org.assay/text,string=from-the-user"

TEST(fwcfg, users_item_holds_its_text, RULE("FWCFG-DIR-2"), .vmm = USER_ITEM)
{
	struct mmio f = fwcfg_begin();
	struct fwcfg_file file;
	char text[32] = "";

	if (!fwcfg_find(f, "opt/org.assay/text", &file))
		SKIP("this machine was started without the item; see the test's options");
	EXPECT_EQ(file.size, 13);
	fwcfg_select(f, file.select);
	fwcfg_read(f, text, 16);
	EXPECT_TRUE(same(text, "from-the-user"));
}
