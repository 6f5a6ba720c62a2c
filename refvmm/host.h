/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What depends on the host that refvmm runs on: machine_host.c on ARM64, native/host.c in a build
 * for another architecture, which can describe a machine but not run it.
 */
#ifndef REFVMM_HOST_H
#define REFVMM_HOST_H

#include "conf.h"

/* Creates the machine, runs it to its end, *status is its exit status. */
int host_run(const struct machine_conf *c, unsigned *status);
/* Fills what the command line left to the host, so that the machine can be described. */
int host_resolve(struct machine_conf *c);

/* Descriptors above stderr that whoever started us left open: bit n is n + 3. */
uint64_t host_inherited(void);

/* describe.c: --dump-dtb. Creates no machine. */
int describe(const struct machine_conf *c, const char *path);
/* Where there is no KVM to ask: a host that has everything. */
void describe_assume(struct machine_conf *c);

#endif
