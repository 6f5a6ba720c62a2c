/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the table says about how to ask for an entry is really refused, by that entry's reason. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "board.h"
#include "core/err.h"
#include "options.h"
#include "refuse.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define ARGS_MAX 16

/* The result of options and board; what they say on stderr goes to `said`. */
static int ask(const char *args, char *said, size_t size)
{
	char words[256], *argv[ARGS_MAX] = {"refvmm", "--kernel", "x"}, *rest = words, *word;
	struct machine_conf c = {0};
	struct fake_env *fe = fake_env_new();
	struct board b = {0};
	int argc = 3, ret, saved = dup(STDERR_FILENO);
	FILE *out = tmpfile();

	if (!out || saved < 0 || board_conf_init(&c))
		abort();
	snprintf(words, sizeof(words), "%s", args);
	while ((word = strsep(&rest, " ")) && argc < ARGS_MAX)
		argv[argc++] = word;
	dup2(fileno(out), STDERR_FILENO);
	ret = options_parse(&c, argc, argv);
	if (!ret)
		ret = board_build(&b, &c, &fe->env);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(out);
	size = fread(said, 1, size - 1, out);
	said[size] = '\0';
	fclose(out);
	board_free(&b);
	board_conf_free(&c);
	fake_env_free(fe);
	return ret;
}

TEST(refuse, options_of_every_entry_meet_its_refusal)
{
	char args[160], said[1024], why[512];

	for (size_t i = 0; i < refuse_count; i++) {
		const struct refusal *r = &refuse_table[i];
		int ret;

		if (r->kind == REFUSE_IMAGE)
			continue; /* needs a file: test_boot.c */
		refuse_args(r, args, sizeof(args));
		ret = ask(args, said, sizeof(said));
		snprintf(why, sizeof(why), " is not offered: %s; use %s\n", r->reason, r->instead);
		if (ret != -ERR_REFUSED)
			unit_fail(__FILE__, __LINE__, args, (uint64_t)ret, (uint64_t)-ERR_REFUSED);
		if (!strstr(said, why))
			unit_fail_str(__FILE__, __LINE__, args, said, why);
		EXPECT(strchr(said, '\n') == said + strlen(said) - 1); /* one line */
	}
}
