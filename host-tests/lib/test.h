/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a host test is written. One function makes one test:
 *
 *	TEST(hotplug, late_vcpu_is_refused, RULE("KVM-VCPU-3"), .limit_ms = 3000)
 *	{
 *		...
 *		EXPECT_EQ(got, want);
 *	}
 *
 * Every test runs in a process of its own with a time limit, so a crash, a hang
 * or a leaked descriptor touches no other test. EXPECT_* goes on after a
 * failure, ASSERT_* ends the test. Both may be used from any thread.
 *
 * This header is portable: the harness's own unit tests build it natively.
 */
#ifndef HOST_TEST_H
#define HOST_TEST_H

#include <assay/test.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_RECORD(sect) __attribute__((section(sect), used, aligned(8)))

#define SUITE(name_, ...)                                                                   \
	static const struct assay_suite assay_suite_##name_ TEST_RECORD("assay_suites") = { \
		.abi = ASSAY_TEST_ABI,                                                      \
		.size = sizeof(struct assay_suite),                                         \
		.name = #name_,                                                             \
		##__VA_ARGS__}

#define TEST(suite_, name_, ...)                                                                \
	static void test_##suite_##_##name_(void);                                              \
	static const struct assay_test record_##suite_##_##name_ TEST_RECORD("assay_tests") = { \
		.abi = ASSAY_TEST_ABI,                                                          \
		.size = sizeof(struct assay_test),                                              \
		.suite = #suite_,                                                               \
		.name = #name_,                                                                 \
		.file = __FILE__,                                                               \
		.line = __LINE__,                                                               \
		.run = test_##suite_##_##name_,                                                 \
		##__VA_ARGS__};                                                                 \
	static void test_##suite_##_##name_(void)

#define RULE(id)       .rule = (id)
/* "v2: gic=2 | v3: gic=3": the test runs once for each, test_param() tells them apart */
#define VARIANTS(text) .variants = (text)

/* ---- what the running test may ask */

/* Value of `key` in this variant's key=value words, or NULL. */
const char *test_param(const char *key);
uint64_t test_param_u64(const char *key, uint64_t otherwise);
/* Pseudo-random numbers from --seed; using them puts seed= into the result line. */
uint64_t test_random(void);
/* The seed itself, for generators of one's own (stress.h). */
uint64_t test_seed(void);
/* Milliseconds a time-boxed test may run: --time, or `otherwise`. */
unsigned int test_time_ms(unsigned int otherwise);
/* Has an expectation failed so far? */
bool test_has_failed(void);

/* ---- ending early. A test that has already failed stays failed. */

_Noreturn void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Harness or host trouble that says nothing about the claim. */
_Noreturn void test_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void test_abandon(void); /* behind a failed ASSERT_* */

/* Done behind the verdict, however the test ends: what a crash would do without order. One at a time. */
void test_at_end(void (*fn)(void));

#define SKIP(...)		  test_skip(__VA_ARGS__)
/* The host lacks a capability: `cap` is a word of a cell's `has` list. */
#define SKIP_NEEDS(cap, fmt, ...) test_skip("needs=" cap ": " fmt, ##__VA_ARGS__)

/* ---- what a reader gets beside the verdict */

void test_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A measurement, printed by the code that measured it: FACT("kvm.ipa_limit", "%d", n). */
void test_fact(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define NOTE(...)      test_note(__VA_ARGS__)
#define FACT(key, ...) test_fact(key, __VA_ARGS__)

/* ---- expectations */

enum test_relation { TEST_EQ, TEST_NE, TEST_LT, TEST_LE, TEST_GT, TEST_GE };

bool test_compare_s(const char *file, int line, const char *expr, enum test_relation rel,
		    int64_t got, int64_t want);
bool test_compare_u(const char *file, int line, const char *expr, enum test_relation rel,
		    uint64_t got, uint64_t want);
bool test_compare_str(const char *file, int line, const char *expr, const char *got,
		      const char *want);
bool test_true(const char *file, int line, const char *expr, bool got);
/* `got` is 0 (or more) or -errno; `want` the errno, or 0 for success. */
bool test_errno(const char *file, int line, const char *expr, int64_t got, const int *want,
		size_t wants);
/* A failure with its own wording: `# FILE:LINE: WHAT: got G, want W`. */
bool test_differs(const char *file, int line, const char *what, const char *got, const char *want);
/* Counts one claim that held, for code that checks in its own way. */
void test_held(void);

/* `text` is made where the test's own words still stand: one macro further in, they are expanded. */
#define TEST_COMPARE(rel, text, got, want)   \
	_Generic((got), signed char          \
		 : test_compare_s, short     \
		 : test_compare_s, int       \
		 : test_compare_s, long      \
		 : test_compare_s, long long \
		 : test_compare_s, default   \
		 : test_compare_u)(__FILE__, __LINE__, text, rel, (got), (want))

#define EXPECT_EQ(got, want)	TEST_COMPARE(TEST_EQ, #got, got, want)
#define EXPECT_NE(got, want)	TEST_COMPARE(TEST_NE, #got, got, want)
#define EXPECT_LT(got, want)	TEST_COMPARE(TEST_LT, #got, got, want)
#define EXPECT_LE(got, want)	TEST_COMPARE(TEST_LE, #got, got, want)
#define EXPECT_GT(got, want)	TEST_COMPARE(TEST_GT, #got, got, want)
#define EXPECT_GE(got, want)	TEST_COMPARE(TEST_GE, #got, got, want)
#define EXPECT_TRUE(cond)	test_true(__FILE__, __LINE__, #cond, (cond))
#define EXPECT_STREQ(got, want) test_compare_str(__FILE__, __LINE__, #got, got, want)
#define EXPECT_OK(call)		test_errno(__FILE__, __LINE__, #call, (call), NULL, 0)
/* The refused call itself: any of the errnos named. See state.h for the whole contract. */
#define EXPECT_REFUSED(call, ...)                                                 \
	test_errno(__FILE__, __LINE__, #call, (call), (const int[]){__VA_ARGS__}, \
		   sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

#define TEST_ASSERT(expectation)        \
	do {                            \
		if (!(expectation))     \
			test_abandon(); \
	} while (0)
#define ASSERT_EQ(got, want) TEST_ASSERT(TEST_COMPARE(TEST_EQ, #got, got, want))
#define ASSERT_NE(got, want) TEST_ASSERT(TEST_COMPARE(TEST_NE, #got, got, want))
#define ASSERT_GE(got, want) TEST_ASSERT(TEST_COMPARE(TEST_GE, #got, got, want))
#define ASSERT_GT(got, want) TEST_ASSERT(TEST_COMPARE(TEST_GT, #got, got, want))
#define ASSERT_TRUE(cond)    TEST_ASSERT(test_true(__FILE__, __LINE__, #cond, (cond)))
#define ASSERT_OK(call)	     TEST_ASSERT(test_errno(__FILE__, __LINE__, #call, (call), NULL, 0))

/* Polls: emulated and loaded hosts are late, so the limit is generous (8 s) and costs nothing when all is well. */
void test_pause_us(unsigned int us);
#define EXPECT_EVENTUALLY(cond)                                            \
	({                                                                 \
		bool held_ = false;                                        \
		for (int n_ = 0; n_ < 8000 && !(held_ = (cond)); n_++)     \
			test_pause_us(1000);                               \
		test_true(__FILE__, __LINE__, "eventually " #cond, held_); \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
