/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inflate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BITS    15U /* of the longest code: RFC 1951, 3.2.7 */
#define LITERALS     288U
#define DISTANCES    32U
#define LENGTHS	     19U /* codes for code lengths */
#define TRAILER	     8U
#define END_OF_BLOCK 256U

/* What the next 15 bits begin with: symbol << 4 | bits of its code; 0: no code does. */
struct codes {
	uint16_t entry[1U << CODE_BITS];
};

struct inflate {
	const uint8_t *in;
	size_t at, in_len;
	uint8_t *out, *out_start, *out_end;
	uint64_t bits; /* taken from `in`, the next one lowest */
	unsigned nr_bits;
	bool bad;
	struct codes literal, distance;
};

/* Past the end there are zeros; whoever takes them finds out by `bad`. */
static void fill(struct inflate *s)
{
	while (s->nr_bits <= 56) {
		if (s->at < s->in_len)
			s->bits |= (uint64_t)s->in[s->at] << s->nr_bits;
		s->at++;
		s->nr_bits += 8;
	}
}

static unsigned take(struct inflate *s, unsigned n)
{
	unsigned v;

	fill(s);
	v = (unsigned)(s->bits & ((1U << n) - 1));
	s->bits >>= n;
	s->nr_bits -= n;
	if (s->at - s->nr_bits / 8 > s->in_len)
		s->bad = true;
	return v;
}

static unsigned symbol(struct inflate *s, const struct codes *c)
{
	unsigned e;

	fill(s);
	e = c->entry[s->bits & ((1U << CODE_BITS) - 1)];
	if (!e)
		s->bad = true;
	take(s, e & 15);
	return e >> 4;
}

static unsigned reversed(unsigned code, unsigned len)
{
	unsigned r = 0;

	for (; len; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

/* RFC 1951, 3.2.2. False if more codes are wanted than there are; fewer are only found out when one is used. */
static bool make_codes(struct codes *c, const uint8_t *len, unsigned nr)
{
	unsigned next[CODE_BITS + 1] = {0}, count[CODE_BITS + 1] = {0}, code = 0;

	for (unsigned i = 0; i < nr; i++)
		count[len[i]]++;
	count[0] = 0;
	for (unsigned bits = 1; bits <= CODE_BITS; bits++) {
		code = (code + count[bits - 1]) << 1;
		next[bits] = code;
		if (code + count[bits] > 1U << bits)
			return false;
	}
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < nr; i++) {
		if (!len[i])
			continue;
		for (unsigned at = reversed(next[len[i]]++, len[i]); at < 1U << CODE_BITS;
		     at += 1U << len[i])
			c->entry[at] = (uint16_t)(i << 4 | len[i]);
	}
	return true;
}

static void fixed_codes(struct inflate *s) /* 3.2.6 */
{
	uint8_t len[LITERALS];

	memset(len, 8, 144);
	memset(len + 144, 9, 112);
	memset(len + 256, 7, 24);
	memset(len + 280, 8, 8);
	make_codes(&s->literal, len, LITERALS);
	memset(len, 5, DISTANCES);
	make_codes(&s->distance, len, DISTANCES);
}

static bool dynamic_codes(struct inflate *s) /* 3.2.7 */
{
	static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8,  7, 9,	 6, 10, 5,
					       11, 4,  12, 3, 13, 2, 14, 1, 15};
	unsigned literals = take(s, 5) + 257, distances = take(s, 5) + 1, nr = take(s, 4) + 4;
	uint8_t len[LITERALS + DISTANCES] = {0}, small[LENGTHS] = {0};

	if (literals > LITERALS)
		return false;
	for (unsigned i = 0; i < nr; i++)
		small[order[i]] = (uint8_t)take(s, 3);
	if (!make_codes(&s->literal, small, LENGTHS))
		return false;
	for (unsigned i = 0; i < literals + distances;) {
		unsigned sym = symbol(s, &s->literal), repeat = 1;
		uint8_t l = (uint8_t)sym;

		if (s->bad || (sym == 16 && !i))
			return false;
		if (sym == 16) {
			l = len[i - 1];
			repeat = 3 + take(s, 2);
		} else if (sym > 16) {
			l = 0;
			repeat = sym == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
		}
		if (repeat > literals + distances - i)
			return false;
		memset(len + i, l, repeat);
		i += repeat;
	}
	return make_codes(&s->literal, len, literals) &&
	       make_codes(&s->distance, len + literals, distances);
}

