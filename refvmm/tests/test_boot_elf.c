/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files: good ones land where they should, bad ones are one line and never a crash. */
#include <stddef.h>
#include <stdlib.h>

#include "boot.h"
#include "core/err.h"
#include "tests/boot_bench.h"
#include "tests/boot_samples.h"
#include "tests/unit.h"

TEST(boot, elf_segments_land_in_ram)
{
	struct sample_elf e = sample_elf();
	struct bench b;
	struct boot boot;

	bench_new(&b, &e, sizeof(e));
	memset(b.ram + 0x81000, 0xff, 0x100);
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, 0x40080004);
	EXPECT_EQ(boot.x0, 0);
	EXPECT_EQ(boot.dtb, BOOT_NO_DTB);
	EXPECT_EQ(boot.initrd_size, 0);
	EXPECT(!memcmp(b.ram + 0x80000, e.text, sizeof(e.text)));
	EXPECT(!memcmp(b.ram + 0x81000, e.text + 32, 16));
	EXPECT_EQ(b.ram[0x8100f], 48);
	EXPECT_EQ(b.ram[0x81010], 0); /* .bss */
	EXPECT_EQ(b.ram[0x8103f], 0);
	EXPECT_EQ(b.ram[0x81040], 0xff);
	bench_free(&b);
}

/* As QEMU's board: a tree at the start of RAM when there is 1 MiB for it, and never one in the program. */
TEST(boot, elf_gets_a_tree_at_the_start_of_ram_if_it_leaves_room)
{
	static const struct {
		uint64_t at, dtb;
	} row[] = {{0x40000000, BOOT_NO_DTB},
		   {0x400fff00, BOOT_NO_DTB},
		   {0x40100000, RAM_BASE},
		   {0x40800000, RAM_BASE}};

	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct sample_elf e = sample_elf();
		struct bench b;
		struct boot boot;

		e.h.e_type = ET_DYN; /* it starts where it was linked all the same */
		e.p[0].p_paddr = row[i].at;
		e.p[1].p_paddr = row[i].at + 0x200000;
		bench_new(&b, &e, sizeof(e));
		ASSERT_EQ(open_and_load(&b, &boot), 0);
		EXPECT_EQ(boot.entry, row[i].at + 4);
		EXPECT_EQ(boot.dtb, row[i].dtb);
		EXPECT_EQ(boot.x0, 0);
		bench_free(&b);
	}
}

/* `ld -Ttext=0x40000000` puts the file's headers into the 64 KiB below RAM. */
TEST(boot, an_elf_segment_that_begins_below_ram_is_loaded_from_there_on)
{
	struct sample_elf e = sample_elf();
	struct bench b;
	struct boot boot;

	e.p[0].p_vaddr = e.p[0].p_paddr = RAM_BASE - 16;
	e.h.e_entry = RAM_BASE;
	bench_new(&b, &e, sizeof(e));
	ASSERT_EQ(open_and_load(&b, &boot), 0);
	EXPECT_EQ(boot.entry, RAM_BASE);
	EXPECT_EQ(boot.dtb, BOOT_NO_DTB);
	EXPECT(!memcmp(b.ram, e.text + 16, sizeof(e.text) - 16));
	EXPECT_EQ(b.ram[sizeof(e.text) - 16], 0);
	bench_free(&b);
}

/* A kernel linked at its virtual addresses, whose entry is where it starts without MMU. */
TEST(boot, the_entry_of_an_elf_file_may_be_a_physical_address)
{
	struct sample_elf e = sample_elf();
	struct elf_image img;

	e.p[0].p_vaddr += 0xffff000000000000;
	e.p[1].p_vaddr += 0xffff000000000000;
	EXPECT(!elf_parse(&e, sizeof(e), &img));
	EXPECT_EQ(img.entry, 0x40080004);
	e.h.e_entry += 0xffff000000000000;
	EXPECT(!elf_parse(&e, sizeof(e), &img));
	EXPECT_EQ(img.entry, 0x40080004);
	e.h.e_entry = 0x40070004;
	EXPECT(elf_parse(&e, sizeof(e), &img));
}

/* Each row spoils one field of a good file. */
TEST(boot, malformed_elf_is_refused)
{
#define SPOIL(field, val)                                            \
	{                                                            \
#field, offsetof(struct sample_elf, field),          \
			sizeof(((struct sample_elf *)0)->field), val \
	}
	static const struct {
		const char *what;
		size_t off, size;
		uint64_t val;
	} spoil[] = {
		SPOIL(h.e_type, ET_REL),
		SPOIL(h.e_machine, EM_RISCV),
		SPOIL(h.e_phoff, UINT64_MAX),
		SPOIL(h.e_phoff, sizeof(struct sample_elf)),
		SPOIL(h.e_phnum, 0),
		SPOIL(h.e_phnum, 0xffff),
		SPOIL(h.e_phentsize, 1),
		SPOIL(h.e_entry, 0),
		SPOIL(h.e_entry, 0x40080002),
		SPOIL(h.e_entry, 0x40080040),
		SPOIL(p[0].p_filesz, UINT64_MAX),
		SPOIL(p[0].p_offset, UINT64_MAX),
		SPOIL(p[0].p_offset, sizeof(struct sample_elf)),
		SPOIL(p[0].p_memsz, 8),
		SPOIL(p[0].p_memsz, UINT64_MAX),
		SPOIL(p[0].p_paddr, 0),
		SPOIL(p[0].p_paddr, 0x41000000 - 63),
		SPOIL(p[0].p_paddr, UINT64_MAX - 62),
		SPOIL(p[1].p_paddr, 0x4008003f),
		SPOIL(p[1].p_memsz, 0x10000000),
	};
#undef SPOIL

	for (unsigned i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		struct sample_elf e = sample_elf();

		memcpy((uint8_t *)&e + spoil[i].off, &spoil[i].val, spoil[i].size);
		if (load(&e, sizeof(e)) != -ERR_USAGE)
			unit_fail_str(__FILE__, __LINE__, spoil[i].what, "loaded", "-ERR_USAGE");
	}
}

TEST(boot, elf_truncated_anywhere_is_refused)
{
	struct sample_elf e = sample_elf();
	struct elf_image img;

	ASSERT(!elf_parse(&e, sizeof(e), &img));
	for (size_t len = 0; len < sizeof(e); len++) {
		uint8_t *copy = malloc(len ? len : 1); /* so that ASan sees one byte too far */

		memcpy(copy, &e, len);
		EXPECT(elf_parse(copy, len, &img));
		free(copy);
	}
}
