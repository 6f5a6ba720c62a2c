/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says of itself, negotiation, and reset (virtio 1.2, 2.1 to 2.4, 3.1, 4.1, 4.2). */
#include "common.h"

TEST(virtio, mmio_slots_are_all_there, RULE("VIRTIO-MMIO-1"))
{
	unsigned int n = 0, empty = 0;

	for (int node; (node = dt_find("virtio,mmio", n)) != DT_NONE; n++) {
		struct mmio m = dt_mmio_reg(node, 0);

		EXPECT_EQ(rd32(m, 0x000), 0x74726976);
		EXPECT_EQ(m.size, 0x200);
		EXPECT_GE(dt_irq_of(node, 0), 32);
		empty += rd32(m, 0x008) == 0;
	}
	EXPECT_EQ(n, 32);
	EXPECT_EQ(empty, 32);
}

TEST(virtio, device_names_itself, RULE("VIRTIO-ID-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);

	if (!v->pci) {
		EXPECT_EQ(mmio_rd32(v->mmio), 0x74726976);
		EXPECT_EQ(mmio_rd32(v->mmio + 4), 2);
		EXPECT_NE(mmio_rd32(v->mmio + 0x00c), 0);
		return;
	}
	EXPECT_GE(pci_rd8(v->host, v->fn->bdf, PCI_CLASS_REVISION), 1);
	EXPECT_NE(pci_cap(v->host, v->fn->bdf, PCI_CAP_MSIX), 0);
	EXPECT_NE(pci_cap(v->host, v->fn->bdf, PCI_CAP_EXP), 0);
	EXPECT_EQ(mmio_rd16(v->common + 18), 1); /* num_queues: 5.4.2 */
}

TEST(virtio, version_1_is_offered_and_demanded, RULE("VIRTIO-FEATURE-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);

	EXPECT_TRUE(offered(v) & F_VERSION_1);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER);
	accept(v, 0);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	EXPECT_EQ(status(v) & S_FEATURES_OK, 0);
	start_features(v, F_VERSION_1);
}

TEST(virtio, features_not_offered_are_refused, RULE("VIRTIO-FEATURE-2"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint64_t all = offered(v);

	for (unsigned int bit = 0; bit < 64; bit++) {
		if (all & BIT(bit))
			continue;
		set_status(v, 0);
		set_status(v, S_ACKNOWLEDGE | S_DRIVER);
		accept(v, F_VERSION_1 | BIT(bit));
		set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
		if (!EXPECT_EQ(status(v) & S_FEATURES_OK, 0))
			NOTE("bit %u", bit);
	}
	FACT("virtio.features", "0x%lx", all);
}

TEST(virtio, reset_forgets_everything, RULE("VIRTIO-RESET-1"), RNG_BOTH)
{
	struct vdev *v = device(VIRTIO_RNG);
	uint8_t *buf = mem_alloc(64, 16);

	start(v, F_USUAL);
	EXPECT_TRUE(queue_ready(v));
	set_status(v, 0);
	EXPECT_EVENTUALLY(status(v) == 0);
	EXPECT_TRUE(!queue_ready(v));
	EXPECT_EQ(interrupt_status(v), 0);
	put(v, 0, (uint64_t)buf, 64, D_WRITE, 0);
	offer(v, 0); /* to nobody */
	EXPECT_EQ(used_idx(v), 0);
	expect_works(v);
}
