/* SPDX-License-Identifier: Apache-2.0 */
/* CFI flash with the Intel/Sharp command set: JESD68.01, JEP137 (0001), Intel P30 datasheet 306666. */
#ifndef FLASH_FLASH_H
#define FLASH_FLASH_H

#include "test.h"

#define BOTH(command) ((command)*0x10001U) /* two 16-bit chips side by side */

enum flash_command {
	CMD_ERASE = 0x20,
	CMD_PROGRAM = 0x40,
	CMD_CLEAR_STATUS = 0x50,
	CMD_LOCK_SETUP = 0x60,
	CMD_STATUS = 0x70,
	CMD_ID = 0x90,
	CMD_QUERY = 0x98,
	CMD_CONFIRM = 0xd0,
	CMD_BUFFER = 0xe8,
	CMD_ARRAY = 0xff,
	CMD_LOCK = 0x01,
};

enum { SR_LOCKED = 1 << 1, SR_PROGRAM = 1 << 4, SR_ERASE = 1 << 5, SR_READY = 1 << 7 };

/* The bank no firmware lies in; showing its array, status clear. SKIPs where chips are otherwise arranged. */
struct mmio flash_bank(unsigned n);
void flash_command(struct mmio bank, uint64_t off, uint32_t command);
uint32_t flash_query(struct mmio bank, unsigned word); /* one chip's; leaves the query on */
uint64_t flash_sector_size(struct mmio bank);	       /* of both chips */
/* Erase or program: the status both chips end with. The bank shows it until CMD_ARRAY. */
uint32_t flash_erase(struct mmio bank, uint64_t off);
uint32_t flash_program(struct mmio bank, uint64_t off, uint32_t val);

#endif
