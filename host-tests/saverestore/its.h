/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ITS driven by the host alone: tables and commands in guest memory, registers by device attributes. Encodings:
 * IHI 0069 H 5.3 (commands), 12.12 (PROPBASER, PENDBASER), 12.18 (GITS registers).
 */
#ifndef SAVERESTORE_ITS_H
#define SAVERESTORE_ITS_H

#include "gicreg.h"

#define ITS_GPA	     0x50000000ULL
#define ITS_SIZE     0x100000ULL
#define ITS_PROP     (ITS_GPA)
#define ITS_PEND(n)  (ITS_GPA + 0x10000 + 0x10000ULL * (n))
#define ITS_QUEUE    (ITS_GPA + 0x30000)
#define ITS_DEVICES  (ITS_GPA + 0x40000) /* or the first level */
#define ITS_COLLS    (ITS_GPA + 0x50000)
#define ITS_ITT(n)   (ITS_GPA + 0x60000 + 0x1000ULL * (n))
#define ITS_LEVEL2   (ITS_GPA + 0x70000)
#define ITS_EVENTS   32U /* of each device */
#define BASER_VALID  (1ULL << 63)
#define BASER_64K    (2ULL << 8)
#define BASER_LEVELS (1ULL << 62)
#define LPI(n)	     (8192U + (n))

/* Two vCPUs, LPIs enabled, ITS enabled with empty tables; `entry` as the guest's snippet. */
struct vm *its_vm(void (*entry)(void), bool two_levels);
/* The same without ITS registers, LPIs and tables: what a VM is restored into. */
struct vm *its_empty_vm(void (*entry)(void));

/* Priority and enable of an LPI in the configuration table. */
void its_configure(struct vm *vm, uint32_t lpi, uint8_t priority, bool enabled);

/* Commands: queued and carried out (GITS_CWRITER). */
void its_mapd(struct vm *vm, uint32_t device, uint64_t itt, bool valid);
void its_mapc(struct vm *vm, uint32_t collection, uint32_t cpu, bool valid);
void its_mapti(struct vm *vm, uint32_t device, uint32_t event, uint32_t lpi, uint32_t collection);
void its_command(struct vm *vm, uint64_t d0, uint64_t d1, uint64_t d2);

bool its_pending_bit(struct vm *vm, unsigned int cpu, uint32_t lpi); /* in the saved table */

#endif
