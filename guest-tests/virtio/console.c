/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"
#include "timer.h"

#define BUF	 64U
#define ALONE_MS 20U

/*
 * 5.3.6: a receive buffer is used when there is input, and is the driver's memory still until then. Nobody speaks
 * here, unless a host test sits at the other end; that one gives it time=.
 */
TEST(virtio, console_leaves_buffers_alone_without_input, RULE("VIRTIO-CONSOLE-1"),
     .variants = "mmio: --console virtio-mmio | pci: --console virtio --root-ports 1")
{
	struct vdev *v = device(VIRTIO_CONSOLE);
	volatile uint8_t *buf = mem_alloc(BUF, 16);
	uint64_t ms = stress_ms(ALONE_MS), end;

	for (unsigned int i = 0; i < BUF; i++)
		buf[i] = 0xa5;
	start(v, F_USUAL);
	put(v, 0, (uint64_t)buf, BUF, D_WRITE, 0);
	offer(v, 0);
	NOTE("listening");
	end = counter_virt() + ms * counter_freq() / 1000;
	while (!used_idx(v) && counter_virt() < end)
		;
	for (unsigned int i = used_idx(v) ? used_len(v) : 0; i < BUF; i++) {
		if (!EXPECT_EQ(buf[i], 0xa5))
			break;
	}
	if (ms == ALONE_MS)
		EXPECT_EQ(used_idx(v), 0);
	if (used_idx(v) && EXPECT_GE(used_len(v), 1))
		NOTE("received %u bytes", used_len(v));
}
