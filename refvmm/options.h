/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. options_table.c holds THE table: parsing, --help and the man page come from
 * it, and from the `options` that the devices of the board bring along.
 */
#ifndef REFVMM_OPTIONS_H
#define REFVMM_OPTIONS_H

#include <stddef.h>

#include "conf.h"

enum options_result {
	OPTIONS_RUN = 0,
	OPTIONS_DONE = 1, /* --help, --version, --list-refusals: printed, nothing to run */
};

enum option_group {
	GROUP_START,   /* what runs */
	GROUP_MACHINE, /* what it runs on */
	GROUP_DEVICE,  /* devices; those of the board stand here too */
	GROUP_RUN,     /* how it is watched and ended */
	GROUP_ASK,     /* print something and end */
	OPTION_GROUPS,
};

/* One word of an option that takes a list: --machine gic-version=3,its=on. */
struct option_word {
	const char *name;   /* "gic-version", or a whole word that stands alone: "virt-1" */
	const char *values; /* "2|3|host|max"; NULL: stands alone */
	const char *help;   /* the rest of a sentence */
};

struct option {
	const char *name;
	enum option_group group;
	const char *arg; /* NULL: takes none */
	const char *help;
	int (*parse)(struct machine_conf *c, const char *arg);
	const struct option_word *words; /* ends with a NULL name; NULL: no list */
	const char *alias;		 /* another spelling, without dashes, or NULL */
	bool arg_optional;
};

extern const struct option options_table[];
extern const size_t options_count;
extern const struct option_word machine_words[], cpu_words[], memory_words[], smp_words[];

/*
 * Fills *c, whose device structures board_conf_init() made. OPTIONS_RUN, OPTIONS_DONE or a negative
 * error, logged. The strings of argv stay in use.
 */
int options_parse(struct machine_conf *c, int argc, char **argv);

/* What no single option can see: limits of the board, contradictions. */
int options_check(const struct machine_conf *c);

/* options_help.c: both write to stdout. */
void options_help(void);
void options_man(void);

/* options_words.c: the words of one option each. */
int options_machine(struct machine_conf *c, const char *arg);
int options_cpu(struct machine_conf *c, const char *arg);
int options_sve(struct machine_conf *c, const char *arg);
int options_smp(struct machine_conf *c, const char *arg);
int options_memory(struct machine_conf *c, const char *arg);
int options_device(struct machine_conf *c, const char *arg);

#endif
