/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a program that this project did not write gets started: every value is what QEMU's virt board gave the same
 * program (QEMU 10.0, hw/arm/boot.c).
 */
#include "program.h"
#include "file.h"
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <elf.h>
#include <string.h>
#include <unistd.h>

SUITE(bare, .tags = "refvmm");

#define SIZE	((size_t)(program_end - program))
/* The tree of what is no ELF file: half of RAM, at most 128 MiB, from its start. */
#define DTB_FAR (RAM + (128U << 20))

struct elf_how {
	uint16_t type;
	uint64_t linked; /* p_vaddr - p_paddr */
	uint64_t entry;	 /* e_entry - p_paddr of the code */
	uint32_t before; /* bytes in front of the code, in the segment */
};

static int elf_of(uint64_t at, const struct elf_how *how)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				    EV_CURRENT},
			.e_type = how->type,
			.e_machine = EM_AARCH64,
			.e_version = EV_CURRENT,
			.e_entry = at + how->entry,
			.e_phoff = sizeof(h),
			.e_ehsize = sizeof(h),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1};
	Elf64_Phdr p = {.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_offset = 0x1000,
			.p_vaddr = at - how->before + how->linked,
			.p_paddr = at - how->before,
			.p_filesz = how->before + SIZE,
			.p_memsz = how->before + SIZE,
			.p_align = 0x1000};
	int fd = file_in_memory();

	put(fd, 0, &h, sizeof(h));
	put(fd, sizeof(h), &p, sizeof(p));
	put(fd, p.p_offset + how->before, program, SIZE);
	return fd;
}

static int elf_at(uint64_t at, uint16_t type)
{
	return elf_of(at, &(struct elf_how){.type = type});
}

/* x0 is 0; the tree is at the start of RAM if the program leaves it 1 MiB there. */
TEST(bare, elf_starts_where_it_was_linked, RULE("BARE-ELF-1"),
     VARIANTS("start: at=0x40000000 type=2 | "
	      "low: at=0x40080000 type=2 | "
	      "mib: at=0x40100000 type=2 | "
	      "pie: at=0x48000000 type=3"))
{
	uint64_t at = test_param_u64("at", 0);
	int fd = elf_at(at, (uint16_t)test_param_u64("type", ET_EXEC));
	uint32_t ram = at >= RAM + (1U << 20) ? DTB_MAGIC : 0;
	struct said s;

	if (at == RAM)
		memcpy(&ram, program, sizeof(ram));
	if (run_program(fd, &s)) {
		EXPECT_EQ(s.x0, 0U);
		EXPECT_EQ(s.start, at);
		EXPECT_EQ(s.ram, ram);
	}
	close(fd);
}

/* A linker puts the file's headers in front; a kernel linked high has an entry of either kind. */
TEST(bare, elf_may_begin_below_ram_and_be_linked_high, RULE("BARE-ELF-2"),
     VARIANTS("below: at=0x40000000 before=0x10000 | "
	      "virtual: at=0x40200000 linked=0xffff000000000000 entry=0xffff000000000000 | "
	      "physical: at=0x40200000 linked=0xffff000000000000"))
{
	const struct elf_how how = {.type = ET_EXEC,
				    .linked = test_param_u64("linked", 0),
				    .entry = test_param_u64("entry", 0),
				    .before = (uint32_t)test_param_u64("before", 0)};
	uint64_t at = test_param_u64("at", 0);
	int fd = elf_of(at, &how);
	struct said s;

	if (run_program(fd, &s)) {
		EXPECT_EQ(s.x0, 0U);
		EXPECT_EQ(s.start, at);
	}
	close(fd);
}

/* It would be silently without effect, and be one somebody looks for in vain. */
TEST(bare, a_bad_tree_is_told_even_where_no_room_is_for_it, RULE("BARE-DTB-1"))
{
	const struct proc_talk nothing = {NULL, NULL, NULL};
	int fd = elf_at(RAM + 0x80000, ET_EXEC);
	static struct proc run;
	struct refvmm vmm = {};
	char path[32];

	REFVMM_ADD(&vmm, "--kernel", file_name_of(fd, path), "--dtb", path);
	refvmm_run(&run, &vmm, &nothing, 30000);
	EXPECT_EQ(run.status, ASSAY_EXIT_USAGE);
	EXPECT_TRUE(strstr(run.err, "--dtb") && strstr(run.err, "no device tree"));
	close(fd);
}

