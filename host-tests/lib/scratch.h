/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's files that need a name: in a folder of its own, which the harness removes with all that is in it, however
 * the test ended. Where no name is needed, file_in_memory() is simpler. Portable.
 */
#ifndef HOST_SCRATCH_H
#define HOST_SCRATCH_H

#include <stddef.h>

/* The folder, mode 0700, made when first asked for; short enough that a socket in it can be bound. */
const char *scratch_folder(void);
/* The path of this file in it. */
const char *scratch_path(char *buf, size_t size, const char *name);

/* For the harness: before the first test is forked, and behind the end of each. */
void scratch_prepare(void);
void scratch_clear(void);

#endif
