/* SPDX-License-Identifier: Apache-2.0 */
/* The PCIe host: what its options ask for, and what of it fits. */
#ifndef REFVMM_DEV_PCIE_HOST_H
#define REFVMM_DEV_PCIE_HOST_H

#include "core/dev.h"
#include "dev/pci_test.h"

#define PCIE_ENDPOINTS_MAX 64U

/* Indices into dev.range, and of dev_ops.window. */
enum pcie_window {
	PCIE_WINDOW_ECAM,
	PCIE_WINDOW_MMIO32,
	PCIE_WINDOW_PIO,
	PCIE_WINDOW_MMIO64, /* size 0: highmem=off */
};

enum { PCIE_PORT_ANY = -1, PCIE_PORT_NONE = -2 };

struct pcie_fn_ops;

struct pcie_endpoint_conf {
	int port; /* number of a root port from 0, PCIE_PORT_ANY or PCIE_PORT_NONE (root bus) */
	const struct pcie_fn_ops *ops; /* NULL: the test endpoint */
	const void *conf;	       /* for ops->setup; the test endpoint has its own */
	const char *option;	       /* for messages: "--device pci-test" */
	uint64_t bar32, msix, bar64;   /* sizes of its BARs; 0: none */
	struct pci_test_conf test;
};

struct pcie_conf {
	unsigned root_ports;
	unsigned nr_endpoints;
	struct pcie_endpoint_conf endpoint[PCIE_ENDPOINTS_MAX];
};

/* One endpoint more; what of it has no default is 0. NULL: no room, refused. */
struct pcie_endpoint_conf *pcie_conf_add(struct pcie_conf *c);

extern const struct dev_option pcie_options[];
extern const struct dev_ops pcie_host_ops;

/* Where the function of that configuration is: the slot of its root port (-1: on the root bus) and its own. */
void pcie_where(struct dev *host, const void *conf, int *port, int *slot);

/* ---- the prediction */

/* What a machine of this configuration uses up, against what there is. */
struct pcie_budget {
	unsigned buses, buses_max;   /* bus numbers: the root bus and one a root port */
	unsigned slots, slots_max;   /* of the root bus, beside the host bridge */
	uint64_t mmio32, mmio32_max; /* bytes, holes for alignment included */
	uint64_t mmio64, mmio64_max;
	const char *exhausted; /* the limit's name in the table of refusals; NULL: all fits */
};

/*
 * Gives endpoints without a port theirs, and computes the budget in the order slots, buses, ports,
 * 32-bit window, 64-bit window; stops at what runs out first. Addresses are given as firmware and
 * Linux do: largest alignment first, each at the lowest address that is free.
 */
void pcie_budget(struct pcie_conf *conf, const struct dev_range range[DEV_WINDOWS_MAX],
		 struct pcie_budget *b);

#endif
