/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book-keeping of slots (api.rst 4.35; virt/kvm/kvm_main.c): many beside each other, each with its own memory to
 * its very ends; overlaps, moves and sizes that cannot be.
 */
#include "pages.h"
#include <errno.h>
#include <sys/mman.h>

#define AT    0x80000000ULL
#define COUNT 100U

/* Neighbours in guest memory are strangers in the host's: slot n has page (n * 73) % COUNT. */
static uint64_t frame_of(unsigned int n)
{
	return n * 73 % COUNT;
}

/* First and last word of each page; what is removed must exit. */
static void expect_slots(struct vm *vm, unsigned int only_multiples_of)
{
	uint64_t page = page_size();
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < COUNT; n++) {
		struct vcpu *c = vm->vcpu[0];
		bool there = only_multiples_of == 0 || n % only_multiples_of == 0;
		int end;

		c->arg[0] = AT + n * page;
		c->arg[1] = page - 8;
		c->arg[2] = 2;
		c->arg[3] = TOUCH_READ_0;
		c->arg[4] = 0x1000 + n;
		end = vcpu_run(vm, 0);
		if (there) {
			wrong += end != GUEST_DONE || c->result[0] != 0;
			continue;
		}
		for (unsigned int i = 0; i < 2; i++) {
			uint64_t at = AT + n * page + i * (page - 8);

			wrong += end != KVM_EXIT_MMIO || c->run->mmio.phys_addr != at;
			if (end == KVM_EXIT_MMIO)
				end = vcpu_run(vm, 0);
		}
		wrong += end != GUEST_DONE;
	}
	EXPECT_EQ(wrong, 0U);
}

TEST(memslot, many_slots_show_each_its_own_memory, RULE("KVM-SLOT-9"), .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size();
	char *host = pages_normal(COUNT * page, page);
	unsigned int most = (unsigned int)vm_cap(vm, KVM_CAP_NR_MEMSLOTS);
	/* numbers over the whole range: the last one too */
	unsigned int step = (most - 1 - SLOT) / (COUNT - 1);

	FACT("kvm.memslots", "%u", most);
	for (unsigned int n = 0; n < COUNT; n++) {
		char *p = host + frame_of(n) * page;

		page_put(p, 0, 0x1000 + n);
		*(volatile uint64_t *)(p + page - 8) = 0x1000 + n;
		__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(p + page - 8) : "memory");
		slot_map(vm, n == COUNT - 1 ? most - 1 : SLOT + n * step, AT + n * page, page, p,
			 0);
	}
	expect_slots(vm, 0);
	/* two of three are removed, in another order than they came */
	for (unsigned int n = COUNT; n-- > 0;)
		if (n % 3)
			slot_map(vm, n == COUNT - 1 ? most - 1 : SLOT + n * step, 0, 0, NULL, 0);
	expect_slots(vm, 3);
	for (unsigned int n = 0; n < COUNT; n++)
		if (n % 3)
			slot_map(vm, n == COUNT - 1 ? most - 1 : SLOT + n * step, AT + n * page,
				 page, host + frame_of(n) * page, 0);
	expect_slots(vm, 0);
	EXPECT_REFUSED(vm_try_set_slot(vm, most, AT - page, page, host, 0), EINVAL);
}

/* 4.35: slots may not overlap, not by one page, at either end, within or around; touching is no overlap. */
TEST(memslot, overlapping_slots_are_refused_to_the_page, RULE("KVM-SLOT-10"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size(), at = AT + 16 * page;
	char *host = pages_normal(64 * page, page);
	static const struct {
		int first, pages, err;
	} tries[] = {
		{-1, 2, EEXIST},  {7, 2, EEXIST}, {-4, 5, EEXIST}, {0, 8, EEXIST}, {2, 3, EEXIST},
		{-2, 12, EEXIST}, {0, 1, EEXIST}, {7, 1, EEXIST},  {-4, 4, 0},	   {8, 4, 0},
	};

	slot_map(vm, SLOT, at, 8 * page, host, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
		int r = vm_try_set_slot(vm, SLOT + 1,
					at + (uint64_t)((int64_t)page * tries[i].first),
					page * (uint64_t)tries[i].pages, host + 32 * page, 0);

		if (!EXPECT_EQ(-r, tries[i].err))
			NOTE("%d pages from page %d of a slot of 8", tries[i].pages,
			     tries[i].first);
		if (!r)
			slot_map(vm, SLOT + 1, 0, 0, NULL, 0);
	}
	/* the slot stands as it stood */
	EXPECT_EQ(SWEEP(vm, at, page, 8, TOUCH_WRITE, 1), 0U);
	EXPECT_EQ(page_get(host, 7), 8U);
	/* nor is one moved onto another; where it would overlap only itself it is */
	slot_map(vm, SLOT + 1, at + 8 * page, 8 * page, host + 32 * page, 0);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, at + page, 8 * page, host, 0), EEXIST);
	EXPECT_EQ(SWEEP(vm, at, page, 8, TOUCH_READ, 1), 0U);
	EXPECT_OK(vm_try_set_slot(vm, SLOT, at - page, 8 * page, host, 0));
	EXPECT_EQ(SWEEP(vm, at - page, page, 8, TOUCH_READ, 1), 0U);
}

