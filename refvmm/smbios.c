/* SPDX-License-Identifier: Apache-2.0 */
/* DSP0134 3.0, chapters 6 and 7; each table names its section. */
#include "smbios.h"

#include <assay/board.h>
#include <errno.h>
#include <string.h>

#define STRINGS_MAX 8U
#define NO_HANDLE   0xffffU
#define NO_ERRORS   0xfffeU /* no error information */

enum handle {
	HANDLE_BIOS = 0x000,
	HANDLE_SYSTEM = 0x100,
	HANDLE_CHASSIS = 0x300,
	HANDLE_PROCESSOR = 0x400,
	HANDLE_MEMORY = 0x1000,
	HANDLE_DEVICE = 0x1100,
	HANDLE_MAPPED = 0x1300,
	HANDLE_BOOT = 0x2000,
	HANDLE_END = 0x7f00,
};

struct table {
	struct buf *b;
	size_t at;
	const char *string[STRINGS_MAX];
	uint8_t nr;
};

static struct table begin(struct buf *b, uint8_t type, enum handle handle)
{
	struct table t = {.b = b, .at = b->len};

	buf_u8(b, type);
	buf_u8(b, 0); /* the length: end() */
	buf_u16(b, (uint16_t)handle);
	return t;
}

/* A string by its number behind the table. */
static void string(struct table *t, const char *s)
{
	t->string[t->nr++] = s;
	buf_u8(t->b, t->nr);
}

static void end(struct table *t)
{
	if (!t->b->failed)
		t->b->data[t->at + 1] = (uint8_t)(t->b->len - t->at);
	for (unsigned i = 0; i < t->nr; i++)
		buf_bytes(t->b, t->string[i], strlen(t->string[i]) + 1);
	buf_zero(t->b, t->nr ? 1 : 2);
}

/* 7.1 */
static void bios(struct buf *b)
{
	struct table t = begin(b, 0, HANDLE_BIOS);

	string(&t, "Assay");
	string(&t, "refvmm 1");
	buf_u16(b, 0); /* no real-mode segment */
	string(&t, "01/01/2026");
	buf_u8(b, 0);
	buf_u64(b, 1 << 3); /* characteristics are not supported */
	buf_u8(b, 0);
	buf_u8(b, 1 << 3 | 1 << 4); /* UEFI, virtual machine */
	buf_u8(b, 1);
	buf_u8(b, 0);
	buf_u16(b, 0xffff); /* no embedded controller */
	end(&t);
}

/* 7.2 */
static void system_info(struct buf *b)
{
	struct table t = begin(b, 1, HANDLE_SYSTEM);

	string(&t, "Assay");
	string(&t, "refvmm");
	string(&t, "virt-1");
	buf_u8(b, 0);	 /* serial number */
	buf_zero(b, 16); /* no UUID */
	buf_u8(b, 6);	 /* woken up by the power switch */
	buf_u8(b, 0);	 /* SKU */
	buf_u8(b, 0);	 /* family */
	end(&t);
}

/* 7.4 */
static void chassis(struct buf *b)
{
	struct table t = begin(b, 3, HANDLE_CHASSIS);

	string(&t, "Assay");
	buf_u8(b, 1); /* other */
	string(&t, "virt-1");
	buf_u16(b, 0); /* serial number, asset tag */
	buf_u8(b, 3);  /* boot-up, supply and thermal states: safe */
	buf_u8(b, 3);
	buf_u8(b, 3);
	buf_u8(b, 2);	/* security: unknown */
	buf_zero(b, 9); /* OEM, height, power cords, contained elements, SKU */
	end(&t);
}

/* 7.5; all vCPUs are cores of one socket */
static void processor(struct buf *b, const struct machine_conf *c)
{
	struct table t = begin(b, 4, HANDLE_PROCESSOR);
	uint8_t cores = c->smp < 0xff ? (uint8_t)c->smp : 0xff; /* then the words at the end say */

	string(&t, "CPU 0");
	buf_u8(b, 3);	 /* central processor */
	buf_u8(b, 0xfe); /* family: the word at the end */
	string(&t, "Assay");
	buf_u64(b, 0); /* the ID is the host's to tell */
	string(&t, "virt-1");
	buf_u8(b, 0);
	buf_zero(b, 6);	 /* clock, maximum and current speed: unknown */
	buf_u8(b, 0x41); /* populated, enabled */
	buf_u8(b, 1);	 /* upgrade: other */
	for (int level = 1; level <= 3; level++)
		buf_u16(b, NO_HANDLE); /* caches */
	buf_zero(b, 3);		       /* serial, asset, part */
	buf_u8(b, cores);
	buf_u8(b, cores);
	buf_u8(b, cores);
	buf_u16(b, 1 << 2); /* 64-bit */
	buf_u16(b, 0x101);  /* ARMv8 */
	for (int count = 0; count < 3; count++)
		buf_u16(b, (uint16_t)c->smp);
	end(&t);
}

