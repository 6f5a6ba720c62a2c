/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refvmm refuses, by name, before anything is created.
 *
 * The table in refuse.c names every feature a vendor's document mentions, or a QEMU user would
 * try, that refvmm does not offer. Whoever parses a name looks it up here first; what is in the
 * table ends the program with ASSAY_EXIT_REFUSED and one line on stderr; a name that nobody knows
 * is a usage error (ASSAY_EXIT_USAGE) that names the closest one.
 */
#ifndef REFVMM_REFUSE_H
#define REFVMM_REFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/err.h"

enum refuse_kind {
	REFUSE_MACHINE, /* machine types, and key=value of --machine */
	REFUSE_CPU,	/* CPU models, and key=value of --cpu */
	REFUSE_DEVICE,	/* --device NAME */
	REFUSE_OPTION,	/* options, and properties of devices */
	REFUSE_IMAGE,	/* kinds of image for --kernel */
	REFUSE_COMMAND, /* --control-command NAME */
	REFUSE_LIMIT,	/* one more than fits: `what` carries the value asked for */
	REFUSE_KINDS,
};

struct refusal {
	enum refuse_kind kind;
	bool planned; /* meant to be offered one day; refused like everything else until then */
	const char *
		name; /* as typed; lower case, compared without regard to case; "x-*": all that begins so */
	const char *reason;  /* "... is not offered: REASON" */
	const char *instead; /* "; use INSTEAD" */
	const char *args;    /* options that provoke it, or NULL: made from kind and name */
};

extern const struct refusal refuse_table[];
extern const size_t refuse_count;

/* The entry for NAME: its own, else that of the longest family; NULL when the table has none. */
const struct refusal *refuse_find(enum refuse_kind kind, const char *name);

/*
 * The entry that says why an image cannot be booted, or NULL. HEAD is the start of the file,
 * TAIL its end; 1 KiB of each is enough.
 */
const struct refusal *refuse_image(const void *head, size_t head_len, const void *tail,
				   size_t tail_len);

/* The one line, as it goes to stderr; WHAT replaces "KIND NAME" in it when not NULL. */
void refuse_message(char *buf, size_t size, const struct refusal *r, const char *what);

/* Logs the line; returns -ERR_REFUSED. */
int refuse(const struct refusal *r, const char *what);

/* The same for a limit of the table; the format says what was asked for: "--smp 513". */
int refuse_limit(const char *name, const char *fmt, ...) ERR_PRINTF(2, 3);

/*
 * NAME is neither offered nor refused: logs one line that names the closest of OFFERED (ended by
 * NULL, may be NULL) and the table. Returns -ERR_USAGE.
 */
int refuse_unknown(enum refuse_kind kind, const char *name, const char *const *offered);

/* 0 when NAME is in OFFERED; else refuse() or refuse_unknown(). */
int refuse_check(enum refuse_kind kind, const char *name, const char *const *offered);

/* --list-refusals [--json] */
void refuse_list(FILE *out, bool json);

const char *refuse_kind_name(enum refuse_kind kind);

/* The options that provoke R (with FILE as a placeholder for images), written to BUF. */
const char *refuse_args(const struct refusal *r, char *buf, size_t size);

#endif
