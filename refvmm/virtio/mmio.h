/* SPDX-License-Identifier: Apache-2.0 */
/* The 32 virtio-mmio transports of the board, as one device. */
#ifndef REFVMM_VIRTIO_MMIO_H
#define REFVMM_VIRTIO_MMIO_H

#include "core/dev.h"

#define VIRTIO_MMIO_STRIDE 0x200U

extern const struct dev_ops virtio_mmio_ops;

#endif
