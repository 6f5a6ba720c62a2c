/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory. gpa_ptr() is the only place where a guest physical address
 * becomes a pointer. What the guest owns may change at any time: copy it out
 * once with gmem_read(), check the copy, use the copy.
 */
#ifndef REFVMM_CORE_GPA_H
#define REFVMM_CORE_GPA_H

#include <stddef.h>
#include <stdint.h>

#define GMEM_SLOTS_MAX 8U

struct gmem_slot {
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
};

struct gmem {
	struct gmem_slot slot[GMEM_SLOTS_MAX]; /* do not overlap */
	unsigned nr;
};

/* -EEXIST: overlaps; -ENOSPC: table full; -EINVAL: empty or wraps. */
int gmem_add(struct gmem *m, uint64_t gpa, uint64_t size, void *host);

/* NULL unless all of [gpa, gpa + len) lies in one slot. `len` 0 gives NULL. */
void *gpa_ptr(const struct gmem *m, uint64_t gpa, uint64_t len);

/* 0 or -EFAULT; a range is copied whole or not at all. */
int gmem_read(const struct gmem *m, uint64_t gpa, void *buf, size_t len);
int gmem_write(const struct gmem *m, uint64_t gpa, const void *buf, size_t len);
int gmem_zero(const struct gmem *m, uint64_t gpa, size_t len);

#endif
