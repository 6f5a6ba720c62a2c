/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which vector lengths `sve384=off,sve512=on` means on a host. Bit n of a mask is (n + 1) * 128
 * bits. KVM can only lower the maximum, so lengths nobody named follow from those that were:
 *
 *	the greatest that is on is the maximum, and all the host has below it come along;
 *	without one that is on, the lengths end below the smallest of the host's that is off.
 *
 * These are QEMU's rules for sveNNN= under KVM.
 */
#ifndef REFVMM_CORE_SVE_SET_H
#define REFVMM_CORE_SVE_SET_H

#include <stdint.h>

static inline uint32_t sve_set(uint32_t host, uint32_t on, uint32_t off)
{
	uint32_t cut = host & off;

	if (on)
		return on | (host & ~off & ((2U << (31 - __builtin_clz(on))) - 1));
	return cut ? host & ((1U << __builtin_ctz(cut)) - 1) : host;
}

#endif
