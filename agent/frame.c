/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: one line, protected by a CRC, written by one write(2). */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <assay/exit.h>

/* A text may grow fourfold when every byte is written as \xNN. */
#define FRAME_MAX (4 * AGENT_LINE_MAX + 512)

static const char prefix[] = "@assay ";
#define PREFIX_LEN (sizeof(prefix) - 1)
#define CRC_LEN	   9 /* eight digits and a blank */

void (*frame_on_gone)(void);

/* CRC-32 as zlib computes it (ISO 3309), bit by bit: a frame is short. */
uint32_t crc32_of(const char *data, size_t len)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320U & (0U - (crc & 1U)));
	}
	return ~crc;
}

static void gone(void)
{
	if (frame_on_gone)
		frame_on_gone();
	_exit(ASSAY_EXIT_HOST);
}

static void write_whole(const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n >= 0) {
			buf += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

			(void)poll(&p, 1, -1);
		} else if (errno != EINTR) {
			gone();
		}
	}
}

/* `line` has room for the CRC behind the prefix and for a newline behind `len`. */
static void emit(char *line, size_t len)
{
	char crc[CRC_LEN + 1];
	const char *body = line + PREFIX_LEN + CRC_LEN;

	(void)snprintf(crc, sizeof(crc), "%08x ", crc32_of(body, len - PREFIX_LEN - CRC_LEN));
	memcpy(line, prefix, PREFIX_LEN);
	memcpy(line + PREFIX_LEN, crc, CRC_LEN);
	line[len] = '\n';
	write_whole(line, len + 1);
}

void frame(const char *fmt, ...)
{
	static char line[FRAME_MAX];
	const size_t head = PREFIX_LEN + CRC_LEN;
	const size_t room = sizeof(line) - head - 1;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + head, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	emit(line, head + ((size_t)n < room ? (size_t)n : room - 1));
}

/* Length of the UTF-8 sequence at `s` (RFC 3629, overlong forms and surrogates refused), or 0. */
static size_t utf8_len(const uint8_t *s, size_t left)
{
	size_t n;
	uint8_t lo = 0x80;
	uint8_t hi = 0xbf;

	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		n = 3;
		lo = s[0] == 0xe0 ? 0xa0 : 0x80;
		hi = s[0] == 0xed ? 0x9f : 0xbf;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		lo = s[0] == 0xf0 ? 0x90 : 0x80;
		hi = s[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (left < n || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* How many bytes at `s` may stand as they are: 0 for one that must be escaped. */
static size_t plain_len(const uint8_t *s, size_t left)
{
	if (s[0] == '\t' || (s[0] >= 0x20 && s[0] < 0x7f))
		return 1;
	return s[0] < 0x80 ? 0 : utf8_len(s, left);
}

void frame_text(const char *kind, const char *id, const char *text, size_t len, size_t cut)
{
	static char line[FRAME_MAX + 64];
	const uint8_t *s = (const uint8_t *)text;
	size_t at = PREFIX_LEN + CRC_LEN;
	int n;

	n = snprintf(line + at, 256, "%s %.230s ", kind, id);
	at += n < 256 ? (size_t)n : 255;
	while (len) {
		size_t plain = plain_len(s, len);

		if (plain) {
			memcpy(line + at, s, plain);
			at += plain;
		} else {
			at += (size_t)snprintf(line + at, 5, "\\x%02x", s[0]);
			plain = 1;
		}
		s += plain;
		len -= plain;
	}
	if (cut)
		at += (size_t)snprintf(line + at, 64, " [cut: %zu more bytes]", cut);
	emit(line, at);
}
