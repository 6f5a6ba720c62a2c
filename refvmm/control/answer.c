/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to its reply: refused by name, unknown, wrong, or done. */
#include <inttypes.h>
#include <string.h>

#include "control/control.h"

#define NAMES_MAX 512U

/* Is NAME a word of the list "spi level"? */
static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list, *end; *p; p = *end ? end + 1 : end) {
		end = p + strcspn(p, " ");
		if ((size_t)(end - p) == n && !memcmp(p, name, n))
			return true;
	}
	return false;
}

/* The first member the command does not take, or NULL. */
static const char *foreign(const struct control_command *k, const struct json_object *q)
{
	for (unsigned i = 0; i < q->nr; i++) {
		const char *name = q->member[i].name;

		if (strcmp(name, "command") != 0 && strcmp(name, "id") != 0 &&
		    !in_list(k->args, name))
			return name;
	}
	return NULL;
}

static void list_names(const struct control_command *k, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (; k->name && at < size; k++) {
		size_t n = strlen(k->name) + (at ? 2 : 0);

		if (n >= size - at)
			return;
		if (at)
			memcpy(buf + at, ", ", 2);
		memcpy(buf + at + (at ? 2 : 0), k->name, strlen(k->name) + 1);
		at += n;
	}
}

static void run(const struct control_command *commands, void *host, const struct json_object *q,
		const char *name, struct reply *r)
{
	const struct refusal *why = refuse_find(REFUSE_COMMAND, name);
	char names[NAMES_MAX];
	const char *other;

	if (why) {
		reply_refused(r, why);
		return;
	}
	for (const struct control_command *k = commands; k->name; k++) {
		if (strcmp(k->name, name) != 0)
			continue;
		other = foreign(k, q);
		if (other)
			reply_error(r, "usage", "%s takes no \"%.32s\"; it takes: %s", name, other,
				    *k->args ? k->args : "nothing");
		else
			k->run(host, q, r);
		return;
	}
	list_names(commands, names, sizeof(names));
	reply_error(r, "unknown", "unknown command %.32s; there are: %.200s", name, names);
}

void control_answer(const struct control_command *commands, void *host, char *line, size_t len,
		    struct reply *r)
{
	struct json_object q;
	const char *wrong = json_parse(&q, line, len);
	const struct json_member *id = wrong ? NULL : json_find(&q, "id");
	const struct json_member *name = wrong ? NULL : json_find(&q, "command");

	reply_begin(r, id);
	if (wrong)
		reply_error(r, "line", "no request: %s", wrong);
	else if (id && id->type != JSON_STRING && !id->is_u64)
		reply_error(r, "usage", "id: want a string or a whole number");
	else if (!name || name->type != JSON_STRING)
		reply_error(r, "usage", "command: want a string, such as \"status\"");
	else
		run(commands, host, &q, name->text, r);
	reply_end(r);
}

bool control_number(const struct json_object *q, const char *name, uint64_t max, uint64_t *out,
		    struct reply *r)
{
	const struct json_member *m = json_find(q, name);

	if (!m || m->type != JSON_NUMBER || !m->is_u64 || m->u64 > max) {
		reply_error(r, "usage", "%s: want a whole number from 0 to %" PRIu64, name, max);
		return false;
	}
	*out = m->u64;
	return true;
}
