/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

GUEST(sweep)
{
	for (;;) {
		uint64_t base = guest_arg(0), step = guest_arg(1), n = guest_arg(2);
		uint64_t touch = guest_arg(3), value = guest_arg(4), bad = 0, first = 0, set = 0;

		for (uint64_t i = 0; i < n; i++) {
			uint64_t at = base + i * step, want = value + i, got = want;

			if (touch == TOUCH_WRITE_SET && i % 64 == 0)
				set = guest_arg((unsigned int)(5 + i / 64));
			if (touch == TOUCH_WRITE || (touch == TOUCH_WRITE_SET && set >> i % 64 & 1))
				guest_write64(at, want);
			else if (touch == TOUCH_WRITE_SET)
				continue;
			else if (touch == TOUCH_EXECUTE)
				got = ((uint64_t(*)(void))at)(), want &= 0xffff;
			else
				got = guest_read64(at);
			if (touch == TOUCH_READ_0)
				want = value;
			if (got == want)
				continue;
			if (!bad++)
				first = i;
		}
		guest_result(0, bad);
		guest_result(1, first);
		guest_done();
	}
}

uint64_t vm_sweep(const char *file, int line, struct vm *vm, uint64_t gpa, uint64_t step,
		  uint64_t n, enum touch touch, uint64_t value)
{
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = gpa;
	c->arg[1] = step;
	c->arg[2] = n;
	c->arg[3] = touch;
	c->arg[4] = value;
	vcpu_run_to_end(file, line, vm, 0);
	return c->result[0];
}

