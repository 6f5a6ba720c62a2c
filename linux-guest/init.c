/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of the smallest Linux guest: says on its console what a test needs to
 * know about the machine it woke up on, then powers off. Each line is
 * `linux-guest KEY=VALUE`, so that kernel messages on the same console cannot be
 * taken for one. The host test refvmm.boots_linux_to_user_space reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void say(const char *key, const char *value)
{
	printf("linux-guest %s=%s\n", key, value);
	fflush(stdout);
}

static void say_number(const char *key, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	say(key, text);
}

/* The first line of a file of sysfs or procfs, or why it could not be read. */
static void say_file(const char *key, const char *path)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		snprintf(text, sizeof(text), "unreadable: %s", strerror(errno));
	text[strcspn(text, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
	say(key, text);
}

static void mount_at(const char *type, const char *where)
{
	if (mkdir(where, 0755) && errno != EEXIST)
		say("mkdir-failed", where);
	if (mount(type, where, type, 0, NULL) && errno != EBUSY)
		say("mount-failed", where);
}

int main(void)
{
	struct utsname name;

	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");

	if (uname(&name) == 0) {
		say("release", name.release);
		say("machine", name.machine);
	}
	say_number("pid", (long)getpid());
	say_number("cpus", sysconf(_SC_NPROCESSORS_ONLN));
	say_number("page-size", sysconf(_SC_PAGESIZE));
	say_file("console", "/sys/class/tty/console/active");
	say_file("clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	say_file("model", "/proc/device-tree/compatible");
	say("state", "user-space");

	sync();
	reboot(RB_POWER_OFF);
	say("power-off-failed", strerror(errno));
	return 1;
}
