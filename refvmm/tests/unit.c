/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"

#include <inttypes.h>
#include <stdio.h>

extern const struct unit_test *const __start_unit_tests[];
extern const struct unit_test *const __stop_unit_tests[];

/* The harness is the one program of refvmm that may keep its state at file scope. */
static unsigned failures;
static const char *skipped;

void unit_fail(const char *file, int line, const char *expr, uint64_t got, uint64_t want)
{
	failures++;
	printf("# %s:%d: %s: got 0x%" PRIx64 ", want 0x%" PRIx64 "\n", file, line, expr, got, want);
}

void unit_fail_str(const char *file, int line, const char *expr, const char *got, const char *want)
{
	failures++;
	printf("# %s:%d: %s: got \"%s\", want \"%s\"\n", file, line, expr, got ? got : "(null)",
	       want);
}

void unit_skip(const char *reason)
{
	skipped = reason;
}

int main(int argc, char **argv)
{
	unsigned n = 0, passed = 0, failed = 0, skips = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct unit_test *const *t = __start_unit_tests; t < __stop_unit_tests; t++) {
		if (argc > 1 && !strstr((*t)->name, argv[1]))
			continue;
		failures = 0;
		skipped = NULL;
		(*t)->run();
		n++;
		if (failures) {
			failed++;
			printf("not ok %u %s\n", n, (*t)->name);
		} else if (skipped) {
			skips++;
			printf("ok %u %s # SKIP %s\n", n, (*t)->name, skipped);
		} else {
			passed++;
			printf("ok %u %s\n", n, (*t)->name);
		}
	}
	printf("1..%u\n%u passed, %u failed, %u skipped\n", n, passed, failed, skips);
	return failed || !n;
}
