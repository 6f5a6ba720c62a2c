/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REFVMM_DEV_PL031_H
#define REFVMM_DEV_PL031_H

#include "core/dev.h"

extern const struct dev_ops pl031_ops;

#endif
