/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile driver of the source of random numbers. After a reset a buffer is filled, and only that. */
#include <stdlib.h>
#include <string.h>

#include "tests/virtio_hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void request(struct virtio_bench *b, const struct hostile_step *s)
{
	vb_desc(b, 0, 0, VB_DATA + (s->val & 0xfff), s->len * 16U, VB_WRITE | VB_NEXT, 1);
	vb_desc(b, 0, 1, VB_DATA + 0x2000, s->more, s->where & 1 ? VB_WRITE : 0, 0);
	vb_offer(b, 0, s->where >> 1 & 1);
}

static void nothing(struct virtio_bench *b, const struct hostile_step *s)
{
	(void)b;
	(void)s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hostile_driver h = {request, nothing};
	static const uint8_t zeros[64];
	struct virtio_bench *b = VBENCH("--rng", "virtio-mmio");
	uint8_t *got;

	if (!b->dev)
		abort();
	hostile_drive(b, &h, data, size);
	vb_start(b, VB_FEATURES);
	got = vb_at(b, VB_DATA);
	memset(got, 0, 192);
	vb_desc(b, 0, 0, VB_DATA + 64, 64, VB_WRITE, 0);
	vb_offer(b, 0, 0);
	if (vb_used_idx(b, 0) != 1 || vb_used_len(b, 0) != 64 || !memcmp(got + 64, zeros, 64) ||
	    memcmp(got, zeros, 64) != 0 || memcmp(got + 128, zeros, 64) != 0)
		abort();
	virtio_bench_free(b);
	return 0;
}
