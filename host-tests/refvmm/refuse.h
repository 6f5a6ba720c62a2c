/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refvmm's refusals, each run for real: exit status 3, one line on stderr that names the feature and what to do
 * instead, nothing on stdout, /dev/kvm not opened, no file made.
 */
#ifndef REFVMM_REFUSE_TEST_H
#define REFVMM_REFUSE_TEST_H

#include "test.h"

/* One record a test, so that a refusal without a test is found. */
struct refusal_claim {
	const char *kind, *name;
};

#define REFUSES(id, kind_, name_)                                                              \
	static const struct refusal_claim claim_##id                                           \
		__attribute__((section("refusal_claims"), used, aligned(8))) = {kind_, name_}; \
	TEST(refvmm, refuses_##id, RULE("VMM-REFUSE-1"))                                       \
	{                                                                                      \
		expect_refusal(kind_, name_);                                                  \
	}

void expect_refusal(const char *kind, const char *name);

#endif
