/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCIe test endpoint (ASSAY_PCI_VENDOR:ASSAY_PCI_DEVICE_TEST): a function whose registers and
 * memory let a payload see where its accesses and interrupts went.
 *
 * BAR0 (32-bit memory; 4 KiB, or what `bar32=` says): registers at its start.
 * BAR2 (64-bit prefetchable memory; 1 MiB, or what `bar64=` says).
 * BAR4 (32-bit memory, 4 KiB): MSI-X table at 0, pending bits at 2 KiB.
 *
 * In BAR0 and BAR2 every naturally aligned 64-bit word that is neither a register nor memory reads
 * as its own offset in the BAR (little-endian, so a byte of it reads as that byte) and ignores
 * writes. BAR2's first and last 4 KiB are memory. Accesses may be 1, 2, 4 or 8 bytes wide where
 * nothing else is said.
 *
 * All registers are little-endian and zero after reset where nothing else is said.
 */
#ifndef ASSAY_PCITEST_H
#define ASSAY_PCITEST_H

#define ASSAY_PCITEST_ABI	 1U
#define ASSAY_PCITEST_MAGIC	 0x50595341U /* "ASYP" */
#define ASSAY_PCITEST_VECTORS	 8U
#define ASSAY_PCITEST_MSIX_BAR	 4
#define ASSAY_PCITEST_MSIX_TABLE 0x000U
#define ASSAY_PCITEST_MSIX_PBA	 0x800U

enum assay_pcitest_register {
	ASSAY_PCITEST_ID = 0x00,      /* RO 32: ASSAY_PCITEST_MAGIC */
	ASSAY_PCITEST_VERSION = 0x04, /* RO 32: ASSAY_PCITEST_ABI */
	ASSAY_PCITEST_RID = 0x08,   /* RO 32: its requester ID, bus << 8 | device << 3 | function */
	ASSAY_PCITEST_INDEX = 0x0c, /* RO 32: which --device it is, from 0 */
	ASSAY_PCITEST_SCRATCH = 0x10, /* RW 64, of any width: reads back what was written */
	ASSAY_PCITEST_COUNT =
		0x18, /* RW 32: accesses to BAR0 and BAR2 since it was written, itself not counted */
	ASSAY_PCITEST_INTX = 0x20, /* RW 32: bit 0 is the level of INTA */
	ASSAY_PCITEST_MSIX = 0x24, /* WO 32: fires the MSI-X vector of that number */
	ASSAY_PCITEST_LOST =
		0x28, /* RO 32: vectors fired that could not be sent (MSI-X off, no bus master) */
};

#endif
