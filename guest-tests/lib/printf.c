/* SPDX-License-Identifier: Apache-2.0 */
/* vsnprintf with the flags the library uses: - 0 # width .precision, h hh l ll z j, d i u x X c s p %. */
#include "types.h"

struct out {
	char *buf;
	size_t size, len;
	va_list ap;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

struct spec {
	bool left, zero, hash;
	int width, precision;
};

static void put_padded(struct out *o, const struct spec *s, const char *text, int len)
{
	for (int i = len; !s->left && i < s->width; i++)
		put(o, ' ');
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	for (int i = len; s->left && i < s->width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, bool neg, unsigned base,
		       bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[72];
	int at = (int)sizeof(text), body;

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v != 0);
	body = (int)sizeof(text) - at;
	while (body < 64 && (body < s->precision || (s->zero && !s->left && s->precision < 0 &&
						     body + neg + 2 * s->hash < s->width))) {
		text[--at] = '0';
		body++;
	}
	if (s->hash && base == 16) {
		text[--at] = 'x';
		text[--at] = '0';
	}
	if (neg)
		text[--at] = '-';
	put_padded(o, s, text + at, (int)sizeof(text) - at);
}

static uint64_t fetch(struct out *o, int longs, bool is_signed)
{
	if (longs > 0)
		return va_arg(o->ap, uint64_t);
	return is_signed ? (uint64_t)va_arg(o->ap, int) : va_arg(o->ap, unsigned);
}

static void put_conversion(struct out *o, struct spec *s, char c, int longs)
{
	uint64_t v;

	switch (c) {
	case 'd':
	case 'i':
		v = fetch(o, longs, true);
		put_number(o, s, (int64_t)v < 0 ? 0 - v : v, (int64_t)v < 0, 10, false);
		break;
	case 'u':
		put_number(o, s, fetch(o, longs, false), false, 10, false);
		break;
	case 'x':
	case 'X':
		put_number(o, s, fetch(o, longs, false), false, 16, c == 'X');
		break;
	case 'p':
		s->hash = true;
		put_number(o, s, (uint64_t)(uintptr_t)va_arg(o->ap, void *), false, 16, false);
		break;
	case 'c': {
		char text = (char)va_arg(o->ap, int);

		put_padded(o, s, &text, 1);
		break;
	}
	case 's': {
		const char *text = va_arg(o->ap, const char *);
		int len = 0;

		text = text ? text : "(null)";
		while ((s->precision < 0 || len < s->precision) && text[len])
			len++;
		put_padded(o, s, text, len);
		break;
	}
	default:
		put(o, c);
	}
}

static const char *parse_spec(const char *f, struct spec *s, struct out *o)
{
	*s = (struct spec){.precision = -1};
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '#')
			s->hash = true;
		else
			break;
	}
	if (*f == '*') {
		s->width = va_arg(o->ap, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + *f - '0';
	if (*f == '.') {
		s->precision = 0;
		f++;
		if (*f == '*') {
			s->precision = va_arg(o->ap, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			s->precision = s->precision * 10 + *f - '0';
	}
	return f;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};
	struct spec s;

	va_copy(o.ap, args);
	for (const char *f = fmt; *f; f++) {
		int longs = 0;

		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = parse_spec(f + 1, &s, &o);
		for (; *f == 'l' || *f == 'z' || *f == 'j' || *f == 'h'; f++)
			longs += *f != 'h';
		if (!*f)
			break;
		put_conversion(&o, &s, *f, longs);
	}
	va_end(o.ap);
	if (size > 0)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
