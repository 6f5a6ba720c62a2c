/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's log while units run. Each read(2) of /dev/kmsg gives one record,
 * "PRIORITY,SEQUENCE,TIME,FLAGS[,…];TEXT\n" and continuation lines that begin
 * with a blank (Documentation/ABI/testing/dev-kmsg).
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MAX (256UL * 1024)

void kmsg_open(struct kmsg *log)
{
	*log = (struct kmsg){.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
	if (log->fd < 0) {
		log->error = errno;
		return;
	}
	if (lseek(log->fd, 0, SEEK_END) < 0) {
		log->error = errno;
		kmsg_close(log);
	}
}

void kmsg_close(struct kmsg *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
}

static void record(struct kmsg *log, const char *id, char *text)
{
	char *body = strchr(text, ';');
	unsigned long priority = strtoul(text, NULL, 10);
	char kind_id[256];
	size_t len;

	/* facilities other than 0 are written by programs, not by the kernel */
	if (!body || priority > 7)
		return;
	body++;
	len = strcspn(body, "\n");
	if (log->shown + len > LOG_MAX) {
		log->dropped++;
		return;
	}
	log->shown += len;
	(void)snprintf(kind_id, sizeof(kind_id), "%.220s %lu", id, priority);
	frame_text("log", kind_id, body, len < AGENT_LINE_MAX ? len : AGENT_LINE_MAX,
		   len < AGENT_LINE_MAX ? 0 : len - AGENT_LINE_MAX);
}

void kmsg_drain(struct kmsg *log, const char *id)
{
	static char buf[8192]; /* the kernel's PRINTKRB_RECORD_MAX, or less */

	while (log->fd >= 0) {
		ssize_t n = read(log->fd, buf, sizeof(buf) - 1);

		if (n > 0) {
			buf[n] = '\0';
			record(log, id, buf);
		} else if (n < 0 && errno == EPIPE) {
			/* the ring was overrun; the next read goes on behind the gap */
			log->dropped++;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else {
			if (n == 0 || errno != EAGAIN)
				kmsg_close(log);
			return;
		}
	}
}

void kmsg_flush(struct kmsg *log, const char *id)
{
	if (log->dropped)
		frame("err %s agent: %zu or more records of the kernel log are not shown", id,
		      log->dropped);
	log->shown = 0;
	log->dropped = 0;
}
