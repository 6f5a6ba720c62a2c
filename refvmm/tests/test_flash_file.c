/* SPDX-License-Identifier: Apache-2.0 */
/* The files behind flash: made from a template, written whole or not at all, after a crash too. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "dev/flash_store.h"
#include "tests/flash_bench.h"
#include "tests/unit.h"

#define SECTOR	  0x40000ULL
#define FILE_SIZE (3 * SECTOR)

struct folder {
	char path[64], vars[96], journal[112], rom[96];
	struct flash_conf conf;
};

static void make_file(const char *path, uint64_t size, uint8_t byte)
{
	FILE *f = fopen(path, "we");

	if (!f)
		abort();
	while (size--)
		fputc(byte, f);
	fclose(f);
}

static struct folder *folder_new(void)
{
	struct folder *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	strcpy(d->path, "/tmp/refvmm-flash-XXXXXX");
	if (!mkdtemp(d->path))
		abort();
	snprintf(d->vars, sizeof(d->vars), "%s/vars.fd", d->path);
	snprintf(d->journal, sizeof(d->journal), "%s.journal", d->vars);
	snprintf(d->rom, sizeof(d->rom), "%s/rom.fd", d->path);
	d->conf.vars = d->vars;
	return d;
}

static void folder_free(struct folder *d)
{
	unlink(d->vars);
	unlink(d->journal);
	unlink(d->rom);
	EXPECT_EQ(rmdir(d->path), 0); /* nothing else was left behind */
	free(d);
}

static uint32_t word_at(const char *path, uint64_t off)
{
	uint32_t word = 0x0bad0bad;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &word, sizeof(word), (off_t)off) != sizeof(word))
		word = 0x0bad0bad;
	if (fd >= 0)
		close(fd);
	return word;
}

TEST(flash_file, what_is_programmed_is_in_the_file_at_once)
{
	struct folder *d = folder_new();
	struct flash_bench b;

	make_file(d->vars, FILE_SIZE, 0xff);
	b = flash_bench_new(&d->conf);
	ASSERT_EQ(b.err, 0);
	EXPECT_EQ(flash_program(&b, BANK1 + SECTOR + 16, 0x12345678), 0x00800080);
	EXPECT_EQ(word_at(d->vars, SECTOR + 16), 0x12345678);
	EXPECT_EQ(flash_erase(&b, BANK1 + SECTOR), 0x00800080);
	EXPECT_EQ(word_at(d->vars, SECTOR + 16), 0xffffffff);
	flash_program(&b, BANK1, 0x00c0ffee);
	flash_bench_free(&b);
	EXPECT(access(d->journal, F_OK));
	b = flash_bench_new(&d->conf);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00c0ffee);
	flash_bench_free(&b);
	folder_free(d);
}

/* The other vCPUs' view of it: 306666, 10.1, SR.7; all that busy chips take is Read Status. */
TEST(flash_file, chips_are_busy_until_the_file_is_written)
{
	struct folder *d = folder_new();
	struct flash_bench b;

	make_file(d->vars, FILE_SIZE, 0xff);
	b = flash_bench_new(&d->conf);
	ASSERT_EQ(b.err, 0);
	b.fe->works = true;
	flash_wr(&b, BANK1 + 16, 0x00400040);
	flash_wr(&b, BANK1 + 16, 0x12345678);
	EXPECT_EQ(flash_rd(&b, BANK1 + 16), 0);
	EXPECT_EQ(word_at(d->vars, 16), 0xffffffff);
	flash_wr(&b, BANK1, 0x00700070);
	EXPECT_EQ(b.fe->guest_errors, 0);
	flash_wr(&b, BANK1, 0x00ff00ff);
	flash_wr(&b, BANK1 + SECTOR, 0x00200020);
	flash_wr(&b, BANK1 + SECTOR, 0x00d000d0);
	EXPECT_EQ(b.fe->guest_errors, 3);
	EXPECT_EQ(flash_rd(&b, BANK1), 0);
	EXPECT(!b.fe->rom[1]);
	EXPECT_EQ(flash_rd(&b, 0), 0xffffffff); /* the other bank's chips are not */
	EXPECT(fake_work(b.fe));
	EXPECT(!fake_work(b.fe));
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00800080);
	EXPECT_EQ(word_at(d->vars, 16), 0x12345678);
	flash_wr(&b, BANK1, 0x00ff00ff);
	EXPECT_EQ(flash_rd(&b, BANK1 + 16), 0x12345678);
	flash_bench_free(&b);
	folder_free(d);
}

/* Behind the end of the file, which cannot be written. */
TEST(flash_file, chips_that_were_busy_tell_what_failed)
{
	struct folder *d = folder_new();
	struct flash_bench b;

	make_file(d->vars, SECTOR, 0xff);
	b = flash_bench_new(&d->conf);
	ASSERT_EQ(b.err, 0);
	b.fe->works = true;
	flash_wr(&b, BANK1 + SECTOR, 0x00200020);
	flash_wr(&b, BANK1 + SECTOR, 0x00d000d0);
	EXPECT_EQ(flash_rd(&b, BANK1), 0);
	EXPECT(fake_work(b.fe));
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00a000a0); /* SR.5 */
	flash_bench_free(&b);
	folder_free(d);
}

