/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of a PCIe function reaches the frame as what it is, a 32-bit write to MSI_SETSPI_NS:
 * the machine's env.msi puts it on the bus.
 */
#ifndef REFVMM_DEV_GICV2M_H
#define REFVMM_DEV_GICV2M_H

#include "core/dev.h"

#define GICV2M_SETSPI 0x040U /* where messages go: MSI_SETSPI_NS */

extern const struct dev_ops gicv2m_ops;

#endif
