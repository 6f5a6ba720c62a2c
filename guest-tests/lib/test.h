/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one header a test includes: SUITE, TEST, and the expectations.
 * docs/writing-tests.md shows each with what it prints.
 */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include "cpu.h"
#include "dt.h"
#include "exception.h"
#include "mem.h"
#include "mmio.h"
#include "report.h"
#include "sysreg.h"
#include "types.h"

#include <assay/test.h>

/* SUITE(name, .vmm = "…", .device = "…", .tags = "…", .limit_ms = …): once a suite */
#define SUITE(suite_name, ...)                                                                     \
	static const struct assay_suite suite_##suite_name __attribute__((                         \
		section("assay_suites"), used, aligned(8))) = {.abi = ASSAY_TEST_ABI,              \
							       .size = sizeof(struct assay_suite), \
							       .name = #suite_name,                \
							       __VA_ARGS__}

/* TEST(suite, claim, RULE("id"), .vmm = "…", …) { body } */
#define TEST(suite_name, test_name, ...)                                      \
	static void test_##suite_name##_##test_name(void);                    \
	static const struct assay_test record_##suite_name##_##test_name      \
		__attribute__((section("assay_tests"), used, aligned(8))) = { \
			.abi = ASSAY_TEST_ABI,                                \
			.size = sizeof(struct assay_test),                    \
			.suite = #suite_name,                                 \
			.name = #test_name,                                   \
			.file = __FILE__,                                     \
			.line = __LINE__,                                     \
			.run = test_##suite_name##_##test_name,               \
			__VA_ARGS__};                                         \
	static void test_##suite_name##_##test_name(void)

#define RULE(id) .rule = (id)

/*
 * Comparisons are of unsigned 64-bit values; each is evaluated once. The value is whether it held.
 * The text is made where the test's own words still stand: one macro further in, they are expanded.
 */
#define CHECK_OP_(text, a, op, want_text, b, or_else)                                              \
	({                                                                                         \
		__auto_type check_a_ = (a);                                                        \
		__auto_type check_b_ = (b);                                                        \
		uint64_t check_got_ = (uint64_t)check_a_, check_want_ = (uint64_t)check_b_;        \
		bool check_ok_ = check_got_ op check_want_;                                        \
		if (!check_ok_) {                                                                  \
			test_fail(                                                                 \
				__FILE__, __LINE__, text, "got 0x%lx, want " want_text "0x%lx",    \
				check_got_ &width_mask(sizeof(check_a_)),                          \
				check_want_ &width_mask(MAX(sizeof(check_a_), sizeof(check_b_)))); \
			or_else;                                                                   \
		}                                                                                  \
		check_ok_;                                                                         \
	})

static inline uint64_t width_mask(size_t bytes)
{
	return bytes >= 8 ? ~0ULL : BIT(bytes * 8) - 1;
}

#define EXPECT_EQ(a, b) CHECK_OP_(#a, a, ==, "", b, (void)0)
#define EXPECT_NE(a, b) CHECK_OP_(#a, a, !=, "other than ", b, (void)0)
#define EXPECT_LT(a, b) CHECK_OP_(#a, a, <, "< ", b, (void)0)
#define EXPECT_LE(a, b) CHECK_OP_(#a, a, <=, "<= ", b, (void)0)
#define EXPECT_GT(a, b) CHECK_OP_(#a, a, >, "> ", b, (void)0)
#define EXPECT_GE(a, b) CHECK_OP_(#a, a, >=, ">= ", b, (void)0)
#define ASSERT_EQ(a, b) CHECK_OP_(#a, a, ==, "", b, test_leave())
#define ASSERT_NE(a, b) CHECK_OP_(#a, a, !=, "other than ", b, test_leave())
#define ASSERT_LT(a, b) CHECK_OP_(#a, a, <, "< ", b, test_leave())
#define ASSERT_LE(a, b) CHECK_OP_(#a, a, <=, "<= ", b, test_leave())
#define ASSERT_GT(a, b) CHECK_OP_(#a, a, >, "> ", b, test_leave())
#define ASSERT_GE(a, b) CHECK_OP_(#a, a, >=, ">= ", b, test_leave())

