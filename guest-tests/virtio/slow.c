/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"
#include "timer.h"

#define SECTOR 512U
#define READS  500U /* of another device, between two words */

/*
 * 2.7.13 and 2.7.14: a request is offered, and the driver goes on; it looks at the ring when it likes. A host test may
 * keep the disk's file waiting, and gives time=.
 */
TEST(virtio, cpu_goes_on_while_a_disk_works, RULE("VIRTIO-FAST-2"),
     .variants = "mmio: --drive file=virtio/scratch.img,if=virtio-mmio | "
		 "pci: --drive file=virtio/scratch.img --root-ports 1")
{
	struct vdev *v = device(VIRTIO_BLK);
	struct mmio rtc = dt_mmio("arm,pl031");
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} *head = mem_alloc(64, 16);
	volatile uint8_t *result = (uint8_t *)head + 32;
	uint64_t end = counter_virt() + stress_ms(2000) * counter_freq() / 1000;
	unsigned int words = 0;

	start(v, F_USUAL);
	head->type = 1; /* VIRTIO_BLK_T_OUT */
	head->sector = 256;
	*result = 0xff;
	put(v, 0, (uint64_t)head, 16, D_NEXT, 1);
	put(v, 1, (uint64_t)mem_alloc(SECTOR, 16), SECTOR, D_NEXT, 2);
	put(v, 2, (uint64_t)result, 1, D_WRITE, 0);
	offer(v, 0);
	NOTE("asked the disk");
	while (!used_idx(v) && counter_virt() < end) {
		for (unsigned int i = 0; i < READS; i++)
			rd32(rtc, 0);
		if (words++ < 400)
			NOTE("goes on");
	}
	EXPECT_EQ(used_idx(v), 1);
	EXPECT_EQ(*result, 0);
	NOTE("the disk answered");
}
