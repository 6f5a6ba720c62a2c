/* SPDX-License-Identifier: Apache-2.0 */
/* The logged slot that the tests of the dirty log share, and its bitmap. */
#ifndef MEMSLOT_DIRTY_H
#define MEMSLOT_DIRTY_H

#include "pages.h"

#define LOG_AT	  0x80000000ULL
#define LOG_PAGES 300U /* no multiple of 64 */
#define LOG_WORDS 5U

struct log {
	uint64_t bits[LOG_WORDS];
};

enum { KIND_NORMAL, KIND_THP, KIND_HUGETLB };

/* Memory of LOG_PAGES and more for the slot; a skip where the host has none of that kind. */
char *log_memory(unsigned int kind);
/* Slot SLOT over it, with or without logging. */
void log_slot(struct vm *vm, char *host, uint32_t flags);
int log_get(struct vm *vm, struct log *log);
int log_clear(struct vm *vm, uint64_t first, uint64_t pages, const uint64_t *bits);

static inline bool log_has(const struct log *log, unsigned int n)
{
	return log->bits[n / 64] >> n % 64 & 1;
}

static inline void log_add(struct log *log, unsigned int n)
{
	log->bits[n / 64] |= 1ULL << n % 64;
}

#endif
