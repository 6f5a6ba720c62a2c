/* SPDX-License-Identifier: Apache-2.0 */
/* The file behind the flash of UEFI variables, and other files of refvmm, when it is killed and when the disk is full. */
#include "file.h"
#include "vmm.h"
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

SUITE(flash, .tags = "refvmm firmware", .limit_ms = 30000);

#define VARS	"/tmp/vars.fd"
#define OPTIONS "--memory 64M --machine its=off "
#define KILLS	6
#define ERASED	UINT32_MAX

static struct proc run;

static unsigned int occurrences(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* `sectors` of them, erased. */
static void make_vars(unsigned int sectors)
{
	static uint32_t ones[SECTOR / 4];
	int fd = open(VARS, O_WRONLY | O_CREAT | O_EXCL, 0600);

	memset(ones, 0xff, sizeof(ones));
	for (unsigned int i = 0; i < sectors; i++) {
		if (fd < 0 || write(fd, ones, sizeof(ones)) != sizeof(ones))
			test_error("%s: %s", VARS, strerrorname_np(errno));
	}
	close(fd);
}

static void read_vars(uint32_t *words, size_t size, off_t at)
{
	int fd = open(VARS, O_RDONLY);

	if (fd < 0 || pread(fd, words, size, at) != (ssize_t)size)
		test_error("%s cannot be read", VARS);
	close(fd);
}

/* Looks on until the sector is seen half erased, or the look was never lucky. */
static void await_half_an_erase(void)
{
	int fd = open(VARS, O_RDONLY);
	uint32_t first = 0, last = ERASED;

	for (int i = 0; i < 5000 && (first != ERASED || last == ERASED); i++) {
		if (fd < 0 || pread(fd, &last, 4, LAST_WORD) != 4 || pread(fd, &first, 4, 0) != 4)
			test_error("%s cannot be read", VARS);
	}
	close(fd);
}

/* Lets it go round, and ends it while it erases, or at any time. */
static void kill_while_it_writes(bool erases)
{
	char said[64] = "";
	int out[2], status;
	struct pollfd p;
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	pid = vmm_start(OPTIONS "--vars " VARS, guest_rewrite, out[1], STDERR_FILENO);
	close(out[1]);
	p = (struct pollfd){.fd = out[0], .events = POLLIN};
	if (poll(&p, 1, 20000) > 0)
		n = read(out[0], said, sizeof(said) - 1);
	if (n <= 0 || said[0] != 'r')
		test_error("the guest does not come to write: it says \"%.20s\"", said);
	if (erases)
		await_half_an_erase();
	else
		test_pause_us((unsigned int)(test_random() % 20000));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(out[0]);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Every word of a block holds the same. */
static bool whole(const uint32_t *block)
{
	for (unsigned int i = 1; i < BLOCK_WORDS; i++)
		if (!EXPECT_EQ(block[i], block[0]))
			return false;
	return true;
}

/* Erased, or with the first number, or with both: what the guest's commands, one after another, can leave. */
static void expect_whole_commands(void)
{
	static uint32_t sector[SECTOR / 4];
	uint32_t last;

	read_vars(sector, sizeof(sector), 0);
	last = sector[LAST_WORD / 4];
	if (whole(sector) && last != ERASED)
		EXPECT_EQ(sector[0], last);
	for (unsigned int i = BLOCK_WORDS; i < LAST_WORD / 4; i++)
		if (!EXPECT_EQ(sector[i], ERASED))
			return;
}

TEST(flash, a_killed_vmm_leaves_no_torn_variables, RULE("FW-VARS-2"))
{
	unsigned int finished = 0;

	small_tmp(4096);
	make_vars(2);
	for (unsigned int i = 0; i < KILLS; i++) {
		kill_while_it_writes(i & 1);
		vmm_run(&run, OPTIONS "--vars " VARS, guest_off);
		EXPECT_EQ(run.status, ASSAY_EXIT_OK);
		finished += occurrences(run.err, "finished the change that a crash interrupted");
		expect_whole_commands();
		EXPECT_TRUE(!file_exists(VARS ".journal"));
	}
	FACT("flash.crashes_in_a_change", "%u", finished);
}

/* A file of holes on a disk that has less place than the guest wants to write. */
TEST(flash, a_full_disk_loses_no_variable, RULE("FW-VARS-3"))
{
	uint32_t word = 0;
	size_t written;

	small_tmp(512);
	vmm_run(&run, OPTIONS "--vars " VARS, guest_fill);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	written = strspn(run.out + 1, "P");
	EXPECT_EQ(run.out[0], 'e');
	EXPECT_GE(written, 16U);
	if (!EXPECT_STREQ(run.out + 1 + written, "EP0\n"))
		NOTE("stderr was: %.300s", run.err);
	EXPECT_EQ(occurrences(run.err, "No space left on device"), 1U);
	EXPECT_EQ(occurrences(run.err, "\n"), 1U);
	EXPECT_TRUE(strstr(run.err, "--vars " VARS ": not written at 0x"));
	read_vars(&word, sizeof(word), 0);
	EXPECT_EQ(word, KEPT);
	EXPECT_TRUE(!file_exists(VARS ".journal"));
}

/* Without place for its journal a file of one sector, which has its own place, is left alone. */
TEST(flash, without_place_for_the_journal_nothing_is_begun, RULE("FW-VARS-3"))
{
	uint32_t word = 0;

	small_tmp(SECTOR / 1024);
	make_vars(1);
	vmm_run(&run, OPTIONS "--vars " VARS, guest_fill);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	EXPECT_STREQ(run.out, "!E!!\n");
	EXPECT_EQ(occurrences(run.err, "\n"), 1U);
	EXPECT_TRUE(strstr(run.err, "--vars " VARS ": not written at 0x0") &&
		    strstr(run.err, "No space left on device"));
	read_vars(&word, sizeof(word), 0);
	EXPECT_EQ(word, ERASED);
	grow_tmp(SECTOR / 1024 + 64);
	vmm_run(&run, OPTIONS "--vars " VARS, guest_fill);
	EXPECT_STREQ(run.out, "eEP!\n"); /* there is no second sector */
	read_vars(&word, sizeof(word), 0);
	EXPECT_EQ(word, KEPT);
}

TEST(flash, a_full_disk_ends_the_trace_and_not_the_guest, RULE("VMM-DISK-1"))
{
	static char text[1 << 17];
	ssize_t n;

	small_tmp(64);
	vmm_run(&run, OPTIONS "--trace /tmp/trace", guest_poll);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	EXPECT_EQ(occurrences(run.err, "\n"), 1U);
	EXPECT_TRUE(strstr(run.err, "--trace") && strstr(run.err, "No space left on device"));
	n = file_read("/tmp/trace", text, sizeof(text));
	EXPECT_GT(n, 60000);
	EXPECT_TRUE(n > 0 && text[n - 1] == '\n');
	EXPECT_TRUE(strstr(text, "KVM_CREATE_VM"));
}

#define ROOM 2050 /* for what the guest says: 50 lines */

/* A file on a disk of one page, of which only the end is free. */
static int almost_full(void)
{
	static char used[1 << 16];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open("/tmp/serial", O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || write(fd, used, page - ROOM) != (ssize_t)(page - ROOM))
		test_error("/tmp/serial: %s", strerrorname_np(errno));
	return fd;
}

TEST(flash, a_full_disk_ends_the_machine_that_prints_to_it, RULE("VMM-DISK-1"))
{
	static char text[(1 << 16) + 1], said[4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const char *line = text + page - ROOM;
	char want[48];
	int out, err[2], status;
	ssize_t n;
	pid_t pid;

	small_tmp((unsigned int)(page / 1024));
	out = almost_full();
	if (pipe2(err, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	pid = vmm_start(OPTIONS "--time-limit 60000", guest_chatter, out, err[1]);
	close(err[1]);
	for (size_t len = 0; (n = read(err[0], said + len, sizeof(said) - 1 - len)) > 0;)
		len += (size_t)n;
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), ASSAY_EXIT_HOST);
	if (!EXPECT_EQ(occurrences(said, "refvmm: standard output: ENOSPC"), 1U))
		NOTE("stderr was: %.300s", said);
	EXPECT_EQ(file_read("/tmp/serial", text, sizeof(text)), (ssize_t)page);
	for (unsigned int i = 0; i < ROOM / 41; i++) {
		for (unsigned int k = 0; k < 40; k++)
			want[k] = (char)('0' + (i + k) % 10);
		memcpy(want + 40, "\n", 2);
		if (!EXPECT_TRUE(!strncmp(line + 41UL * i, want, 41)))
			break;
	}
}
