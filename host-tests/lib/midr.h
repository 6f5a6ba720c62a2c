/* SPDX-License-Identifier: Apache-2.0 */
/* Names of CPUs by MIDR_EL1. Portable. */
#ifndef HOST_MIDR_H
#define HOST_MIDR_H

#include <stddef.h>
#include <stdint.h>

/* "Arm Neoverse-N1 r3p1 (0x413fd0c1)" */
const char *midr_name(uint64_t midr, char *buf, size_t size);

#endif
