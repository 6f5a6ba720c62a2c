/* SPDX-License-Identifier: Apache-2.0 */
/* From test records to test runs: a test with variants makes one run for each. */
#include "harness.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_LIMIT_MS 10000U

static const struct assay_suite *suite_of(const struct assay_test *test)
{
	for (const struct assay_suite *s = __start_assay_suites; s < __stop_assay_suites; s++)
		if (!strcmp(s->name, test->suite))
			return s;
	return NULL;
}

unsigned int test_limit_ms(const struct assay_test *test)
{
	const struct assay_suite *s = suite_of(test);

	if (test->limit_ms)
		return test->limit_ms;
	return s && s->limit_ms ? s->limit_ms : DEFAULT_LIMIT_MS;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " ");
}

static int trimmed(const char *from, const char *to)
{
	while (to > from && to[-1] == ' ')
		to--;
	return (int)(to - from);
}

size_t test_expand(const struct assay_test *test, struct test_run *runs, size_t max)
{
	const char *p = test->variants;
	size_t n = 0;

	if (!p) {
		if (max) {
			runs[0].test = test;
			snprintf(runs[0].id, sizeof(runs[0].id), "%s.%s", test->suite, test->name);
			runs[0].params[0] = '\0';
		}
		return 1;
	}
	while (*p && n < max) {
		const char *bar = strchrnul(p, '|');
		const char *name = skip_blanks(p);
		const char *colon = memchr(p, ':', (size_t)(bar - p));
		const char *name_end = colon ? colon : bar;
		const char *params = colon ? skip_blanks(colon + 1) : bar;

		runs[n].test = test;
		snprintf(runs[n].id, sizeof(runs[n].id), "%s.%s@%.*s", test->suite, test->name,
			 trimmed(name, name_end), name);
		snprintf(runs[n].params, sizeof(runs[n].params), "%.*s", trimmed(params, bar),
			 params);
		n++;
		p = *bar ? bar + 1 : bar;
	}
	return n;
}

size_t test_expand_all(struct test_run *runs, size_t max)
{
	size_t n = 0;

	for (const struct assay_test *t = __start_assay_tests; t < __stop_assay_tests; t++)
		n += test_expand(t, runs + n, max - n);
	return n;
}
