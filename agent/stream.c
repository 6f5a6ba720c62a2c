/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit writes, cut into lines; bounded, for a unit may write without end. */
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void stream_open(struct stream *s, const char *kind, const char *id, int fd)
{
	*s = (struct stream){.kind = kind, .id = id, .fd = fd};
}

static void end_line(struct stream *s)
{
	size_t len = s->len;

	if (s->on_line && !s->cut)
		s->on_line(s->ctx, s->line, len);
	if (s->shown + len > AGENT_STREAM_MAX) {
		s->dropped_lines++;
		s->dropped_bytes += len + s->cut;
	} else {
		/* a guest's serial console ends its lines with \r\n */
		if (len && !s->cut && s->line[len - 1] == '\r')
			len--;
		s->shown += len + 1;
		frame_text(s->kind, s->id, s->line, len, s->cut);
	}
	s->len = 0;
	s->cut = 0;
}

static void feed(struct stream *s, const char *data, size_t len)
{
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t part = end ? (size_t)(end - data) : len;
		size_t room = sizeof(s->line) - s->len;
		size_t fits = part < room ? part : room;

		memcpy(s->line + s->len, data, fits);
		s->len += fits;
		s->cut += part - fits;
		if (end) {
			end_line(s);
			part++;
		}
		data += part;
		len -= part;
	}
}

bool stream_read(struct stream *s)
{
	char buf[16384];
	ssize_t n;

	if (s->fd < 0)
		return false;
	n = read(s->fd, buf, sizeof(buf));
	if (n > 0) {
		feed(s, buf, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	(void)close(s->fd);
	s->fd = -1;
	return false;
}

void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	if (s->len || s->cut)
		end_line(s);
}

void stream_charge(struct stream *s, const char *id)
{
	s->id = id;
}

void stream_settle(struct stream *s)
{
	if (s->dropped_lines)
		frame("err %s agent: %zu lines (%zu bytes) of %s are not shown: more than %lu "
		      "bytes",
		      s->id, s->dropped_lines, s->dropped_bytes,
		      s->kind[0] == 'o' ? "stdout" : "stderr", AGENT_STREAM_MAX);
	s->shown = s->dropped_lines = s->dropped_bytes = 0;
}
