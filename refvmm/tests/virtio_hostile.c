/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/virtio_hostile.h"

#include <string.h>

static void descriptor(struct virtio_bench *b, const struct hostile_step *s)
{
	uint64_t addr = FAKE_RAM_BASE + s->val % (FAKE_RAM_SIZE + 64);

	vb_desc(b, s->where >> 7, s->where & 15, s->op & 8 ? s->val : addr,
		s->len >> 4 ? 16U << (s->len >> 4) : s->len, s->more & 7, s->more >> 4);
}

static void take(struct virtio_bench *b, const struct hostile_driver *h,
		 const struct hostile_step *s)
{
	unsigned len = 1U << (s->len & 3);
	uint64_t reg = (s->where & ~(len - 1U)) + (s->op & 8 ? 0x100 : 0);

	switch (s->op & 7) {
	case 0:
		if (s->op & 16)
			fake_write(b->fe, b->slot + reg, len, s->val);
		else
			fake_read(b->fe, b->slot + reg, len);
		break;
	case 1: /* the usual way up, or little would ever be reached */
		vb_start(b, (s->op & 8 ? VB_EVENT : VB_FEATURES) | (s->op & 16 ? s->val : 0));
		break;
	case 2:
		vb_offer(b, s->where & 1, (uint16_t)s->val);
		break;
	case 3:
		descriptor(b, s);
		break;
	case 4:
		memcpy(vb_at(b, VB_RINGS + (s->where << 6)), &s->val, 4);
		break;
	case 5:
		h->outside(b, s);
		fake_serve(b->fe);
		break;
	default:
		h->request(b, s);
		break;
	}
}

void hostile_drive(struct virtio_bench *b, const struct hostile_driver *h, const uint8_t *data,
		   size_t size)
{
	size_t steps = size / 2 / sizeof(struct hostile_step);
	size_t used = steps * sizeof(struct hostile_step);

	memcpy(vb_at(b, VB_DATA), data + used, size - used);
	for (size_t i = 0; i < steps; i++) {
		struct hostile_step s;

		memcpy(&s, data + i * sizeof(s), sizeof(s));
		take(b, h, &s);
	}
}
