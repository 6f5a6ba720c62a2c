/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that mean harm: the machine runs on, others are answered, memory and descriptors stay bounded. */
#include "client.h"
#include "proc.h"
#include "scratch.h"
#include <assay/exit.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 16 clients of 4 KiB lines and 64 KiB answers, and allocation in between */
#define RSS_MORE_KIB 2048U

static void expect_unharmed(const struct machine *m, unsigned int fds, unsigned int rss)
{
	EXPECT_TRUE(strstr(ask(m, "{\"command\":\"status\"}"), "\"ok\": true"));
	expect_counting(m);
	EXPECT_EVENTUALLY(machine_fds(m) <= fds);
	EXPECT_LE(machine_rss(m), rss + RSS_MORE_KIB);
}

TEST(control, garbage_and_half_lines_do_no_harm, RULE("VMM-CONTROL-7"))
{
	static const char *const lines[] = {"\xff\xfe{[(",
					    "{\"command\":",
					    "{\"command\":\"status\"",
					    "]]]]",
					    "{\"command\":\"status\"}}",
					    "\x01\x02\n\n\n\x7f"};
	struct machine m;
	unsigned int fds, rss;
	char noise[2000];

	machine_start(&m, "");
	expect_counting(&m);
	fds = machine_fds(&m);
	rss = machine_rss(&m);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int fd = machine_connect(&m);

		send_all(fd, lines[i], strlen(lines[i]));
		close(fd);
	}
	for (int i = 0; i < 20; i++) {
		int fd = machine_connect(&m);

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)test_random();
		send_all(fd, noise, sizeof(noise));
		close(fd);
	}
	expect_unharmed(&m, fds, rss);
}

TEST(control, a_line_of_a_mebibyte_is_one_error, RULE("VMM-CONTROL-7"))
{
	static char line[1 << 20];
	struct machine m;
	unsigned int fds, rss;
	int fd;

	machine_start(&m, "");
	expect_counting(&m);
	fds = machine_fds(&m);
	rss = machine_rss(&m);
	memset(line, 'x', sizeof(line));
	line[0] = '{';
	line[1] = '"';
	fd = machine_connect(&m);
	EXPECT_TRUE(send_all(fd, line, sizeof(line)));
	EXPECT_TRUE(strstr(read_answer(fd), "\"kind\": \"line\""));
	EXPECT_TRUE(strstr(request(fd, "\n{\"command\":\"status\"}\n"), "\"ok\": true"));
	close(fd);
	expect_unharmed(&m, fds, rss);
}

TEST(control, a_hundred_connections_keep_nobody_out, RULE("VMM-CONTROL-7"))
{
	struct machine m;
	unsigned int fds, rss;
	int fd[100];

	machine_start(&m, "");
	expect_counting(&m);
	fds = machine_fds(&m);
	rss = machine_rss(&m);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = machine_connect(&m);
		if (i % 2)
			send_all(fd[i], "{\"command\":", 11);
	}
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"ok\": true"));
	expect_counting(&m);
	EXPECT_LE(machine_fds(&m), fds + 20); /* bounded while they last */
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	expect_unharmed(&m, fds, rss);
}

TEST(control, who_never_reads_keeps_nobody_waiting, RULE("VMM-CONTROL-7"))
{
	static const char dump[] = "{\"command\":\"dump-vgic\"}\n";
	struct machine m;
	unsigned int fds, rss;
	int deaf[4];

	machine_start(&m, "");
	expect_counting(&m);
	fds = machine_fds(&m);
	rss = machine_rss(&m);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++) {
		deaf[i] = machine_connect(&m);
		fcntl(deaf[i], F_SETFL, O_NONBLOCK);
		for (int n = 0; n < 500 && send_all(deaf[i], dump, sizeof(dump) - 1); n++)
			;
	}
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"ok\": true"));
	expect_counting(&m);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		close(deaf[i]);
	expect_unharmed(&m, fds, rss);
}

/* ---- what is there already */

static void expect_not_started(const char *path)
{
	static struct proc run;
	char vmm[512], payload[512];
	char *argv[] = {vmm, (char *)"--kernel", payload, (char *)"--control", (char *)path, NULL};

	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("guest-tests/pl011.elf", payload, sizeof(payload));
	if (proc_run(&run, argv, 15000) < 0)
		test_error("%s cannot be run", vmm);
	if (!EXPECT_EQ(run.status, ASSAY_EXIT_USAGE) || !EXPECT_EQ(run.out_len, 0) ||
	    !EXPECT_TRUE(strstr(run.err, path)))
		NOTE("stderr was: %s", run.err);
}

TEST(control, nothing_that_exists_is_overwritten, RULE("VMM-CONTROL-8"))
{
	struct machine m;
	struct stat st;
	char path[64];
	int fd;

	/* a file with something in it */
	scratch_path(path, sizeof(path), "file");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ASSERT_TRUE(fd >= 0 && write(fd, "mine", 4) == 4);
	close(fd);
	expect_not_started(path);
	EXPECT_TRUE(!stat(path, &st) && S_ISREG(st.st_mode) && st.st_size == 4);

	/* the socket of a machine that runs: it keeps it */
	machine_start(&m, "");
	expect_not_started(m.path);
	expect_counting(&m);

	/* and one that was left behind */
	kill(m.pid, SIGKILL);
	EXPECT_EQ(machine_end(&m), 128 + SIGKILL);
	EXPECT_TRUE(!stat(m.path, &st) && S_ISSOCK(st.st_mode));
	expect_not_started(m.path);
	EXPECT_TRUE(!stat(m.path, &st) && S_ISSOCK(st.st_mode));
}
