/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virt board as one table: every address and interrupt of the board stands
 * here and nowhere else. Address decoder, device tree, overlap check and docs
 * are made from it by expanding the X-macros.
 *
 * The addresses are those of QEMU's `virt` machine (hw/arm/virt.c), so that a
 * payload which trusts only "flash at 0, RAM at 0x4000_0000, all else from the
 * DTB" runs on both.
 */
#ifndef ASSAY_BOARD_H
#define ASSAY_BOARD_H

/*
 * X(NAME, base, size): guest physical regions, in bytes, ascending.
 *
 * GIC_REDIST holds 123 redistributors of two 64 KiB frames; further ones stand
 * in GIC_REDIST_HIGH (512 CPUs in all). PCIE_ECAM is the low window (16 MiB, 16
 * buses); PCIE_ECAM_HIGH is 256 MiB (256 buses) and is used with highmem=on.
 * The high regions all lie below 1 TiB so that a 40-bit IPA space holds them.
 */
#define ASSAY_BOARD_REGIONS(X)                             \
	X(FLASH0, 0x00000000ULL, 0x04000000ULL)            \
	X(FLASH1, 0x04000000ULL, 0x04000000ULL)            \
	X(GIC_DIST, 0x08000000ULL, 0x00010000ULL)          \
	X(GIC_CPU, 0x08010000ULL, 0x00010000ULL)           \
	X(GIC_V2M, 0x08020000ULL, 0x00001000ULL)           \
	X(GIC_ITS, 0x08080000ULL, 0x00020000ULL)           \
	X(GIC_REDIST, 0x080a0000ULL, 0x00f60000ULL)        \
	X(UART, 0x09000000ULL, 0x00001000ULL)              \
	X(RTC, 0x09010000ULL, 0x00001000ULL)               \
	X(FW_CFG, 0x09020000ULL, 0x00000018ULL)            \
	X(GPIO, 0x09030000ULL, 0x00001000ULL)              \
	X(SMMU, 0x09050000ULL, 0x00020000ULL)              \
	X(VIRTIO_MMIO, 0x0a000000ULL, 0x00004000ULL)       \
	X(TEST_PORT, 0x0c000000ULL, 0x00001000ULL)         \
	X(PCIE_MMIO, 0x10000000ULL, 0x2eff0000ULL)         \
	X(PCIE_PIO, 0x3eff0000ULL, 0x00010000ULL)          \
	X(PCIE_ECAM, 0x3f000000ULL, 0x01000000ULL)         \
	X(RAM, 0x40000000ULL, 0x3fc0000000ULL)             \
	X(GIC_REDIST_HIGH, 0x4000000000ULL, 0x04000000ULL) \
	X(PCIE_ECAM_HIGH, 0x4010000000ULL, 0x10000000ULL)  \
	X(PCIE_MMIO_HIGH, 0x8000000000ULL, 0x8000000000ULL)

/* X(NAME, spi, count): shared peripheral interrupts; INTID = 32 + spi. */
#define ASSAY_BOARD_SPIS(X)    \
	X(UART, 1, 1)          \
	X(RTC, 2, 1)           \
	X(PCIE_INTX, 3, 4)     \
	X(GPIO, 7, 1)          \
	X(VIRTIO_MMIO, 16, 32) \
	X(GIC_V2M, 48, 64)     \
	X(TEST_PORT, 112, 16)

/* Private peripheral interrupts, as INTIDs (BSA 1.0, table of PPIs). */
#define ASSAY_PPI_PMU	     23
#define ASSAY_PPI_VGIC_MAINT 25
#define ASSAY_PPI_TIMER_EL2  26
#define ASSAY_PPI_TIMER_VIRT 27
#define ASSAY_PPI_TIMER_EL3  29 /* secure physical timer in the DT binding */
#define ASSAY_PPI_TIMER_PHYS 30

#define ASSAY_X_REGION(name, base, size) ASSAY_##name##_BASE = (base), ASSAY_##name##_SIZE = (size),
enum assay_region_address { ASSAY_BOARD_REGIONS(ASSAY_X_REGION) };
#undef ASSAY_X_REGION

#define ASSAY_X_SPI(name, spi, count) ASSAY_SPI_##name = (spi), ASSAY_SPI_##name##_COUNT = (count),
enum assay_board_spi { ASSAY_BOARD_SPIS(ASSAY_X_SPI) };
#undef ASSAY_X_SPI

#define ASSAY_SPI_TO_INTID(spi) ((spi) + 32)

/* The PCIe test endpoint; 0x1234 is the de-facto unassigned vendor ID. */
#define ASSAY_PCI_VENDOR	     0x1234
#define ASSAY_PCI_DEVICE_TEST	     0xa55a
#define ASSAY_PCI_DEVICE_ROOT_PORT   0xa550
#define ASSAY_PCI_DEVICE_HOST_BRIDGE 0xa540

#endif
