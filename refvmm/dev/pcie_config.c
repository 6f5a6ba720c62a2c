/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/pcie_config.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

/* Error bits of Status and Secondary Status that a written 1 clears (7.5.1.1.4, 7.5.1.3.7). */
#define STATUS_W1C                                                                       \
	(PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT | \
	 PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)

static void put(uint8_t *table, unsigned off, unsigned len, uint32_t val)
{
	if (off > PCIE_CONFIG_STORED - len)
		abort(); /* ours: a register outside of the space */
	for (unsigned i = 0; i < len; i++)
		table[off + i] = (uint8_t)(val >> (8 * i));
}

static uint32_t get(const uint8_t *table, unsigned off, unsigned len)
{
	uint32_t val = 0;

	if (off > PCIE_CONFIG_STORED - len)
		abort();
	for (unsigned i = 0; i < len; i++)
		val |= (uint32_t)table[off + i] << (8 * i);
	return val;
}

uint16_t pcie_get16(const struct pcie_config *c, unsigned off)
{
	return (uint16_t)get(c->val, off, 2);
}

uint32_t pcie_get32(const struct pcie_config *c, unsigned off)
{
	return get(c->val, off, 4);
}

void pcie_set16(struct pcie_config *c, unsigned off, uint16_t val)
{
	put(c->val, off, 2, val);
}

void pcie_set32(struct pcie_config *c, unsigned off, uint32_t val)
{
	put(c->val, off, 4, val);
}

void pcie_reg8(struct pcie_config *c, unsigned off, uint8_t val, uint8_t rw)
{
	put(c->val, off, 1, val);
	put(c->rw, off, 1, rw);
}

void pcie_reg16(struct pcie_config *c, unsigned off, uint16_t val, uint16_t rw)
{
	put(c->val, off, 2, val);
	put(c->rw, off, 2, rw);
}

void pcie_reg32(struct pcie_config *c, unsigned off, uint32_t val, uint32_t rw)
{
	put(c->val, off, 4, val);
	put(c->rw, off, 4, rw);
}

void pcie_w1c16(struct pcie_config *c, unsigned off, uint16_t bits)
{
	put(c->w1c, off, 2, bits);
}

void pcie_config_init(struct pcie_config *c, const struct pcie_ids *ids)
{
	memset(c, 0, sizeof(*c));
	c->link = PCI_CAPABILITY_LIST;
	c->cap_end = PCI_STD_HEADER_SIZEOF;
	pcie_reg16(c, PCI_VENDOR_ID, ids->vendor, 0);
	pcie_reg16(c, PCI_DEVICE_ID, ids->device, 0);
	/* No function here has I/O BARs or I/O windows, so I/O Space Enable stays 0. */
	pcie_reg16(c, PCI_COMMAND, 0,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
			   PCI_COMMAND_INTX_DISABLE);
	pcie_w1c16(c, PCI_STATUS, STATUS_W1C);
	pcie_reg32(c, PCI_CLASS_REVISION, ids->class_code << 8 | 1, 0);
	pcie_reg8(c, PCI_CACHE_LINE_SIZE, 0, 0xff);
	pcie_reg8(c, PCI_HEADER_TYPE, ids->header_type, 0);
	pcie_reg8(c, PCI_INTERRUPT_LINE, 0, 0xff);
	if (ids->header_type == PCI_HEADER_TYPE_BRIDGE) {
		pcie_w1c16(c, PCI_SEC_STATUS, STATUS_W1C);
	} else {
		pcie_reg16(c, PCI_SUBSYSTEM_VENDOR_ID, ids->vendor, 0);
		pcie_reg16(c, PCI_SUBSYSTEM_ID, ids->device, 0);
	}
}

uint32_t pcie_config_read(const struct pcie_config *c, unsigned off, unsigned len)
{
	if (off > PCIE_CONFIG_STORED - len)
		return 0;
	return get(c->val, off, len);
}

void pcie_config_write(struct pcie_config *c, unsigned off, unsigned len, uint32_t val)
{
	if (off > PCIE_CONFIG_STORED - len)
		return;
	for (unsigned i = off; i < off + len; i++, val >>= 8) {
		uint8_t byte = (uint8_t)val;

		c->val[i] = (uint8_t)((c->val[i] & ~c->rw[i]) | (byte & c->rw[i]));
		c->val[i] &= (uint8_t) ~(byte & c->w1c[i]);
	}
}

unsigned pcie_add_capability(struct pcie_config *c, uint8_t id, unsigned size)
{
	unsigned at = (c->cap_end + 3U) & ~3U;

	if (at + size > PCIE_CONFIG_STORED)
		abort(); /* ours: the capabilities of a function do not fit */
	c->val[c->link] = (uint8_t)at;
	c->val[at + PCI_CAP_LIST_ID] = id;
	c->link = (uint8_t)(at + PCI_CAP_LIST_NEXT);
	c->cap_end = (uint8_t)(at + size);
	c->val[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	return at;
}

void pcie_bar_init(struct pcie_config *c, unsigned n, uint64_t size, bool wide, bool prefetch)
{
	unsigned at = PCI_BASE_ADDRESS_0 + 4 * n;
	uint32_t type = PCI_BASE_ADDRESS_SPACE_MEMORY;

	if (n + wide >= PCIE_BARS || size < 16 || size & (size - 1) || (!wide && size > 1ULL << 31))
		abort(); /* ours: options are checked before */
	type |= wide ? PCI_BASE_ADDRESS_MEM_TYPE_64 : PCI_BASE_ADDRESS_MEM_TYPE_32;
	type |= prefetch ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0;
	pcie_reg32(c, at, type, (uint32_t) ~(size - 1));
	if (wide)
		pcie_reg32(c, at + 4, 0, (uint32_t)(~(size - 1) >> 32));
}

uint64_t pcie_bar_address(const struct pcie_config *c, unsigned n)
{
	unsigned at = PCI_BASE_ADDRESS_0 + 4 * n;
	uint32_t low = pcie_get32(c, at);
	uint64_t address = low & ~0xfULL;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		address |= (uint64_t)pcie_get32(c, at + 4) << 32;
	return address;
}
