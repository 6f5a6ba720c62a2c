/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common Flash Memory Interface (JEDEC JESD68.01, tables 1 to 3; the Intel/Sharp extended table:
 * JEP137, command set 0001). A bank is two chips of 32 MiB side by side, 16 bits each; every
 * number below is one chip's.
 */
#include "dev/flash_cfi.h"

#define MANUFACTURER_INTEL 0x89
#define DEVICE_28F256	   0x18 /* the number QEMU's board answers with */

#define CHIP_SIZE_LOG2	 25
#define CHIP_SECTORS	 256
#define CHIP_SECTOR_SIZE 0x20000
#define CHIP_BUFFER_LOG2 11
#define EXTENDED	 0x31

static const uint8_t table[] = {
	[0x10] = 'Q',
	[0x11] = 'R',
	[0x12] = 'Y',
	[0x13] = 0x01, /* Intel/Sharp extended command set */
	[0x15] = EXTENDED,
	[0x1b] = 0x45, /* supply 4.5 V to 5.5 V, BCD */
	[0x1c] = 0x55,
	[0x1f] = 0x07, /* typical times: 2^7 us a word, 2^7 us a buffer, 2^10 ms a sector */
	[0x20] = 0x07,
	[0x21] = 0x0a,
	[0x23] = 0x04, /* at most 2^4 times as long */
	[0x24] = 0x04,
	[0x25] = 0x04,
	[0x27] = CHIP_SIZE_LOG2,
	[0x28] = 0x02, /* 8 and 16 bits wide */
	[0x2a] = CHIP_BUFFER_LOG2,
	[0x2c] = 1, /* region of equal sectors */
	[0x2d] = (CHIP_SECTORS - 1) & 0xff,
	[0x2e] = (CHIP_SECTORS - 1) >> 8,
	[0x2f] = CHIP_SECTOR_SIZE >> 8 & 0xff,
	[0x30] = CHIP_SECTOR_SIZE >> 16,
	[EXTENDED] = 'P',
	[0x32] = 'R',
	[0x33] = 'I',
	[0x34] = '1',
	[0x35] = '0',
	[0x36] = 0x20, /* sectors are locked and unlocked one by one, at once */
	[0x3a] = 0x01, /* and their state is read by Read Identifier: bit 0 */
	[0x3f] = 0x01, /* a protection register */
};

uint16_t flash_cfi_query(unsigned word)
{
	return word < sizeof(table) ? table[word] : 0;
}

uint16_t flash_cfi_id(unsigned word, int locked)
{
	switch (word) {
	case 0:
		return MANUFACTURER_INTEL;
	case 1:
		return DEVICE_28F256;
	case 2:
		return locked != 0;
	default:
		return 0;
	}
}
