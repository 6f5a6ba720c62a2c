/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SUITE(memslot, .tags = "memory", .limit_ms = 20000);

GUEST(load_for_ever)
{
	uint64_t at = guest_arg(0), want = guest_arg(1), got;

	for (uint64_t n = 1;; n++) {
		got = guest_read64(at);
		if (got != want)
			break;
		if (n % 16 == 0)
			guest_tick(n);
	}
	guest_result(0, got);
}

GUEST(store_for_ever)
{
	uint64_t at = guest_arg(0);

	for (uint64_t n = 1;; n++) {
		guest_write64(at, n);
		if (n % 16 == 0)
			guest_tick(n);
	}
}

uint64_t slot_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

void slot_fill(uint64_t *host, uint64_t size, uint64_t word)
{
	for (uint64_t i = 0; i < size / 8; i++)
		host[i] = word;
	/* the guests' MMU is off: they look past the caches */
	__asm__ volatile("dsb sy" ::: "memory");
	for (uint64_t i = 0; i < size; i += 16)
		__asm__ volatile("dc civac, %0" ::"r"((char *)host + i) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

uint64_t *slot_memory(uint64_t size)
{
	uint64_t *host =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (host == MAP_FAILED)
		test_error("mmap of %llu bytes: %s", (unsigned long long)size,
			   strerrorname_np(errno));
	slot_fill(host, size, WORD_BEFORE);
	return host;
}

void slot_set(struct vm *vm, uint64_t gpa, void *host, uint32_t flags)
{
	int r = vm_try_set_slot(vm, SLOT, gpa, slot_size(), host, flags);

	if (r)
		test_error("KVM_SET_USER_MEMORY_REGION(%#llx, flags %#x): %s",
			   (unsigned long long)gpa, flags, strerrorname_np(-r));
}

void slot_remove(struct vm *vm)
{
	int r = vm_try_set_slot(vm, SLOT, 0, 0, NULL, 0);

	if (r)
		test_error("removing a memory slot: %s", strerrorname_np(-r));
}

void expect_progress(struct vm *vm, unsigned int first, uint64_t n)
{
	for (unsigned int i = first; i < vm->vcpus; i++) {
		struct vcpu *c = vm->vcpu[i];
		uint64_t from = atomic_load(&c->ticks);

		if (!EXPECT_EVENTUALLY(atomic_load(&c->ticks) >= from + n))
			NOTE("vCPU %u, end %d, tick %llu", i, c->end, (unsigned long long)from);
	}
}

void expect_mmio_end(const char *file, int line, struct vm *vm, unsigned int first, uint64_t gpa,
		     bool write)
{
	for (unsigned int i = first; i < vm->vcpus; i++) {
		struct vcpu *c = vm->vcpu[i];
		char what[32], got[128], want[64];

		for (int n = 0; n < 8000 && atomic_load(&c->parked) != 2; n++)
			test_pause_us(1000);
		snprintf(what, sizeof(what), "vCPU %u", i);
		snprintf(want, sizeof(want), "KVM_EXIT_MMIO %s %#llx", write ? "write" : "read",
			 (unsigned long long)gpa);
		if (atomic_load(&c->parked) != 2)
			snprintf(got, sizeof(got), "a vCPU that goes on, tick %llu",
				 (unsigned long long)atomic_load(&c->ticks));
		else if (c->end == GUEST_DONE)
			snprintf(got, sizeof(got), "data: %#llx", (unsigned long long)c->result[0]);
		else if (c->end != KVM_EXIT_MMIO)
			snprintf(got, sizeof(got), "end %d", c->end);
		else
			snprintf(got, sizeof(got), "KVM_EXIT_MMIO %s %#llx",
				 c->run->mmio.is_write ? "write" : "read",
				 (unsigned long long)c->run->mmio.phys_addr);
		if (!strcmp(got, want))
			test_held();
		else
			test_differs(file, line, what, got, want);
	}
}
