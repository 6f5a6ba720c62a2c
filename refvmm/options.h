/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef REFVMM_OPTIONS_H
#define REFVMM_OPTIONS_H

#include "conf.h"

enum options_result {
	OPTIONS_RUN = 0,
	OPTIONS_DONE = 1, /* --help, --version, --list-refusals: printed, nothing to run */
};

/*
 * Fills *c, whose device structures board_conf_init() made. OPTIONS_RUN, OPTIONS_DONE or a negative
 * error, logged. The strings of argv stay in use.
 */
int options_parse(struct machine_conf *c, int argc, char **argv);

/* What no single option can see: limits of the board, contradictions. */
int options_check(const struct machine_conf *c);

/* options_words.c: the words of one option each. */
int options_machine(struct machine_conf *c, const char *arg);
int options_cpu(struct machine_conf *c, const char *arg);
int options_sve(struct machine_conf *c, const char *arg);
int options_memory(struct machine_conf *c, const char *arg);
int options_device(struct machine_conf *c, const char *arg);

#endif
