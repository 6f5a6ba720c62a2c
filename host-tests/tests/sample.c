/* SPDX-License-Identifier: Apache-2.0 */
/* Tests with known verdicts, run by check.py: what the harness makes of each. */
#include "scratch.h"
#include "stress.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

SUITE(sample, .tags = "self", .limit_ms = 5000);

TEST(sample, passes, RULE("SELF-1"))
{
	EXPECT_EQ(1 + 1, 2);
	EXPECT_TRUE(1 < 2);
}

TEST(sample, fails_with_values, RULE("SELF-2"))
{
	unsigned int flags = 0x10;

	EXPECT_EQ(1 + 1, 3);
	EXPECT_EQ(flags, 0x20U);
	EXPECT_LT(5, 4);
	EXPECT_STREQ("a", "b");
	EXPECT_TRUE(flags == 1);
}

TEST(sample, fails_with_errno)
{
	EXPECT_REFUSED(0, EBUSY);
	EXPECT_REFUSED(-EINVAL, EBUSY, EEXIST);
	EXPECT_OK(-ENOENT);
	EXPECT_REFUSED(-EEXIST, EBUSY, EEXIST); /* holds */
}

TEST(sample, assert_ends_the_test)
{
	ASSERT_EQ(1, 2);
	EXPECT_EQ(3, 4);
}

TEST(sample, skips)
{
	SKIP("no %s here", "device");
}

TEST(sample, skips_for_a_capability)
{
	SKIP_NEEDS("sve", "KVM_CAP_ARM_SVE is %d", 0);
}

TEST(sample, failure_never_becomes_a_skip)
{
	EXPECT_EQ(1, 2);
	SKIP("too late");
}

TEST(sample, crash_is_an_error)
{
	raise(SIGKILL);
}

TEST(sample, hang_is_an_error, .limit_ms = 300)
{
	for (;;)
		pause();
}

/* A folder with a file and a folder with a file; then it goes on, or crashes. */
TEST(sample, leaves_files_behind, VARIANTS("passes | crashes: signal=9"))
{
	char path[64];

	EXPECT_OK(mkdir(scratch_path(path, sizeof(path), "folder"), 0700));
	for (size_t i = 0; i < 2; i++) {
		int fd = open(scratch_path(path, sizeof(path), i ? "folder/file" : "file"),
			      O_WRONLY | O_CREAT | O_EXCL, 0600);

		EXPECT_TRUE(fd >= 0);
	}
	NOTE("in %s", scratch_folder());
	raise((int)test_param_u64("signal", 0));
}

TEST(sample, exit_is_an_error)
{
	_exit(7);
}

TEST(sample, test_without_a_claim_is_an_error)
{
}

TEST(sample, trouble_is_an_error)
{
	test_error("open: %s", "ENOENT");
}

TEST(sample, facts_and_notes_are_printed)
{
	FACT("self.answer", "%d", 42);
	NOTE("two\nlines");
}

TEST(sample, variants_differ, VARIANTS("one: n=1 text=a | two: n=2 | bare"))
{
	const char *text = test_param("text");

	NOTE("n=%u text=%s", (unsigned int)test_param_u64("n", 9), text ? text : "none");
	EXPECT_NE(test_param_u64("n", 9), 2);
}

TEST(sample, seed_is_named)
{
	NOTE("%llx", (unsigned long long)test_random());
	EXPECT_EQ(test_time_ms(70), 70U);
}

TEST(sample, waits_for_what_comes)
{
	volatile int n = 0;

	EXPECT_EVENTUALLY(++n == 5);
}

TEST(sample, stress_ends_with_its_time)
{
	uint64_t rounds = 0;

	stress_begin(20);
	while (stress_more(rounds))
		rounds++;
	EXPECT_GT(rounds, 1U);
	EXPECT_TRUE(!stress_more(1));
	EXPECT_TRUE(stress_more(0)); /* one round is done however slow the host */
}

TEST(sample, stress_ends_with_a_failure)
{
	uint64_t rounds = 0;

	stress_begin(60000);
	for (; stress_more(rounds); rounds++)
		EXPECT_LT(rounds, 3U);
	NOTE("rounds %lu", (unsigned long)rounds);
}

TEST(sample, streams_repeat_and_differ)
{
	struct rng a = rng_of(1), b = rng_of(1), c = rng_of(2);
	uint64_t first = rng_next(&a);

	EXPECT_EQ(rng_next(&b), first);
	EXPECT_NE(rng_next(&c), first);
	EXPECT_LT(rng_below(&a, 10), 10U);
	NOTE("first %llx", (unsigned long long)first);
}
