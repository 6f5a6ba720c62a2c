/* SPDX-License-Identifier: Apache-2.0 */
#include "acpi_aml.h"

#include <endian.h>
#include <string.h>

enum op {
	ZERO = 0x00,
	ONE = 0x01,
	NAME = 0x08,
	BYTE = 0x0a,
	WORD = 0x0b,
	DWORD = 0x0c,
	STRING = 0x0d,
	QWORD = 0x0e,
	SCOPE = 0x10,
	BUFFER = 0x11,
	PACKAGE = 0x12,
	METHOD = 0x14,
	EXTENDED = 0x5b,
	EXTENDED_DEVICE = 0x82,
	ARG0 = 0x68,
	NOTIFY = 0x86,
	RETURN = 0xa4,
};

/* ---- 20.2.4: the length of a block, itself included, as short as it goes */

void aml_end(struct buf *b, const struct aml_block *block)
{
	size_t body = b->len - block->body;
	unsigned n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : body + 3 < 0x100000 ? 3 : 4;
	size_t len = body + n;
	uint8_t bytes[4];

	if (n == 1) {
		bytes[0] = (uint8_t)len;
	} else {
		bytes[0] = (uint8_t)((n - 1) << 6 | (len & 0xf));
		for (unsigned i = 1; i < n; i++)
			bytes[i] = (uint8_t)(len >> (8 * i - 4));
	}
	buf_insert(b, block->body, bytes, n);
}

static struct aml_block block(const struct buf *b)
{
	return (struct aml_block){b->len};
}

static void seg(struct buf *b, const char *name)
{
	buf_bytes(b, name, 4);
}

struct aml_block aml_scope(struct buf *b, const char *name)
{
	struct aml_block blk;

	buf_u8(b, SCOPE);
	blk = block(b);
	seg(b, name);
	return blk;
}

struct aml_block aml_device(struct buf *b, const char *name)
{
	struct aml_block blk;

	buf_u8(b, EXTENDED);
	buf_u8(b, EXTENDED_DEVICE);
	blk = block(b);
	seg(b, name);
	return blk;
}

struct aml_block aml_method(struct buf *b, const char *name, unsigned args)
{
	struct aml_block blk;

	buf_u8(b, METHOD);
	blk = block(b);
	seg(b, name);
	buf_u8(b, (uint8_t)(args & 7));
	return blk;
}

struct aml_block aml_package(struct buf *b, unsigned elements)
{
	struct aml_block blk;

	buf_u8(b, PACKAGE);
	blk = block(b);
	buf_u8(b, (uint8_t)elements);
	return blk;
}

void aml_name(struct buf *b, const char *name)
{
	buf_u8(b, NAME);
	seg(b, name);
}

void aml_int(struct buf *b, uint64_t val)
{
	if (val <= 1) {
		buf_u8(b, val ? ONE : ZERO);
	} else if (val <= UINT8_MAX) {
		buf_u8(b, BYTE);
		buf_u8(b, (uint8_t)val);
	} else if (val <= UINT16_MAX) {
		buf_u8(b, WORD);
		buf_u16(b, (uint16_t)val);
	} else if (val <= UINT32_MAX) {
		buf_u8(b, DWORD);
		buf_u32(b, (uint32_t)val);
	} else {
		buf_u8(b, QWORD);
		buf_u64(b, val);
	}
}

void aml_string(struct buf *b, const char *s)
{
	buf_u8(b, STRING);
	buf_bytes(b, s, strlen(s) + 1);
}

