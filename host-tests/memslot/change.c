/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory slot that is changed under running vCPUs (Documentation/virt/kvm/api.rst 4.35): when the ioctl has
 * returned, no vCPU reaches the memory in the old way any more.
 */
#include "common.h"
#include <errno.h>
#include <sys/mman.h>

#define VCPUS 3U

static struct vm *running(void (*snippet)(void), uint64_t *host)
{
	struct vm *vm = vm_new(.vcpus = VCPUS, .entry = snippet);

	slot_set(vm, SLOT_AT, host, 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		vm->vcpu[i]->arg[0] = SLOT_AT + 8ULL * i;
		vm->vcpu[i]->arg[1] = WORD_BEFORE;
	}
	vm_start(vm, 0, VCPUS);
	expect_progress(vm, 0, 16);
	return vm;
}

/* One address per vCPU is what EXPECT_MMIO_END asks for: each reached for its own word. */
static void expect_ends(int line, struct vm *vm, bool write)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vm one = {.vcpus = i + 1};

		one.vcpu[i] = vm->vcpu[i];
		expect_mmio_end(__FILE__, line, &one, i, SLOT_AT + 8ULL * i, write);
	}
}

TEST(memslot, removed_slot_is_gone_for_every_vcpu, RULE("KVM-SLOT-1"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(load_for_ever, host);

	slot_remove(vm);
	/* whoever still reached the memory would see this */
	slot_fill(host, slot_size(), WORD_AFTER);
	expect_ends(__LINE__, vm, false);
}

TEST(memslot, removed_slot_takes_no_more_stores, RULE("KVM-SLOT-1"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(store_for_ever, host);

	slot_remove(vm);
	slot_fill(host, slot_size(), WORD_AFTER);
	expect_ends(__LINE__, vm, true);
	for (unsigned int i = 0; i < VCPUS; i++) {
		__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(host + i) : "memory");
		EXPECT_EQ(host[i], WORD_AFTER);
	}
}

/* A slot of the same memory at another address is a move (virt/kvm/kvm_main.c, KVM_MR_MOVE). */
TEST(memslot, moved_slot_is_only_at_its_new_address, RULE("KVM-SLOT-2"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(load_for_ever, host);

	slot_set(vm, SLOT_ELSE, host, 0);
	slot_fill(host, slot_size(), WORD_AFTER);
	expect_ends(__LINE__, vm, false);
	vm_join(vm);
	for (unsigned int i = 0; i < VCPUS; i++) {
		/* finish the read that was refused its memory, with a word that ends the snippet */
		vm->vcpu[i]->arg[0] = SLOT_ELSE + 8ULL * i;
		vcpu_start_at(vm, i, guest_entry);
		vm->vcpu[i]->result[0] = 0;
		RUN_TO_END(vm, i);
		EXPECT_EQ(vm->vcpu[i]->result[0], WORD_AFTER);
	}
}

/* 4.35: KVM_MEM_READONLY of a slot cannot be changed; what a VMM does is remove and add it. */
TEST(memslot, slot_made_read_only_refuses_the_next_store, RULE("KVM-SLOT-3"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(store_for_ever, host);

	if (vm_cap(vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP_NEEDS("readonly-mem", "KVM_CAP_READONLY_MEM is 0");
	slot_remove(vm);
	slot_set(vm, SLOT_AT, host, KVM_MEM_READONLY);
	slot_fill(host, slot_size(), WORD_AFTER);
	expect_ends(__LINE__, vm, true);
	for (unsigned int i = 0; i < VCPUS; i++) {
		__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(host + i) : "memory");
		EXPECT_EQ(host[i], WORD_AFTER);
	}
	/* nor does a store get through that comes when the slot stands again */
	vm_join(vm);
	for (unsigned int i = 0; i < VCPUS; i++)
		vcpu_start_at(vm, i, guest_entry);
	vm_start(vm, 0, VCPUS);
	expect_ends(__LINE__, vm, true);
	for (unsigned int i = 0; i < VCPUS; i++)
		EXPECT_EQ(host[i], WORD_AFTER);
}

/* 4.35: where a read exited, there is memory once a slot is added. */
TEST(memslot, slot_added_is_memory_for_every_vcpu, RULE("KVM-SLOT-4"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(load_for_ever, host);

	slot_remove(vm);
	expect_ends(__LINE__, vm, false);
	vm_join(vm);
	slot_set(vm, SLOT_AT, host, 0);
	slot_fill(host, slot_size(), WORD_AFTER);
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpu_start_at(vm, i, guest_entry);
		vm->vcpu[i]->result[0] = 0;
		RUN_TO_END(vm, i);
		EXPECT_EQ(vm->vcpu[i]->result[0], WORD_AFTER);
	}
}

/* 4.35: size, memory and KVM_MEM_READONLY of a slot stay (virt/kvm/kvm_main.c: EINVAL); its vCPUs notice nothing. */
TEST(memslot, slot_cannot_be_changed_in_place, RULE("KVM-SLOT-5"))
{
	uint64_t size = slot_size(), *host = slot_memory(2 * size);
	struct vm *vm = running(load_for_ever, host);

	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, SLOT_AT, 2 * size, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, SLOT_AT, size, host + size / 8, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, SLOT_AT, size, host, KVM_MEM_READONLY), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT + 1, SLOT_AT, size, host + size / 8, 0), EEXIST);
	expect_progress(vm, 0, 64);
}

/* Memory taken from the process is taken from the guest: the next access faults in a fresh, zeroed page (mmu notifiers). */
TEST(memslot, host_mapping_that_goes_takes_the_guests_with_it, RULE("KVM-SLOT-6"))
{
	uint64_t *host = slot_memory(slot_size());
	struct vm *vm = running(load_for_ever, host);

	if (madvise(host, slot_size(), MADV_DONTNEED))
		test_error("madvise(MADV_DONTNEED) failed");
	for (unsigned int i = 0; i < VCPUS; i++) {
		EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[i]->parked) == 2);
		EXPECT_EQ(vm->vcpu[i]->end, (int)GUEST_DONE);
		EXPECT_EQ(vm->vcpu[i]->result[0], 0U);
	}
}
