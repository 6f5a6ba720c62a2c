/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REFVMM_DEV_PCI_TEST_H
#define REFVMM_DEV_PCI_TEST_H

#include <stdint.h>

#define PCI_TEST_BAR_MIN       0x1000ULL
#define PCI_TEST_BAR32_DEFAULT 0x1000ULL
#define PCI_TEST_BAR64_DEFAULT 0x100000ULL
#define PCI_TEST_MSIX_BAR_SIZE 0x1000ULL

struct pci_test_conf {
	unsigned index;	       /* which --device it is, from 0 */
	uint64_t bar32, bar64; /* powers of two, at least PCI_TEST_BAR_MIN */
};

#endif
