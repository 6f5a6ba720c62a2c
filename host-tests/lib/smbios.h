/* SPDX-License-Identifier: Apache-2.0 */
/* SMBIOS structure tables (DMTF DSP0134). Portable. */
#ifndef HOST_SMBIOS_H
#define HOST_SMBIOS_H

#include <stddef.h>

/* Current Speed (MHz) of the first populated type 4 structure; 0: unknown there; -1: no such structure. */
int smbios_current_speed_mhz(const unsigned char *table, size_t size);

#endif
