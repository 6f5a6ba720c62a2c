/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of a payload go (test port or PL011), and the verdict of the test that runs. */
#ifndef LIB_REPORT_H
#define LIB_REPORT_H

#include "exception.h"
#include "types.h"

#include <assay/exit.h>
#include <assay/port.h>
#include <assay/test.h>

void report_init(void);
/* one line; from any CPU */
void report_line(const char *fmt, ...) PRINTF(1, 2);
/* end the machine: test port, else PSCI */
NORETURN void report_exit(enum assay_exit status);
/* the library is lost: one line, then the end of the machine */
NORETURN void report_die(const char *fmt, ...) PRINTF(1, 2);

/* the machine's test port: what it offers beyond lines; false without a port */
bool port_present(void);
/* do a host action: its status; -ENOSYS without a test port */
int port_action(struct assay_action *a);
uint32_t port_ping(uint32_t v);

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_ERROR };

struct test_state {
	const struct assay_test *test;
	const char *id; /* as asked for: with its variant */
	enum verdict verdict;
	char reason[192];
};

extern struct test_state test_now;
extern uint64_t test_seed;
extern uint64_t test_time_ms;

/* for the macros of test.h */
NORETURN void test_leave(void);
void test_fail(const char *file, int line, const char *expr, const char *fmt, ...) PRINTF(4, 5);
NORETURN void test_skip(const char *cap, const char *fmt, ...) PRINTF(2, 3);
NORETURN void test_error(const char *fmt, ...) PRINTF(1, 2);
/* an exception that nobody expected */
NORETURN void test_exception(const struct exception *e, const char *kind);

#endif