/* 7.17 */
static void memory_array(struct buf *b, uint64_t size)
{
	struct table t = begin(b, 16, HANDLE_MEMORY);

	buf_u8(b, 1); /* location: other */
	buf_u8(b, 3); /* system memory */
	buf_u8(b, 3); /* no error correction */
	buf_u32(b, (uint32_t)(size >> 10));
	buf_u16(b, NO_ERRORS);
	buf_u16(b, 1); /* device */
	buf_u64(b, 0); /* only for 2 TiB and more */
	end(&t);
}

/* 7.18; 0x7fff: the extended size, in MiB, says */
static void memory_device(struct buf *b, uint64_t size)
{
	struct table t = begin(b, 17, HANDLE_DEVICE);
	uint64_t mib = size >> 20;

	buf_u16(b, HANDLE_MEMORY);
	buf_u16(b, NO_ERRORS);
	buf_u16(b, 0xffff); /* widths: unknown */
	buf_u16(b, 0xffff);
	buf_u16(b, mib < 0x7fff ? (uint16_t)mib : 0x7fff);
	buf_u8(b, 9); /* DIMM */
	buf_u8(b, 0);
	string(&t, "DIMM 0");
	buf_u8(b, 0);	    /* bank */
	buf_u8(b, 7);	    /* RAM */
	buf_u16(b, 1 << 1); /* other */
	buf_u16(b, 0);	    /* speed: unknown */
	string(&t, "Assay");
	buf_zero(b, 4); /* serial, asset, part, attributes */
	buf_u32(b, mib < 0x7fff ? 0 : (uint32_t)mib);
	buf_zero(b, 8); /* configured speed, voltages */
	end(&t);
}

/* 7.20; in KiB, the last one included; 0xffffffff: the extended addresses, in bytes, say */
static void memory_mapped(struct buf *b, uint64_t size)
{
	struct table t = begin(b, 19, HANDLE_MAPPED);
	uint64_t first = ASSAY_RAM_BASE, last = ASSAY_RAM_BASE + size - 1;
	bool extended = last >> 10 >= UINT32_MAX;

	buf_u32(b, extended ? UINT32_MAX : (uint32_t)(first >> 10));
	buf_u32(b, extended ? UINT32_MAX : (uint32_t)(last >> 10));
	buf_u16(b, HANDLE_MEMORY);
	buf_u8(b, 1);
	buf_u64(b, extended ? first : 0);
	buf_u64(b, extended ? last : 0);
	end(&t);
}

/* 7.33 */
static void boot_info(struct buf *b)
{
	struct table t = begin(b, 32, HANDLE_BOOT);

	buf_zero(b, 7); /* no errors */
	end(&t);
}

/* 5.2.2 */
static void entry_point(struct buf *b, size_t size)
{
	uint8_t sum = 0;

	buf_bytes(b, "_SM3_", 5);
	buf_u8(b, 0); /* checksum */
	buf_u8(b, 24);
	buf_u8(b, 3); /* 3.0.0 */
	buf_u16(b, 0);
	buf_u8(b, 1); /* revision of this structure */
	buf_u8(b, 0);
	buf_u32(b, (uint32_t)size);
	buf_u64(b, 0);
	for (size_t i = 0; !b->failed && i < b->len; i++)
		sum += b->data[i];
	if (!b->failed)
		b->data[5] = (uint8_t)-sum;
}

int smbios_build(const struct machine_conf *c, struct buf *tables, struct buf *anchor)
{
	struct table t;

	bios(tables);
	system_info(tables);
	chassis(tables);
	processor(tables, c);
	memory_array(tables, c->ram.size);
	memory_device(tables, c->ram.size);
	memory_mapped(tables, c->ram.size);
	boot_info(tables);
	t = begin(tables, 127, HANDLE_END);
	end(&t);
	entry_point(anchor, tables->len);
	return tables->failed || anchor->failed ? -ENOMEM : 0;
}
