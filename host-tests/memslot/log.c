/* SPDX-License-Identifier: Apache-2.0 */
#include "dirty.h"

char *log_memory(unsigned int kind)
{
	uint64_t size = LOG_PAGES * page_size(),
		 huge = kind == KIND_THP ? thp_size() : hugetlb_block();
	char *host;

	if (kind == KIND_NORMAL)
		return pages_normal(size, page_size());
	if (!huge)
		SKIP("the host has no %s huge pages",
		     kind == KIND_THP ? "transparent" : "free hugetlb");
	size = (size + huge - 1) & ~(huge - 1);
	host = kind == KIND_THP ? pages_thp(size) : pages_hugetlb(size, huge);
	if (!host)
		SKIP("the host has no free huge page of %llu MiB", (unsigned long long)huge >> 20);
	return host;
}

void log_slot(struct vm *vm, char *host, uint32_t flags)
{
	slot_map(vm, SLOT, LOG_AT, LOG_PAGES * page_size(), host, flags);
}

int log_get(struct vm *vm, struct log *log)
{
	struct kvm_dirty_log get = {.slot = SLOT, .dirty_bitmap = log->bits};

	return (int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &get);
}

int log_clear(struct vm *vm, uint64_t first, uint64_t pages, const uint64_t *bits)
{
	struct kvm_clear_dirty_log clear = {
		.slot = SLOT,
		.num_pages = (uint32_t)pages,
		.first_page = first,
		.dirty_bitmap = (void *)bits,
	};

	return (int)vm_ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear);
}