#define CHECK_TRUE_(text, cond, or_else)                                             \
	({                                                                           \
		bool check_ok_ = (cond);                                             \
		if (!check_ok_) {                                                    \
			test_fail(__FILE__, __LINE__, text, "got false, want true"); \
			or_else;                                                     \
		}                                                                    \
		check_ok_;                                                           \
	})

#define EXPECT_TRUE(cond) CHECK_TRUE_(#cond, cond, (void)0)
#define ASSERT_TRUE(cond) CHECK_TRUE_(#cond, cond, test_leave())

/*
 * Poll until cond holds. The limit is far above what any correct machine needs
 * (an emulated one is slow) and is no claim about time.
 */
#define EVENTUALLY_LIMIT_MS 5000U

struct wait {
	uint64_t until, polls;
};

struct wait wait_begin(uint64_t ms);
bool wait_more(struct wait *w);

#define CHECK_EVENTUALLY_(text, cond, or_else)                                  \
	({                                                                      \
		struct wait check_wait_ = wait_begin(EVENTUALLY_LIMIT_MS);      \
		bool check_ok_;                                                 \
		while (!(check_ok_ = (cond)) && wait_more(&check_wait_))        \
			;                                                       \
		/* this CPU may have stood still since it last looked */        \
		check_ok_ = check_ok_ || (cond);                                \
		if (!check_ok_) {                                               \
			test_fail(__FILE__, __LINE__, text,                     \
				  "got false for %u ms (%lu polls), want true", \
				  EVENTUALLY_LIMIT_MS, check_wait_.polls);      \
			or_else;                                                \
		}                                                               \
		check_ok_;                                                      \
	})

#define EXPECT_EVENTUALLY(cond) CHECK_EVENTUALLY_(#cond, cond, (void)0)
#define ASSERT_EVENTUALLY(cond) CHECK_EVENTUALLY_(#cond, cond, test_leave())

/* One instruction that must take a synchronous exception of this class. */
#define EXPECT_EC(want_ec, ...) CHECK_EC_(#__VA_ARGS__, want_ec, __VA_ARGS__)
#define EXPECT_UNDEF(...)	CHECK_EC_(#__VA_ARGS__, EC_UNKNOWN, __VA_ARGS__)

#define CHECK_EC_(text, want_ec, ...)                                                              \
	({                                                                                         \
		struct exception check_e_ = PROBE(__VA_ARGS__);                                    \
		if (!check_e_.taken)                                                               \
			test_fail(__FILE__, __LINE__, text, "got no exception, want EC 0x%x (%s)", \
				  (unsigned)(want_ec), ec_name(want_ec));                          \
		else if (check_e_.ec != (want_ec))                                                 \
			test_fail(__FILE__, __LINE__, text,                                        \
				  "got EC 0x%x (ESR 0x%lx), want EC 0x%x (%s)", check_e_.ec,       \
				  check_e_.esr, (unsigned)(want_ec), ec_name(want_ec));            \
		check_e_.taken &&check_e_.ec == (want_ec);                                         \
	})

/* One instruction that must take no exception. */
#define EXPECT_NO_EXCEPTION(...)                                                                 \
	({                                                                                       \
		struct exception check_e_ = PROBE(__VA_ARGS__);                                  \
		if (check_e_.taken)                                                              \
			test_fail(__FILE__, __LINE__, #__VA_ARGS__,                              \
				  "got EC 0x%x (%s, ESR 0x%lx), want no exception", check_e_.ec, \
				  ec_name(check_e_.ec), check_e_.esr);                           \
		!check_e_.taken;                                                                 \
	})

/* Leave the test as skipped; NEED when the host or machine lacks a capability. */
#define SKIP(...) test_skip(NULL, __VA_ARGS__)
#define NEED(cap, cond, ...)                         \
	do {                                         \
		if (!(cond))                         \
			test_skip(cap, __VA_ARGS__); \
	} while (0)

#define NOTE(fmt, ...)	    report_line("# note " fmt, ##__VA_ARGS__)
#define FACT(key, fmt, ...) report_line("# fact " key "=" fmt, ##__VA_ARGS__)

/* The test's own random numbers: the same for the same seed. */
uint64_t rnd(void);
/* 0 … n - 1 */
uint64_t rnd_below(uint64_t n);
/* how long a stress test is to run: time= of the command line, else this */
uint64_t stress_ms(uint64_t otherwise);

#endif
