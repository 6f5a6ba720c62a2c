/* SPDX-License-Identifier: Apache-2.0 */
/* refvmm: the reference VMM. Options, one machine, exit status. */
#include <assay/exit.h>

#include "core/err.h"
#include "machine.h"
#include "options.h"

static int run(const struct machine_conf *c, unsigned *status)
{
	struct machine m;
	int ret = machine_init(&m, c);

	if (!ret)
		ret = c->dump_dtb ? machine_dump_dtb(&m, c->dump_dtb) : machine_run(&m, status);
	machine_free(&m);
	return ret;
}

int main(int argc, char **argv)
{
	struct machine_conf conf = {0};
	unsigned status = ASSAY_EXIT_OK;
	int ret = board_conf_init(&conf);

	if (!ret)
		ret = options_parse(&conf, argc, argv);
	if (ret == OPTIONS_RUN)
		ret = run(&conf, &status);
	board_conf_free(&conf);
	return ret < 0 ? err_exit_status(ret) : (int)status;
}
