/* SPDX-License-Identifier: Apache-2.0 */
#include "control/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct input {
	char *at, *end;
	const char *wrong; /* NULL: nothing so far */
};

static bool fail(struct input *in, const char *what)
{
	if (!in->wrong)
		in->wrong = what;
	return false;
}

static char peek(const struct input *in)
{
	return in->at < in->end ? *in->at : '\0';
}

static void skip_space(struct input *in)
{
	while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at)
		in->at++;
}

static bool expect(struct input *in, char c, const char *what)
{
	if (in->at == in->end || *in->at != c)
		return fail(in, what);
	in->at++;
	return true;
}

/* ---- strings, unescaped where they stand: what comes out is never longer */

static bool hex4(struct input *in, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, in->at++) {
		char c = peek(in);
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(in, "\\u without four hexadecimal digits");
		*out = *out << 4 | digit;
	}
	return true;
}

/* RFC 3629 */
static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

static bool unicode(struct input *in, char **to)
{
	uint32_t c, low;

	if (!hex4(in, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
			return fail(in, "half a surrogate pair");
		in->at += 2;
		if (!hex4(in, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(in, "half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return fail(in, "half a surrogate pair");
	}
	if (!c)
		return fail(in, "a NUL character in a string");
	*to = put_utf8(*to, c);
	return true;
}

static bool escape(struct input *in, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (peek(in) == 'u') {
		in->at++;
		return unicode(in, to);
	}
	p = peek(in) ? strchr(from, peek(in)) : NULL;
	if (!p)
		return fail(in, "an unknown escape in a string");
	*(*to)++ = into[p - from];
	in->at++;
	return true;
}

/* One UTF-8 sequence of more than one byte: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool utf8(struct input *in, char **to)
{
	const unsigned char *p = (const unsigned char *)in->at;
	size_t left = (size_t)(in->end - in->at);
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t c = p[0] & (0xffU >> (n + 1));
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
		return fail(in, "a string that is not UTF-8");
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return fail(in, "a string that is not UTF-8");
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(in, "a string that is not UTF-8");
	memmove(*to, in->at, n);
	*to += n;
	in->at += n;
	return true;
}

static bool string(struct input *in, const char **out)
{
	char *to;

	if (!expect(in, '"', "a string was expected"))
		return false;
	*out = to = in->at;
	while (in->at < in->end && *in->at != '"') {
		unsigned char c = (unsigned char)*in->at;
		bool good = true;

		if (c < 0x20)
			return fail(in, "a control character in a string");
		if (c == '\\') {
			in->at++;
			good = escape(in, &to);
		} else if (c >= 0x80) {
			good = utf8(in, &to);
		} else {
			*to++ = (char)c;
			in->at++;
		}
		if (!good)
			return false;
	}
	if (!expect(in, '"', "a string without an end"))
		return false;
	*to = '\0';
	return true;
}

/* ---- the other values */

static bool digits(struct input *in)
{
	if (peek(in) < '0' || peek(in) > '9')
		return fail(in, "a value was expected");
	while (peek(in) >= '0' && peek(in) <= '9')
		in->at++;
	return true;
}

/* RFC 8259, 6: no plus, no leading zero, digits on both sides of the point. */
static bool number(struct input *in, struct json_member *m)
{
	const char *start = in->at;
	bool whole = true;

	if (peek(in) == '-') {
		whole = false;
		in->at++;
	}
	if (peek(in) == '0')
		in->at++;
	else if (!digits(in))
		return false;
	if (peek(in) == '.') {
		whole = false;
		in->at++;
		if (!digits(in))
			return false;
	}
	if ((peek(in) | 0x20) == 'e') {
		whole = false;
		in->at++;
		if (peek(in) == '+' || peek(in) == '-')
			in->at++;
		if (!digits(in))
			return false;
	}
	errno = 0;
	m->u64 = whole ? strtoull(start, NULL, 10) : 0;
	m->is_u64 = whole && !errno;
	m->type = JSON_NUMBER;
	return true;
}

static bool word(struct input *in, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(in->end - in->at) < n || memcmp(in->at, text, n) != 0)
		return fail(in, "a value was expected");
	in->at += n;
	return true;
}

static bool value(struct input *in, struct json_member *m, unsigned depth);

/* What an object and an array have in common: elements with commas between, until CLOSE. */
static bool nested(struct input *in, bool named, unsigned depth)
{
	char close = named ? '}' : ']';
	struct json_member ignored;
	const char *name;

	if (depth > JSON_DEPTH_MAX)
		return fail(in, "nested too deeply");
	in->at++;
	skip_space(in);
	if (peek(in) == close) {
		in->at++;
		return true;
	}
	for (;;) {
		skip_space(in);
		if (named) {
			if (!string(in, &name))
				return false;
			skip_space(in);
			if (!expect(in, ':', "a colon was expected"))
				return false;
		}
		if (!value(in, &ignored, depth))
			return false;
		skip_space(in);
		if (peek(in) == close) {
			in->at++;
			return true;
		}
		if (!expect(in, ',', "a comma was expected"))
			return false;
	}
}

static bool value(struct input *in, struct json_member *m, unsigned depth)
{
	skip_space(in);
	switch (peek(in)) {
	case '\0':
		return fail(in, "a value was expected");
	case '"':
		m->type = JSON_STRING;
		return string(in, &m->text);
	case '{':
	case '[':
		m->type = JSON_NESTED;
		return nested(in, peek(in) == '{', depth + 1);
	case 't':
		m->type = JSON_BOOL;
		m->u64 = 1;
		return word(in, "true");
	case 'f':
		m->type = JSON_BOOL;
		return word(in, "false");
	case 'n':
		m->type = JSON_NULL;
		return word(in, "null");
	default:
		return number(in, m); /* which says what is no value at all */
	}
}

static bool member(struct input *in, struct json_object *o)
{
	struct json_member *m = &o->member[o->nr];

	if (o->nr == JSON_MEMBERS_MAX)
		return fail(in, "too many members");
	*m = (struct json_member){0};
	skip_space(in);
	if (!string(in, &m->name))
		return false;
	if (json_find(o, m->name))
		return fail(in, "the same name twice");
	skip_space(in);
	if (!expect(in, ':', "a colon was expected") || !value(in, m, 1))
		return false;
	o->nr++;
	skip_space(in);
	return true;
}

const char *json_parse(struct json_object *o, char *line, size_t len)
{
	struct input in = {.at = line, .end = line + len};

	o->nr = 0;
	if (memchr(line, '\0', len))
		return "a NUL character";
	skip_space(&in);
	if (!expect(&in, '{', "an object was expected"))
		return in.wrong;
	skip_space(&in);
	while (peek(&in) != '}') {
		if (o->nr && !expect(&in, ',', "a comma was expected"))
			return in.wrong;
		if (!member(&in, o))
			return in.wrong;
	}
	in.at++;
	skip_space(&in);
	return in.at == in.end ? NULL : "something behind the object";
}

const struct json_member *json_find(const struct json_object *o, const char *name)
{
	for (unsigned i = 0; i < o->nr; i++) {
		if (!strcmp(o->member[i].name, name))
			return &o->member[i];
	}
	return NULL;
}