TEST(flash_file, is_made_from_the_template_which_never_changes)
{
	struct folder *d = folder_new();
	struct flash_bench b;

	make_file(d->rom, FILE_SIZE, 0x42);
	d->conf.vars_template = d->rom;
	b = flash_bench_new(&d->conf);
	ASSERT_EQ(b.err, 0);
	EXPECT_EQ(flash_rd(&b, BANK1 + FILE_SIZE - 4), 0x42424242);
	EXPECT_EQ(flash_rd(&b, BANK1 + FILE_SIZE), 0xffffffff);
	EXPECT_EQ(flash_program(&b, BANK1, 0), 0x00800080);
	flash_bench_free(&b);
	EXPECT_EQ(word_at(d->vars, 0), 0);
	EXPECT_EQ(word_at(d->rom, 0), 0x42424242);
	b = flash_bench_new(&d->conf); /* it exists now, and is not made again */
	EXPECT_EQ(flash_rd(&b, BANK1), 0);
	flash_bench_free(&b);
	folder_free(d);
}

TEST(flash_file, without_a_template_is_zeros_like_debians)
{
	struct folder *d = folder_new();
	struct flash_bench b = flash_bench_new(&d->conf);
	struct stat st;

	ASSERT_EQ(b.err, 0);
	EXPECT_EQ(flash_rd(&b, BANK1), 0);
	flash_bench_free(&b);
	ASSERT_EQ(stat(d->vars, &st), 0);
	EXPECT_EQ(st.st_size, FLASH_BANK_SIZE);
	EXPECT_EQ(st.st_blocks, 0); /* holes */
	folder_free(d);
}

TEST(flash_file, belongs_to_one_machine_at_a_time)
{
	struct folder *d = folder_new();
	struct flash_bench a, b;

	make_file(d->vars, FILE_SIZE, 0xff);
	a = flash_bench_new(&d->conf);
	b = flash_bench_new(&d->conf);
	EXPECT_EQ(a.err, 0);
	EXPECT_EQ(b.err, -ERR_USAGE);
	flash_bench_free(&b);
	EXPECT_EQ(flash_program(&a, BANK1, 1), 0x00800080);
	flash_bench_free(&a);
	EXPECT_EQ(word_at(d->vars, 0), 1);
	folder_free(d);
}

static int init_error(const struct flash_conf *c)
{
	struct flash_bench b = flash_bench_new(c);
	int err = b.err;

	flash_bench_free(&b);
	return err;
}

TEST(flash_file, unusable_files_are_refused_by_name)
{
	struct folder *d = folder_new();
	struct flash_conf c = {.firmware = d->rom};

	EXPECT_EQ(init_error(&c), -ERR_USAGE); /* none */
	make_file(d->rom, 0, 0);
	EXPECT_EQ(init_error(&c), -ERR_USAGE); /* empty */
	EXPECT_EQ(truncate(d->rom, FLASH_BANK_SIZE + 1), 0);
	EXPECT_EQ(init_error(&c), -ERR_USAGE); /* too large */
	c = (struct flash_conf){.vars = d->path};
	EXPECT_EQ(init_error(&c), -ERR_USAGE); /* a folder */
	c.vars = "/nonexistent/vars.fd";
	EXPECT_EQ(init_error(&c), -ERR_USAGE);
	c = (struct flash_conf){.vars = d->vars, .vars_template = "/nonexistent/template.fd"};
	EXPECT_EQ(init_error(&c), -ERR_USAGE);
	make_file(d->vars, 1000, 0);
	EXPECT_EQ(init_error(&c), -ERR_USAGE); /* no whole number of sectors */
	folder_free(d);
}

TEST(flash_file, firmware_is_mapped_from_the_start_and_never_written)
{
	struct folder *d = folder_new();
	struct flash_conf c = {.firmware = d->rom};
	struct flash_bench b;

	make_file(d->rom, 5, 0x11);
	b = flash_bench_new(&c);
	ASSERT_EQ(b.err, 0);
	EXPECT(b.fe->rom[0] && b.fe->rom[1]);
	EXPECT_EQ(fake_read(b.fe, 0, 8), 0xffffff1111111111);
	EXPECT_EQ(flash_program(&b, 0, 0), 0x00920092);
	EXPECT_EQ(flash_erase(&b, 0), 0x00a200a2);
	EXPECT_EQ(flash_rd(&b, 0), 0x11111111);
	flash_wr(&b, 0x1cb204, 0x17384); /* firmware that writes to its own image: no command */
	EXPECT(b.fe->rom[0]);
	flash_bench_free(&b);
	folder_free(d);
}

/* ---- trouble: a limit of the file size stands for a full disk, and its signal for a crash */

