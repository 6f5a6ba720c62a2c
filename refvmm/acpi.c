/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the tables together, and the commands that link them: QEMU's table-loader, 128 bytes each. */
#include "acpi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 12U
#define FILE_NAME  56U
#define COMMAND	   128U

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"

enum command { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum zone { ZONE_HIGH = 1, ZONE_FSEG = 2 };

enum {
	TABLE_CHECKSUM = 9,
	FADT_X_DSDT = 140,
	RSDP_CHECKSUM = 8,
	RSDP_V1_LENGTH = 20,
	RSDP_XSDT = 24,
	RSDP_CHECKSUM_V2 = 32,
	RSDP_LENGTH = 36,
	HEADER = 36,
};

static void file_name(struct buf *b, const char *name)
{
	buf_bytes(b, name, strlen(name));
	buf_zero(b, FILE_NAME - strlen(name));
}

static void fill_command(struct buf *b, size_t at)
{
	buf_zero(b, COMMAND - (b->len - at));
}

static void allocate(struct buf *b, const char *file, uint32_t align, enum zone zone)
{
	size_t at = b->len;

	buf_u32(b, ALLOCATE);
	file_name(b, file);
	buf_u32(b, align);
	buf_u8(b, (uint8_t)zone);
	fill_command(b, at);
}

/* The 8 bytes at `off` of `file` hold an offset in the file of tables; its address is added. */
static void add_pointer(struct buf *b, const char *file, size_t off)
{
	size_t at = b->len;

	buf_u32(b, ADD_POINTER);
	file_name(b, file);
	file_name(b, TABLES_FILE);
	buf_u32(b, (uint32_t)off);
	buf_u8(b, 8);
	fill_command(b, at);
}

static void add_checksum(struct buf *b, const char *file, size_t where, size_t start, size_t len)
{
	size_t at = b->len;

	buf_u32(b, ADD_CHECKSUM);
	file_name(b, file);
	buf_u32(b, (uint32_t)where);
	buf_u32(b, (uint32_t)start);
	buf_u32(b, (uint32_t)len);
	fill_command(b, at);
}

static void xsdt(struct buf *b, const size_t *table, unsigned nr)
{
	size_t at = acpi_begin(b, "XSDT", 1);

	for (unsigned i = 0; i < nr; i++)
		buf_u64(b, table[i]);
	acpi_end(b, at);
}

static void rsdp(struct buf *b, size_t xsdt_at)
{
	buf_bytes(b, "RSD PTR ", 8);
	buf_u8(b, 0);
	buf_bytes(b, "ASSAY ", 6);
	buf_u8(b, 2);
	buf_u32(b, 0); /* no RSDT */
	buf_u32(b, RSDP_LENGTH);
	buf_u64(b, xsdt_at);
	buf_zero(b, 4);
}

/* First the pointers, then the sums over them. */
static void link_tables(struct acpi *a, size_t dsdt, const size_t *table, unsigned nr,
			size_t xsdt_at)
{
	struct buf *l = &a->loader;

	allocate(l, RSDP_FILE, 16, ZONE_FSEG);
	allocate(l, TABLES_FILE, 64, ZONE_HIGH);
	add_pointer(l, TABLES_FILE, table[0] + FADT_X_DSDT);
	for (unsigned i = 0; i < nr; i++)
		add_pointer(l, TABLES_FILE, xsdt_at + HEADER + i * sizeof(uint64_t));
	add_pointer(l, RSDP_FILE, RSDP_XSDT);
	add_checksum(l, TABLES_FILE, dsdt + TABLE_CHECKSUM, dsdt, table[0] - dsdt);
	for (unsigned i = 0; i < nr; i++) {
		size_t next = i + 1 < nr ? table[i + 1] : xsdt_at;

		add_checksum(l, TABLES_FILE, table[i] + TABLE_CHECKSUM, table[i], next - table[i]);
	}
	add_checksum(l, TABLES_FILE, xsdt_at + TABLE_CHECKSUM, xsdt_at, a->tables.len - xsdt_at);
	add_checksum(l, RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_V1_LENGTH);
	add_checksum(l, RSDP_FILE, RSDP_CHECKSUM_V2, 0, RSDP_LENGTH);
}

int acpi_build(struct acpi *a, const struct machine_conf *c, const struct board *b)
{
	size_t table[TABLES_MAX], dsdt, xsdt_at;
	unsigned nr = 0;

	*a = (struct acpi){0};
	dsdt = acpi_begin(&a->tables, "DSDT", 2);
	acpi_dsdt(&a->tables, c, b);
	acpi_end(&a->tables, dsdt);
	table[nr++] = acpi_fadt(&a->tables);
	if (!a->tables.failed) /* an offset that the loader turns into an address */
		buf_put32(&a->tables, table[0] + FADT_X_DSDT, (uint32_t)dsdt);
	table[nr++] = acpi_madt(&a->tables, c);
	table[nr++] = acpi_gtdt(&a->tables);
	table[nr++] = acpi_pptt(&a->tables, c->smp);
	table[nr++] = acpi_mcfg(&a->tables, c);
	table[nr++] = acpi_spcr(&a->tables);
	table[nr++] = acpi_dbg2(&a->tables);
	if (c->its == ON)
		table[nr++] = acpi_iort(&a->tables);
	xsdt_at = a->tables.len;
	xsdt(&a->tables, table, nr);
	rsdp(&a->rsdp, xsdt_at);
	link_tables(a, dsdt, table, nr, xsdt_at);
	if (!a->tables.failed && !a->rsdp.failed && !a->loader.failed)
		return 0;
	acpi_free(a);
	return -ENOMEM;
}

void acpi_free(struct acpi *a)
{
	buf_free(&a->tables);
	buf_free(&a->rsdp);
	buf_free(&a->loader);
}
