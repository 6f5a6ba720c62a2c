/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the control socket's lines, answered by commands that take what they are given. */
#include <stdlib.h>
#include <string.h>

#include "control/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void take(void *host, const struct json_object *q, struct reply *r)
{
	uint64_t n;

	(void)host;
	for (unsigned i = 0; i < q->nr; i++) {
		if (q->member[i].type == JSON_STRING)
			reply_str(r, q->member[i].name, q->member[i].text);
	}
	if (json_find(q, "n") && control_number(q, "n", 7, &n, r) && n > 7)
		abort();
}

static const struct control_command commands[] = {
	{"x", "n a b", take},
	{"", "n", take},
	{NULL, NULL, NULL},
};

/* An answer is one line, a good object, and belongs to the request. */
static void check(struct reply *r)
{
	struct json_object o;

	if (!r->len || r->len > REPLY_MAX || r->buf[r->len - 1] != '\n' ||
	    memchr(r->buf, '\n', r->len - 1))
		abort();
	r->buf[r->len - 1] = '\0';
	if (json_parse(&o, r->buf, r->len - 1) || !json_find(&o, "ok") ||
	    !json_find(&o, r->failed ? "error" : "result"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reply r = {0};
	char *line = malloc(len + 1);

	if (!line)
		return 0;
	memcpy(line, data, len);
	line[len] = '\0';
	control_answer(commands, NULL, line, len, &r);
	check(&r);
	free(r.buf);
	free(line);
	return 0;
}
