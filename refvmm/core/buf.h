/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes being put together, little-endian. The first failure sticks: check `failed` once, at the
 * end.
 */
#ifndef REFVMM_CORE_BUF_H
#define REFVMM_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len, capacity;
	bool failed; /* out of memory */
};

void buf_free(struct buf *b);
void buf_bytes(struct buf *b, const void *p, size_t len);
void buf_zero(struct buf *b, size_t len);
void buf_u8(struct buf *b, uint8_t val);
void buf_u16(struct buf *b, uint16_t val);
void buf_u32(struct buf *b, uint32_t val);
void buf_u64(struct buf *b, uint64_t val);
/* Fills up with zeros to a multiple of `align`. */
void buf_align(struct buf *b, size_t align);
/* Makes room for `len` bytes at `at`; what is there moves up. */
void buf_insert(struct buf *b, size_t at, const void *p, size_t len);
/* Overwrites what is there already. */
void buf_put32(struct buf *b, size_t at, uint32_t val);

#endif
