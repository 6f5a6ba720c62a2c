/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device access. One plain load or store each, without write-back: a hypervisor
 * gets a valid syndrome (ESR_EL2.ISV) only for these (DDI 0487, ISS encoding for
 * a Data Abort).
 */
#ifndef LIB_MMIO_H
#define LIB_MMIO_H

#include "types.h"

struct mmio {
	uint64_t base;
	uint64_t size; /* 0: there is no such device */
};

#define LIB_MMIO(bits, type, ld, st, reg)                                                 \
	static inline type mmio_rd##bits(uint64_t addr)                                   \
	{                                                                                 \
		type v;                                                                   \
		__asm__ volatile(ld " %" reg "0, [%1]" : "=r"(v) : "r"(addr) : "memory"); \
		return v;                                                                 \
	}                                                                                 \
	static inline void mmio_wr##bits(uint64_t addr, type v)                           \
	{                                                                                 \
		__asm__ volatile(st " %" reg "0, [%1]" : : "r"(v), "r"(addr) : "memory"); \
	}                                                                                 \
	static inline type rd##bits(struct mmio m, uint64_t off)                          \
	{                                                                                 \
		return mmio_rd##bits(m.base + off);                                       \
	}                                                                                 \
	static inline void wr##bits(struct mmio m, uint64_t off, type v)                  \
	{                                                                                 \
		mmio_wr##bits(m.base + off, v);                                           \
	}

LIB_MMIO(8, uint8_t, "ldrb", "strb", "w")
LIB_MMIO(16, uint16_t, "ldrh", "strh", "w")
LIB_MMIO(32, uint32_t, "ldr", "str", "w")
LIB_MMIO(64, uint64_t, "ldr", "str", "x")
#undef LIB_MMIO

#endif
