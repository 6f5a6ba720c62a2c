/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board in ACPI tables (ACPI 6.0 and what it refers to), for firmware that takes them through
 * fw_cfg: the tables, the root pointer, and the commands with which the firmware links them
 * (QEMU's table-loader).
 */
#ifndef REFVMM_ACPI_H
#define REFVMM_ACPI_H

#include "board.h"
#include "core/buf.h"

struct acpi {
	struct buf tables; /* etc/acpi/tables */
	struct buf rsdp;   /* etc/acpi/rsdp */
	struct buf loader; /* etc/table-loader */
};

/* 0 or -ENOMEM. `c` is resolved; its cpu.pmu is ON if the vCPUs have one. */
int acpi_build(struct acpi *a, const struct machine_conf *c, const struct board *b);
void acpi_free(struct acpi *a);

/* acpi_dsdt.c: the devices, as AML. */
void acpi_dsdt(struct buf *b, const struct machine_conf *c, const struct board *board);

/* acpi_tables.c: each a whole table but for checksum and pointers; returns where it begins. */
size_t acpi_begin(struct buf *b, const char *signature, uint8_t revision);
void acpi_end(struct buf *b, size_t at); /* its length */
size_t acpi_fadt(struct buf *b);
size_t acpi_madt(struct buf *b, const struct machine_conf *c);
size_t acpi_gtdt(struct buf *b);
size_t acpi_pptt(struct buf *b, unsigned smp);
size_t acpi_mcfg(struct buf *b, const struct machine_conf *c);
size_t acpi_spcr(struct buf *b);
size_t acpi_dbg2(struct buf *b);
size_t acpi_iort(struct buf *b);

/* Where the ECAM window is, and how many buses it has. */
struct dev_range acpi_ecam(const struct machine_conf *c);

#endif