static uint32_t hex(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* 19.3.4: three letters of 5 bits, four digits, the first byte most significant */
void aml_eisa(struct buf *b, const char *id)
{
	uint32_t val = (id[0] & 0x1fU) << 26 | (id[1] & 0x1fU) << 21 | (id[2] & 0x1fU) << 16 |
		       hex(id[3]) << 12 | hex(id[4]) << 8 | hex(id[5]) << 4 | hex(id[6]);

	buf_u8(b, DWORD);
	buf_u32(b, __builtin_bswap32(val));
}

void aml_return_arg(struct buf *b, unsigned n)
{
	buf_u8(b, RETURN);
	buf_u8(b, (uint8_t)(ARG0 + n));
}

void aml_notify(struct buf *b, const char *object, uint8_t value)
{
	buf_u8(b, NOTIFY);
	seg(b, object);
	aml_int(b, value);
}

/* ---- 6.4: resources */

#define CONSUMER 1U
#define FIXED	 (1U << 2 | 1U << 3) /* minimum and maximum */

void aml_res_memory32(struct aml_resources *r, uint64_t base, uint64_t size)
{
	buf_u8(&r->list, 0x86);
	buf_u16(&r->list, 9);
	buf_u8(&r->list, 1); /* read and write */
	buf_u32(&r->list, (uint32_t)base);
	buf_u32(&r->list, (uint32_t)size);
}

void aml_res_interrupt(struct aml_resources *r, uint32_t intid)
{
	buf_u8(&r->list, 0x89);
	buf_u16(&r->list, 6);
	buf_u8(&r->list, CONSUMER); /* level, active high, exclusive */
	buf_u8(&r->list, 1);
	buf_u32(&r->list, intid);
}

void aml_res_bus(struct aml_resources *r, unsigned last)
{
	buf_u8(&r->list, 0x88);
	buf_u16(&r->list, 13);
	buf_u8(&r->list, 2);
	buf_u8(&r->list, FIXED);
	buf_u8(&r->list, 0);
	buf_u16(&r->list, 0);
	buf_u16(&r->list, 0);
	buf_u16(&r->list, (uint16_t)last);
	buf_u16(&r->list, 0);
	buf_u16(&r->list, (uint16_t)(last + 1));
}

/* Memory: not cacheable, read and write. I/O: all addresses, at `translation` in memory. */
void aml_res_range32(struct aml_resources *r, enum aml_space space, uint64_t base, uint64_t size,
		     uint64_t translation)
{
	buf_u8(&r->list, 0x87);
	buf_u16(&r->list, 23);
	buf_u8(&r->list, (uint8_t)space);
	buf_u8(&r->list, FIXED);
	buf_u8(&r->list, space == AML_IO ? 3 : 1);
	buf_u32(&r->list, 0);
	buf_u32(&r->list, (uint32_t)base);
	buf_u32(&r->list, (uint32_t)(base + size - 1));
	buf_u32(&r->list, (uint32_t)translation);
	buf_u32(&r->list, (uint32_t)size);
}

static void range64(struct aml_resources *r, unsigned flags, uint64_t base, uint64_t size)
{
	buf_u8(&r->list, 0x8a);
	buf_u16(&r->list, 43);
	buf_u8(&r->list, AML_MEMORY);
	buf_u8(&r->list, (uint8_t)flags);
	buf_u8(&r->list, 1);
	buf_u64(&r->list, 0);
	buf_u64(&r->list, base);
	buf_u64(&r->list, base + size - 1);
	buf_u64(&r->list, 0);
	buf_u64(&r->list, size);
}

void aml_res_range64(struct aml_resources *r, uint64_t base, uint64_t size)
{
	range64(r, FIXED, base, size);
}

void aml_res_own64(struct aml_resources *r, uint64_t base, uint64_t size)
{
	range64(r, FIXED | CONSUMER, base, size);
}

/* 6.4.3.8.1: the pin's number and the controller's name stand behind 23 fixed bytes. */
void aml_res_gpio(struct aml_resources *r, unsigned pin, const char *name)
{
	size_t len = strlen(name) + 1;
	uint16_t pins = 23, source = 25, behind = (uint16_t)(source + len);

	buf_u8(&r->list, 0x8c);
	buf_u16(&r->list, (uint16_t)(behind - 3));
	buf_u8(&r->list, 1); /* revision */
	buf_u8(&r->list, 0); /* interrupt */
	buf_u16(&r->list, CONSUMER);
	buf_u16(&r->list, 1); /* edge, active high, exclusive */
	buf_u8(&r->list, 1);  /* pull-up */
	buf_u16(&r->list, 0);
	buf_u16(&r->list, 0);
	buf_u16(&r->list, pins);
	buf_u8(&r->list, 0);
	buf_u16(&r->list, source);
	buf_u16(&r->list, behind);
	buf_u16(&r->list, 0);
	buf_u16(&r->list, (uint16_t)pin);
	buf_bytes(&r->list, name, len);
}

void aml_resources_end(struct buf *b, struct aml_resources *r)
{
	struct aml_block blk;

	buf_u8(&r->list, 0x79); /* end tag, without checksum */
	buf_u8(&r->list, 0);
	buf_u8(b, BUFFER);
	blk = block(b);
	aml_int(b, r->list.len);
	buf_bytes(b, r->list.data, r->list.len);
	aml_end(b, &blk);
	b->failed |= r->list.failed;
	buf_free(&r->list);
}
