/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whoever has waited cannot know whether others do, and leaves the lock in state 2. */
void lock_wait(struct lock *l)
{
	while (__atomic_exchange_n(&l->state, 2, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &l->state, FUTEX_WAIT_PRIVATE, 2, NULL); /* or it has changed */
}

void lock_wake(struct lock *l)
{
	syscall(SYS_futex, &l->state, FUTEX_WAKE_PRIVATE, 1);
}
