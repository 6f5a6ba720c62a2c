/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables as firmware sees them: the loader's commands are carried out here, and what comes of
 * it is walked from the root pointer, by the offsets of the specifications.
 * REFVMM_TABLES_WRITE=FOLDER writes each table there, for iasl and dmidecode.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "acpi.h"
#include "smbios.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define TABLES_AT 0x10000000ULL
#define RSDP_AT	  0x20000000ULL

struct bench {
	struct machine_conf c;
	struct fake_env *fe;
	struct board board;
	struct acpi acpi;
};

static struct bench *bench_new(enum gic_version gic, unsigned smp, bool highmem)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->c = (struct machine_conf){.gic = gic, .smp = smp, .highmem = highmem};
	b->c.its = gic == GIC_V3 ? ON : OFF;
	b->c.cpu.pmu = ON;
	b->c.ram.size = 1ULL << 30;
	b->fe = fake_env_new();
	if (board_conf_init(&b->c) || board_build(&b->board, &b->c, &b->fe->env) ||
	    acpi_build(&b->acpi, &b->c, &b->board))
		abort();
	return b;
}

static void bench_free(struct bench *b)
{
	acpi_free(&b->acpi);
	board_free(&b->board);
	board_conf_free(&b->c);
	fake_env_free(b->fe);
	free(b);
}

static uint64_t le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static uint8_t *file_of(struct bench *b, const char *name, uint64_t *at, size_t *len)
{
	bool tables = !strcmp(name, "etc/acpi/tables");
	struct buf *f = tables ? &b->acpi.tables : &b->acpi.rsdp;

	if (!tables && strcmp(name, "etc/acpi/rsdp") != 0)
		abort();
	*at = tables ? TABLES_AT : RSDP_AT;
	*len = f->len;
	return f->data;
}

/* QEMU's table-loader, as firmware carries it out. */
static void run_loader(struct bench *b)
{
	const struct buf *l = &b->acpi.loader;

	EXPECT_EQ(l->len % 128, 0);
	for (size_t i = 0; i < l->len; i += 128) {
		const uint8_t *cmd = l->data + i;
		uint64_t at, to;
		size_t len, other;
		uint8_t *f = file_of(b, (const char *)cmd + 4, &at, &len);
		uint64_t off = le(cmd + 60, 4), val;

		switch (le(cmd, 4)) {
		case 1:
			break;
		case 2:
			off = le(cmd + 116, 4);
			file_of(b, (const char *)cmd + 60, &to, &other);
			ASSERT(cmd[120] == 8 && off + 8 <= len);
			val = le(f + off, 8);
			EXPECT(val < other);
			val = htole64(val + to);
			memcpy(f + off, &val, 8);
			break;
		case 3:
			ASSERT(le(cmd + 64, 4) + le(cmd + 68, 4) <= len);
			f[off] = (uint8_t)-sum(f + le(cmd + 64, 4), le(cmd + 68, 4));
			break;
		default:
			EXPECT_EQ(le(cmd, 4), 1);
		}
	}
}

static void write_table(const char *name, const uint8_t *p, size_t len)
{
	const char *folder = getenv("REFVMM_TABLES_WRITE");
	char path[256];
	FILE *f;

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%.4s.aml", folder, name);
	f = fopen(path, "we");
	if (f) {
		fwrite(p, len, 1, f);
		fclose(f);
	}
}

static const uint8_t *table_at(struct bench *b, uint64_t addr)
{
	const uint8_t *t = b->acpi.tables.data + (addr - TABLES_AT);

	if (addr - TABLES_AT + 36 > b->acpi.tables.len ||
	    addr - TABLES_AT + le(t + 4, 4) > b->acpi.tables.len)
		abort();
	EXPECT_EQ(sum(t, le(t + 4, 4)), 0);
	write_table((const char *)t, t, le(t + 4, 4));
	return t;
}

