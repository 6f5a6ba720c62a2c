/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware is asked to start from, in which order: fw_cfg's file "bootorder". */
#ifndef REFVMM_BOOTORDER_H
#define REFVMM_BOOTORDER_H

#include "board.h"
#include "core/buf.h"

/*
 * The devices with a bootindex=, lowest first, one OpenFirmware path a line, as QEMU writes them for its virt board and
 * EDK2's QemuBootOrderLib reads them; ends with a NUL. Empty where no device has one. 0 or -ENOMEM.
 */
int bootorder_build(struct buf *out, const struct machine_conf *c, const struct board *b);

#endif
