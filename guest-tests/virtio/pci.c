/* SPDX-License-Identifier: Apache-2.0 */
/* What only virtio over PCI has: the window in configuration space, function level reset, MSI-X. */
#include "common.h"
#include "gic.h"
#include "irq.h"
#include "its.h"

#define CAP_WINDOW   5U /* VIRTIO_PCI_CAP_PCI_CFG */
#define EXP_CONTROL  0x08U
#define EXP_FLR	     BIT(15)
#define MSIX_CONTROL 0x02U
#define MSIX_ENABLE  BIT(15)
#define MSIX_TABLE   0x04U
#define NO_VECTOR    0xffffU

static unsigned int window(const struct vdev *v)
{
	unsigned int at = pci_rd8(v->host, v->fn->bdf, PCI_CAPABILITIES);

	for (unsigned int hops = 0; at && hops < 48; hops++) {
		if (pci_rd8(v->host, v->fn->bdf, at) == 0x09 &&
		    pci_rd8(v->host, v->fn->bdf, at + 3) == CAP_WINDOW)
			return at;
		at = pci_rd8(v->host, v->fn->bdf, at + 1);
	}
	return 0;
}

TEST(virtio, window_reaches_the_registers, RULE("VIRTIO-PCI-1"), .vmm = "--rng virtio")
{
	struct vdev *v = device(VIRTIO_RNG);
	unsigned int w = window(v), bar = 0;
	uint16_t bdf = v->fn->bdf;

	ASSERT_NE(w, 0);
	while (bar < PCI_BARS &&
	       (!v->fn->bar[bar].size || v->common - v->fn->bar[bar].cpu >= v->fn->bar[bar].size))
		bar++;
	ASSERT_LT(bar, PCI_BARS);
	start_features(v, F_USUAL);
	pci_wr8(v->host, bdf, w + 4, (uint8_t)bar);
	pci_wr32(v->host, bdf, w + 8, (uint32_t)(v->common - v->fn->bar[bar].cpu) + 20);
	pci_wr32(v->host, bdf, w + 12, 1);
	EXPECT_EQ(pci_rd8(v->host, bdf, w + 16), status(v));
	pci_wr8(v->host, bdf, w + 16, 0); /* a reset of the device */
	EXPECT_EVENTUALLY(status(v) == 0);
	pci_wr32(v->host, bdf, w + 8, 0xfffffffc); /* nowhere: nothing happens */
	pci_wr32(v->host, bdf, w + 12, 4);
	(void)pci_rd32(v->host, bdf, w + 16);
	pci_wr32(v->host, bdf, w + 16, ~0U);
	pci_wr8(v->host, bdf, w + 4, 0xff);
	(void)pci_rd32(v->host, bdf, w + 16);
	expect_works(v);
}

TEST(virtio, function_level_reset_resets_the_device, RULE("VIRTIO-PCI-2"),
     .vmm = "--rng virtio --root-ports 1")
{
	struct vdev *v = device(VIRTIO_RNG);
	unsigned int cap = pci_cap(v->host, v->fn->bdf, PCI_CAP_EXP);
	const char *lacking;

	ASSERT_NE(cap, 0);
	start(v, F_USUAL);
	pci_wr16(v->host, v->fn->bdf, cap + EXP_CONTROL,
		 (uint16_t)(pci_rd16(v->host, v->fn->bdf, cap + EXP_CONTROL) | EXP_FLR));
	EXPECT_EVENTUALLY(pci_present(v->host, v->fn->bdf));
	EXPECT_EQ(pci_rd16(v->host, v->fn->bdf, PCI_COMMAND) &
			  (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
		  0);
	pci_enumerate(v->host);
	ASSERT_TRUE(pci_place(v->host, &lacking));
	v = device(VIRTIO_RNG);
	EXPECT_EQ(status(v), 0);
	expect_works(v);
}

/* 4.1.5.1.2: each queue its own vector; a number beyond the table is answered by NO_VECTOR */
TEST(virtio, used_buffer_sends_its_message, RULE("VIRTIO-IRQ-5"),
     .vmm = "--rng virtio --root-ports 1")
{
	struct vdev *v = device(VIRTIO_RNG);
	unsigned int cap = pci_cap(v->host, v->fn->bdf, PCI_CAP_MSIX), lpi, other;
	uint32_t where = pci_rd32(v->host, v->fn->bdf, cap + MSIX_TABLE);
	uint64_t table = v->fn->bar[where & 7].cpu + (where & ~7U),
		 buf = (uint64_t)mem_alloc(64, 16);
	struct irq_watch w, w2;

	ASSERT_NE(cap, 0);
	its_need();
	lpi = its_new_lpi();
	its_mapd(v->fn->bdf, 5);
	its_mapti(v->fn->bdf, 1, lpi, 0);
	its_inv(v->fn->bdf, 1);
	mmio_wr32(table + 16, (uint32_t)its_doorbell());
	mmio_wr32(table + 20, (uint32_t)(its_doorbell() >> 32));
	mmio_wr32(table + 24, 1);
	mmio_wr32(table + 28, 0);
	pci_wr16(v->host, v->fn->bdf, cap + MSIX_CONTROL, MSIX_ENABLE);
	start_features(v, F_USUAL);
	mmio_wr16(v->common + 22, 0);
	mmio_wr16(v->common + 26, 40);
	EXPECT_EQ(mmio_rd16(v->common + 26), NO_VECTOR);
	mmio_wr16(v->common + 26, 1);
	EXPECT_EQ(mmio_rd16(v->common + 26), 1);
	queue_fresh(v, 0);
	w = irq_watch(lpi);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	for (unsigned int i = 1; i <= 20;
	     i++) { /* so many that a VMM may have taken a shorter way */
		put(v, 0, buf, 16, D_WRITE, 0);
		serve(v, 0);
		if (!EXPECT_EVENTUALLY(irq_seen(&w) == i))
			break;
	}
	other = its_new_lpi(); /* the vector gets another message, as when Linux moves it to another CPU */
	its_mapti(v->fn->bdf, 2, other, 0);
	its_inv(v->fn->bdf, 2);
	mmio_wr32(table + 28, 1);
	mmio_wr32(table + 24, 2);
	put(v, 0, buf, 16, D_WRITE, 0);
	serve(v, 0);
	w2 = irq_watch(other);
	mmio_wr32(table + 28, 0); /* what was pending goes out as the new message */
	for (unsigned int i = 1; i <= 20; i++) {
		if (!EXPECT_EVENTUALLY(irq_seen(&w2) == i))
			break;
		put(v, 0, buf, 16, D_WRITE, 0);
		serve(v, 0);
	}
	EXPECT_EVENTUALLY(irq_seen(&w2) == 21);
	EXPECT_EQ(irq_seen(&w), 20);
	EXPECT_EQ(interrupt_status(v), 0); /* 4.1.4.5: by messages alone */
	set_status(v, 0);
	pci_wr16(v->host, v->fn->bdf, cap + MSIX_CONTROL, 0);
}
