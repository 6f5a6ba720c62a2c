/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed tables. Each function names where its table is defined. */
#include <string.h>

#include "acpi.h"
#include "fdt.h"

#define REDIST_SIZE 0x20000ULL

/* 5.2.6: the header; length and checksum come later. */
size_t acpi_begin(struct buf *b, const char *signature, uint8_t revision)
{
	size_t at = b->len;

	buf_bytes(b, signature, 4);
	buf_u32(b, 0);
	buf_u8(b, revision);
	buf_u8(b, 0);
	buf_bytes(b, "ASSAY VIRT-1  ", 14);
	buf_u32(b, 1);
	buf_bytes(b, "ASSY", 4);
	buf_u32(b, 1);
	return at;
}

void acpi_end(struct buf *b, size_t at)
{
	buf_put32(b, at + 4, (uint32_t)(b->len - at));
}

/* 5.2.3.2: a register in memory */
static void address(struct buf *b, uint8_t bits, uint8_t access, uint64_t at)
{
	buf_u8(b, 0);
	buf_u8(b, bits);
	buf_u8(b, 0);
	buf_u8(b, access);
	buf_u64(b, at);
}

/* 5.2.9, revision 6.0: reduced hardware; PSCI by HVC. */
size_t acpi_fadt(struct buf *b)
{
	size_t at = acpi_begin(b, "FACP", 6);

	buf_zero(b, 112 - 36);
	buf_u32(b, 1U << 20); /* HW_REDUCED_ACPI */
	buf_zero(b, 129 - 116);
	buf_u16(b, 3); /* PSCI_COMPLIANT, PSCI_USE_HVC */
	buf_u8(b, 0);
	buf_zero(b, 268 - 132);
	buf_bytes(b, "Assay\0\0", 8); /* whose hypervisor */
	acpi_end(b, at);
	return at;
}

/* 5.2.12.14 */
static void gicc(struct buf *b, const struct machine_conf *c, unsigned id)
{
	buf_u8(b, 11);
	buf_u8(b, 80);
	buf_u16(b, 0);
	buf_u32(b, id);
	buf_u32(b, id);
	buf_u32(b, 1); /* enabled; all interrupts are levels */
	buf_u32(b, 0);
	buf_u32(b, c->cpu.pmu == ON ? ASSAY_PPI_PMU : 0);
	buf_u64(b, 0);
	buf_u64(b, c->gic == GIC_V2 ? ASSAY_GIC_CPU_BASE : 0);
	buf_zero(b, 8 + 8 + 4); /* GICV, GICH, their interrupt: no EL2 here */
	buf_u64(b, 0);		/* the redistributors stand in tables of their own */
	buf_u64(b, fdt_mpidr(id));
	buf_u32(b, 0);
}

/* 5.2.12.15 to 5.2.12.18 */
static void gicd(struct buf *b, const struct machine_conf *c)
{
	buf_u8(b, 12);
	buf_u8(b, 24);
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_u64(b, ASSAY_GIC_DIST_BASE);
	buf_u32(b, 0);
	buf_u32(b, c->gic == GIC_V2 ? 2 : 3);
}

static void msi_frame(struct buf *b)
{
	buf_u8(b, 13);
	buf_u8(b, 24);
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_u64(b, ASSAY_GIC_V2M_BASE);
	buf_u32(b, 1); /* the following, and not its register */
	buf_u16(b, ASSAY_SPI_GIC_V2M_COUNT);
	buf_u16(b, ASSAY_SPI_TO_INTID(ASSAY_SPI_GIC_V2M));
}

static void gicr(struct buf *b, uint64_t base, unsigned cpus)
{
	buf_u8(b, 14);
	buf_u8(b, 16);
	buf_u16(b, 0);
	buf_u64(b, base);
	buf_u32(b, (uint32_t)(cpus * REDIST_SIZE));
}

static void its(struct buf *b)
{
	buf_u8(b, 15);
	buf_u8(b, 20);
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_u64(b, ASSAY_GIC_ITS_BASE);
	buf_u32(b, 0);
}

/* 5.2.12 */
size_t acpi_madt(struct buf *b, const struct machine_conf *c)
{
	size_t at = acpi_begin(b, "APIC", 4);
	unsigned low = board_redists_low(c->smp);

	buf_zero(b, 8); /* no local interrupt controller's address, no flags */
	gicd(b, c);
	for (unsigned i = 0; i < c->smp; i++)
		gicc(b, c, i);
	if (c->gic == GIC_V2) {
		msi_frame(b);
	} else {
		gicr(b, ASSAY_GIC_REDIST_BASE, low);
		if (c->smp > low)
			gicr(b, ASSAY_GIC_REDIST_HIGH_BASE, c->smp - low);
		if (c->its == ON)
			its(b);
	}
	acpi_end(b, at);
	return at;
}

/* 5.2.24: levels, active high, always on */
size_t acpi_gtdt(struct buf *b)
{
	static const uint32_t intid[] = {ASSAY_PPI_TIMER_EL3, ASSAY_PPI_TIMER_PHYS,
					 ASSAY_PPI_TIMER_VIRT, ASSAY_PPI_TIMER_EL2};
	size_t at = acpi_begin(b, "GTDT", 2);

	buf_u64(b, UINT64_MAX); /* no memory-mapped counter */
	buf_u32(b, 0);
	for (unsigned i = 0; i < 4; i++) {
		buf_u32(b, intid[i]);
		buf_u32(b, 1U << 2);
	}
	buf_u64(b, UINT64_MAX);
	buf_u32(b, 0); /* no platform timers */
	buf_u32(b, 0);
	acpi_end(b, at);
	return at;
}

