/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of a lab host: mounts, sets up what the cell asks for, runs the agent
 * on /job with the console as its stdout, and powers off.
 *
 * What it does is told by the kernel's command line:
 *   assay.scale=X            the agent's --scale
 *   assay.hugepages=KB:N,…   hugetlb pages to reserve, sizes in KiB
 *   assay.thp=always|madvise|never
 *   assay.net=ADDRESS        load the modules named in /lib/modules.assay, give eth0 ADDRESS/24
 *   assay.exec=PATH          run PATH instead of the agent (the ssh host, a shell)
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define HOME "/assay"
#define JOB  "/job"

static const struct {
	const char *type;
	const char *where;
	const char *data;
	bool optional;
} mounts[] = {
	{"devtmpfs", "/dev", NULL, false},     {"proc", "/proc", NULL, false},
	{"sysfs", "/sys", NULL, false},	       {"tmpfs", "/tmp", "mode=1777", false},
	{"tmpfs", "/run", "mode=0755", false}, {"debugfs", "/sys/kernel/debug", NULL, true},
	{"devpts", "/dev/pts", NULL, true},    {"hugetlbfs", "/dev/hugepages", NULL, true},
};

void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	(void)!write(STDOUT_FILENO, line, (size_t)n + 1);
}

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		(void)mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].data) < 0 &&
		    errno != EBUSY && !mounts[i].optional)
			say("assay-init: mount %s on %s: %s", mounts[i].type, mounts[i].where,
			    strerror(errno));
	}
}

/* The console as stdin, stdout and stderr, without echo and newline translation. */
static void open_console(void)
{
	struct termios t;
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (i != fd)
			(void)dup2(fd, i);
	if (fd > 2)
		(void)close(fd);
	if (tcgetattr(STDOUT_FILENO, &t) < 0)
		return;
	cfmakeraw(&t);
	(void)tcsetattr(STDOUT_FILENO, TCSANOW, &t);
}

/* The value of a `name=` word of the kernel's command line, in static memory, or NULL. */
static const char *parameter(const char *cmdline, const char *name)
{
	static char value[8][256];
	static unsigned int next;
	size_t len = strlen(name);

	for (const char *at = cmdline; *at;) {
		size_t word = strcspn(at, " \n");

		if (word > len && strncmp(at, name, len) == 0 && at[len] == '=') {
			char *out = value[next++ % 8];

			(void)snprintf(out, sizeof(value[0]), "%.*s", (int)(word - len - 1),
				       at + len + 1);
			return out;
		}
		at += word;
		at += strspn(at, " \n");
	}
	return NULL;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	(void)close(fd);
	return err;
}

int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	(void)close(fd);
	if (n < 0)
		return -EIO;
	buf[n] = '\0';
	return 0;
}

/* "2048:32,1048576:1": says so when the kernel gives fewer, for tests will lack them. */
static void reserve_hugepages(char *list)
{
	char *save = NULL;

	for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		char path[96];
		char got[32];
		char *count = strchr(item, ':');
		int err;

		if (!count)
			continue;
		*count++ = '\0';
		(void)snprintf(path, sizeof(path),
			       "/sys/kernel/mm/hugepages/hugepages-%.20skB/nr_hugepages", item);
		err = write_file(path, count);
		(void)read_file(path, got, sizeof(got));
		got[strcspn(got, "\n")] = '\0';
		if (err || strcmp(got, count) != 0)
			say("assay-init: huge pages of %s kB: %s of %s%s%s", item,
			    got[0] ? got : "0", count, err ? ": " : "", err ? strerror(-err) : "");
	}
}

static void run(char **argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (chdir(HOME) < 0)
			say("assay-init: %s: %s", HOME, strerror(errno));
		(void)execv(argv[0], argv);
		say("assay-init: cannot run %s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	for (;;) {
		pid_t got = waitpid(-1, &status, 0);

		if (got == pid || (got < 0 && errno != EINTR))
			break;
	}
	if (WIFSIGNALED(status))
		say("assay-init: %s was killed by signal %d", argv[0], WTERMSIG(status));
	else if (WEXITSTATUS(status))
		say("assay-init: %s ended with status %d", argv[0], WEXITSTATUS(status));
}

/*
 * A server that runs guests always has one. The first VM switches KVM on and patches code of the scheduler (its preemption
 * notifiers), the last one undoes both, on all CPUs: thousands of times in a run, were there none that stays. Where there is
 * no KVM, the tests say so.
 */
static void hold_a_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm >= 0)
		(void)ioctl(kvm, KVM_CREATE_VM, 0);
}

int main(void)
{
	char cmdline[4096];
	const char *scale;
	const char *exec;
	const char *value;

	(void)mkdir("/dev", 0755);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	open_console();
	mount_all();
	(void)setenv("PATH", HOME ":/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)read_file("/proc/cmdline", cmdline, sizeof(cmdline));

	value = parameter(cmdline, "assay.hugepages");
	if (value)
		reserve_hugepages((char *)(uintptr_t)value);
	value = parameter(cmdline, "assay.thp");
	if (value && write_file("/sys/kernel/mm/transparent_hugepage/enabled", value) < 0)
		say("assay-init: transparent huge pages cannot be set to %s", value);
	value = parameter(cmdline, "assay.net");
	if (value)
		network_up(value);

	hold_a_vm();
	scale = parameter(cmdline, "assay.scale");
	exec = parameter(cmdline, "assay.exec");
	if (exec) {
		char *argv[] = {(char *)(uintptr_t)exec, NULL};

		run(argv);
	} else {
		char agent[] = HOME "/agent";
		char job[] = JOB;
		char option[] = "--scale";
		char empty[] = "--empty";
		char *argv[] = {agent,
				job,
				empty,
				(char *)"/tmp",
				scale ? option : NULL,
				(char *)(uintptr_t)scale,
				NULL};

		run(argv);
	}
	sync();
	(void)tcdrain(STDOUT_FILENO);
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}
