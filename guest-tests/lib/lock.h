/* SPDX-License-Identifier: Apache-2.0 */
/* A spin lock; with one CPU (or before the MMU is on) it costs nothing that could fail. */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "sysreg.h"

struct lock {
	uint32_t taken;
};

static inline void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static inline void lock_drop(struct lock *l)
{
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

#endif
