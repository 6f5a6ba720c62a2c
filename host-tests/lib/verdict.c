/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test's side of the harness: expectations, notes, facts and the verdict.
 *
 * The state below is per process and there is one process a test, so it is not
 * shared between tests.
 */
#include "harness.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	const struct test_run *run;
	const struct test_options *opt;
	int pipe_fd;
	uint64_t random;
	bool seeded;
	atomic_uint claims; /* expectations evaluated and facts printed */
	atomic_uint failures;
	atomic_flag ended;
} self = {.ended = ATOMIC_FLAG_INIT};

static void write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* the reader is gone: the missing result line says so */
		p += w;
		n -= (size_t)w;
	}
}

static void vline(const char *prefix, const char *fmt, va_list ap)
{
	char buf[1024];
	size_t n = (size_t)snprintf(buf, sizeof(buf), "%s", prefix);
	int m = vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);

	if (m > 0)
		n += (size_t)m;
	if (n > sizeof(buf) - 2)
		n = sizeof(buf) - 2;
	for (size_t i = 0; i < n; i++)
		if (buf[i] == '\n' || buf[i] == '\r')
			buf[i] = ' '; /* one record, one line */
	buf[n] = '\n';
	write_all(STDOUT_FILENO, buf, n + 1);
}

void test_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline("", fmt, ap);
	va_end(ap);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline("# note ", fmt, ap);
	va_end(ap);
}

void test_fact(const char *key, const char *fmt, ...)
{
	char prefix[128];
	va_list ap;

	snprintf(prefix, sizeof(prefix), "# fact %s=", key);
	va_start(ap, fmt);
	vline(prefix, fmt, ap);
	va_end(ap);
	test_held();
}

/* ---- the verdict */

static void (*at_end)(void);

void test_at_end(void (*fn)(void))
{
	at_end = fn;
}

static _Noreturn void finish(enum verdict_kind kind, const char *text)
{
	struct verdict v = {.kind = kind, .seeded = self.seeded};

	if (!atomic_flag_test_and_set(&self.ended)) {
		snprintf(v.text, sizeof(v.text), "%s", text);
		write_all(self.pipe_fd, (const char *)&v, sizeof(v));
		if (at_end)
			at_end();
		_exit(0);
	}
	for (;;) /* another thread is ending the process */
		pause();
}

static _Noreturn void vfinish(enum verdict_kind kind, const char *fmt, va_list ap)
{
	char text[TEST_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	if (kind == VERDICT_SKIP && self.failures) {
		test_note("would have skipped: %s", text);
		finish(VERDICT_FAIL, "");
	}
	finish(kind, text);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfinish(VERDICT_SKIP, fmt, ap);
}

void test_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfinish(VERDICT_ERROR, fmt, ap);
}

void test_abandon(void)
{
	finish(VERDICT_FAIL, "");
}

static void cut_params(const char *params);

void test_child(const struct test_run *run, const struct test_options *opt, int pipe_fd)
{
	self.run = run;
	self.opt = opt;
	self.pipe_fd = pipe_fd;
	self.random = opt->seed;
	cut_params(run->params);
	run->test->run();
	if (self.failures)
		finish(VERDICT_FAIL, "");
	if (!self.claims)
		finish(VERDICT_ERROR, "the test made no claim: no expectation and no fact");
	finish(VERDICT_PASS, "");
}

/* ---- expectations */

void test_held(void)
{
	atomic_fetch_add(&self.claims, 1);
}

bool test_differs(const char *file, int line, const char *what, const char *got, const char *want)
{
	atomic_fetch_add(&self.claims, 1);
	atomic_fetch_add(&self.failures, 1);
	test_line("# %s:%d: %s: got %s, want %s", file, line, what, got, want);
	return false;
}

static const char *const relation_text[] = {"", "!= ", "< ", "<= ", "> ", ">= "};

#define HOLDS(rel, a, b)                 \
	((rel) == TEST_EQ   ? (a) == (b) \
	 : (rel) == TEST_NE ? (a) != (b) \
	 : (rel) == TEST_LT ? (a) < (b)  \
	 : (rel) == TEST_LE ? (a) <= (b) \
	 : (rel) == TEST_GT ? (a) > (b)  \
			    : (a) >= (b))

