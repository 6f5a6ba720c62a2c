/* SPDX-License-Identifier: Apache-2.0 */
/* refvmm: the reference VMM. Options, one machine, exit status. */
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/err.h"
#include "board.h"
#include "host.h"
#include "options.h"

/* A stream that is closed would be the number of the first file we open. */
static int check_streams(void)
{
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write() */
	signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			return err_host(errno, "standard stream %d is closed", fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct machine_conf conf = {0};
	unsigned status = ASSAY_EXIT_OK;
	int ret = check_streams();

	host_inherited(&conf);
	if (!ret)
		ret = board_conf_init(&conf);
	if (!ret)
		ret = options_parse(&conf, argc, argv);
	if (ret == OPTIONS_RUN)
		ret = conf.dump_dtb ? describe(&conf, conf.dump_dtb) : host_run(&conf, &status);
	board_conf_free(&conf);
	return ret < 0 ? err_exit_status(ret) : (int)status;
}
