/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test is, for every part that has to know: guest payloads and host
 * programs put one `struct assay_test` a test into the linker section
 * `assay_tests` (and one `struct assay_suite` a suite into `assay_suites`);
 * their own main walks it, and the runner reads it out of the ELF file without
 * running anything. Both kinds of program are static and linked at fixed
 * addresses, so the pointers below are final link-time addresses.
 *
 * Layout is ABI: 64-bit little-endian, append only, raise ASSAY_TEST_ABI when
 * an offset changes.
 */
#ifndef ASSAY_TEST_H
#define ASSAY_TEST_H

#include <stdint.h>

#define ASSAY_TEST_ABI 1U

struct assay_suite {
	uint32_t abi;	  /* ASSAY_TEST_ABI */
	uint32_t size;	  /* sizeof(struct assay_suite) */
	const char *name; /* "gic" */
	const char *vmm;  /* refvmm options every test of the suite starts with, or NULL */
	const char *tags; /* space separated, or NULL */
	const char *
		device; /* `compatible` the suite needs in the DTB, or NULL: the lib skips without it */
	uint32_t limit_ms; /* default time limit; 0: 10000 */
	uint32_t reserved;
};

struct assay_test {
	uint32_t abi;
	uint32_t size;
	const char *suite;
	const char *name; /* a claim in the present tense; the id is suite.name[@variant] */
	const char *rule; /* rule id in matrices/rules, or NULL */
	const char *file; /* relative to the tree */
	const char *vmm;  /* guest tests: refvmm options, appended to the suite's; or NULL */
	const char
		*variants; /* "v2: --machine gic-version=2 | v3: --machine gic-version=3", or NULL;
				   for host tests what follows the colon is key=value words */
	const char *tags;  /* space separated, or NULL */
	void (*run)(void);
	uint32_t line;
	uint32_t
		limit_ms; /* real-time milliseconds before scaling by the cell's time_scale; 0: suite's */
};

_Static_assert(sizeof(struct assay_suite) == 48, "assay_suite is ABI");
_Static_assert(sizeof(struct assay_test) == 80, "assay_test is ABI");

#endif