bool test_compare_s(const char *file, int line, const char *expr, enum test_relation rel,
		    int64_t got, int64_t want)
{
	char g[32], w[40];

	if (HOLDS(rel, got, want)) {
		test_held();
		return true;
	}
	snprintf(g, sizeof(g), "%" PRId64, got);
	snprintf(w, sizeof(w), "%s%" PRId64, relation_text[rel], want);
	return test_differs(file, line, expr, g, w);
}

bool test_compare_u(const char *file, int line, const char *expr, enum test_relation rel,
		    uint64_t got, uint64_t want)
{
	char g[32], w[40];

	if (HOLDS(rel, got, want)) {
		test_held();
		return true;
	}
	snprintf(g, sizeof(g), "0x%" PRIx64, got);
	snprintf(w, sizeof(w), "%s0x%" PRIx64, relation_text[rel], want);
	return test_differs(file, line, expr, g, w);
}

bool test_compare_str(const char *file, int line, const char *expr, const char *got,
		      const char *want)
{
	char g[256], w[256];

	if (got && !strcmp(got, want)) {
		test_held();
		return true;
	}
	snprintf(g, sizeof(g), "\"%s\"", got ? got : "(null)");
	snprintf(w, sizeof(w), "\"%s\"", want);
	return test_differs(file, line, expr, g, w);
}

bool test_true(const char *file, int line, const char *expr, bool got)
{
	if (got) {
		test_held();
		return true;
	}
	return test_differs(file, line, expr, "false", "true");
}

static const char *result_text(int64_t r, char *buf, size_t size)
{
	const char *name = r < 0 ? strerrorname_np((int)-r) : NULL;

	if (r < 0)
		snprintf(buf, size, "-1 %s (%" PRId64 ")", name ? name : "errno", -r);
	else
		snprintf(buf, size, "%" PRId64, r);
	return buf;
}

bool test_errno(const char *file, int line, const char *expr, int64_t got, const int *want,
		size_t wants)
{
	char g[64], w[160] = "success";
	size_t n = 0;
	bool held = wants == 0 && got >= 0;

	for (size_t i = 0; i < wants; i++)
		held |= got == -(int64_t)want[i];
	if (held) {
		test_held();
		return true;
	}
	for (size_t i = 0; i < wants && n < sizeof(w); i++) {
		char one[64];

		n += (size_t)snprintf(w + n, sizeof(w) - n, "%s%s", i ? " or " : "",
				      result_text(-(int64_t)want[i], one, sizeof(one)));
	}
	return test_differs(file, line, expr, result_text(got, g, sizeof(g)), w);
}

void test_pause_us(unsigned int us)
{
	struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	nanosleep(&ts, NULL);
}

/* ---- parameters */

/* The variant's words, each ended by NUL; values point into it. */
static char words[sizeof(((struct test_run *)0)->params) + 1];

static void cut_params(const char *params)
{
	snprintf(words, sizeof(words) - 1, "%s", params);
	for (char *p = words; *p; p++)
		if (*p == ' ')
			*p = '\0';
}

const char *test_param(const char *key)
{
	size_t n = strlen(key);

	for (const char *p = words; p < words + sizeof(words); p += strlen(p) + 1)
		if (!strncmp(p, key, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}

uint64_t test_param_u64(const char *key, uint64_t otherwise)
{
	const char *v = test_param(key);
	char *end;
	uint64_t n;

	if (!v)
		return otherwise;
	n = strtoull(v, &end, 0);
	if (!*v || *end)
		test_error("variant parameter %s=%s is not a number", key, v);
	return n;
}

/* splitmix64 (Steele, Lea, Flood 2014): tiny, and good enough to choose test inputs. */
uint64_t test_random(void)
{
	uint64_t z = (self.random += 0x9e3779b97f4a7c15ULL);

	self.seeded = true;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t test_seed(void)
{
	self.seeded = true;
	return self.opt->seed;
}

bool test_has_failed(void)
{
	return atomic_load(&self.failures) != 0;
}

unsigned int test_time_ms(unsigned int otherwise)
{
	return self.opt->time_ms ? self.opt->time_ms : otherwise;
}
