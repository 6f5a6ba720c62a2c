/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native unit tests' harness: TEST(group, name) registers itself through a
 * linker section; unit.c runs all or those whose names contain the argument.
 * Output is TAP; the last line is `N passed, N failed, N skipped`.
 */
#ifndef REFVMM_TESTS_UNIT_H
#define REFVMM_TESTS_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

void unit_fail(const char *file, int line, const char *expr, uint64_t got, uint64_t want);
void unit_fail_str(const char *file, int line, const char *expr, const char *got, const char *want);
void unit_skip(const char *reason);

#define TEST(group, name)                                                                       \
	static void unit_run_##group##_##name(void);                                            \
	static const struct unit_test unit_test_##group##_##name = {#group "." #name,           \
								    unit_run_##group##_##name}; \
	static const struct unit_test *const unit_entry_##group##_##name                        \
		__attribute__((section("unit_tests"), used)) = &unit_test_##group##_##name;     \
	static void unit_run_##group##_##name(void)

#define EXPECT_EQ(a, b)                                                    \
	do {                                                               \
		uint64_t unit_a = (uint64_t)(a), unit_b = (uint64_t)(b);   \
		if (unit_a != unit_b)                                      \
			unit_fail(__FILE__, __LINE__, #a, unit_a, unit_b); \
	} while (0)
#define EXPECT(cond)                                                \
	do {                                                        \
		if (!(cond))                                        \
			unit_fail(__FILE__, __LINE__, #cond, 0, 1); \
	} while (0)
#define EXPECT_STR(a, b)                                                       \
	do {                                                                   \
		const char *unit_a = (a), *unit_b = (b);                       \
		if (!unit_a || strcmp(unit_a, unit_b) != 0)                    \
			unit_fail_str(__FILE__, __LINE__, #a, unit_a, unit_b); \
	} while (0)
/* The same, and the test ends there. */
#define ASSERT_EQ(a, b)                                                         \
	do {                                                                    \
		uint64_t unit_got = (uint64_t)(a), unit_want = (uint64_t)(b);   \
		if (unit_got != unit_want) {                                    \
			unit_fail(__FILE__, __LINE__, #a, unit_got, unit_want); \
			return;                                                 \
		}                                                               \
	} while (0)
#define ASSERT(cond)                                                \
	do {                                                        \
		if (!(cond)) {                                      \
			unit_fail(__FILE__, __LINE__, #cond, 0, 1); \
			return;                                     \
		}                                                   \
	} while (0)
#define SKIP(reason)               \
	do {                       \
		unit_skip(reason); \
		return;            \
	} while (0)

#endif
