/* SPDX-License-Identifier: Apache-2.0 */
/* The flight recorder: what its lines say, how repeated events fold, and that a file has them all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/trace.h"
#include "tests/unit.h"

_Static_assert(sizeof(struct trace_event) == 32, "an event is 32 bytes");

static void format(const struct trace_event *e, const char *want)
{
	char got[160];
	size_t n = trace_format(got, sizeof(got), e, 1000);

	EXPECT_EQ(n, strlen(got));
	EXPECT_STR(strchr(got, ' '), want);
	n = trace_format(got, 10, e, 1000); /* and into less room than it wants */
	EXPECT_EQ(n, 9);
	EXPECT_EQ(strlen(got), 9);
}

TEST(trace, events_are_decoded)
{
	struct trace_event e = {5000, TRACE_IOCTL, 0xac, 9, 0, 0x6030000000100040, 7};

	format(&e, " fd 9 KVM_SET_ONE_REG 0x6030000000100040 0x7 = 0");
	e.result = -16;
	e.nr = 0xfe;
	format(&e, " fd 9 ioctl 0xfe 0x6030000000100040 0x7 = EBUSY");
	e = (struct trace_event){5000, TRACE_MMIO_READ, 4, 1, 0, 0x9000018, 0x90};
	format(&e, " vcpu 1 MMIO read 4 0x9000018 -> 0x90");
	e.kind = TRACE_MMIO_WRITE;
	format(&e, " vcpu 1 MMIO write 4 0x9000018 <- 0x90");
	e = (struct trace_event){5000, TRACE_EXIT, 24, 0, 0, 2, 0};
	format(&e, " vcpu 0 KVM_EXIT_SYSTEM_EVENT 0x2 0x0");
	e = (struct trace_event){5000, TRACE_RUN_FAILED, 0, 3, -4, 0, 0};
	format(&e, " vcpu 3 KVM_RUN = EINTR");
}

/* What trace_print() says, in memory that the caller frees. */
static char *printed(unsigned lines)
{
	FILE *f = tmpfile();
	char *text = calloc(1, 1 << 20);

	if (!f || !text)
		abort();
	trace_print(fileno(f), lines);
	rewind(f);
	if (fread(text, 1, (1 << 20) - 1, f) == 0)
		text[0] = '\0';
	fclose(f);
	return text;
}

static unsigned count(const char *text, char c)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

TEST(trace, the_latest_events_are_printed_and_repeated_ones_fold)
{
	char *text;

	memset(&trace_ring, 0, sizeof(trace_ring));
	text = printed(10);
	EXPECT_STR(text, "");
	free(text);
	for (unsigned i = 0; i < 500; i++)
		trace_add(TRACE_MMIO_READ, 4, 0, 0, 0x1000 + i, i);
	for (unsigned i = 0; i < 93; i++)
		trace_add(TRACE_MMIO_READ, 4, 0, 0, 0x9000018, i);
	trace_add(TRACE_EXIT, 24, 0, 0, 1, 0);
	text = printed(10);
	EXPECT_EQ(count(text, '\n'), 10);
	EXPECT(strstr(text, "0x9000018 -> 0x0 x93\n"));
	EXPECT(strstr(text, "KVM_EXIT_SYSTEM_EVENT 0x1 0x0\n"));
	EXPECT(strstr(text, "0x11f3 ") && !strstr(text, "0x11eb "));
	EXPECT(!strncmp(text, "refvmm: trace: ", 15));
	free(text);
}

TEST(trace, the_ring_keeps_the_last_4096)
{
	char *text;

	memset(&trace_ring, 0, sizeof(trace_ring));
	for (unsigned i = 0; i < 10000; i++)
		trace_add(TRACE_MMIO_WRITE, 4, 0, 0, i, 0);
	text = printed(1U << 20);
	EXPECT_EQ(count(text, '\n'), TRACE_EVENTS);
	EXPECT(strstr(text, " 0x270f ") && strstr(text, " 0x1710 ") && !strstr(text, " 0x170f "));
	free(text);
}

TEST(trace, a_file_keeps_all)
{
	char path[] = "/tmp/refvmm-trace-XXXXXX";
	static char text[1 << 20];
	int fd = mkstemp(path);

	ASSERT(fd >= 0);
	memset(&trace_ring, 0, sizeof(trace_ring));
	ASSERT_EQ(trace_open(path), 0);
	for (unsigned i = 0; i < 10000; i++)
		trace_add(TRACE_MMIO_WRITE, 4, 0, 0, i, 0);
	trace_close();
	EXPECT(read(fd, text, sizeof(text) - 1) > 0);
	EXPECT_EQ(count(text, '\n'), 10000);
	EXPECT(strstr(text, " 0x0 <- ") && strstr(text, " 0x170f <- ") &&
	       strstr(text, " 0x270f <- "));
	EXPECT(trace_open("/nonexistent/folder/x") < 0);
	trace_ring.fd = 0;
	close(fd);
	unlink(path);
}

/* A limit of the file's size stands for a full disk. */
TEST(trace, a_file_that_is_full_ends_with_a_whole_line)
{
	static char text[1 << 20];
	char path[] = "/tmp/refvmm-trace-XXXXXX";
	struct rlimit all, some = {10001, RLIM_INFINITY};
	int fd = mkstemp(path), told = 0;

	ASSERT(fd >= 0 && !getrlimit(RLIMIT_FSIZE, &all));
	some.rlim_max = all.rlim_max;
	memset(&trace_ring, 0, sizeof(trace_ring));
	ASSERT_EQ(trace_open(path), 0);
	told = trace_ring.fd;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &some);
	for (unsigned i = 0; i < 10000; i++)
		trace_add(TRACE_MMIO_WRITE, 4, 0, 0, i, 0);
	setrlimit(RLIMIT_FSIZE, &all);
	EXPECT_EQ(trace_ring.fd, 0);
	trace_close();
	close(told);
	memset(text, 0, sizeof(text));
	EXPECT(read(fd, text, sizeof(text) - 1) > 9000);
	EXPECT(strlen(text) <= 10001 && text[strlen(text) - 1] == '\n');
	EXPECT(strstr(text, " 0x0 <- ") && strstr(text, " 0x1 <- "));
	close(fd);
	unlink(path);
}
