/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statuses of refvmm, host tests and the agent: the whole vocabulary. */
#ifndef ASSAY_EXIT_H
#define ASSAY_EXIT_H

enum assay_exit {
	ASSAY_EXIT_OK = 0,	/* guest powered off / every test passed or skipped */
	ASSAY_EXIT_FAILED = 1,	/* the guest or a test reported a failure */
	ASSAY_EXIT_USAGE = 2,	/* bad command line or unreadable input */
	ASSAY_EXIT_REFUSED = 3, /* refvmm never offers this: the table in refvmm/refuse.c */
	ASSAY_EXIT_LACKS =
		4,	     /* this host's KVM lacks a capability; the line begins `needs=CAP: ` */
	ASSAY_EXIT_HOST = 5, /* a host call failed that should not have (errno is in the line) */
	ASSAY_EXIT_GUEST = 6, /* the guest crashed or asked for a reset refvmm does not follow */
	ASSAY_EXIT_LIMIT = 7, /* time limit */
};

#endif
