/* SPDX-License-Identifier: Apache-2.0 */
/* What may be booted: good files land where they should, bad ones are one line and never a crash. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "core/err.h"
#include "tests/boot_samples.h"
#include "tests/unit.h"

#define RAM_BASE 0x40000000ULL
#define RAM_SIZE 0x1000000ULL

struct bench {
	struct machine_conf conf;
	struct gmem mem;
	uint8_t *ram;
	char kernel[40], initrd[40];
};

static void write_file(char path[40], const char *what, const void *data, size_t len)
{
	FILE *f;
	int fd;

	snprintf(path, 40, "/tmp/refvmm-%s-XXXXXX", what);
	fd = mkstemp(path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || (len && fwrite(data, len, 1, f) != 1) || fclose(f))
		abort();
}

static void bench_new(struct bench *b, const void *kernel, size_t len)
{
	memset(b, 0, sizeof(*b));
	b->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->ram == MAP_FAILED || gmem_add(&b->mem, RAM_BASE, RAM_SIZE, b->ram))
		abort();
	write_file(b->kernel, "kernel", kernel, len);
	b->conf.kernel = b->kernel;
	b->conf.ram.size = RAM_SIZE;
}

static void bench_free(struct bench *b)
{
	unlink(b->kernel);
	if (b->initrd[0])
		unlink(b->initrd);
	munmap(b->ram, RAM_SIZE);
}

static int open_and_load(struct bench *b, struct boot *boot)
{
	struct boot_files files = {0};
	int ret = boot_open(&files, &b->conf);

	if (!ret)
		ret = boot_load(boot, &files, &b->conf, &b->mem);
	boot_close(&files);
	return ret;
}

/* The result of loading this file. */
static int load(const void *kernel, size_t len)
{
	struct bench b;
	struct boot boot;
	int ret;

	bench_new(&b, kernel, len);
	ret = open_and_load(&b, &boot);
	bench_free(&b);
	return ret;
}

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

	i.text_offset = 0x200000;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
	i = sample_image();
	i.image_size = 16;
	EXPECT_EQ(load(&i, sizeof(i)), -ERR_USAGE);
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
