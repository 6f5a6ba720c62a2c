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

/* Looks at what whoever started us left open: conf.inherited (bit n is descriptor n + 3) and conf.pipes_only. */
void host_inherited(struct machine_conf *c);

/* describe.c: --dump-dtb. Creates no machine. */
int describe(const struct machine_conf *c, const char *path);
/* Where there is no KVM to ask: a host that has everything. */
void describe_assume(struct machine_conf *c);

#endif
