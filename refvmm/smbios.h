/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine says of itself in SMBIOS tables (DMTF DSP0134, version 3.0). */
#ifndef REFVMM_SMBIOS_H
#define REFVMM_SMBIOS_H

#include "conf.h"
#include "core/buf.h"

/* 0 or -ENOMEM. The anchor is the 64-bit entry point; its address is the firmware's to fill in. */
int smbios_build(const struct machine_conf *c, struct buf *tables, struct buf *anchor);

#endif
