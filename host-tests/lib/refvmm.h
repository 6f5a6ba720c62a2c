/* SPDX-License-Identifier: Apache-2.0 */
/* Running the refvmm of this bundle to its end. Portable. */
#ifndef HOST_REFVMM_H
#define HOST_REFVMM_H

#include "proc.h"
#include <stddef.h>

/* Its command line without its name: what REFVMM_ADD put there, which must live until refvmm_run() has returned. */
struct refvmm {
	const char *word[64];
	size_t words;
};

#define REFVMM_ADD(vmm, ...) refvmm_add(vmm, (const char *const[]){__VA_ARGS__, NULL})
void refvmm_add(struct refvmm *vmm, const char *const *words);

/*
 * Runs it as proc_converse() does. One that is not there, or does not start, is an error of the test. Where it ends with
 * ASSAY_EXIT_LACKS, for this host's KVM has not what the machine needs, the test is skipped with its reason. Any other end
 * is for the test to judge.
 */
void refvmm_run(struct proc *p, const struct refvmm *vmm, const struct proc_talk *talk,
		unsigned int limit_ms);

#endif
