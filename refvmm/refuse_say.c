/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up and printing what the table in refuse.c holds. */
#include "refuse.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name; /* how the message calls it */
	const char *args; /* how it is asked for; %s is the entry's name */
} kinds[REFUSE_KINDS] = {
	[REFUSE_MACHINE] = {"machine", "--machine %s"},
	[REFUSE_CPU] = {"cpu", "--cpu %s"},
	[REFUSE_DEVICE] = {"device", "--device %s"},
	[REFUSE_OPTION] = {"option", "%s"},
	[REFUSE_IMAGE] = {"image", "--kernel FILE"},
	[REFUSE_COMMAND] = {"command", "--control-command %s"},
	[REFUSE_LIMIT] = {"limit", "%s"},
};

const char *refuse_kind_name(enum refuse_kind kind)
{
	return kinds[kind].name;
}

/* How many characters of a family ("usb-*") the name begins with; 0: it is none of it. */
static size_t family(const char *entry, const char *name)
{
	size_t len = strlen(entry) - 1;

	return entry[len] == '*' && !strncasecmp(entry, name, len) ? len : 0;
}

const struct refusal *refuse_find(enum refuse_kind kind, const char *name)
{
	const struct refusal *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < refuse_count; i++) {
		const struct refusal *r = &refuse_table[i];
		size_t len = r->kind == kind ? family(r->name, name) : 0;

		if (r->kind == kind && strcasecmp(r->name, name) == 0)
			return r;
		if (len > longest) {
			longest = len;
			best = r;
		}
	}
	return best;
}

static void body(char *buf, size_t size, const struct refusal *r, const char *what)
{
	char own[96];

	if (!what) {
		snprintf(own, sizeof(own), "%s %s", kinds[r->kind].name, r->name);
		what = own;
	}
	snprintf(buf, size, "%s is not offered: %s; use %s", what, r->reason, r->instead);
}

void refuse_message(char *buf, size_t size, const struct refusal *r, const char *what)
{
	char text[480];

	body(text, sizeof(text), r, what);
	snprintf(buf, size, "refvmm: %s", text);
}

int refuse(const struct refusal *r, const char *what)
{
	char text[480];

	body(text, sizeof(text), r, what);
	return err_refused("%s", text);
}

int refuse_limit(const char *name, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return refuse(refuse_find(REFUSE_LIMIT, name), what);
}

/* Edit distance, without regard to case; names longer than the row never match. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 48 };
	size_t la = strlen(a), lb = strlen(b), row[MAX + 1];

	if (la > MAX || lb > MAX)
		return MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];
			size_t best = diagonal + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

int refuse_unknown(enum refuse_kind kind, const char *name, const char *const *offered)
{
	const char *best = NULL;
	size_t best_distance = strlen(name) / 3 + 2; /* further away is another word */

	for (size_t i = 0; offered && offered[i]; i++) {
		size_t d = distance(name, offered[i]);

		if (d < best_distance) {
			best_distance = d;
			best = offered[i];
		}
	}
	for (size_t i = 0; i < refuse_count; i++) {
		size_t d = distance(name, refuse_table[i].name);

		if (refuse_table[i].kind == kind && d < best_distance) {
			best_distance = d;
			best = refuse_table[i].name;
		}
	}
	if (best)
		return err_usage("unknown %s %.64s; did you mean %s?", kinds[kind].name, name,
				 best);
	return err_usage("unknown %s %.64s; see --help and --list-refusals", kinds[kind].name,
			 name);
}

int refuse_check(enum refuse_kind kind, const char *name, const char *const *offered)
{
	const struct refusal *r;
	char what[96];

	for (size_t i = 0; offered && offered[i]; i++)
		if (strcmp(offered[i], name) == 0)
			return 0;
	r = refuse_find(kind, name);
	snprintf(what, sizeof(what), "%s %.64s", kinds[kind].name, name);
	return r ? refuse(r, what) : refuse_unknown(kind, name, offered);
}

const char *refuse_args(const struct refusal *r, char *buf, size_t size)
{
	const char *name = r->args ? r->args : r->name;
	const char *form = r->args ? "%s" : kinds[r->kind].args;
	const char *hole = strstr(form, "%s");

	if (!hole)
		snprintf(buf, size, "%s", form);
	else
		snprintf(buf, size, "%.*s%s", (int)(hole - form), form, name);
	return buf;
}

static void json_string(FILE *out, const char *key, const char *text, const char *end)
{
	fprintf(out, "\"%s\": \"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned int)(unsigned char)*text);
		else
			fputc(*text, out);
	}
	fprintf(out, "\"%s", end);
}

void refuse_list(FILE *out, bool json)
{
	char line[512], args[160];

	if (json)
		fprintf(out, "[\n");
	for (size_t i = 0; i < refuse_count; i++) {
		const struct refusal *r = &refuse_table[i];

		refuse_message(line, sizeof(line), r, NULL);
		if (!json) {
			fprintf(out, "%-8s %-22s %s; use %s\n", kinds[r->kind].name, r->name,
				r->reason, r->instead);
			continue;
		}
		fprintf(out, " {");
		json_string(out, "kind", kinds[r->kind].name, ", ");
		json_string(out, "name", r->name, ", ");
		fprintf(out, "\"planned\": %s, ", r->planned ? "true" : "false");
		json_string(out, "message", line, ", ");
		json_string(out, "reason", r->reason, ", ");
		json_string(out, "instead", r->instead, ", ");
		json_string(out, "args", refuse_args(r, args, sizeof(args)), "}");
		fprintf(out, "%s\n", i + 1 < refuse_count ? "," : "");
	}
	if (json)
		fprintf(out, "]\n");
}
