/* SPDX-License-Identifier: Apache-2.0 */
#include "control/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool room(struct reply *r, size_t more)
{
	size_t size = r->size ? r->size : 1024;
	char *p;

	while (size < r->len + more)
		size *= 2;
	if (r->lost || size > REPLY_MAX) {
		r->lost = true;
		return false;
	}
	if (size == r->size)
		return true;
	p = realloc(r->buf, size);
	if (!p) {
		r->lost = true;
		return false;
	}
	r->buf = p;
	r->size = size;
	return true;
}

static void put(struct reply *r, const char *text, size_t len)
{
	if (!room(r, len))
		return;
	memcpy(r->buf + r->len, text, len);
	r->len += len;
}

static void put_text(struct reply *r, const char *text)
{
	put(r, text, strlen(text));
}

/* Strings come from requests, which were checked to be UTF-8, or from this program. */
static void put_string(struct reply *r, const char *text)
{
	put_text(r, "\"");
	for (; *text; text++) {
		char hex[8];

		if (*text == '"' || *text == '\\')
			put_text(r, "\\");
		if ((unsigned char)*text < 0x20) {
			snprintf(hex, sizeof(hex), "\\u%04x", (unsigned)*text);
			put_text(r, hex);
		} else {
			put(r, text, 1);
		}
	}
	put_text(r, "\"");
}

static void name_it(struct reply *r, const char *name)
{
	if (r->comma)
		put_text(r, ", ");
	r->comma = true;
	if (name) {
		put_string(r, name);
		put_text(r, ": ");
	}
}

static void head(struct reply *r, bool ok)
{
	r->len = 0;
	r->lost = false;
	r->comma = false;
	reply_open(r, NULL, '{');
	reply_bool(r, "ok", ok);
	if (r->id && r->id->type == JSON_STRING)
		reply_str(r, "id", r->id->text);
	else if (r->id && r->id->is_u64)
		reply_u64(r, "id", r->id->u64);
}

void reply_begin(struct reply *r, const struct json_member *id)
{
	r->id = id;
	r->failed = false;
	head(r, true);
	reply_open(r, "result", '{');
}

void reply_u64(struct reply *r, const char *name, uint64_t val)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, val);
	name_it(r, name);
	put_text(r, text);
}

void reply_hex(struct reply *r, const char *name, uint64_t val)
{
	char text[24];

	snprintf(text, sizeof(text), "\"0x%" PRIx64 "\"", val);
	name_it(r, name);
	put_text(r, text);
}

void reply_bool(struct reply *r, const char *name, bool val)
{
	name_it(r, name);
	put_text(r, val ? "true" : "false");
}

void reply_str(struct reply *r, const char *name, const char *val)
{
	name_it(r, name);
	put_string(r, val);
}

void reply_open(struct reply *r, const char *name, char bracket)
{
	name_it(r, name);
	put(r, &bracket, 1);
	r->comma = false;
}

void reply_close(struct reply *r, char bracket)
{
	put(r, &bracket, 1);
	r->comma = true;
}

static void error_head(struct reply *r, const char *kind)
{
	r->failed = true;
	head(r, false);
	reply_open(r, "error", '{');
	reply_str(r, "kind", kind);
}

void reply_error(struct reply *r, const char *kind, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_head(r, kind);
	reply_str(r, "message", text);
}

void reply_refused(struct reply *r, const struct refusal *why)
{
	char text[512];

	refuse_message(text, sizeof(text), why, NULL);
	error_head(r, "refused");
	reply_str(r, "name", why->name);
	reply_str(r, "message", text);
	reply_str(r, "reason", why->reason);
	reply_str(r, "instead", why->instead);
}

void reply_end(struct reply *r)
{
	if (r->lost)
		reply_error(r, "failed", "the answer is longer than %u bytes", REPLY_MAX);
	put_text(r, "}}\n");
}
