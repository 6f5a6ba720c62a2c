/* SPDX-License-Identifier: Apache-2.0 */
#include "klog.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool klog_parse(const char *raw, struct klog_record *r)
{
	char *end;
	const char *text;
	unsigned long prio = strtoul(raw, &end, 10);
	size_t n = 0;

	if (end == raw || *end != ',')
		return false;
	r->level = (unsigned int)(prio & 7); /* the facility is above */
	r->seq = strtoull(end + 1, &end, 10);
	if (*end != ',')
		return false;
	text = strchr(end, ';');
	if (!text)
		return false;
	/* behind the first newline stand key=value lines for machines */
	for (text++; text[n] && text[n] != '\n' && n < KLOG_TEXT_MAX - 1; n++)
		r->text[n] = text[n];
	r->text[n] = '\0';
	return true;
}

bool klog_is_noise(const struct klog_record *r)
{
	static const char *const noise[] = {
		"hrtimer: interrupt took", /* kernel/time/hrtimer.c: the host was late */
		"sched: RT throttling activated",
		"clocksource: ", /* watchdog complaints: likewise */
	};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(r->text, noise[i], strlen(noise[i])))
			return true;
	return false;
}

int klog_open(bool from_start)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!from_start)
		lseek(fd, 0, SEEK_END);
	return fd;
}

int klog_next(int fd, struct klog_record *r)
{
	char raw[8192];

	for (;;) {
		ssize_t n = read(fd, raw, sizeof(raw) - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		raw[n] = '\0';
		if (klog_parse(raw, r))
			return 1;
	}
}
