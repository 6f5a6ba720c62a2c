/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/virtio_bench.h"

#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/mmio.h"

static int parse(struct virtio_conf *c, const char *name, const char *arg)
{
	if (!strcmp(name, "--console"))
		return virtio_parse_console(c, arg);
	for (const struct dev_option *o = virtio_options; o->name; o++)
		if (!strcmp(o->name, name))
			return o->parse(c, arg);
	abort();
}

struct virtio_bench *virtio_bench(const char *const *words)
{
	struct virtio_bench *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->fe = fake_env_new();
	b->slot = ASSAY_VIRTIO_MMIO_BASE + (VIRTIO_MMIO_SLOTS - 1) * VIRTIO_MMIO_STRIDE;
	for (; *words && !b->err; words += 2)
		b->err = parse(&b->conf, words[0], words[1]);
	if (!b->err)
		b->err = virtio_conf_open(&b->conf);
	if (!b->err)
		b->dev = fake_dev(b->fe, &virtio_mmio_ops, ASSAY_VIRTIO_MMIO_BASE,
				  ASSAY_VIRTIO_MMIO_SIZE, ASSAY_SPI_VIRTIO_MMIO,
				  ASSAY_SPI_VIRTIO_MMIO_COUNT, &b->conf);
	return b;
}

void virtio_bench_free(struct virtio_bench *b)
{
	fake_env_free(b->fe);
	virtio_conf_close(&b->conf);
	free(b);
}

uint32_t vb_read(struct virtio_bench *b, unsigned reg)
{
	return (uint32_t)fake_read(b->fe, b->slot + reg, 4);
}

void vb_write(struct virtio_bench *b, unsigned reg, uint32_t val)
{
	fake_write(b->fe, b->slot + reg, 4, val);
}

void *vb_at(struct virtio_bench *b, uint64_t gpa)
{
	return gpa_ptr(&b->fe->mem, gpa, 1);
}

void vb_store(struct virtio_bench *b, uint64_t gpa, const void *p, size_t len)
{
	if (gmem_write(&b->fe->mem, gpa, p, len))
		abort();
}

void vb_queue(struct virtio_bench *b, unsigned n)
{
	uint64_t at = VB_RINGS + n * VB_QUEUE;

	gmem_zero(&b->fe->mem, at, VB_QUEUE);
	b->next[n] = 0;
	vb_write(b, VIRTIO_MMIO_QUEUE_SEL, n);
	vb_write(b, VIRTIO_MMIO_QUEUE_NUM, VB_SIZE);
	vb_write(b, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)at);
	vb_write(b, VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)(at + VB_AVAIL));
	vb_write(b, VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)(at + VB_USED));
	vb_write(b, VIRTIO_MMIO_QUEUE_READY, 1);
}

void vb_start(struct virtio_bench *b, uint64_t features)
{
	vb_write(b, VIRTIO_MMIO_STATUS, 0);
	vb_write(b, VIRTIO_MMIO_STATUS, 3);
	for (unsigned i = 0; i < 2; i++) {
		vb_write(b, VIRTIO_MMIO_DRIVER_FEATURES_SEL, i);
		vb_write(b, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> (32 * i)));
	}
	vb_write(b, VIRTIO_MMIO_STATUS, 11);
	for (unsigned n = 0; n < 2; n++)
		vb_queue(b, n);
	vb_write(b, VIRTIO_MMIO_STATUS, 15);
}

void vb_desc(struct virtio_bench *b, unsigned n, unsigned i, uint64_t addr, uint32_t len,
	     uint16_t flags, uint16_t next)
{
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} d = {addr, len, flags, next};

	vb_store(b, VB_RINGS + n * VB_QUEUE + i * sizeof(d), &d, sizeof(d));
}

void vb_offer(struct virtio_bench *b, unsigned n, uint16_t head)
{
	uint64_t avail = VB_RINGS + n * VB_QUEUE + VB_AVAIL;

	vb_store(b, avail + 4 + 2 * (b->next[n]++ % VB_SIZE), &head, 2);
	vb_store(b, avail + 2, &b->next[n], 2);
	vb_ring(b, n);
}

void vb_ring(struct virtio_bench *b, unsigned n)
{
	vb_write(b, VIRTIO_MMIO_QUEUE_NOTIFY, n);
}

uint16_t vb_used_idx(struct virtio_bench *b, unsigned n)
{
	uint16_t idx;

	gmem_read(&b->fe->mem, VB_RINGS + n * VB_QUEUE + VB_USED + 2, &idx, 2);
	return idx;
}

static void used(struct virtio_bench *b, unsigned n, uint32_t e[2])
{
	uint64_t at = (uint16_t)(vb_used_idx(b, n) - 1) % VB_SIZE;

	gmem_read(&b->fe->mem, VB_RINGS + n * VB_QUEUE + VB_USED + 4 + 8 * at, e, 8);
}

uint32_t vb_used_len(struct virtio_bench *b, unsigned n)
{
	uint32_t e[2];

	used(b, n, e);
	return e[1];
}

uint32_t vb_used_id(struct virtio_bench *b, unsigned n)
{
	uint32_t e[2];

	used(b, n, e);
	return e[0];
}

bool vb_needs_reset(struct virtio_bench *b)
{
	return vb_read(b, VIRTIO_MMIO_STATUS) & 0x40;
}