static bool copy_back(struct inflate *s, unsigned length_symbol) /* 3.2.5 */
{
	unsigned n = length_symbol - 257, extra, len, sym;
	size_t dist;

	if (n > 28)
		return false;
	extra = n < 8 || n == 28 ? 0 : n / 4 - 1;
	len = n == 28 ? 258 : n < 8 ? n + 3 : ((n % 4 + 4) << extra) + 3;
	len += take(s, extra);
	sym = symbol(s, &s->distance);
	if (s->bad || sym > 29)
		return false;
	extra = sym < 4 ? 0 : sym / 2 - 1;
	dist = (sym < 4 ? sym : (sym % 2 + 2U) << extra) + take(s, extra) + 1;
	if (s->bad || dist > (size_t)(s->out - s->out_start) || len > (size_t)(s->out_end - s->out))
		return false;
	for (; len; len--, s->out++) /* the two may overlap, and then repeat */
		*s->out = s->out[-(ptrdiff_t)dist];
	return true;
}

static bool coded_block(struct inflate *s)
{
	for (;;) {
		unsigned sym = symbol(s, &s->literal);

		if (s->bad)
			return false;
		if (sym == END_OF_BLOCK)
			return true;
		if (sym > END_OF_BLOCK) {
			if (!copy_back(s, sym))
				return false;
		} else if (s->out < s->out_end) {
			*s->out++ = (uint8_t)sym;
		} else {
			return false;
		}
	}
}

static bool stored_block(struct inflate *s) /* 3.2.4 */
{
	unsigned len;

	take(s, s->nr_bits % 8);
	len = take(s, 16);
	if (take(s, 16) != (~len & 0xffff) || s->bad)
		return false;
	s->at -= s->nr_bits / 8; /* what was taken too early */
	s->bits = s->nr_bits = 0;
	if (len > s->in_len - s->at || len > (size_t)(s->out_end - s->out))
		return false;
	memcpy(s->out, s->in + s->at, len);
	s->at += len;
	s->out += len;
	return true;
}

static bool blocks(struct inflate *s)
{
	for (bool last = false; !last;) {
		bool good;

		last = take(s, 1);
		switch (take(s, 2)) {
		case 0:
			good = stored_block(s);
			break;
		case 1:
			fixed_codes(s);
			good = coded_block(s);
			break;
		case 2:
			good = dynamic_codes(s) && coded_block(s);
			break;
		default:
			good = false;
		}
		if (!good || s->bad)
			return false;
	}
	return s->out == s->out_end;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t crc32_of(const uint8_t *p, size_t len)
{
	uint32_t table[256], crc = UINT32_MAX;

	for (unsigned i = 0; i < 256; i++) {
		uint32_t c = i;

		for (unsigned bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320U : 0);
		table[i] = c;
	}
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
	return ~crc;
}

/* RFC 1952, 2.3: bytes before the deflated data; 0: no valid header. */
static size_t header_len(const uint8_t *p, size_t len)
{
	enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, RESERVED = 0xe0 };
	size_t at = 10;

	if (len < at || p[2] != 8 || (p[3] & RESERVED))
		return 0;
	if (p[3] & FEXTRA) {
		if (len < at + 2)
			return 0;
		at += 2 + (size_t)(p[at] | p[at + 1] << 8);
	}
	for (unsigned flag = FNAME; flag <= FCOMMENT; flag <<= 1) {
		const uint8_t *end;

		if (!(p[3] & flag))
			continue;
		end = at < len ? memchr(p + at, 0, len - at) : NULL;
		if (!end)
			return 0;
		at = (size_t)(end - p) + 1;
	}
	at += p[3] & FHCRC ? 2 : 0;
	return at < len ? at : 0;
}

int gzip_detect(const void *file, size_t len)
{
	return len >= 2 && !memcmp(file, "\x1f\x8b", 2);
}

size_t gzip_size(const void *file, size_t len)
{
	return len < 18 ? 0 : le32((const uint8_t *)file + len - 4);
}

const char *gzip_unpack(const void *file, size_t len, void *out, size_t out_len)
{
	const uint8_t *in = file;
	size_t head = gzip_detect(file, len) ? header_len(in, len) : 0;
	struct inflate *s;
	bool good;

	if (!head || len - head < TRAILER)
		return "damaged gzip file: no header";
	s = malloc(sizeof(*s));
	if (!s)
		return "no memory";
	s->in = in + head;
	s->in_len = len - head - TRAILER;
	s->at = 0;
	s->out = s->out_start = out;
	s->out_end = s->out + out_len;
	s->bits = s->nr_bits = 0;
	s->bad = false;
	good = blocks(s);
	free(s);
	if (!good)
		return "damaged gzip file";
	if (le32(in + len - TRAILER) != crc32_of(out, out_len))
		return "damaged gzip file: its checksum is another";
	return NULL;
}
