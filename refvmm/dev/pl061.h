/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REFVMM_DEV_PL061_H
#define REFVMM_DEV_PL061_H

#include "core/dev.h"

#define PL061_LINES	8U
#define PL061_POWER_KEY 3U /* the line the board's power key is on */

extern const struct dev_ops pl061_ops;

/* What the outside drives a line to. */
void pl061_drive(struct dev *d, unsigned line, bool level);
/* Is somebody listening: does a change of the line interrupt? */
bool pl061_armed(struct dev *d, unsigned line);

#endif
