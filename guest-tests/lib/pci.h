/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI Express behind a "pci-host-ecam-generic" bridge (Devicetree binding
 * pci/host-generic-pci.yaml): configuration space, bus numbering, sizing and
 * placing of BARs. Nothing is assumed to have been set up by firmware.
 */
#ifndef LIB_PCI_H
#define LIB_PCI_H

#include "types.h"

#define PCI_FUNCTIONS_MAX 96U
#define PCI_BARS	  6U

/* Configuration space (PCI Express Base Specification, 7.5.1) */
enum pci_register {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_CLASS_REVISION = 0x08,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_PRIMARY_BUS = 0x18,
	PCI_SECONDARY_BUS = 0x19,
	PCI_SUBORDINATE_BUS = 0x1a,
	PCI_MEMORY_BASE = 0x20,
	PCI_MEMORY_LIMIT = 0x22,
	PCI_PREF_BASE = 0x24,
	PCI_PREF_LIMIT = 0x26,
	PCI_PREF_BASE_UPPER = 0x28,
	PCI_PREF_LIMIT_UPPER = 0x2c,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_PIN = 0x3d,
};

#define PCI_COMMAND_IO	   0x1U
#define PCI_COMMAND_MEMORY 0x2U
#define PCI_COMMAND_MASTER 0x4U

#define PCI_STATUS_CAPABILITIES 0x10U

#define PCI_CAP_MSI  0x05U
#define PCI_CAP_EXP  0x10U
#define PCI_CAP_MSIX 0x11U

/* bus, device and function as in a Requester ID */
#define PCI_BDF(bus, device, function) ((uint16_t)((bus) << 8 | (device) << 3 | (function)))

struct pci_window {
	uint64_t pci;  /* address on the bus */
	uint64_t cpu;  /* the same for the CPU */
	uint64_t size; /* 0: none */
	uint64_t next; /* first bus address not given out */
};

struct pci_bar {
	bool memory, wide, prefetchable; /* all false and size 0: not implemented; !memory: I/O */
	uint64_t size;
	uint64_t pci; /* address given, 0: none */
	uint64_t cpu;
};

struct pci_function {
	uint16_t bdf;
	uint16_t vendor, device;
	bool bridge;
	uint8_t secondary; /* bridges: 0 without a number */
	int parent;	   /* index of the bridge above, -1 on the root bus */
	struct pci_bar bar[PCI_BARS];
};

struct pci_host {
	int node;
	uint64_t ecam, ecam_size;
	unsigned int bus_first, bus_last;
	struct pci_window io, low, high; /* high: the 64-bit window */
	unsigned int buses;		 /* numbers given out, root bus included */
	bool out_of_buses;		 /* a bridge got no number */
	unsigned int count;
	struct pci_function function[PCI_FUNCTIONS_MAX];
};

/* false: the device tree has no such host bridge (number nth) */
bool pci_host_find(struct pci_host *h, unsigned int nth);

uint64_t pci_config_address(const struct pci_host *h, uint16_t bdf, unsigned int reg);
uint8_t pci_rd8(const struct pci_host *h, uint16_t bdf, unsigned int reg);
uint16_t pci_rd16(const struct pci_host *h, uint16_t bdf, unsigned int reg);
uint32_t pci_rd32(const struct pci_host *h, uint16_t bdf, unsigned int reg);
void pci_wr8(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint8_t v);
void pci_wr16(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint16_t v);
void pci_wr32(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint32_t v);

/* Is there a function (Vendor ID is not all ones)? */
bool pci_present(const struct pci_host *h, uint16_t bdf);

/* Offset of the first capability with this id; 0: none. `nth` of several. */
unsigned int pci_cap(const struct pci_host *h, uint16_t bdf, uint8_t id);

/*
 * Number the buses depth first and list every function; a bridge for which no
 * number is left stays unnumbered and is not looked behind.
 */
void pci_enumerate(struct pci_host *h);

/* Size the BARs of a function (decoding off meanwhile); the placed address stays. */
void pci_size_bars(const struct pci_host *h, struct pci_function *f);

/*
 * Give every memory BAR an address and every bridge windows around what is
 * behind it, and turn on decoding and bus mastering. 64-bit prefetchable BARs
 * go into the 64-bit window where there is one, all others into the 32-bit one;
 * there the prefetchable ones come first, each bridge's in its own range.
 * false: a window is exhausted; *lacking names it.
 */
bool pci_place(struct pci_host *h, const char **lacking);

/* The first function with these ids from index `from` on; NULL: none. */
struct pci_function *pci_function_find(struct pci_host *h, uint16_t vendor, uint16_t device,
				       unsigned int from);

#endif
