/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree (Devicetree Specification 0.4, chapter 5): the only source of addresses and INTIDs. */
#ifndef LIB_DT_H
#define LIB_DT_H

#include "mmio.h"
#include "types.h"

/* A node is its offset in the structure block; DT_NONE: there is none. */
#define DT_NONE (-1)

bool dt_init(uint64_t blob);
/* all nodes in document order: dt_next(DT_NONE) is the root */
int dt_next(int node);
int dt_parent(int node);
const char *dt_name(int node);
int dt_path(const char *path);
/* the nth node with this `compatible`; with status = "disabled" it does not count */
int dt_find(const char *compatible, unsigned nth);
const void *dt_prop(int node, const char *name, uint32_t *len);
uint32_t dt_u32(int node, const char *name, uint32_t otherwise);
/* cell number `index` of a property, host endian; 0 beyond its end */
uint32_t dt_cell(int node, const char *name, unsigned index);
const char *dt_str(int node, const char *name);
bool dt_reg(int node, unsigned index, uint64_t *addr, uint64_t *size);
/* RAM region number n */
bool dt_memory(unsigned n, uint64_t *base, uint64_t *size);

/* first register window of the first such device; size 0 without one */
struct mmio dt_mmio(const char *compatible);
struct mmio dt_mmio_reg(int node, unsigned index);
/* INTID of an interrupt of a device; 0 (which no device uses) without one */
unsigned dt_irq(const char *compatible);
unsigned dt_irq_of(int node, unsigned index);

#endif