enum { PPTT_PACKAGE = 1 << 0, PPTT_ID_VALID = 1 << 1, PPTT_LEAF = 1 << 3, PPTT_SAME = 1 << 4 };

/* 5.2.29.1 of ACPI 6.3: without private resources */
static void processor(struct buf *b, uint32_t flags, uint32_t parent, uint32_t id)
{
	buf_u8(b, 0);
	buf_u8(b, 20);
	buf_u16(b, 0);
	buf_u32(b, flags);
	buf_u32(b, parent);
	buf_u32(b, id);
	buf_u32(b, 0);
}

/* One package of as many cores as there are vCPUs: without the table Linux takes affinity 1 for a package. */
size_t acpi_pptt(struct buf *b, unsigned smp)
{
	size_t at = acpi_begin(b, "PPTT", 2);
	uint32_t package = (uint32_t)(b->len - at);

	processor(b, PPTT_PACKAGE | PPTT_SAME, 0, 0);
	for (unsigned i = 0; i < smp; i++)
		processor(b, PPTT_ID_VALID | PPTT_LEAF, package, i);
	acpi_end(b, at);
	return at;
}

struct dev_range acpi_ecam(const struct machine_conf *c)
{
	return board_region_range(c->highmem ? BOARD_PCIE_ECAM_HIGH : BOARD_PCIE_ECAM);
}

/* PCI Firmware Specification 3.2, 4.1.2 */
size_t acpi_mcfg(struct buf *b, const struct machine_conf *c)
{
	struct dev_range ecam = acpi_ecam(c);
	size_t at = acpi_begin(b, "MCFG", 1);

	buf_zero(b, 8);
	buf_u64(b, ecam.base);
	buf_u16(b, 0); /* segment */
	buf_u8(b, 0);
	buf_u8(b, (uint8_t)((ecam.size >> 20) - 1));
	buf_u32(b, 0);
	acpi_end(b, at);
	return at;
}

/* Serial Port Console Redirection Table, revision 2 */
size_t acpi_spcr(struct buf *b)
{
	size_t at = acpi_begin(b, "SPCR", 2);

	buf_u8(b, 3); /* PL011 */
	buf_zero(b, 3);
	address(b, 8, 1, ASSAY_UART_BASE);
	buf_u8(b, 1U << 3); /* by the GIC */
	buf_u8(b, 0);
	buf_u32(b, ASSAY_SPI_TO_INTID(ASSAY_SPI_UART));
	buf_u8(b, 3);	    /* 9600 baud, which nobody keeps */
	buf_u8(b, 0);	    /* no parity */
	buf_u8(b, 1);	    /* stop bit */
	buf_u8(b, 1U << 1); /* RTS and CTS */
	buf_u8(b, 0);	    /* VT100 */
	buf_u8(b, 0);
	buf_u32(b, UINT32_MAX); /* no PCI device */
	buf_zero(b, 3 + 4 + 1 + 4);
	acpi_end(b, at);
	return at;
}

/* Debug Port Table 2: the same port */
size_t acpi_dbg2(struct buf *b)
{
	static const char name[] = "\\_SB.COM0";
	size_t at = acpi_begin(b, "DBG2", 0);
	uint16_t regs = 22, size = 34, path = 38;

	buf_u32(b, 44);
	buf_u32(b, 1);
	buf_u8(b, 0);
	buf_u16(b, (uint16_t)(path + sizeof(name)));
	buf_u8(b, 1); /* register */
	buf_u16(b, sizeof(name));
	buf_u16(b, path);
	buf_u32(b, 0);	    /* no OEM data */
	buf_u16(b, 0x8000); /* serial */
	buf_u16(b, 3);	    /* PL011 */
	buf_u16(b, 0);
	buf_u16(b, regs);
	buf_u16(b, size);
	address(b, 8, 1, ASSAY_UART_BASE);
	buf_u32(b, ASSAY_UART_SIZE);
	buf_bytes(b, name, sizeof(name));
	acpi_end(b, at);
	return at;
}

/* DEN 0049, revision 3: every PCIe requester reaches the one ITS with its own ID. */
size_t acpi_iort(struct buf *b)
{
	size_t at = acpi_begin(b, "IORT", 3);
	uint32_t nodes = 48, its_node = 24;

	buf_u32(b, 2);
	buf_u32(b, nodes);
	buf_u32(b, 0);

	buf_u8(b, 0); /* ITS group */
	buf_u16(b, (uint16_t)its_node);
	buf_u8(b, 1);
	buf_u32(b, 0);
	buf_u32(b, 0); /* no mappings */
	buf_u32(b, 0);
	buf_u32(b, 1); /* ITS, number 0 */
	buf_u32(b, 0);

	buf_u8(b, 2); /* root complex */
	buf_u16(b, 36 + 20);
	buf_u8(b, 3);
	buf_u32(b, 1);
	buf_u32(b, 1); /* mapping */
	buf_u32(b, 36);
	buf_u32(b, 1); /* coherent */
	buf_u8(b, 0);
	buf_u16(b, 0);
	buf_u8(b, 3);  /* memory is, too, and seen as inner shareable */
	buf_u32(b, 0); /* no ATS */
	buf_u32(b, 0); /* segment */
	buf_u8(b, 64); /* address bits */
	buf_zero(b, 3);
	buf_u32(b, 0);	    /* requester IDs from 0 */
	buf_u32(b, 0xffff); /* to 0xffff */
	buf_u32(b, 0);
	buf_u32(b, nodes);
	buf_u32(b, 0);
	acpi_end(b, at);
	return at;
}
