/* SPDX-License-Identifier: Apache-2.0 */
/* A unit that does to its host what it is told; for the tests of the lab. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

static void crash(void)
{
	put("/proc/sysrq-trigger", "c");
}

static void reset(void)
{
	(void)reboot(RB_AUTOBOOT);
}

static void power_off(void)
{
	(void)reboot(RB_POWER_OFF);
}

static void stop_agent(void)
{
	(void)kill(getppid(), SIGSTOP);
}

static void kill_agent(void)
{
	(void)kill(getppid(), SIGKILL);
}

/* The kernel itself writes to its log: the help of the sysrq keys. */
static void log_a_record(void)
{
	put("/proc/sysrq-trigger", "h");
}

static void taint(void)
{
	put("/proc/sys/kernel/tainted", "64");
}

static void console(void)
{
	put("/dev/console", "half a line of noise ");
}

static void eat(void)
{
	const size_t piece = 1UL << 20;

	for (;;) {
		char *at = malloc(piece);

		if (at)
			memset(at, 1, piece);
	}
}

static int show(const char *path)
{
	FILE *f = fopen(path, "re");
	int c;

	if (!f)
		return 1;
	while ((c = getc(f)) != EOF)
		(void)putchar(c);
	(void)fclose(f);
	return 0;
}

static const struct {
	const char *name;
	void (*run)(void);
} deeds[] = {
	{"crash", crash},	    {"reset", reset},		{"power-off", power_off},
	{"stop-agent", stop_agent}, {"kill-agent", kill_agent}, {"log", log_a_record},
	{"taint", taint},	    {"console", console},	{"eat", eat},
};

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "nothing";

	printf("doing %s\n", what);
	(void)fflush(stdout);
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(what, deeds[i].name) == 0)
			deeds[i].run();
	if (strcmp(what, "cat") == 0 && argc > 2)
		return show(argv[2]);
	return 0;
}
