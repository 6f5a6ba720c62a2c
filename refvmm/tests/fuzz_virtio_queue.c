/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue alone: fake RAM holds what the fuzzer says, and the queue's areas lie where it says. Each chain that comes
 * out is read and written whole, so that a segment outside of RAM is an ASan report.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fake_env.h"
#include "virtio/queue.h"

struct input {
	uint16_t desc, avail, used, size;
	uint8_t flags, steps;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct virtq *q, struct virtq_chain *c)
{
	static struct iovec iov[VIRTQ_SIZE_MAX];
	uint8_t buf[64];

	if (c->nr_out + c->nr_in > VIRTQ_SIZE_MAX)
		abort();
	for (unsigned i = 0; i < c->nr_out + c->nr_in; i++) {
		volatile uint8_t *p = c->seg[i].iov_base;

		(void)p[0];
		(void)p[c->seg[i].iov_len - 1];
	}
	virtq_read(c, c->out_len / 2, buf, sizeof(buf));
	virtq_write(c, c->in_len / 2, buf, sizeof(buf));
	if (virtq_out_slice(c, 1, c->out_len, iov) > c->nr_out ||
	    virtq_in_slice(c, c->in_len, 1, iov) != 0)
		abort();
	virtq_push(q, c->head, (uint32_t)c->in_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_env *fe;
	struct virtq q = {0};
	struct virtq_chain c;
	struct input in;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	fe = fake_env_new();
	memcpy(fe->ram, data + sizeof(in), size - sizeof(in));
	q.mem = &fe->mem;
	virtq_reset(&q);
	/* near the start, where the input is, or across the end */
	q.desc = FAKE_RAM_BASE + in.desc * (in.flags & 1 ? 16ULL : 1);
	q.avail = FAKE_RAM_BASE + in.avail * (in.flags & 2 ? 16ULL : 2);
	q.used = FAKE_RAM_BASE + in.used * (in.flags & 4 ? 16ULL : 4);
	q.size = in.flags & 8 ? in.size : (uint16_t)(1U << (in.size & 7));
	q.indirect = in.flags & 16;
	q.event_idx = in.flags & 32;
	if (virtq_start(&q)) {
		for (unsigned i = 0; i < in.steps; i++) {
			if (virtq_pop(&q, &c)) {
				use(&q, &c);
				continue;
			}
			virtq_more(&q);
			virtq_tell(&q);
			if (i & 1 && q.next_avail)
				virtq_unpop(&q);
		}
	}
	fake_env_free(fe);
	return 0;
}
