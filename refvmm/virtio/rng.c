/* SPDX-License-Identifier: Apache-2.0 */
/* Entropy device (virtio 1.2, 5.4): the host's own random numbers. */
#include <sys/random.h>

#include "virtio/virtio.h"

#define PORTION 4096U /* of one request: at least 1 byte is owed (5.4.6.2) */

static bool one(struct virtio_dev *v, struct virtq_chain *c)
{
	uint8_t buf[256];
	uint32_t done = 0;

	while (done < PORTION && done < c->in_len) {
		ssize_t n = getrandom(buf, sizeof(buf), 0);

		if (n <= 0)
			break;
		done += (uint32_t)virtq_write(c, done, buf, (size_t)n);
	}
	virtq_push(&v->queue[0], c->head, done);
	return true;
}

static void service(struct virtio_dev *v, unsigned n)
{
	virtio_drain(v, n, one);
}

const struct virtio_class virtio_rng = {
	.name = "virtio-rng",
	.id = 4,
	.pci_class = 0x00ff00,
	.size = sizeof(struct virtio_dev),
	.queues = 1,
	.service = service,
};
