/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer of the control socket, one line of JSON:
 *
 *	{"ok": true, "id": 7, "result": {"state": "running"}}
 *	{"ok": false, "error": {"kind": "refused", "name": "save", "reason": "…", "instead": "…"}}
 *
 * It never grows beyond REPLY_MAX; what does not fit makes it an error instead.
 */
#ifndef REFVMM_CONTROL_REPLY_H
#define REFVMM_CONTROL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/json.h"
#include "core/err.h"
#include "refuse.h"

#define REPLY_MAX 0x10000U

struct reply {
	char *buf; /* grows; the owner frees it */
	size_t len, size;
	const struct json_member *id;
	bool failed; /* an error was written */
	bool lost;   /* it did not fit, or there was no memory */
	bool comma;
};

void reply_begin(struct reply *r, const struct json_member *id);
/* Members of "result", or of what was opened last. NAME NULL inside an array. */
void reply_u64(struct reply *r, const char *name, uint64_t val);
void reply_hex(struct reply *r, const char *name, uint64_t val);
void reply_bool(struct reply *r, const char *name, bool val);
void reply_str(struct reply *r, const char *name, const char *val);
void reply_open(struct reply *r, const char *name, char bracket);
void reply_close(struct reply *r, char bracket);

/* Instead of a result, whatever was written so far. KIND: usage, unknown, failed, line. */
void reply_error(struct reply *r, const char *kind, const char *fmt, ...) ERR_PRINTF(3, 4);
void reply_refused(struct reply *r, const struct refusal *why);

void reply_end(struct reply *r);

#endif
