/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power key, as a kernel with or without a driver for it shows it: an input device (gpio-keys, or ACPI's power
 * button), or line 3 of the board's GPIO controller, asked for by this program.
 */
#include "guest.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define POWER_LINE 3
#define LONG_BITS  (8 * sizeof(unsigned long))
#define TRIES	   40
#define TRY_MS	   250

static bool has_power_key(int fd)
{
	unsigned long keys[KEY_MAX / LONG_BITS + 1] = {0};

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) > 0 &&
	       keys[KEY_POWER / LONG_BITS] >> KEY_POWER % LONG_BITS & 1;
}

static int open_input(void)
{
	DIR *d = opendir("/dev/input");
	struct dirent *e;
	char path[300], name[64] = "";
	int found = -1;

	while (found < 0 && d && (e = readdir(d))) {
		int fd;

		if (strncmp(e->d_name, "event", 5) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/input/%s", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (has_power_key(fd))
			found = fd;
		else
			close(fd);
	}
	if (d)
		closedir(d);
	if (found >= 0) {
		ioctl(found, EVIOCGNAME(sizeof(name) - 1), name);
		say("key", "input %s", name);
	}
	return found;
}

static int open_line(void)
{
	struct gpio_v2_line_request r = {
		.offsets = {POWER_LINE},
		.num_lines = 1,
		.consumer = "power key",
		.config = {.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING}};
	int chip = open("/dev/gpiochip0", O_RDONLY | O_CLOEXEC);

	if (chip < 0 || ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &r) < 0) {
		if (chip >= 0)
			close(chip);
		return -1;
	}
	close(chip);
	say("key", "line %d", POWER_LINE);
	return r.fd;
}

static bool pressed(int fd, bool input)
{
	struct gpio_v2_line_event line;
	struct input_event e;

	if (!input)
		return read(fd, &line, sizeof(line)) == (ssize_t)sizeof(line);
	return read(fd, &e, sizeof(e)) == (ssize_t)sizeof(e) && e.type == EV_KEY &&
	       e.code == KEY_POWER && e.value == 1;
}

void wait_for_key(void)
{
	bool input = true;
	int fd = -1;

	/* drivers that are modules make their devices a little later */
	for (int i = 0; fd < 0 && i < TRIES; i++) {
		fd = open_input();
		if (fd < 0 && i == TRIES / 4) {
			fd = open_line();
			input = fd < 0;
		}
		if (fd < 0)
			usleep(TRY_MS * 1000);
	}
	if (fd < 0) {
		say("key", "none: %s", strerror(errno));
		return;
	}
	while (!pressed(fd, input))
		;
	say("pressed", "power key");
	close(fd);
}
