/* SPDX-License-Identifier: Apache-2.0 */
/* Message-signalled interrupts of one function, by ITS or by GICv2m, as the device tree says. */
#ifndef PCIE_MSI_H
#define PCIE_MSI_H

#include "common.h"

/* MSI-X capability (PCI Express Base Specification, 7.7.2) */
#define MSIX_CONTROL	     0x02
#define MSIX_CONTROL_ENABLE  BIT(15)
#define MSIX_CONTROL_MASK    BIT(14)
#define MSIX_CONTROL_SIZE(v) (BITS(v, 10, 0) + 1)
#define MSIX_TABLE	     0x04
#define MSIX_PBA	     0x08
#define MSIX_ENTRY	     16U
#define MSIX_ENTRY_CONTROL   12U
#define MSIX_ENTRY_MASKED    1U

struct msix {
	struct pci_host *host;
	struct pci_function *function;
	unsigned int cap;
	uint64_t table, pba; /* CPU addresses */
	uint64_t registers;  /* BAR0 of the endpoint */
};

/* The endpoint behind the last port, MSI-X on, all vectors masked; skips without a way for messages. */
struct msix msix_begin(void);
/* Give a vector an interrupt of its own, unmask it: its INTID. */
unsigned int msix_route(const struct msix *m, unsigned int vector);
void msix_mask(const struct msix *m, unsigned int vector, bool mask);
void msix_control(const struct msix *m, uint16_t bits);
bool msix_pending(const struct msix *m, unsigned int vector);
void msix_fire(const struct msix *m, unsigned int vector);
/* vectors fired that the endpoint could not send */
uint32_t msix_lost(const struct msix *m);

#endif
