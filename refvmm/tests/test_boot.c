/* SPDX-License-Identifier: Apache-2.0 */
/* What may be booted: good files land where they should, bad ones are one line and never a crash. */
#include <stddef.h>
#include <stdlib.h>

#include "boot.h"
#include "core/err.h"
#include "tests/boot_bench.h"
#include "tests/boot_samples.h"
#include "tests/unit.h"

TEST(boot, linux_image_gets_tree_and_initrd_behind_it)
{
	struct sample_image i = sample_image();
	struct bench b;
	struct boot boot;

	bench_new(&b, &i, sizeof(i));
	write_file(b.initrd, "initrd", "initramfs", 9);
	b.conf.initrd = b.initrd;
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry,
		  RAM_BASE + 0x200000); /* QEMU leaves the start of RAM to its own code */
	EXPECT_EQ(boot.initrd, RAM_BASE + RAM_SIZE / 2);
	EXPECT_EQ(boot.initrd_size, 9);
	EXPECT_EQ(boot.dtb, RAM_BASE + RAM_SIZE / 2 + 0x200000);
	EXPECT_EQ(boot.x0, boot.dtb);
	EXPECT(!memcmp(b.ram + 0x200000, &i, sizeof(i)));
	EXPECT(!memcmp(b.ram + RAM_SIZE / 2, "initramfs", 9));
	bench_free(&b);
}

/* Half of RAM, in whole pages, and never more than 128 MiB: where QEMU's board has them. */
TEST(boot, tree_and_initrd_are_at_half_of_ram_at_most_at_128_mib)
{
	static const struct {
		uint64_t ram, initrd, dtb;
	} row[] = {{RAM_SIZE - 0x1000, 0x7ff000, 0x800000},
		   {0x10000000, 0x8000000, 0x8000000},
		   {0x40000000, 0x8000000, 0x8000000}};

	for (unsigned n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		struct sample_image i = sample_image();
		struct bench b;
		struct boot boot;

		bench_new(&b, &i, sizeof(i));
		b.conf.ram.size = row[n].ram;
		ASSERT_EQ(open_and_load(&b, &boot), 0);
		EXPECT_EQ(boot.initrd, RAM_BASE + row[n].initrd);
		EXPECT_EQ(boot.dtb, RAM_BASE + row[n].dtb);
		bench_free(&b);
	}
}

/* What reaches beyond the middle of RAM, or would leave the tree no room there, has them right behind it. */
TEST(boot, a_large_linux_image_keeps_tree_and_initrd_close)
{
	struct sample_image i = sample_image();
	struct bench b;
	struct boot boot;

	i.image_size = 0x900001;
	i.text_offset = 0x80000;
	bench_new(&b, &i, sizeof(i));
	write_file(b.initrd, "initrd", b.ram, 0x300000);
	b.conf.initrd = b.initrd;
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x80000);
	EXPECT_EQ(boot.initrd, RAM_BASE + 0x981000);
	EXPECT_EQ(boot.dtb, RAM_BASE + 0xe00000);
	bench_free(&b);

	i.image_size = 0x10000;
	bench_new(&b, &i, sizeof(i));
	write_file(b.initrd, "initrd", b.ram, 0x700000);
	b.conf.initrd = b.initrd;
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.initrd, RAM_BASE + 0x90000);
	EXPECT_EQ(boot.dtb, RAM_BASE + 0x800000);
	bench_free(&b);
}

/* Only the first 4 KiB of RAM are QEMU's own. */
TEST(boot, a_linux_image_behind_the_first_page_stays_there)
{
	struct sample_image i = sample_image();
	struct bench b;
	struct boot boot;

	i.text_offset = 0x1000;
	bench_new(&b, &i, sizeof(i));
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x1000);
	EXPECT(!memcmp(b.ram + 0x1000, &i, sizeof(i)));
	bench_free(&b);
}

TEST(boot, code_without_a_header_goes_to_the_old_offset)
{
	static const uint8_t code[8] = {0x1f, 0x20, 0x03, 0xd5, 0xff, 0xff, 0xff, 0x17};
	struct bench b;
	struct boot boot;

	bench_new(&b, code, sizeof(code));
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x80000);
	EXPECT_EQ(boot.x0, RAM_BASE + RAM_SIZE / 2);
	EXPECT(!memcmp(b.ram + 0x80000, code, sizeof(code)));
	bench_free(&b);
}

TEST(boot, large_code_without_a_header_has_its_tree_behind_it)
{
	static const uint8_t nop[4] = {0x1f, 0x20, 0x03, 0xd5};
	const size_t len = 0x900000;
	uint8_t *code = malloc(len);
	struct bench b;
	struct boot boot;

	memset(code, 0, len);
	memcpy(code, nop, sizeof(nop));
	bench_new(&b, code, len);
	free(code);
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x80000);
	EXPECT_EQ(boot.x0, RAM_BASE + 0xa00000);
	bench_free(&b);
}