uint64_t vcpu_exits(struct vm *vm, unsigned int i)
{
	int fd = (int)vcpu_ioctl(vm, i, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header h;
	uint64_t value = 0;
	bool found = false;
	char text[512];
	struct kvm_stats_desc *d = (void *)text;

	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
		SKIP_NEEDS("kvm-stats", "KVM_GET_STATS_FD is refused: the host counts no exits");
	for (uint32_t n = 0; !found && n < h.num_desc; n++) {
		size_t size = sizeof(*d) + h.name_size;

		if (size > sizeof(text) ||
		    pread(fd, text, size, (off_t)h.desc_offset + (off_t)(n * size)) !=
			    (ssize_t)size)
			break;
		found = !strcmp(d->name, "exits") &&
			pread(fd, &value, 8, (off_t)h.data_offset + d->offset) == 8;
	}
	close(fd);
	if (!found)
		SKIP_NEEDS("kvm-stats", "KVM has no statistic `exits` for a vCPU");
	return value;
}

uint64_t sweep_exits(struct vm *vm, uint64_t gpa, uint64_t step, uint64_t n, enum touch touch,
		     uint64_t value)
{
	uint64_t before, after, none = ~0ULL, bad;

	(void)SWEEP(vm, gpa, step, 0, touch, value); /* completes what was left of the last run */
	after = vcpu_exits(vm, 0);
	for (unsigned int i = 0; i < 4; i++) { /* without the host's interrupts, if it can be had */
		before = after;
		(void)SWEEP(vm, gpa, step, 0, touch, value);
		after = vcpu_exits(vm, 0);
		none = after - before < none ? after - before : none;
	}
	bad = SWEEP(vm, gpa, step, n, touch, value);
	none += after;
	before = vcpu_exits(vm, 0);
	if (!EXPECT_EQ(bad, 0U))
		NOTE("sweep of %llu pages at %#llx, first wrong page %llu", (unsigned long long)n,
		     (unsigned long long)gpa, (unsigned long long)vm->vcpu[0]->result[1]);
	return before > none ? before - none : 0;
}

uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A table is one page of 8-byte entries (DDI 0487 D8.3). */
uint64_t block_size(void)
{
	return page_size() * (page_size() / 8);
}

uint64_t thp_size(void)
{
	static char text[64];

	if (file_read("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)) < 0 ||
	    strstr(text, "[never]"))
		return 0;
	if (file_read("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

/* arch/arm64/kvm/mmu.c, user_mem_abort: huge pages made of contiguous entries are mapped by the size below. */
uint64_t stage2_size(uint64_t size)
{
	uint64_t page = page_size(), block = block_size();

	if (page == 4096 && size >= block * 512)
		return block * 512; /* 1 GiB: the one granule with blocks of level 1 */
	return size >= block ? block : page;
}

char *pages_normal(uint64_t size, uint64_t align)
{
	char *p = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		test_error("mmap of %#llx bytes: %s", (unsigned long long)size,
			   strerrorname_np(errno));
	p = (char *)(((uintptr_t)p + align - 1) & ~(align - 1));
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

/* Whether all pages are there once one of each huge page was touched: no page faults any more. */
static bool no_page_faults(const char *p, uint64_t size)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (uint64_t at = 0; at < size; at += page_size())
		(void)*(const volatile char *)(p + at);
	getrusage(RUSAGE_SELF, &after);
	return (uint64_t)(after.ru_minflt - before.ru_minflt) < size / page_size() / 4;
}

/* What smaps says of the mapping that holds p; a kernel without CONFIG_PROC_PAGE_MONITOR has none. */
static uint64_t anon_huge(const char *p, uint64_t size)
{
	char line[256];
	static const char key[] = "AnonHugePages:";
	uint64_t kb = 0;
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "re");

	if (!f)
		return no_page_faults(p, size) ? size : 0;
	while (fgets(line, sizeof(line), f)) {
		char *end;
		uint64_t from = strtoull(line, &end, 16);

		if (end != line && *end == '-') { /* a mapping's first line: FROM-TO … */
			here = (uintptr_t)p >= from && (uintptr_t)p < strtoull(end + 1, NULL, 16);
		} else if (here && !strncmp(line, key, sizeof(key) - 1)) {
			kb = strtoull(line + sizeof(key) - 1, NULL, 10);
			break;
		}
	}
	fclose(f);
	return kb << 10;
}

char *pages_thp(uint64_t size)
{
	uint64_t huge = thp_size();
	char *p;

	if (!huge)
		return NULL;
	size = (size + huge - 1) & ~(huge - 1);
	p = pages_normal(size, huge);
	if (madvise(p, size, MADV_HUGEPAGE))
		return NULL;
	for (uint64_t at = 0; at < size; at += huge)
		*(volatile char *)(p + at) = 0;
	return anon_huge(p, size) >= size ? p : NULL;
}

char *pages_hugetlb(uint64_t size, uint64_t huge)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		    (int)((unsigned int)__builtin_ctzll(huge) << MAP_HUGE_SHIFT);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

uint64_t hugetlb_block(void)
{
	for (uint64_t huge = block_size(); huge <= 1ULL << 34; huge <<= 1) {
		char *p = pages_hugetlb(huge, huge);

		if (!p)
			continue;
		munmap(p, huge);
		return huge;
	}
	return 0;
}

static void flush(void *p)
{
	__asm__ volatile("dsb sy\n\tdc civac, %0\n\tdsb sy" ::"r"(p) : "memory");
}

void page_put(char *host, uint64_t n, uint64_t value)
{
	char *p = host + n * page_size();

	*(volatile uint64_t *)p = value;
	flush(p);
}

uint64_t page_get(char *host, uint64_t n)
{
	char *p = host + n * page_size();

	flush(p);
	return *(volatile uint64_t *)p;
}

void slot_map(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t size, void *host,
	      uint32_t flags)
{
	int r = vm_try_set_slot(vm, slot, gpa, size, host, flags);

	if (r)
		test_error("KVM_SET_USER_MEMORY_REGION(slot %u, %#llx, %#llx bytes, flags %#x): %s",
			   slot, (unsigned long long)gpa, (unsigned long long)size, flags,
			   strerrorname_np(-r));
}
