/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REFVMM_DEV_PL011_H
#define REFVMM_DEV_PL011_H

#include "core/dev.h"

extern const struct dev_ops pl011_ops;

#endif
