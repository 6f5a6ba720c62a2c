/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power key with a Linux guest: pressed by a signal to refvmm or by its control socket, heard as line 3 of the
 * PL061 or, by a kernel with the driver gpio-keys, as an input device.
 */
#include "linux.h"
#include "scratch.h"
#include <assay/exit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64]; /* of the control socket */

static void by_signal(int pid)
{
	kill(pid, SIGTERM);
}

static void by_control(int pid)
{
	static const char line[] = "{\"command\":\"powerdown\"}\n";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[64];

	(void)pid;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	EXPECT_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	EXPECT_EQ(send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(line) - 1);
	EXPECT_GT(read(fd, answer, sizeof(answer)), 0);
	close(fd);
}

TEST(linux, powers_off_by_its_power_key, RULE("VMM-LINUX-4"), .tags = "slow",
     VARIANTS("signal: by=signal | control: by=control | "
	      "driver: by=signal driver=1 kernel=debian-6.12-16k"))
{
	bool signal = !strcmp(test_param("by"), "signal");
	struct proc_talk talk[] = {{"linux-guest key=", NULL, signal ? by_signal : by_control},
				   {NULL, NULL, NULL}};
	struct machine m = {.machine = "virt-1",
			    .cpus = "2",
			    .append = "assay.end=key",
			    .kernel = test_param("kernel"),
			    .devices = {"--control", path},
			    .talk = talk};
	char text[64];

	scratch_path(path, sizeof(path), "control");
	boot(&m);
	expect_came_up("2");
	/* the guest's kernel decides which, but where it is known to have the driver */
	said("key", text, sizeof(text));
	EXPECT_TRUE(!strncmp(text, "input", 5) ||
		    (!strncmp(text, "line", 4) && !test_param_u64("driver", 0)));
	NOTE("key: %s", text);
	EXPECT_STREQ(said("pressed", text, sizeof(text)), "power key");
	EXPECT_STREQ(said("end", text, sizeof(text)), "power-off");
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}
