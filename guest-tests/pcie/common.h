/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share: the host, the last port, the endpoint behind it. */
#ifndef PCIE_COMMON_H
#define PCIE_COMMON_H

#include "pci.h"
#include "test.h"

#include <assay/board.h>
#include <assay/pcitest.h>

/* one run for each number of ports that the claims name */
#define PORTS \
	.variants = "ports1: --root-ports 1 | ports8: --root-ports 8 | ports15: --root-ports 15"

/* PCI Express capability (PCI Express Base Specification, 7.5.3), offsets from its begin */
#define EXP_CAPABILITIES      0x02
#define EXP_SLOT_CAPABILITIES 0x14
#define EXP_TYPE(caps)	      BITS(caps, 7, 4)
#define EXP_TYPE_ENDPOINT     0x0U
#define EXP_TYPE_ROOT_PORT    0x4U
#define EXP_TYPE_PCI_BRIDGE   0x7U
#define EXP_TYPE_FROM_PCI     0x8U
#define EXP_TYPE_INTEGRATED   0x9U
#define EXP_SLOT	      BIT(8)
#define SLOT_HOTPLUG_CAPABLE  BIT(6)
#define SLOT_NUMBER(caps)     BITS(caps, 31, 19)

bool variant_is(const char *name);
/* ports that the variant asked for; 0: it did not say */
unsigned int ports_asked(void);

/* The host as the device tree says, nothing enumerated; skips without. */
struct pci_host *host(void);
/* enumerated */
struct pci_host *enumerated(void);
/* enumerated, and every BAR placed */
struct pci_host *placed(void);

/* Root ports on the root bus, as found by enumeration. */
unsigned int count_ports(const struct pci_host *h);
/* the root port with the highest device number; skips without one */
struct pci_function *last_port(struct pci_host *h);
/* the test endpoint behind it; skips without one */
struct pci_function *last_endpoint(struct pci_host *h);
/* CPU address of a BAR of it */
uint64_t bar_address(const struct pci_function *f, unsigned int bar);

#endif
