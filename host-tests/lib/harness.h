/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by harness.c (parent), verdict.c (the test's process) and select.c. */
#ifndef HOST_HARNESS_H
#define HOST_HARNESS_H

#include "test.h"
#include <stdatomic.h>

#define TEST_TEXT_MAX 480

enum verdict_kind { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_ERROR };

/* What the test's process sends its parent, once, through a pipe (smaller than PIPE_BUF: atomic). */
struct verdict {
	uint32_t kind;
	uint32_t seeded;
	char text[TEST_TEXT_MAX];
};

/* One test in one variant. */
struct test_run {
	const struct assay_test *test;
	char id[160];
	char params[160];
};

struct test_options {
	uint64_t seed;
	unsigned int time_ms;
	unsigned int scale; /* multiplies time limits */
};

/* select.c */
extern const struct assay_test __start_assay_tests[], __stop_assay_tests[];
extern const struct assay_suite __start_assay_suites[], __stop_assay_suites[];
size_t test_expand(const struct assay_test *test, struct test_run *runs, size_t max);
size_t test_expand_all(struct test_run *runs, size_t max);
unsigned int test_limit_ms(const struct assay_test *test);

/* verdict.c: runs the test in this process and ends it */
_Noreturn void test_child(const struct test_run *run, const struct test_options *opt, int pipe_fd);

/* One whole line, '\n' added, written at once; safe in any thread. */
void test_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