TEST(memslot, slots_of_no_size_or_too_much_are_refused, RULE("KVM-SLOT-11"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size();
	char *host = pages_normal(4 * page, page);

	/* nothing to remove, and no slot without size to be made */
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, AT, 0, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, 0, 0, NULL, 0), EINVAL);
	/* more pages than an int counts; past the end of the address space */
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, 0, (1ULL << 31) * page, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, -page, 2 * page, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, AT, page, (void *)(~0ULL << 16), 0), EINVAL,
		       EFAULT);
	/* another address space of the slot number (x86's SMM) */
	EXPECT_REFUSED(vm_try_set_slot(vm, 1U << 16 | SLOT, AT, page, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, AT, page, host, 1U << 2), EINVAL);
	slot_map(vm, SLOT, AT, page, host, 0);
	EXPECT_OK(vm_try_set_slot(vm, SLOT, AT, page, host, 0)); /* no change is no error */
	EXPECT_OK(vm_try_set_slot(vm, SLOT, AT, 0, host, 0));
	EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, AT, 0, host, 0), EINVAL);
}

/* Reads of a read-only slot go on, also behind stores, execution too; each store exits and none arrives. */
TEST(memslot, read_only_slot_is_read_and_executed_but_never_written, RULE("KVM-SLOT-3"),
     VARIANTS("normal: huge=0 | huge: huge=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t page = page_size(), n = 12, size = n * page, huge = hugetlb_block();
	uint64_t gpa = 0x8000000000;
	char *host;

	if (vm_cap(vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP_NEEDS("readonly-mem", "KVM_CAP_READONLY_MEM is 0");
	if (test_param_u64("huge", 0)) {
		host = huge ? pages_hugetlb(huge, huge) : NULL;
		if (!host)
			SKIP("the host has no free hugetlb page that is a block");
		size = huge;
	} else {
		host = pages_normal(size, page);
	}
	for (uint64_t i = 0; i < n; i++)
		page_put(host, i, 0xd65f03c0d2800000ULL | (0x700 + i) << 5);
	__builtin___clear_cache(host, host + n * page);
	slot_map(vm, SLOT, gpa, size, host, KVM_MEM_READONLY);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_EXECUTE, 0x700), 0U);
	for (uint64_t i = 0; i < n; i++) {
		struct vcpu *c = vm->vcpu[0];

		c->arg[0] = gpa + i * page;
		c->arg[2] = 1;
		c->arg[3] = TOUCH_WRITE;
		c->arg[4] = 0xbad;
		ASSERT_EQ(vcpu_run(vm, 0), (int)KVM_EXIT_MMIO);
		EXPECT_EQ(c->run->mmio.phys_addr, gpa + i * page);
		EXPECT_EQ(c->run->mmio.is_write, 1);
		RUN_TO_END(vm, 0);
	}
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_EXECUTE, 0x700), 0U);
	for (uint64_t i = 0; i < n; i++)
		EXPECT_EQ(page_get(host, i), 0xd65f03c0d2800000ULL | (0x700 + i) << 5);
}

/* A data abort of the guest itself, with this status and address. */
static void expect_guest_fault(struct vm *vm, uint64_t at, uint64_t status)
{
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = at;
	if (!EXPECT_EQ(vcpu_run(vm, 0), (int)GUEST_EXCEPTION))
		return;
	EXPECT_EQ(ESR_EC(c->esr), 0x25U);
	EXPECT_EQ(c->esr & 0x3f, status);
	EXPECT_EQ(c->far, at);
	/* complete the report's last store, so that the vCPU can be started anew */
	c->run->immediate_exit = 1;
	EXPECT_EQ(vcpu_run(vm, 0), (int)GUEST_PARKED);
	c->run->immediate_exit = 0;
}

/*
 * arch/arm64/kvm/mmu.c, kvm_handle_guest_abort: where no more address is, the guest takes an external abort between
 * its own space and the host's limit, and an address size fault of level 0 beyond that.
 */
TEST(memslot, every_ipa_size_ends_at_its_last_page, RULE("KVM-IPA-4"), .limit_ms = 60000)
{
	int limit = kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE), all = limit > 0 ? limit : 40;
	unsigned int tried = 0;
	uint64_t page = page_size();
	char *host = pages_normal(2 * page, page);

	if (kvm_protected_mode())
		SKIP("kvm-arm.mode=protected: KVM gives every VM all %d bits", limit);
	limit = all > 46 ? 46 : all; /* closing larger ones takes long */
	for (int bits = 32; bits <= limit; bits++) {
		struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = (unsigned int)bits);
		uint64_t top = 1ULL << bits;

		EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, top - page, 2 * page, host, 0), EFAULT);
		EXPECT_REFUSED(vm_try_set_slot(vm, SLOT, top, page, host, 0), EFAULT);
		slot_map(vm, SLOT, top - 2 * page, 2 * page, host, 0);
		if (!EXPECT_EQ(
			    SWEEP(vm, top - 2 * page, page, 2, TOUCH_WRITE, 0x100 * (uint64_t)bits),
			    0U) ||
		    !EXPECT_EQ(page_get(host, 1), 0x100U * (uint64_t)bits + 1))
			NOTE("IPA size %d", bits);
		vm->vcpu[0]->arg[0] = top - 2 * page - 8;
		vm->vcpu[0]->arg[2] = 1;
		vm->vcpu[0]->arg[3] = TOUCH_READ;
		EXPECT_EQ(vcpu_run(vm, 0), (int)KVM_EXIT_MMIO);
		EXPECT_EQ(vm->vcpu[0]->run->mmio.phys_addr, top - 2 * page - 8);
		RUN_TO_END(vm, 0);
		/* the first address beyond the VM's space is an external abort, beyond the host's limit a size fault */
		expect_guest_fault(vm, top, bits < all ? 0x10 : 0);
		vcpu_start_at(vm, 0, guest_entry);
		expect_guest_fault(vm, 1ULL << all, 0);
		vm_free(vm);
		tried++;
	}
	EXPECT_GE(tried, 1U);
}
