/* SPDX-License-Identifier: Apache-2.0 */
/* What a virtio-pci function keeps over its own reset, and its common configuration structure. */
#ifndef REFVMM_VIRTIO_PCI_COMMON_H
#define REFVMM_VIRTIO_PCI_COMMON_H

#include "dev/pcie_msix.h"
#include "virtio/virtio.h"

struct virtio_pci {
	struct pcie_fn *fn;
	struct virtio_dev *v;
	unsigned express, window; /* capabilities */
	struct pcie_msix msix;
	uint16_t config_vector, queue_vector[VIRTIO_QUEUES_MAX];
	uint8_t isr;
	uint64_t bell_at; /* where the doorbell listens; 0: nowhere */
};

/* The structure of virtio 1.2, 4.1.4.3. Reads of any width; writes of a field's own. */
uint64_t virtio_pci_common_read(struct virtio_pci *p, uint64_t off, unsigned len);
void virtio_pci_common_write(struct virtio_pci *p, uint64_t off, unsigned len, uint64_t val);

/* Vectors and interrupt status as after a reset of the device. */
void virtio_pci_forget(struct virtio_pci *p);

#endif
