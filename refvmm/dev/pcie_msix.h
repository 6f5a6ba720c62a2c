/* SPDX-License-Identifier: Apache-2.0 */
/* MSI-X (PCIe 6.0, 7.7.2 and 6.1.4): the vector table, its pending bits, and sending. */
#ifndef REFVMM_DEV_PCIE_MSIX_H
#define REFVMM_DEV_PCIE_MSIX_H

#include "dev/pcie.h"

#define PCIE_MSIX_VECTORS_MAX 64U

struct pcie_msix_vector {
	uint64_t addr;
	uint32_t data, control;
};

struct pcie_msix {
	unsigned cap, nr; /* offset of the capability; vectors */
	uint64_t pending;
	bool often; /* vectors fire again and again, and nobody asks what became of it: env_ops.message */
	struct pcie_msix_vector vector[PCIE_MSIX_VECTORS_MAX];
};

/* The table lies in BAR `bar` at `table`, the pending bits at `pba`. */
void pcie_msix_setup(struct pcie_fn *f, struct pcie_msix *m, unsigned nr, unsigned bar,
		     uint32_t table, uint32_t pba);

/* Accesses to the table and to the pending bits, relative to their start. */
uint64_t pcie_msix_table_read(const struct pcie_msix *m, uint64_t off, unsigned len);
void pcie_msix_table_write(struct pcie_fn *f, struct pcie_msix *m, uint64_t off, unsigned len,
			   uint64_t val);
uint64_t pcie_msix_pending_read(const struct pcie_msix *m, uint64_t off, unsigned len);

/* After a write to configuration space: the function mask may be gone. */
void pcie_msix_configured(struct pcie_fn *f, struct pcie_msix *m);
bool pcie_msix_enabled(const struct pcie_fn *f, const struct pcie_msix *m);

/*
 * Vector `n` has something to say: sent at once, or held pending while masked. False: lost, for
 * MSI-X is off, there is no such vector, or the message could not be sent.
 */
bool pcie_msix_fire(struct pcie_fn *f, struct pcie_msix *m, uint32_t n);

#endif
