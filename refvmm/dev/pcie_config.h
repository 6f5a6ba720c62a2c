/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration space of one function, as three tables of bytes: the values, the bits software
 * may write, and the bits that a written 1 clears. What is in neither table is read-only.
 *
 * Register names are those of <linux/pci_regs.h>; offsets and bits are those of the PCI Express
 * Base Specification 6.0, section 7.5. No function here has extended capabilities, so everything
 * from 0x100 on reads as 0, which is how a missing list looks (section 7.6.3).
 */
#ifndef REFVMM_DEV_PCIE_CONFIG_H
#define REFVMM_DEV_PCIE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define PCIE_CONFIG_SIZE   4096U /* what the guest sees of a function */
#define PCIE_CONFIG_STORED 256U
#define PCIE_BARS	   6U

struct pcie_config {
	uint8_t val[PCIE_CONFIG_STORED];
	uint8_t rw[PCIE_CONFIG_STORED];
	uint8_t w1c[PCIE_CONFIG_STORED];
	uint8_t link;	 /* where the offset of the next capability goes */
	uint8_t cap_end; /* first free byte behind the capabilities */
};

struct pcie_ids {
	uint16_t vendor, device;
	uint32_t class_code; /* 24 bits: base class, subclass, interface */
	uint8_t header_type;
};

/* An empty space with the registers all functions have. */
void pcie_config_init(struct pcie_config *c, const struct pcie_ids *ids);

/* As the guest does: `off` + `len` must lie inside the 4 KiB; `len` is 1, 2 or 4. */
uint32_t pcie_config_read(const struct pcie_config *c, unsigned off, unsigned len);
void pcie_config_write(struct pcie_config *c, unsigned off, unsigned len, uint32_t val);

/* As the device does: masks do not apply. */
uint16_t pcie_get16(const struct pcie_config *c, unsigned off);
uint32_t pcie_get32(const struct pcie_config *c, unsigned off);
void pcie_set16(struct pcie_config *c, unsigned off, uint16_t val);
void pcie_set32(struct pcie_config *c, unsigned off, uint32_t val);

/* Set a register's reset value and which of its bits can be written. */
void pcie_reg8(struct pcie_config *c, unsigned off, uint8_t val, uint8_t rw);
void pcie_reg16(struct pcie_config *c, unsigned off, uint16_t val, uint16_t rw);
void pcie_reg32(struct pcie_config *c, unsigned off, uint32_t val, uint32_t rw);
void pcie_w1c16(struct pcie_config *c, unsigned off, uint16_t bits);

/* Append a capability of `size` bytes to the list; returns its offset. */
unsigned pcie_add_capability(struct pcie_config *c, uint8_t id, unsigned size);

/*
 * A memory BAR of `size` bytes (a power of two, at least 16): BAR `n`, and n + 1 when it is 64 bits
 * wide. The address is what the guest wrote last.
 */
void pcie_bar_init(struct pcie_config *c, unsigned n, uint64_t size, bool wide, bool prefetch);
uint64_t pcie_bar_address(const struct pcie_config *c, unsigned n);

#endif
