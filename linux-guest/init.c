/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of the smallest Linux guest: says on its console what a test needs to know about the machine
 * it woke up on, then powers off; with assay.end=reboot-once on the command line it reboots first, and knows by a
 * mark on the first disk that it did; with assay.end=key it waits for the power key first. Each line is
 * `linux-guest KEY=VALUE`, so that kernel messages on the same console cannot be taken for one. The
 * tests of host-tests/linux read them.
 */
#include "guest.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

void say(const char *key, const char *format, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	printf("linux-guest %s=%s\n", key, value);
	fflush(stdout);
}

const char *first_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		snprintf(buf, size, "unreadable: %s", strerror(errno));
	else
		buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
	return buf;
}

static void say_file(const char *key, const char *path)
{
	char text[256];

	say(key, "%s", first_line(path, text, sizeof(text)));
}

/*
 * From now on the kernel writes to the console only what it dies of (syslog(2), "console_loglevel"), for it does not wait
 * for the end of a line of ours. What it has to say of trouble say_troubles() says.
 */
static void quieten_kernel(void)
{
	if (klogctl(8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, NULL, 1) < 0)
		say("klogctl-failed", "%s", strerror(errno));
}

/* Lines of its log that tell of trouble, eight at most: not parsed, but there for whoever reads a failed test. */
static void say_troubles(void)
{
	static const char *const words[] = {"BUG:", "WARNING:", "Oops", "rcu: INFO:", "Call trace"};
	static char log[1 << 18];
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);
	unsigned said = 0;

	log[n > 0 ? n : 0] = '\0';
	for (char *line = strtok(log, "\n"); line && said < 8; line = strtok(NULL, "\n"))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strstr(line, words[i])) {
				say("trouble", "%s", line);
				said++;
				break;
			}
}

static void mount_at(const char *type, const char *where)
{
	if (mkdir(where, 0755) && errno != EEXIST)
		say("mkdir-failed", "%s", where);
	if (mount(type, where, type, 0, NULL) && errno != EBUSY)
		say("mount-failed", "%s", where);
}

/* Sockets that the kernel counts, of at most 64 CPUs. */
static unsigned packages(void)
{
	char path[96], id[32];
	uint64_t seen = 0;

	for (unsigned i = 0; i < 64; i++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%u/topology/physical_package_id", i);
		if (access(path, R_OK))
			break;
		seen |= 1ULL << (strtoul(first_line(path, id, sizeof(id)), NULL, 10) & 63);
	}
	return (unsigned)__builtin_popcountll(seen);
}

int main(void)
{
	struct utsname name;
	char words[1024];
	bool again;

	quieten_kernel();
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");

	if (uname(&name) == 0) {
		say("release", "%s", name.release);
		say("machine", "%s", name.machine);
	}
	say("pid", "%ld", (long)getpid());
	say("cpus", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	say("packages", "%u", packages());
	say("pptt", "%s", access("/sys/firmware/acpi/tables/PPTT", F_OK) ? "absent" : "present");
	say("page-size", "%ld", sysconf(_SC_PAGESIZE));
	say_file("console", "/sys/class/tty/console/active");
	say_file("clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	say_file("model", "/proc/device-tree/compatible");
	load_modules();
	first_line("/proc/cmdline", words, sizeof(words));
	if (!strstr(words, "assay.end=key")) /* it is the subject there */
		say_virtio();
	say_troubles();
	say("state", "user-space");

	sync();
	if (strstr(words, "assay.end=key"))
		wait_for_key();
	again = strstr(words, "assay.end=reboot-once") && mark_disk();
	say("end", again ? "reboot" : "power-off");
	/* The port's driver sends by interrupts, and whoever switches off does not wait for them. */
	tcdrain(STDOUT_FILENO);
	sync();
	reboot(again ? RB_AUTOBOOT : RB_POWER_OFF);
	say("end-failed", "%s", strerror(errno));
	return 1;
}
