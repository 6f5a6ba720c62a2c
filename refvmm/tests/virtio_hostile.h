/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of one virtio device on the virtio-mmio transport, for the fuzz targets of the classes. Steps of 8
 * bytes; RAM behind the rings starts with what is left of the input.
 */
#ifndef REFVMM_TESTS_VIRTIO_HOSTILE_H
#define REFVMM_TESTS_VIRTIO_HOSTILE_H

#include "tests/virtio_bench.h"

struct hostile_step {
	uint8_t op, where, more, len;
	uint32_t val;
};

struct hostile_driver {
	/* A request that the class knows, with fields of the step's, in VB_DATA and descriptors 0 to 3. */
	void (*request)(struct virtio_bench *b, const struct hostile_step *s);
	/* What is behind the device does something. */
	void (*outside)(struct virtio_bench *b, const struct hostile_step *s);
};

void hostile_drive(struct virtio_bench *b, const struct hostile_driver *h, const uint8_t *data,
		   size_t size);

#endif
