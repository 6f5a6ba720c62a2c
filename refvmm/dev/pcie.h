/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI Express as refvmm has it: one root bus with the host bridge function at 00:00.0, root ports
 * and integrated endpoints beside it, and at most one endpoint behind each port. There are no
 * switches and no multi-function devices.
 *
 * A function answers only when every window and Command bit on the path lets the request through;
 * everything else reads as all ones, as after an Unsupported Request (PCIe 6.0, 2.3.2).
 */
#ifndef REFVMM_DEV_PCIE_H
#define REFVMM_DEV_PCIE_H

#include "core/dev.h"
#include "dev/pcie_config.h"

#define PCIE_SLOTS 32U /* of one bus; slot 0 of the root bus is the host bridge */
#define PCIE_PINS  4U

struct pcie_root;
struct pcie_fn;

struct pcie_fn_ops {
	const char *name;
	size_t size; /* of the structure whose first member is struct pcie_fn */
	/* Fill configuration space and bar_size; everything else is zero. */
	void (*setup)(struct pcie_fn *f, const void *conf);
	/* An access that lies inside one BAR. NULL: the function has none. */
	uint64_t (*read)(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len);
	void (*write)(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len, uint64_t val);
	/* Configuration space was written by the guest; NULL: no register has an effect. */
	void (*configured)(struct pcie_fn *f, unsigned off, unsigned len);
	/* Configuration space is about to be read there; NULL: what is stored is what is read. */
	void (*reading)(struct pcie_fn *f, unsigned off, unsigned len);
	/* What outlives a reset of the function: once, before the first setup; NULL in priv: failed. */
	void *(*create)(struct pcie_fn *f);
	void (*destroy)(struct pcie_fn *f);
	/* The function, or a bridge above it, may answer at other addresses than before. */
	void (*moved)(struct pcie_fn *f);
};

struct pcie_fn {
	const struct pcie_fn_ops *ops;
	const void *conf;
	void *priv; /* what create() made */
	struct pcie_root *root;
	struct pcie_fn *port;	/* the root port it is behind; NULL: on the root bus */
	struct pcie_fn *behind; /* a root port's device */
	uint8_t slot;		/* its device number */
	bool intx;		/* it wants INTA asserted */
	struct pcie_config cfg;
	uint64_t bar_size[PCIE_BARS]; /* 0: no BAR, or the upper half of a 64-bit one */
};

struct pcie_root {
	struct dev *dev; /* interrupt lines and messages go through it */
	struct pcie_fn *slot[PCIE_SLOTS];
	bool line[PCIE_PINS];
};

/* Put a new function into a free slot of the root bus, or (port not NULL) behind a port. */
struct pcie_fn *pcie_fn_new(struct pcie_root *root, struct pcie_fn *port, unsigned slot,
			    const struct pcie_fn_ops *ops, const void *conf);
/* Back to what pcie_fn_new() made. */
void pcie_fn_reset(struct pcie_fn *f);
void pcie_root_reset(struct pcie_root *root);
void pcie_root_free(struct pcie_root *root);

/* Configuration requests by number; NULL: nobody answers. */
struct pcie_fn *pcie_route_config(struct pcie_root *root, unsigned bus, unsigned devfn);
uint32_t pcie_config_cycle_read(struct pcie_root *root, unsigned bus, unsigned devfn, unsigned off,
				unsigned len);
void pcie_config_cycle_write(struct pcie_root *root, unsigned bus, unsigned devfn, unsigned off,
			     unsigned len, uint32_t val);

/* Memory requests by address. */
struct pcie_target {
	struct pcie_fn *fn; /* NULL: nobody answers */
	unsigned bar;
	uint64_t off;
};
struct pcie_target pcie_route_memory(struct pcie_root *root, uint64_t addr, unsigned len);
/* Where the CPU reaches `off` of a BAR at this moment; 0: nowhere. */
uint64_t pcie_reachable(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len);
uint64_t pcie_memory_read(struct pcie_root *root, uint64_t addr, unsigned len);
void pcie_memory_write(struct pcie_root *root, uint64_t addr, unsigned len, uint64_t val);

/* The PCI Express capability of a function of the given type (PCI_EXP_TYPE_*). */
unsigned pcie_add_express(struct pcie_fn *f, unsigned type);

/* bus << 8 | device << 3 | function, with the bus number its port was given. */
uint16_t pcie_requester_id(const struct pcie_fn *f);

/* INTA of a function; the root's four lines follow. */
void pcie_intx(struct pcie_fn *f, bool level);

/* A posted write of an interrupt message, by env_ops.msi or .message (`often`); -EACCES: a Bus Master bit on the path forbids it. */
int pcie_message(struct pcie_fn *f, uint64_t addr, uint32_t data, bool often);

extern const struct pcie_fn_ops pcie_host_bridge_ops;
extern const struct pcie_fn_ops pcie_root_port_ops;
extern const struct pcie_fn_ops pci_test_ops;

/* What a root port lets through, by the numbers and windows the guest programmed. */
bool pcie_port_has_bus(const struct pcie_fn *port, unsigned bus);
bool pcie_port_passes(const struct pcie_fn *port, uint64_t addr, unsigned len);
bool pcie_port_in_reset(const struct pcie_fn *port); /* Secondary Bus Reset */
void pcie_port_unsupported(struct pcie_fn *port);    /* nobody behind it answered */

#endif
