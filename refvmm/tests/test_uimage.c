/* SPDX-License-Identifier: Apache-2.0 */
/* U-Boot's legacy images (U-Boot, include/image.h), as mkimage(1) writes them. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "boot.h"
#include "core/err.h"
#include "tests/boot_bench.h"
#include "tests/unit.h"

struct sample_uimage {
	uint8_t h[UIMAGE_HEADER];
	uint8_t data[256];
};

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A kernel for Linux's boot protocol at 0x40080000, entered 8 bytes behind that. */
static struct sample_uimage sample_uimage(void)
{
	struct sample_uimage u = {.h = {0x27, 0x05, 0x19, 0x56}};

	put32(u.h + 12, sizeof(u.data));
	put32(u.h + 16, 0x40080000);
	put32(u.h + 20, 0x40080008);
	u.h[28] = 5;  /* Linux */
	u.h[29] = 22; /* arm64 */
	u.h[30] = 2;  /* kernel */
	for (unsigned i = 0; i < sizeof(u.data); i++)
		u.data[i] = (uint8_t)(i + 1);
	return u;
}

TEST(uimage, kernel_for_linux_gets_the_tree_in_x0)
{
	struct sample_uimage u = sample_uimage();
	struct bench b;
	struct boot boot;

	bench_new(&b, &u, sizeof(u));
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x80008);
	EXPECT_EQ(boot.x0, RAM_BASE + RAM_SIZE / 2);
	EXPECT_EQ(boot.dtb, boot.x0);
	EXPECT(!memcmp(b.ram + 0x80000, u.data, sizeof(u.data)));
	EXPECT_EQ(b.ram[0x80100], 0);
	bench_free(&b);
}

TEST(uimage, another_program_is_started_as_an_elf_file_is)
{
	static const struct {
		uint32_t at;
		uint64_t dtb;
	} row[] = {{0x40080000, BOOT_NO_DTB}, {0x40100000, RAM_BASE}};

	for (unsigned i = 0; i < 2; i++) {
		struct sample_uimage u = sample_uimage();
		struct bench b;
		struct boot boot;

		u.h[28] = 17; /* U-Boot itself */
		put32(u.h + 16, row[i].at);
		put32(u.h + 20, row[i].at);
		bench_new(&b, &u, sizeof(u));
		ASSERT_EQ(open_and_load(&b, &boot), 0);
		EXPECT_EQ(boot.entry, row[i].at);
		EXPECT_EQ(boot.x0, 0);
		EXPECT_EQ(boot.dtb, row[i].dtb);
		b.conf.initrd = b.kernel;
		EXPECT_EQ(open_and_load(&b, &boot), -ERR_USAGE);
		b.conf.initrd = NULL;
		bench_free(&b);
	}
}

/* Above 32 MiB of RAM, which this machine does not have: parsed alone. */
TEST(uimage, kernel_that_goes_anywhere_is_entered_relative_to_that)
{
	struct sample_uimage u = sample_uimage();
	struct uimage out;

	u.h[30] = 14;
	put32(u.h + 16, 0x1234);
	put32(u.h + 20, 0x20);
	EXPECT(!uimage_parse(&u, sizeof(u), &out));
	EXPECT_EQ(out.load, 0x42000040);
	EXPECT_EQ(out.entry, 0x42000060);
}

TEST(uimage, packed_kernel_is_unpacked_to_its_place)
{
	struct sample_uimage u = sample_uimage();
	struct sample_uimage packed = u;
	z_stream z = {.next_in = u.data,
		      .avail_in = sizeof(u.data),
		      .next_out = packed.data,
		      .avail_out = sizeof(packed.data)};
	struct bench b;
	struct boot boot;

	memset(u.data, 7, sizeof(u.data));
	if (deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	put32(packed.h + 12, (uint32_t)z.total_out);
	packed.h[31] = 1;
	deflateEnd(&z);
	bench_new(&b, &packed, UIMAGE_HEADER + z.total_out);
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE + 0x80008);
	EXPECT(!memcmp(b.ram + 0x80000, u.data, sizeof(u.data)));
	bench_free(&b);

	packed.data[20] ^= 0xff;
	EXPECT_EQ(load(&packed, UIMAGE_HEADER + z.total_out), -ERR_USAGE);
}

TEST(uimage, what_is_no_kernel_for_this_machine_is_one_line)
{
	static const struct {
		const char *what;
		unsigned at, bytes;
		uint32_t val;
	} spoil[] = {
		{"ARM", 29, 1, 2},
		{"x86-64", 29, 1, 24},
		{"script", 30, 1, 6},
		{"several files", 30, 1, 4},
		{"bzip2", 31, 1, 2},
		{"empty", 12, 4, 0},
		{"longer than the file", 12, 4, 257},
		{"size -1", 12, 4, UINT32_MAX},
		{"below RAM", 16, 4, 0x3fffff00},
		{"above RAM", 16, 4, 0x41000000},
		{"no room for a tree", 16, 4, 0x40ffff00},
		{"unaligned entry", 20, 4, 0x40080002},
		{"a truncated gzip file", 31, 1, 1},
	};

	for (unsigned i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		struct sample_uimage u = sample_uimage();

		if (spoil[i].bytes == 4)
			put32(u.h + spoil[i].at, spoil[i].val);
		else
			u.h[spoil[i].at] = (uint8_t)spoil[i].val;
		if (load(&u, sizeof(u)) != -ERR_USAGE)
			unit_fail_str(__FILE__, __LINE__, spoil[i].what, "loaded", "-ERR_USAGE");
	}
}
