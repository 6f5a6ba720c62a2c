/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "proc.h"

/* The image of UEFI firmware for guests, of the bundle or installed; a skip without one. */
const char *firmware_path(void);

/* The last `WHO KEY=VALUE` on the console, until the next call; "" without. */
const char *firmware_said(const struct proc *run, const char *who, const char *key);
/*
 * Checks that it came to this state and switched the machine off. If not, the end of the console becomes notes, for a
 * reader wants it, and is cut to pieces.
 */
bool firmware_ended(struct proc *run, const char *who, const char *state);

#endif
