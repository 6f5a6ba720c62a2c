/* SPDX-License-Identifier: Apache-2.0 */
/* Snippets that several suites use. */
#include "guest.h"

GUEST(guest_count)
{
	for (uint64_t n = 1;; n++) {
		guest_tick(n);
		guest_answer();
	}
}

GUEST(guest_nothing)
{
}
