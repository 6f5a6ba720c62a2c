/* SPDX-License-Identifier: Apache-2.0 */
/* virtio over PCI (virtio 1.2, 4.1), non-transitional: a function for the PCIe host. */
#ifndef REFVMM_VIRTIO_PCI_H
#define REFVMM_VIRTIO_PCI_H

#include "dev/pcie.h"

#define VPCI_MSIX_BAR	1U
#define VPCI_MSIX_SIZE	0x1000ULL
#define VPCI_BAR	4U /* and 5: 64 bits, prefetchable */
#define VPCI_BAR_SIZE	0x4000ULL
#define VPCI_COMMON	0x0000U
#define VPCI_ISR	0x1000U
#define VPCI_DEVICE	0x2000U
#define VPCI_NOTIFY	0x3000U
#define VPCI_STRUCTURE	0x1000U /* room of each */
#define VPCI_DEVICE_MIN 0x1040U /* device ID = this + type (4.1.2.1) */
#define VPCI_VENDOR	0x1af4U

/* conf is a struct virtio_conf_dev */
extern const struct pcie_fn_ops virtio_pci_ops;

#endif
