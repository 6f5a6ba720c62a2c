/* SPDX-License-Identifier: Apache-2.0 */
/* LPIs and the Interrupt Translation Service (IHI 0069H, chapters 5 and 6). */
#ifndef LIB_ITS_H
#define LIB_ITS_H

#include "mmio.h"
#include "types.h"

#define LPI_FIRST 8192U
#define LPI_BITS  14U /* INTIDs below 1 << LPI_BITS */

/* skip the test where the device tree has no ITS; else switch it and this CPU's LPIs on */
void its_need(void);
struct mmio its_frame(void);
/* what a device writes its event to (GITS_TRANSLATER) */
uint64_t its_doorbell(void);

/* LPIs on for that CPU, and collection number `cpu` mapped to it */
void its_use_cpu(unsigned cpu);
/* an LPI that no test has used, switched on in the configuration table */
unsigned its_new_lpi(void);
/* the configuration table's byte; takes effect by INV or INVALL */
void lpi_configure(unsigned lpi, uint8_t priority, bool enable);

/* Commands, each followed by SYNC on the CPUs in use; they return when the ITS has read them. */
void its_mapd(uint32_t device, unsigned event_bits);
void its_unmapd(uint32_t device);
void its_mapc(unsigned collection, unsigned cpu);
void its_mapti(uint32_t device, uint32_t event, unsigned lpi, unsigned collection);
void its_mapi(uint32_t device, unsigned lpi, unsigned collection);
void its_movi(uint32_t device, uint32_t event, unsigned collection);
void its_movall(unsigned from_cpu, unsigned to_cpu);
void its_discard(uint32_t device, uint32_t event);
void its_inv(uint32_t device, uint32_t event);
void its_invall(unsigned collection);
void its_int(uint32_t device, uint32_t event);
void its_clear(uint32_t device, uint32_t event);

void its_unmapc(unsigned collection);

/*
 * The command queue by hand: its_put() writes commands into it, its_go() tells the ITS, which reads them
 * all before it returns (or, when the ITS is off, leaves them). No SYNC is added.
 */
void its_put(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3);
void its_go(void);
/* one command by hand; then SYNC, as all others */
void its_command(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3);
/* RDbase of a CPU in commands (5.3) */
uint64_t its_rdbase(unsigned cpu);
/* where the next command goes, as GITS_CWRITER has it */
uint64_t its_written(void);
/* another queue of that many 4 KiB pages (at most 16), empty; the ITS is off meanwhile */
void its_new_queue(unsigned pages);
/* another device table, as GITS_BASER takes it, or the library's own flat one with 0; no device is mapped then */
void its_device_table(uint64_t baser);
void its_switch(bool on);

/* library: after each test, all LPIs off */
void its_reset(void);

#define GITS_CTLR	    0x0000
#define GITS_IIDR	    0x0004
#define GITS_TYPER	    0x0008
#define GITS_CBASER	    0x0080
#define GITS_CWRITER	    0x0088
#define GITS_CREADR	    0x0090
#define GITS_BASER	    0x0100
#define GITS_BASER_INDIRECT BIT(62)
#define GITS_PIDR2	    0xffe8

#endif