/* As on QEMU's board, where a header's word about size is no limit and any offset is added. */
TEST(boot, a_header_may_ask_for_any_place_and_be_wrong_about_the_size)
{
	struct sample_image i = sample_image();
	struct linux_image img;
	struct bench b;
	struct boot boot;

	i.text_offset = 0x300004;
	i.image_size = 16;
	bench_new(&b, &i, sizeof(i));
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x300004);
	EXPECT(!memcmp(b.ram + 0x300004, &i, sizeof(i)));
	bench_free(&b);
	/* what is placed behind it stands behind the whole file */
	EXPECT(!linux_image_parse(&i, sizeof(i), &img));
	EXPECT_EQ(img.size, sizeof(i));
}

TEST(boot, linux_image_without_size_goes_to_the_old_offset)
{
	struct sample_image i = sample_image();
	struct linux_image img;

	i.image_size = 0;
	i.text_offset = 0x12345; /* undefined where image_size is 0 */
	EXPECT(!linux_image_parse(&i, sizeof(i), &img));
	EXPECT_EQ(img.text_offset, 0x80000);
}

TEST(boot, malformed_linux_images_are_refused)
{
	struct sample_image i = sample_image();

	i.text_offset = 2;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i.text_offset = RAM_SIZE;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i.text_offset = 0ULL - RAM_BASE;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i = sample_image();
	i.image_size = 1ULL << 40;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i.image_size = UINT64_MAX;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i = sample_image();
	i.flags |= 1;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_REFUSED);
	i = sample_image();
	EXPECT_EQ(load(&i, 63), -ERR_USAGE);
}

TEST(boot, initrd_belongs_to_a_linux_image_and_must_fit)
{
	struct sample_elf e = sample_elf();
	struct sample_image i = sample_image();
	struct bench b;
	struct boot boot;

	bench_new(&b, &e, sizeof(e));
	b.conf.initrd = "/dev/null";
	EXPECT_EQ(open_and_load(&b, &boot), -ERR_USAGE);
	bench_free(&b);

	bench_new(&b, &i, sizeof(i));
	write_file(b.initrd, "initrd", b.ram, RAM_SIZE);
	b.conf.initrd = b.initrd;
	EXPECT_EQ(open_and_load(&b, &boot), -ERR_USAGE);
	b.conf.initrd = "/nonexistent/initrd";
	EXPECT_EQ(open_and_load(&b, &boot), -ERR_USAGE);
	bench_free(&b);
}

TEST(boot, other_files_are_refused)
{
	static const uint8_t gzip[64] = {0x1f, 0x8b, 8}, nothing[64];
	static const uint8_t zboot[64] = {'M', 'Z', 0, 0, 'z', 'i', 'm', 'g'};
	struct sample_elf e = sample_elf();
	struct linux_image img;
	uint8_t text[4100] = {0};

	EXPECT_EQ(load("hello", 5), -ERR_USAGE);
	EXPECT_EQ(load("\x1b[1m\tmain:\r\n\fb main", 19), -ERR_USAGE);
	memset(text, 'a', 4096); /* a long text, which may end as it likes */
	EXPECT_EQ(load(text, sizeof(text)), -ERR_USAGE);
	text[4095] = 1;
	EXPECT_EQ(load(text, sizeof(text)), 0);
	EXPECT(raw_image_parse("\x1f\x8b\x08\1\2\3\4", 8, &img)); /* gzip in gzip */
	EXPECT_EQ(load("", 0), -ERR_USAGE);
	EXPECT_EQ(load("\x1f\x20\x03\xd5 text, but for its first byte", 32), 0);
	EXPECT_EQ(load("\x1f\x20\x03", 3), -ERR_USAGE);
	EXPECT_EQ(load(nothing, sizeof(nothing)), -ERR_USAGE);
	EXPECT_EQ(load("\xff\xff\0\0\1\2\3\4", 8), -ERR_USAGE); /* UDF #0xffff */
	EXPECT_EQ(load(gzip, sizeof(gzip)), -ERR_USAGE);
	EXPECT_EQ(load(zboot, sizeof(zboot)), -ERR_REFUSED);
	e.h.e_machine = EM_ARM;
	e.h.e_ident[EI_CLASS] = ELFCLASS32;
	EXPECT_EQ(load(&e, sizeof(e)), -ERR_REFUSED);
	e.h.e_machine = EM_X86_64;
	EXPECT_EQ(load(&e, sizeof(e)), -ERR_REFUSED);
}
