/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one line each, and the exit statuses of abi/assay/exit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/dt.h"
#include "core/err.h"
#include "tests/unit.h"

/* What stands on standard error after `call`. */
#define CAPTURE(buf, call)                                     \
	do {                                                   \
		FILE *capture = tmpfile();                     \
		int saved = dup(STDERR_FILENO);                \
		size_t got;                                    \
		if (!capture || saved < 0)                     \
			abort();                               \
		dup2(fileno(capture), STDERR_FILENO);          \
		call;                                          \
		dup2(saved, STDERR_FILENO);                    \
		close(saved);                                  \
		rewind(capture);                               \
		got = fread(buf, 1, sizeof(buf) - 1, capture); \
		(buf)[got] = '\0';                             \
		fclose(capture);                               \
	} while (0)

TEST(err, each_class_has_its_exit_status)
{
	EXPECT_EQ(err_exit_status(0), 0);
	EXPECT_EQ(err_exit_status(-ERR_USAGE), 2);
	EXPECT_EQ(err_exit_status(-ERR_REFUSED), 3);
	EXPECT_EQ(err_exit_status(-ERR_LACKS), 4);
	EXPECT_EQ(err_exit_status(-EINVAL), 5);
	EXPECT_EQ(err_exit_status(-ENOMEM), 5);
	EXPECT_EQ(err_exit_status(-ERR_GUEST), 6);
	EXPECT_EQ(err_exit_status(-ERR_LIMIT), 7);
}

TEST(err, messages_are_one_line)
{
	char line[256];
	int ret;

	CAPTURE(line, ret = err_usage("--kernel %s: bad", "a\nb\rc"));
	EXPECT_EQ(ret, -ERR_USAGE);
	EXPECT_STR(line, "refvmm: --kernel a b c: bad\n");
	CAPTURE(line, ret = err_lacks("hugetlb-2M", "%d pages", 3));
	EXPECT_EQ(ret, -ERR_LACKS);
	EXPECT_STR(line, "needs=hugetlb-2M: 3 pages\n"); /* contract 2: it begins with needs= */
	CAPTURE(line, ret = err_host(EBUSY, "KVM_X of %s", "vCPU 1"));
	EXPECT_EQ(ret, -EBUSY);
	EXPECT_STR(line, "refvmm: KVM_X of vCPU 1: EBUSY (Device or resource busy)\n");
	CAPTURE(line, ret = err_guest("it crashed"));
	EXPECT_EQ(ret, -ERR_GUEST);
	EXPECT_STR(line, "refvmm: guest: it crashed\n");
	CAPTURE(line, ret = err_limit("%u ms", 5U));
	EXPECT_EQ(ret, -ERR_LIMIT);
	EXPECT_STR(line, "refvmm: 5 ms\n");
}

TEST(dt, the_first_error_sticks_and_is_reported_once)
{
	static uint8_t big[DT_BYTES_MAX];
	struct fdt f;
	char line[256];
	int ret;

	ASSERT_EQ(dt_new(&f), 0);
	dt_bytes(&f, "too-big", big, sizeof(big));
	dt_bytes(&f, "later", big, sizeof(big));
	dt_strs(&f, "strings", "a", "b");
	dt_cells(&f, "cells", 1, 2);
	CAPTURE(line, ret = dt_finish(&f));
	EXPECT_EQ(ret, -EIO);
	EXPECT(strstr(line, "too-big") && !strstr(line, "later"));
	dt_free(&f);
}
