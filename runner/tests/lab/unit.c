/* SPDX-License-Identifier: Apache-2.0 */
/* A unit that does to its host what it is told; for the tests of the lab. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	printf("doing %s\n", what);
	fflush(stdout);
	if (!strcmp(what, "crash"))
		put("/proc/sysrq-trigger", "c");
	else if (!strcmp(what, "reset"))
		reboot(RB_AUTOBOOT);
	else if (!strcmp(what, "power-off"))
		reboot(RB_POWER_OFF);
	else if (!strcmp(what, "stop-agent"))
		kill(getppid(), SIGSTOP);
	else if (!strcmp(what, "kill-agent"))
		kill(getppid(), SIGKILL);
	else if (!strcmp(what, "log"))
		put("/proc/sysrq-trigger", "h");
	else if (!strcmp(what, "taint"))
		put("/proc/sys/kernel/tainted", "64");
	else if (!strcmp(what, "console"))
		put("/dev/console", "half a line of noise ");
	else if (!strcmp(what, "eat"))
		for (;;)
			memset(malloc(1 << 20), 1, 1 << 20);
	else if (!strcmp(what, "cat"))
		for (int c, fd = open(argv[2], O_RDONLY); fd >= 0 && read(fd, &c, 1) == 1;)
			putchar(c);
	return 0;
}