/* In a child whose files may not grow beyond `limit`; returns the status register it saw. */
static uint32_t erase_with_limit(struct folder *d, uint64_t limit)
{
	struct rlimit r = {limit, limit};
	int pipes[2], status;
	uint32_t seen = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) || (pid = fork()) < 0)
		abort();
	if (!pid) {
		struct flash_bench b = flash_bench_new(&d->conf);

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &r);
		seen = flash_erase(&b, BANK1);
		if (flash_rd(&b, BANK1) != 0x42424242 ||
		    flash_rd(&b, BANK1 + SECTOR - 4) != 0x42424242)
			seen = 1;
		flash_bench_free(&b);
		_exit(write(pipes[1], &seen, sizeof(seen)) != sizeof(seen));
	}
	EXPECT_EQ(read(pipes[0], &seen, sizeof(seen)), sizeof(seen));
	close(pipes[0]);
	close(pipes[1]);
	waitpid(pid, &status, 0);
	return seen;
}

TEST(flash_file, what_cannot_be_written_is_an_error_and_leaves_the_file)
{
	static const uint64_t limits[] = {1, 100, 4096, 0x20001, 0x3ffff};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct folder *d = folder_new();

		make_file(d->vars, FILE_SIZE, 0x42);
		EXPECT_EQ(erase_with_limit(d, limits[i]), 0x00a000a0);
		for (uint64_t at = 0; at < FILE_SIZE; at += 4)
			ASSERT_EQ(word_at(d->vars, at), 0x42424242);
		EXPECT(access(d->journal, F_OK));
		folder_free(d);
	}
}

/* Erases (or programs the first word of) a sector in a child that dies when the file's offset reaches `limit`. */
static void crash(struct folder *d, bool erase, uint64_t off, uint64_t limit)
{
	struct rlimit r = {limit, limit};
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid) {
		struct flash_bench b = flash_bench_new(&d->conf);

		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_FSIZE, &r);
		if (erase)
			flash_erase(&b, BANK1 + off);
		else
			flash_program(&b, BANK1 + off, 0x02020202);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

TEST(flash_file, an_interrupted_erase_is_finished_at_the_next_start)
{
	static const uint64_t came[] = {0, 4, 4096, 0x20000, 0x3fffc};

	for (size_t i = 0; i < sizeof(came) / sizeof(came[0]); i++) {
		struct folder *d = folder_new();
		struct flash_bench b;

		make_file(d->vars, FILE_SIZE, 0x42);
		crash(d, true, SECTOR, SECTOR + came[i]);
		EXPECT_EQ(word_at(d->vars, 2 * SECTOR - 4), 0x42424242); /* it is torn */
		b = flash_bench_new(&d->conf);
		EXPECT_EQ(b.err, 0);
		EXPECT_EQ(flash_rd(&b, BANK1 + SECTOR - 4), 0x42424242);
		for (uint64_t at = SECTOR; at < 2 * SECTOR; at += 4)
			ASSERT_EQ(flash_rd(&b, BANK1 + at), 0xffffffff);
		EXPECT_EQ(flash_rd(&b, BANK1 + 2 * SECTOR), 0x42424242);
		EXPECT_EQ(word_at(d->vars, 2 * SECTOR - 4), 0xffffffff);
		flash_bench_free(&b);
		EXPECT(access(d->journal, F_OK));
		folder_free(d);
	}
}

TEST(flash_file, an_interrupted_programming_is_finished_if_its_record_is_whole)
{
	struct folder *d = folder_new();
	struct stat st;

	make_file(d->vars, FILE_SIZE, 0x42);
	crash(d, false, SECTOR, SECTOR);
	ASSERT_EQ(stat(d->journal, &st), 0);
	for (off_t keep = 0; keep <= st.st_size; keep++) {
		struct flash_bench b;

		make_file(d->vars, FILE_SIZE, 0x42);
		unlink(d->journal);
		crash(d, false, SECTOR, SECTOR);
		EXPECT_EQ(truncate(d->journal, keep), 0);
		b = flash_bench_new(&d->conf);
		EXPECT_EQ(b.err, 0);
		EXPECT_EQ(flash_rd(&b, BANK1 + SECTOR),
			  keep == st.st_size ? 0x02020202 : 0x42424242);
		EXPECT_EQ(flash_rd(&b, BANK1 + SECTOR + 4), 0x42424242);
		flash_bench_free(&b);
	}
	folder_free(d);
}

TEST(flash_file, a_record_for_a_larger_file_is_not_carried_out)
{
	struct folder *d = folder_new();
	struct flash_bench b;

	make_file(d->vars, FILE_SIZE, 0x42);
	crash(d, true, 2 * SECTOR, 2 * SECTOR);
	EXPECT_EQ(truncate(d->vars, 2 * SECTOR), 0);
	b = flash_bench_new(&d->conf);
	EXPECT_EQ(b.err, 0);
	EXPECT_EQ(flash_rd(&b, BANK1 + 2 * SECTOR - 4), 0x42424242);
	flash_bench_free(&b);
	folder_free(d);
}
