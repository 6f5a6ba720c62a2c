/* SPDX-License-Identifier: Apache-2.0 */
#include "smbios.h"

#define TYPE_PROCESSOR 4
#define TYPE_END       127

/* DSP0134 3.6, 7.5: Current Speed is a 16-bit word at 0x16, Status at 0x18 (bit 6: socket populated). */
#define CURRENT_SPEED 0x16
#define STATUS	      0x18
#define POPULATED     0x40

int smbios_current_speed_mhz(const unsigned char *table, size_t size)
{
	size_t at = 0;

	while (at + 4 <= size) {
		unsigned int type = table[at], len = table[at + 1];

		if (len < 4 || at + len > size || type == TYPE_END)
			break;
		if (type == TYPE_PROCESSOR && len > STATUS && table[at + STATUS] & POPULATED)
			return table[at + CURRENT_SPEED] | table[at + CURRENT_SPEED + 1] << 8;
		/* behind the structure stand its strings, ended by two NULs */
		for (at += len; at + 1 < size && (table[at] || table[at + 1]); at++)
			;
		at += 2;
	}
	return -1;
}