/* From the root pointer; NULL: there is no such table. */
static const uint8_t *find(struct bench *b, const char *signature)
{
	const uint8_t *rsdp = b->acpi.rsdp.data, *xsdt, *t;

	EXPECT(!memcmp(rsdp, "RSD PTR ", 8));
	EXPECT_EQ(sum(rsdp, 20), 0);
	EXPECT_EQ(sum(rsdp, 36), 0);
	xsdt = table_at(b, le(rsdp + 24, 8));
	EXPECT(!memcmp(xsdt, "XSDT", 4));
	for (uint64_t i = 36; i < le(xsdt + 4, 4); i += 8) {
		t = table_at(b, le(xsdt + i, 8));
		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

TEST(acpi, tables_hang_together)
{
	struct bench *b = bench_new(GIC_V3, 2, true);
	const uint8_t *fadt, *dsdt;

	run_loader(b);
	fadt = find(b, "FACP");
	ASSERT(fadt);
	EXPECT_EQ(le(fadt + 4, 4), 276);
	EXPECT_EQ(le(fadt + 112, 4), 1 << 20); /* reduced hardware */
	EXPECT_EQ(le(fadt + 129, 2), 3);       /* PSCI by HVC */
	dsdt = table_at(b, le(fadt + 140, 8));
	EXPECT(!memcmp(dsdt, "DSDT", 4));
	EXPECT_EQ(dsdt[36], 0x10); /* Scope */
	EXPECT(find(b, "GTDT") && find(b, "MCFG") && find(b, "SPCR") && find(b, "DBG2"));
	EXPECT(find(b, "IORT"));
	bench_free(b);
}

/* The subtables of this type; the last one is *last. */
static unsigned subtables(const uint8_t *madt, uint8_t type, const uint8_t **last)
{
	unsigned n = 0;

	for (uint64_t at = 44; at < le(madt + 4, 4); at += madt[at + 1]) {
		if (!madt[at + 1])
			abort();
		if (madt[at] == type) {
			*last = madt + at;
			n++;
		}
	}
	return n;
}

TEST(acpi, madt_has_every_cpu_and_the_gic)
{
	struct bench *b = bench_new(GIC_V3, 200, true);
	const uint8_t *madt, *s = NULL;

	run_loader(b);
	madt = find(b, "APIC");
	EXPECT_EQ(subtables(madt, 11, &s), 200);
	EXPECT_EQ(s[1], 80);
	EXPECT_EQ(le(s + 68, 8), 0xc07);       /* MPIDR of the last: affinity 1 is 12 */
	EXPECT_EQ(le(s + 20, 4), 23);	       /* PMU */
	EXPECT_EQ(subtables(madt, 14, &s), 2); /* redistributors beyond the first 123 */
	EXPECT_EQ(le(s + 4, 8), 0x4000000000);
	EXPECT_EQ(le(s + 12, 4), 77 * 0x20000);
	EXPECT_EQ(subtables(madt, 15, &s), 1);
	EXPECT_EQ(le(s + 8, 8), 0x08080000);
	EXPECT_EQ(subtables(madt, 12, &s), 1);
	EXPECT_EQ(s[20], 3);
	bench_free(b);
}

/* ACPI 6.3, 5.2.29.1: one package, and each processor of the MADT below it */
TEST(acpi, pptt_puts_every_cpu_into_one_package)
{
	struct bench *b = bench_new(GIC_V3, 20, true);
	const uint8_t *pptt;

	run_loader(b);
	pptt = find(b, "PPTT");
	ASSERT(pptt);
	EXPECT_EQ(le(pptt + 4, 4), 36 + 21 * 20);
	EXPECT_EQ(le(pptt + 36 + 4, 4) & 0xb, 1); /* a package, no leaf, no processor */
	EXPECT_EQ(le(pptt + 36 + 8, 4), 0);
	for (unsigned i = 0; i < 20; i++) {
		const uint8_t *p = pptt + 36 + 20UL * (i + 1);

		EXPECT_EQ(p[0] << 8 | p[1], 20);
		EXPECT_EQ(le(p + 4, 4), 2 | 8); /* ACPI processor ID valid, leaf */
		EXPECT_EQ(le(p + 8, 4), 36);
		EXPECT_EQ(le(p + 12, 4), i);
	}
	bench_free(b);
}

/* Each slot of the device tree, by the identifier that Linux's virtio_mmio driver knows. */
TEST(acpi, every_virtio_mmio_slot_is_a_device)
{
	struct bench *b = bench_new(GIC_V3, 1, true);
	static const char id[] = "LNRO0005";
	unsigned n = 0;

	for (size_t i = 0; i + 200 < b->acpi.tables.len; i++) {
		const uint8_t *p = b->acpi.tables.data + i;

		if (memcmp(p, id, sizeof(id)) != 0)
			continue;
		for (; memcmp(p, "\x86\x09\x00", 3) != 0; p++)
			; /* Memory32Fixed: 6.4.3.4 */
		EXPECT_EQ(le(p + 4, 4), 0x0a000000 + n * 0x200);
		EXPECT_EQ(le(p + 8, 4), 0x200);
		EXPECT_EQ(p[12], 0x89); /* extended interrupt: 6.4.3.6 */
		EXPECT_EQ(le(p + 17, 4), 32 + 16 + n);
		n++;
	}
	EXPECT_EQ(n, 32);
	bench_free(b);
}

TEST(acpi, gicv2_has_a_message_frame_and_no_iort)
{
	struct bench *b = bench_new(GIC_V2, 8, false);
	const uint8_t *madt, *s = NULL, *mcfg;

	run_loader(b);
	madt = find(b, "APIC");
	EXPECT_EQ(subtables(madt, 11, &s), 8);
	EXPECT_EQ(le(s + 32, 8), 0x08010000); /* its CPU interface */
	EXPECT_EQ(subtables(madt, 13, &s), 1);
	EXPECT_EQ(le(s + 20, 2), 64);
	EXPECT_EQ(le(s + 22, 2), 80);
	EXPECT_EQ(subtables(madt, 14, &s) + subtables(madt, 15, &s), 0);
	EXPECT(!find(b, "IORT"));
	mcfg = find(b, "MCFG");
	EXPECT_EQ(le(mcfg + 44, 8), 0x3f000000); /* highmem=off: 16 buses */
	EXPECT_EQ(mcfg[55], 15);
	bench_free(b);
}

/* ---- SMBIOS: DSP0134 */

/* Walks to the table of this type; NULL: none. */
static const uint8_t *smbios_find(const struct buf *t, uint8_t type)
{
	for (size_t at = 0; at + 4 <= t->len;) {
		const uint8_t *p = t->data + at;

		if (p[0] == type)
			return p;
		for (at += p[1]; at + 1 < t->len && (t->data[at] || t->data[at + 1]); at++)
			;
		at += 2;
	}
	return NULL;
}

TEST(smbios, every_table_is_there_with_its_length)
{
	static const struct {
		uint8_t type, len;
	} want[] = {{0, 24},  {1, 27},	{3, 22},  {4, 48}, {16, 23},
		    {17, 40}, {19, 31}, {32, 11}, {127, 4}};
	struct machine_conf c = {.smp = 300};
	struct buf tables = {0}, anchor = {0};
	const uint8_t *p;

	c.ram.size = 255ULL << 30;
	EXPECT_EQ(smbios_build(&c, &tables, &anchor), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		p = smbios_find(&tables, want[i].type);
		EXPECT(p && p[1] == want[i].len);
	}
	EXPECT_EQ(anchor.len, 24);
	EXPECT(!memcmp(anchor.data, "_SM3_", 5));
	EXPECT_EQ(sum(anchor.data, 24), 0);
	EXPECT_EQ(le(anchor.data + 12, 4), tables.len);
	p = smbios_find(&tables, 4);
	EXPECT_EQ(p[0x23], 0xff); /* more cores than a byte holds */
	EXPECT_EQ(le(p + 0x2a, 2), 300);
	p = smbios_find(&tables, 17);
	EXPECT_EQ(le(p + 12, 2), 0x7fff);
	EXPECT_EQ(le(p + 28, 4), 255 << 10);
	p = smbios_find(&tables, 19);
	EXPECT_EQ(le(p + 4, 4), 0x100000);
	EXPECT_EQ(le(p + 8, 4), 0xfffffff);
	write_table("anch", anchor.data, anchor.len);
	write_table("smbi", tables.data, tables.len);
	buf_free(&tables);
	buf_free(&anchor);
}
