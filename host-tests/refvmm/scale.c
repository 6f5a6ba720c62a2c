/* SPDX-License-Identifier: Apache-2.0 */
/* A hundred machines at once: each runs its guest, none disturbs another, and memory grows with their number alone. */
#include "elf_image.h"
#include "file.h"
#include "proc.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MACHINES	 100
#define RSS_EACH_MAX_KIB 4096U /* a page of the host may have 64 KiB */

/* Arm ARM (DDI 0487), C6.2: prints "x\n" on the UART, then waits for ever */
static const uint32_t code[] = {
	0xd2a12001, /* mov x1, #0x09000000 */
	0x52800f00, /* mov w0, #'x' */
	0xb9000020, /* str w0, [x1] */
	0x52800140, /* mov w0, #'\n' */
	0xb9000020, /* str w0, [x1] */
	0xd503207f, /* loop: wfi */
	0x17ffffff, /* b loop */
};

struct one {
	pid_t pid;
	int out;
};

static void start(struct one *o, char *const argv[])
{
	int out[2];

	if (pipe2(out, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	o->pid = fork();
	if (o->pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!o->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	o->out = out[0];
}

static void read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(fd, line + n, 1) == 1 && line[n++] != '\n')
		;
	line[n] = '\0';
}

static unsigned int rss_kib(pid_t pid)
{
	char path[64], text[4096];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, text, sizeof(text)) <= 0)
		return 0;
	p = strstr(text, "VmRSS:");
	return p ? (unsigned int)strtoul(p + 6, NULL, 10) : 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

TEST(refvmm, a_hundred_machines_run_at_once, RULE("VMM-SCALE-1"), .limit_ms = 60000)
{
	static struct one one[MACHINES];
	char vmm[512], kernel[32], said[128];
	char *argv[] = {vmm,
			(char *)"--memory",
			(char *)"64M",
			(char *)"--machine",
			(char *)"its=off,highmem=off",
			(char *)"--kernel",
			kernel,
			NULL};
	unsigned int sum = 0, most = 0, up = 0;
	uint64_t began = now_ms();

	bundle_path("refvmm", vmm, sizeof(vmm));
	if (access(vmm, X_OK))
		SKIP("no refvmm beside this program: build the bundle");
	snprintf(kernel, sizeof(kernel), "/proc/self/fd/%d", elf_image(code, sizeof(code)));
	for (size_t i = 0; i < MACHINES; i++)
		start(&one[i], argv);
	for (size_t i = 0; i < MACHINES;
	     i++) { /* all of them have come so far, and none has gone */
		read_line(one[i].out, said, sizeof(said));
		if (!strncmp(said, "refvmm: this kernel has no seccomp", 34))
			read_line(one[i].out, said, sizeof(said));
		if (EXPECT_STREQ(said, "x\n"))
			up++;
	}
	FACT("scale.machines_start_ms", "%lu", (unsigned long)(now_ms() - began));
	for (size_t i = 0; i < MACHINES; i++) {
		unsigned int kib = rss_kib(one[i].pid);

		EXPECT_EQ(waitpid(one[i].pid, NULL, WNOHANG), 0);
		sum += kib;
		most = kib > most ? kib : most;
	}
	EXPECT_EQ(up, (unsigned int)MACHINES);
	FACT("scale.machines_rss_kib", "%u", sum);
	EXPECT_LE(most, RSS_EACH_MAX_KIB);
	for (size_t i = 0; i < MACHINES; i++)
		kill(one[i].pid, SIGKILL);
	for (size_t i = 0; i < MACHINES; i++)
		waitpid(one[i].pid, NULL, 0);
}
