/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI Machine Language (ACPI 6.0, chapter 20): just what the board's description is made of.
 *
 *	struct aml_block dev = aml_device(b, "COM0");
 *
 *	aml_name(b, "_UID");
 *	aml_int(b, 0);
 *	aml_end(b, &dev);
 */
#ifndef REFVMM_ACPI_AML_H
#define REFVMM_ACPI_AML_H

#include "core/buf.h"

struct aml_block {
	size_t body;
};

/* `name` has four characters, as all names below. */
struct aml_block aml_scope(struct buf *b, const char *name);
struct aml_block aml_device(struct buf *b, const char *name);
struct aml_block aml_method(struct buf *b, const char *name, unsigned args);
struct aml_block aml_package(struct buf *b, unsigned elements);
void aml_end(struct buf *b, const struct aml_block *block);

/* Name(name, what follows) */
void aml_name(struct buf *b, const char *name);
void aml_int(struct buf *b, uint64_t val);
void aml_string(struct buf *b, const char *s);
/* "PNP0A08" as a number */
void aml_eisa(struct buf *b, const char *id);
void aml_return_arg(struct buf *b, unsigned n);
void aml_notify(struct buf *b, const char *object, uint8_t value);

/* Resource templates (6.4): a buffer, to be ended with aml_resources_end(). */
struct aml_resources {
	struct buf list;
};

void aml_res_memory32(struct aml_resources *r, uint64_t base, uint64_t size);
void aml_res_interrupt(struct aml_resources *r, uint32_t intid);
void aml_res_bus(struct aml_resources *r, unsigned last);
enum aml_space { AML_MEMORY = 0, AML_IO = 1 };
void aml_res_range32(struct aml_resources *r, enum aml_space space, uint64_t base, uint64_t size,
		     uint64_t translation);
void aml_res_range64(struct aml_resources *r, uint64_t base, uint64_t size);
/* Consumed by the device itself, not handed on. */
void aml_res_own64(struct aml_resources *r, uint64_t base, uint64_t size);
/* A rising edge on `pin` of the controller called `name`. */
void aml_res_gpio(struct aml_resources *r, unsigned pin, const char *name);
void aml_resources_end(struct buf *b, struct aml_resources *r);

#endif