static void expect_image(int fd, uint64_t at)
{
	struct said s;

	if (run_program(fd, &s)) {
		EXPECT_EQ(s.x0, DTB_FAR);
		EXPECT_EQ(s.tree, DTB_MAGIC);
		EXPECT_EQ(s.start, at);
		EXPECT_EQ(s.ram, 0U);
	}
	close(fd);
}

TEST(bare, code_without_a_header_starts_at_the_old_offset, RULE("BARE-RAW-1"))
{
	int fd = file_in_memory();

	put(fd, 0, program, SIZE);
	expect_image(fd, RAM + 0x80000);
}

/* Documentation/arch/arm64/booting.rst, "Call the kernel image": code0 branches over the header. */
static void expect_header(uint64_t offset, uint64_t size, uint64_t at)
{
	struct {
		uint32_t code[2];
		uint64_t text_offset, image_size, flags, reserved[3];
		char magic[4];
		uint32_t pe;
	} h = {.code = {0x14000010}, /* b . + 64 */
	       .text_offset = offset,
	       .image_size = size,
	       .flags = 0xa,
	       .magic = {'A', 'R', 'M', 0x64}};
	int fd = file_in_memory();

	_Static_assert(sizeof(h) == 64, "the header of a Linux Image");
	put(fd, 0, &h, sizeof(h));
	put(fd, sizeof(h), program, SIZE);
	expect_image(fd, at + sizeof(h));
}

TEST(bare, image_starts_at_its_text_offset, RULE("BARE-IMAGE-1"),
     VARIANTS("zero: offset=0 at=0x40200000 | low: offset=0x1000 at=0x40001000 | old: "
	      "offset=0x80000 at=0x40080000"))
{
	expect_header(test_param_u64("offset", 0), 0x10000, test_param_u64("at", 0));
}

TEST(bare, image_may_ask_for_any_offset_and_be_longer_than_it_says, RULE("BARE-IMAGE-2"),
     VARIANTS("far: offset=0x300004 | short: offset=0x80000 size=64"))
{
	uint64_t offset = test_param_u64("offset", 0);

	expect_header(offset, test_param_u64("size", 0x10000), RAM + offset);
}

/* U-Boot, include/image.h: words are big-endian. */
TEST(bare, uimage_starts_at_its_entry_point, RULE("BARE-UIMAGE-1"),
     VARIANTS("linux: os=5 | other: os=17"))
{
	uint32_t os = (uint32_t)test_param_u64("os", 0);
	struct {
		uint32_t magic, crc, time, size, load, entry, data_crc;
		uint8_t os, arch, type, packed;
		char name[32];
	} h = {.magic = __builtin_bswap32(0x27051956),
	       .size = __builtin_bswap32((uint32_t)SIZE),
	       .load = __builtin_bswap32(RAM + 0x80000),
	       .entry = __builtin_bswap32(RAM + 0x80000),
	       .os = (uint8_t)os,
	       .arch = 22,
	       .type = 2};
	int fd = file_in_memory();
	struct said s;

	_Static_assert(sizeof(h) == 64, "the header of a legacy image");
	put(fd, 0, &h, sizeof(h));
	put(fd, sizeof(h), program, SIZE);
	if (os == 5) {
		expect_image(fd, RAM + 0x80000);
		return;
	}
	if (run_program(fd, &s)) {
		EXPECT_EQ(s.x0, 0U);
		EXPECT_EQ(s.start, RAM + 0x80000U);
	}
	close(fd);
}

static uint32_t crc32_of(const char *p, size_t len) /* RFC 1952, 8 */
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* RFC 1952 around one stored block of RFC 1951. */
TEST(bare, gzip_is_unpacked, RULE("BARE-GZIP-1"))
{
	uint16_t len = (uint16_t)SIZE, not_len = (uint16_t)~len;
	uint32_t end[2] = {crc32_of(program, SIZE), len};
	int fd = file_in_memory();

	put(fd, 0, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01", 11);
	put(fd, 11, &len, 2);
	put(fd, 13, &not_len, 2);
	put(fd, 15, program, SIZE);
	put(fd, 15 + SIZE, end, sizeof(end));
	expect_image(fd, RAM + 0x80000);
}
