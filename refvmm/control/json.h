/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of the control socket: RFC 8259, strictly, one object a line. Anybody may have
 * written it, so: no allocation, bounded depth, bounded number of members, valid UTF-8 only, and
 * no name twice. Nested values are checked like all else but not kept.
 */
#ifndef REFVMM_CONTROL_JSON_H
#define REFVMM_CONTROL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MEMBERS_MAX 16U
#define JSON_DEPTH_MAX	 8U

enum json_type {
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
	JSON_NESTED, /* an object or array */
};

struct json_member {
	const char *name;
	enum json_type type;
	const char *text; /* of a string, unescaped */
	bool is_u64;	  /* a whole number that fits */
	uint64_t u64;	  /* of a bool: 0 or 1 */
};

struct json_object {
	struct json_member member[JSON_MEMBERS_MAX];
	unsigned nr;
};

/*
 * LINE[LEN] must be NUL; it is changed and stays in use. NULL, or what is wrong with it, a static
 * string that reads on from "no request: ".
 */
const char *json_parse(struct json_object *o, char *line, size_t len);

const struct json_member *json_find(const struct json_object *o, const char *name);

#endif
