/* SPDX-License-Identifier: Apache-2.0 */
/* The devices, under the names and identifiers that Linux knows from QEMU's virt board. */
#include <stdio.h>
#include <string.h>

#include "acpi.h"
#include "acpi_aml.h"
#include "dev/pl061.h"
#include "virtio/mmio.h"

#define PINS  4U
#define SLOTS 32U

static void hid(struct buf *b, const char *id)
{
	aml_name(b, "_HID");
	if (strlen(id) == 7)
		aml_eisa(b, id);
	else
		aml_string(b, id);
}

static void number(struct buf *b, const char *name, uint64_t val)
{
	aml_name(b, name);
	aml_int(b, val);
}

/* ACPI 6.0, 8.4 */
static void cpus(struct buf *b, unsigned smp)
{
	for (unsigned i = 0; i < smp; i++) {
		char name[8];
		struct aml_block cpu;

		snprintf(name, sizeof(name), "C%03X", i & 0xfff);
		cpu = aml_device(b, name);
		hid(b, "ACPI0007");
		number(b, "_UID", i);
		aml_end(b, &cpu);
	}
}

static void simple(struct buf *b, const char *name, const char *id, unsigned uid, uint64_t base,
		   uint64_t size, unsigned intid)
{
	struct aml_block dev = aml_device(b, name);
	struct aml_resources r = {0};

	hid(b, id);
	number(b, "_UID", uid);
	number(b, "_CCA", 1);
	aml_name(b, "_CRS");
	aml_res_memory32(&r, base, size);
	if (intid)
		aml_res_interrupt(&r, intid);
	aml_resources_end(b, &r);
	aml_end(b, &dev);
}

/* All slots, as the device tree has them: one without a device says so itself. */
static void transports(struct buf *b)
{
	for (unsigned i = 0; i < VIRTIO_MMIO_SLOTS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "VR%02u", i);
		simple(b, name, "LNRO0005", i,
		       ASSAY_VIRTIO_MMIO_BASE + (uint64_t)i * VIRTIO_MMIO_STRIDE,
		       VIRTIO_MMIO_STRIDE, ASSAY_SPI_TO_INTID(ASSAY_SPI_VIRTIO_MMIO + i));
	}
}

/* The power key is a line of the PL061: its edge is the event, which notifies the button. */
static void power_key(struct buf *b)
{
	struct aml_block dev = aml_device(b, "GPO0"), event;
	struct aml_resources r = {0}, e = {0};
	char method[8];

	hid(b, "ARMH0061");
	number(b, "_UID", 0);
	aml_name(b, "_CRS");
	aml_res_memory32(&r, ASSAY_GPIO_BASE, ASSAY_GPIO_SIZE);
	aml_res_interrupt(&r, ASSAY_SPI_TO_INTID(ASSAY_SPI_GPIO));
	aml_resources_end(b, &r);
	aml_name(b, "_AEI");
	aml_res_gpio(&e, PL061_POWER_KEY, "GPO0");
	aml_resources_end(b, &e);
	snprintf(method, sizeof(method), "_E%02X", PL061_POWER_KEY);
	event = aml_method(b, method, 0);
	aml_notify(b, "PWRB", 0x80);
	aml_end(b, &event);
	aml_end(b, &dev);

	dev = aml_device(b, "PWRB");
	hid(b, "PNP0C0C");
	number(b, "_UID", 0);
	aml_end(b, &dev);
}

/* 6.2.13: every slot's four pins; the lines as the device tree has them. */
static void interrupt_routes(struct buf *b)
{
	struct aml_block table, route;

	aml_name(b, "_PRT");
	table = aml_package(b, SLOTS * PINS);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		for (unsigned pin = 0; pin < PINS; pin++) {
			unsigned spi = ASSAY_SPI_PCIE_INTX + (slot + pin) % PINS;

			route = aml_package(b, 4);
			aml_int(b, (uint64_t)slot << 16 | 0xffff);
			aml_int(b, pin);
			aml_int(b, 0); /* the interrupt controller's own: */
			aml_int(b, ASSAY_SPI_TO_INTID(spi));
			aml_end(b, &route);
		}
	}
	aml_end(b, &table);
}

static void bridge_windows(struct buf *b, const struct machine_conf *c)
{
	struct dev_range pio = board_region_range(BOARD_PCIE_PIO);
	struct dev_range low = board_region_range(BOARD_PCIE_MMIO);
	struct dev_range high = board_region_range(BOARD_PCIE_MMIO_HIGH);
	struct aml_resources r = {0};

	aml_name(b, "_CRS");
	aml_res_bus(&r, (unsigned)(acpi_ecam(c).size >> 20) - 1);
	aml_res_range32(&r, AML_MEMORY, low.base, low.size, 0);
	aml_res_range32(&r, AML_IO, 0, pio.size, pio.base);
	if (c->highmem)
		aml_res_range64(&r, high.base, high.size);
	aml_resources_end(b, &r);
}

/* PCI Firmware Specification 3.2, 4.1.2 and 4.5.1 */
static void pcie(struct buf *b, const struct machine_conf *c)
{
	struct aml_block dev = aml_device(b, "PCI0"), inner;
	struct dev_range ecam = acpi_ecam(c);
	struct aml_resources r = {0};

	hid(b, "PNP0A08");
	aml_name(b, "_CID");
	aml_eisa(b, "PNP0A03");
	number(b, "_SEG", 0);
	number(b, "_BBN", 0);
	number(b, "_UID", 0);
	number(b, "_CCA", 1);
	number(b, "_CBA", ecam.base);
	interrupt_routes(b);
	bridge_windows(b, c);
	inner = aml_method(b, "_OSC", 4); /* grants what is asked for: nobody else drives it */
	aml_return_arg(b, 3);
	aml_end(b, &inner);
	inner = aml_device(b, "RES0");
	hid(b, "PNP0C02");
	aml_name(b, "_CRS");
	aml_res_own64(&r, ecam.base, ecam.size);
	aml_resources_end(b, &r);
	aml_end(b, &inner);
	aml_end(b, &dev);
}

void acpi_dsdt(struct buf *b, const struct machine_conf *c, const struct board *board)
{
	struct aml_block scope = aml_scope(b, "_SB_");

	(void)board;
	cpus(b, c->smp);
	simple(b, "COM0", "ARMH0011", 0, ASSAY_UART_BASE, ASSAY_UART_SIZE,
	       ASSAY_SPI_TO_INTID(ASSAY_SPI_UART));
	simple(b, "FWCF", "QEMU0002", 0, ASSAY_FW_CFG_BASE, ASSAY_FW_CFG_SIZE, 0);
	transports(b);
	power_key(b);
	pcie(b, c);
	aml_end(b, &scope);
}
