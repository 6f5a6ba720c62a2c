/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that prints without end, and nobody who reads it. The vCPU that prints waits, in the middle of a store to the
 * UART; nothing else does, and what it has printed comes whole and in order once somebody reads.
 */
#include "client.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* CPU 0 prints the lines a to z, again and again, CPU 1, if there is one, A to Z. Encodings: Arm ARM (DDI 0487), C6.2. */
static const uint32_t alphabet[] = {
	0xd2800060, 0xf2b88000, /* mov x0, #0xc4000003: CPU_ON (DEN 0022, 5.1.4) */
	0xd2800021,		/* mov x1, #1 */
	0x10000082,		/* adr x2, cpu1 */
	0xd4000002,		/* hvc #0 */
	0x52800c22,		/* mov w2, #'a' */
	0x14000002,		/* b both */
	0x52800822,		/* cpu1: mov w2, #'A' */
	0x2a0203e5,		/* both: mov w5, w2 */
	0xd2a12001,		/* mov x1, #0x09000000, the UART */
	0x52800143,		/* mov w3, #10 */
	0x2a0503e2,		/* again: mov w2, w5 */
	0x110068a4,		/* add w4, w5, #26 */
	0xb9000022,		/* next: str w2, [x1] */
	0xb9000023,		/* str w3, [x1] */
	0x11000442,		/* add w2, w2, #1 */
	0x6b04005f,		/* cmp w2, w4 */
	0x54ffff81,		/* b.ne next */
	0x17fffff9,		/* b again */
};

#define GUESTS VARIANTS("lines: options= | typed: options=--console_stdio | smp: options=--smp_2")

struct unread {
	struct machine m;
	int out, size; /* the pipe, and how much it holds: a page of the host */
};

/* Somebody else's output. */
static void fill(int pipe, int size)
{
	char other[1024];

	memset(other, '.', sizeof(other));
	for (int left = size; left > 0;) {
		ssize_t n = write(pipe, other, left < (int)sizeof(other) ? (size_t)left : 1024);

		if (n <= 0)
			test_error("write to a pipe: %s", strerrorname_np(errno));
		left -= (int)n;
	}
}

/* So full that a line of each CPU does not fit; a pipe takes what is written at once whole or not yet (pipe(7)). */
static bool full(const struct unread *u)
{
	int n = 0;

	return !ioctl(u->out, FIONREAD, &n) && n > u->size - 8;
}

/* Room for some bytes, and then for none. OPTIONS' blanks are underscores. */
static void start(struct unread *u, const char *options, int room)
{
	char words[128];
	int out[2];

	snprintf(words, sizeof(words), "%s", options);
	for (char *p = words; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	if (pipe2(out, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	u->out = out[0];
	u->size = fcntl(out[1], F_SETPIPE_SZ, 1);
	if (u->size <= 0)
		test_error("F_SETPIPE_SZ: %s", strerrorname_np(errno));
	fill(out[1], u->size - room);
	machine_start_guest(&u->m, alphabet, sizeof(alphabet), words, out[1]);
	close(out[1]);
}

/* Returns when the guest's next store has to wait. */
static void start_and_wait(struct unread *u)
{
	start(u, test_param("options"), 64);
	EXPECT_EVENTUALLY(full(u));
}

static bool does(const struct unread *u, const char *command)
{
	char line[64];

	snprintf(line, sizeof(line), "{\"command\":\"%s\"}", command);
	return strstr(ask(&u->m, line), "\"ok\": true");
}

static bool is(const struct unread *u, const char *state)
{
	return strstr(ask(&u->m, "{\"command\":\"status\"}"), state);
}

static void quit(struct unread *u)
{
	EXPECT_TRUE(does(u, "quit"));
	EXPECT_EQ(machine_end(&u->m), 0);
	EXPECT_TRUE(access(u->m.path, F_OK) != 0);
}

/* What each CPU printed last; 0: nothing yet. */
struct order {
	char last[2];
	unsigned int letters, restarts;
};

/* Reads `letters` more; each must be the one behind that CPU's last. The alphabet begins anew behind its end or at a restart. */
static void read_on(const struct unread *u, struct order *o, unsigned int letters)
{
	unsigned int wrong = 0;
	char buf[512];

	for (letters += o->letters; o->letters < letters;) {
		ssize_t n = read(u->out, buf, sizeof(buf));

		if (n <= 0)
			test_error("the guest ended after %u letters", o->letters);
		for (ssize_t i = 0; i < n; i++) {
			char *last = &o->last[isupper(buf[i]) != 0],
			     first = isupper(buf[i]) ? 'A' : 'a';

			if (!isalpha(buf[i]))
				continue;
			if (buf[i] == first && *last && *last != first + 25)
				o->restarts++;
			else if (buf[i] != (*last && *last != first + 25 ? *last + 1 : first))
				wrong++;
			*last = buf[i];
			o->letters++;
		}
	}
	EXPECT_EQ(wrong, 0U);
}

/* What CPU 0 prints at the moment, in x2. */
static char letter(const struct unread *u)
{
	char now;

	EXPECT_TRUE(does(u, "pause"));
	EXPECT_TRUE(is(u, "paused"));
	now = (char)answer_u64(ask(&u->m, "{\"command\":\"dump-regs\"}"), "x2");
	EXPECT_TRUE(does(u, "resume"));
	return now;
}

/* No byte fits, so that the guest comes to its first line and not beyond, however often it is paused. */
TEST(control, answers_while_nobody_reads_the_output, RULE("VMM-SLOW-4"), GUESTS)
{
	struct unread u;

	start(&u, test_param("options"), 0);
	EXPECT_TRUE(is(&u, "running"));
	EXPECT_EVENTUALLY(letter(&u) == 'a');
	for (int i = 0; i < 4; i++) {
		test_pause_us(2000);
		EXPECT_EQ(letter(&u), 'a');
	}
	EXPECT_TRUE(is(&u, "running"));
	quit(&u);
}

TEST(control, what_nobody_read_at_first_comes_whole_and_in_order, RULE("VMM-SLOW-4"), GUESTS)
{
	struct order o = {0};
	struct unread u;

	start_and_wait(&u);
	for (int round = 0; round < 3; round++) {
		ASSERT_TRUE(does(&u, "pause"));
		EXPECT_TRUE(does(&u, "resume"));
		read_on(&u, &o, 70);
	}
	EXPECT_EQ(o.restarts, 0U);
	quit(&u);
}

/* What was printed before the reset comes first. */
TEST(control, reset_does_not_wait_for_a_reader, RULE("VMM-SLOW-4"), GUESTS)
{
	struct order o = {0};
	struct unread u;

	start_and_wait(&u);
	EXPECT_TRUE(does(&u, "reset"));
	EXPECT_TRUE(is(&u, "running"));
	for (int i = 0; i < 40 && !o.restarts; i++)
		read_on(&u, &o, 50);
	EXPECT_GE(o.restarts, 1U);
	quit(&u);
}

TEST(control, the_time_limit_does_not_wait_for_a_reader, RULE("VMM-SLOW-4"))
{
	struct unread u;

	start(&u, "--time-limit_200", 0);
	EXPECT_EQ(machine_end(&u.m), 7); /* ASSAY_EXIT_LIMIT */
}
