/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

/* The image of UEFI firmware for guests, of the bundle or installed; a skip without one. */
const char *firmware_path(void);

#endif
