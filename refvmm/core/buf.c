/* SPDX-License-Identifier: Apache-2.0 */
#include "core/buf.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 256U

static bool room(struct buf *b, size_t len)
{
	size_t capacity = b->capacity ? b->capacity : CAPACITY_FIRST;
	uint8_t *p;

	while (capacity - b->len < len)
		capacity *= 2;
	if (b->failed || capacity == b->capacity)
		return !b->failed;
	p = realloc(b->data, capacity);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->capacity = capacity;
	return true;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_bytes(struct buf *b, const void *p, size_t len)
{
	if (!len || !room(b, len))
		return;
	memcpy(b->data + b->len, p, len);
	b->len += len;
}

void buf_zero(struct buf *b, size_t len)
{
	if (!room(b, len))
		return;
	memset(b->data + b->len, 0, len);
	b->len += len;
}

void buf_u8(struct buf *b, uint8_t val)
{
	buf_bytes(b, &val, sizeof(val));
}

void buf_u16(struct buf *b, uint16_t val)
{
	val = htole16(val);
	buf_bytes(b, &val, sizeof(val));
}

void buf_u32(struct buf *b, uint32_t val)
{
	val = htole32(val);
	buf_bytes(b, &val, sizeof(val));
}

void buf_u64(struct buf *b, uint64_t val)
{
	val = htole64(val);
	buf_bytes(b, &val, sizeof(val));
}

void buf_align(struct buf *b, size_t align)
{
	buf_zero(b, (align - b->len % align) % align);
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t len)
{
	size_t behind = b->len - at;

	buf_zero(b, len);
	if (b->failed)
		return;
	memmove(b->data + at + len, b->data + at, behind);
	memcpy(b->data + at, p, len);
}

void buf_put32(struct buf *b, size_t at, uint32_t val)
{
	val = htole32(val);
	if (!b->failed)
		memcpy(b->data + at, &val, sizeof(val));
}
