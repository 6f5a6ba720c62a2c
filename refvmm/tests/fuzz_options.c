/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a command line, its words cut at newlines, and the board and device tree it
 * describes. Options that open files are the devices' own business and left out.
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "fdt.h"
#include "options.h"
#include "tests/fake_env.h"

#define WORDS_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void describe_it(struct machine_conf *c)
{
	struct fake_env *fe = fake_env_new();
	struct board b = {0};
	struct fdt f = {0};

	c->gic = c->gic == GIC_V2 ? GIC_V2 : GIC_V3;
	c->its = c->gic == GIC_V3 && c->its != OFF ? ON : OFF;
	fe->env.msi = c->gic == GIC_V2 ? ENV_MSI_V2M : c->its == ON ? ENV_MSI_ITS : ENV_MSI_NONE;
	if (!options_check(c) && !board_build(&b, c, &fe->env)) {
		if (fdt_build(&f, c, &b, NULL, NULL) || !f.blob)
			abort(); /* what the options allow can be described */
		dt_free(&f);
	}
	board_free(&b);
	fake_env_free(fe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *argv[WORDS_MAX] = {(char *)"refvmm", (char *)"--kernel", (char *)"x"}, *save;
	struct machine_conf c = {0};
	char *text = malloc(len + 1);
	int argc = 3;

	if (!text || board_conf_init(&c))
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	for (char *w = strtok_r(text, "\n", &save); w && argc < WORDS_MAX;
	     w = strtok_r(NULL, "\n", &save))
		argv[argc++] = w;
	if (options_parse(&c, argc, argv) == OPTIONS_RUN)
		describe_it(&c);
	board_conf_free(&c);
	free(text);
	return 0;
}
