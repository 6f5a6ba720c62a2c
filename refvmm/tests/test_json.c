/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8259: what a request may be, and all that it may not. */
#include <stdio.h>
#include <stdlib.h>

#include "control/json.h"
#include "tests/unit.h"

/* Parses a copy in memory of just its size, so that a read behind its end is seen. */
static const char *parse(struct json_object *o, char **copy, const char *text, size_t len)
{
	*copy = malloc(len + 1);
	if (!*copy)
		abort();
	memcpy(*copy, text, len);
	(*copy)[len] = '\0';
	return json_parse(o, *copy, len);
}

TEST(json, members_of_all_types)
{
	static const char text[] =
		" {\"a\" : \"x\\n\\u00e9\\ud83d\\ude00\\/\", \"b\":12,\"c\":true , "
		"\"d\":null,\"e\":[1,{\"f\":[]},-0.5e+3],\"g\":-1,\"h\":{},"
		"\"i\":18446744073709551616, \"\":0}\r";
	struct json_object o;
	char *copy;

	ASSERT(!parse(&o, &copy, text, sizeof(text) - 1));
	EXPECT_EQ(o.nr, 9);
	EXPECT_STR(json_find(&o, "a")->text, "x\n\xc3\xa9\xf0\x9f\x98\x80/");
	EXPECT(json_find(&o, "b")->is_u64 && json_find(&o, "b")->u64 == 12);
	EXPECT(json_find(&o, "c")->type == JSON_BOOL && json_find(&o, "c")->u64 == 1);
	EXPECT_EQ(json_find(&o, "d")->type, JSON_NULL);
	EXPECT_EQ(json_find(&o, "e")->type, JSON_NESTED);
	EXPECT(json_find(&o, "g")->type == JSON_NUMBER && !json_find(&o, "g")->is_u64);
	EXPECT_EQ(json_find(&o, "h")->type, JSON_NESTED);
	EXPECT(!json_find(&o, "i")->is_u64);
	EXPECT(!json_find(&o, "f") && json_find(&o, ""));
	free(copy);
	ASSERT(!parse(&o, &copy, "{}", 2));
	EXPECT_EQ(o.nr, 0);
	free(copy);
}

TEST(json, what_is_no_object_is_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"[]",
		"\"a\"",
		"null",
		"{",
		"}",
		"{}x",
		"{}{}",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1,,\"b\":2}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":01}",
		"{\"a\":+1}",
		"{\"a\":.5}",
		"{\"a\":1.}",
		"{\"a\":1e}",
		"{\"a\":-}",
		"{\"a\":0x1}",
		"{\"a\":1x}",
		"{\"a\":nul}",
		"{\"a\":True}",
		"{\"a\":NaN}",
		"{\"a\":\"x}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\t\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xe0\x80\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}",
		"{\"a\":\"\xe2\x82",
		"{\"a\":[}",
		"{\"a\":[1,]}",
		"{\"a\":[1}",
		"{\"a\":{\"b\":1]}",
		"{\"a\":[[[[[[[[[[1]]]]]]]]]]}",
		"{\"a\":1}\f",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json_object o;
		char *copy;

		if (!parse(&o, &copy, bad[i], strlen(bad[i])))
			unit_fail_str(__FILE__, __LINE__, bad[i], "a request", "none");
		free(copy);
	}
}

TEST(json, every_cut_of_a_good_request_is_refused)
{
	static const char text[] =
		"{\"command\":\"irq\",\"n\":[1,{\"x\":\"\\u00e9\"}],\"b\":false}";
	struct json_object o;
	char *copy;

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		EXPECT(parse(&o, &copy, text, cut));
		free(copy);
	}
	EXPECT(!parse(&o, &copy, text, sizeof(text) - 1));
	free(copy);
}

TEST(json, members_are_bounded)
{
	char text[1024] = "{";
	struct json_object o;
	char *copy;
	size_t at = 1;

	for (unsigned i = 0; i <= JSON_MEMBERS_MAX; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\"%u\":1", i ? "," : "", i);
		if (i + 1 < JSON_MEMBERS_MAX)
			continue;
		text[at] = '}';
		EXPECT(!parse(&o, &copy, text, at + 1) == (i + 1 == JSON_MEMBERS_MAX));
		free(copy);
	}
}

TEST(json, a_nul_is_no_end)
{
	static const char text[] = "{\"a\":1}\0{";
	struct json_object o;
	char *copy;

	EXPECT(parse(&o, &copy, text, sizeof(text) - 1));
	free(copy);
}
