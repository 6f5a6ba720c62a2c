/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"
#include "dt.h"
#include "report.h"
#include "sysreg.h"

#define FOREVER_MAX (24 * SZ_1M)

extern char __image_end[];

static uint64_t forever_next, forever_end, test_base, test_next, ram_end;

void mem_init(void)
{
	uint64_t base = 0, size = 0, start = ALIGN_UP((uint64_t)(uintptr_t)__image_end, SZ_64K);

	if (!dt_memory(0, &base, &size) || base + size <= start)
		report_die("no RAM behind the image");
	ram_end = base + size;
	forever_next = start;
	forever_end = start + MIN(FOREVER_MAX, (ram_end - start) / 2);
	test_base = ALIGN_UP(forever_end, SZ_64K);
	test_next = test_base;
}

static void *take(uint64_t *next, uint64_t end, uint64_t size, uint64_t align)
{
	uint64_t at = ALIGN_UP(*next, align);

	if (at + size < at || at + size > end)
		return NULL;
	*next = at + size;
	return memset((void *)at, 0, size);
}

void *mem_alloc(uint64_t size, uint64_t align)
{
	void *p = take(&test_next, ram_end, size, align);

	if (!p)
		test_error("guest RAM is exhausted: no room for 0x%lx bytes; give the VM more "
			   "--memory",
			   size);
	return p;
}

void *mem_alloc_forever(uint64_t size, uint64_t align)
{
	void *p = take(&forever_next, forever_end, size, align);

	if (!p)
		report_die("guest RAM is exhausted: no room for 0x%lx bytes for the library", size);
	return p;
}

void mem_unused(uint64_t *base, uint64_t *size)
{
	*base = ALIGN_UP(test_next, SZ_64K);
	*size = ram_end - *base;
}

void mem_reset(void)
{
	test_next = test_base;
}

void cache_flush(const void *p, uint64_t size)
{
	uint64_t line = 4ULL << BITS(read_sysreg(ctr_el0), 19, 16);
	uint64_t end = (uint64_t)(uintptr_t)p + size;

	for (uint64_t at = (uint64_t)(uintptr_t)p & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	dsb(sy);
}
