/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of stage 2 under the dirty log: split to pages while it runs, joined again afterwards, and split at once
 * where user space asked for it (api.rst 8.36 KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE).
 */
#include "dirty.h"
#include <errno.h>
#include <stdlib.h>

#define NOISE  12U
#define ROUNDS 4U
#define AT     0x8000000000ULL

static char *huge_memory(unsigned int kind, uint64_t *size)
{
	char *host;

	*size = kind == KIND_THP ? thp_size() : hugetlb_block();
	if (!*size || *size > 512ULL << 20)
		SKIP("the host has no %s huge page of at most 512 MiB: this test writes every page "
		     "of it",
		     kind == KIND_THP ? "transparent" : "free hugetlb");
	host = kind == KIND_THP ? pages_thp(*size) : pages_hugetlb(*size, *size);
	if (!host)
		SKIP("the host has no free huge page of %llu MiB", (unsigned long long)*size >> 20);
	return host;
}

static uint64_t get_log(struct vm *vm, uint64_t pages)
{
	uint64_t *bits = calloc(pages / 64 + 1, 8), set = 0;
	struct kvm_dirty_log get = {.slot = SLOT, .dirty_bitmap = bits};

	if (!bits)
		test_error("out of memory");
	ASSERT_OK((int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &get));
	for (uint64_t i = 0; i <= pages / 64; i++)
		set += (uint64_t)__builtin_popcountll(bits[i]);
	free(bits);
	return set;
}

TEST(memslot, blocks_are_split_for_the_log_and_joined_after_it, RULE("KVM-DIRTY-8"),
     .limit_ms = 60000, VARIANTS("thp: kind=1 | hugetlb: kind=2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	unsigned int kind = (unsigned int)test_param_u64("kind", KIND_HUGETLB);
	uint64_t size, page = page_size(), n, least = ~0ULL, exits;
	char *host = huge_memory(kind, &size);

	n = size / page;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t value = 0x100000ULL * (i + 1);

		slot_map(vm, SLOT, AT, size, host, 0);
		(void)SWEEP(vm, AT, page, n, TOUCH_WRITE, value);
		/* mapped by its block, the memory is written without faults */
		exits = sweep_exits(vm, AT, page, n, TOUCH_WRITE, value);
		EXPECT_LE(exits, NOISE + n / 8);
		slot_map(vm, SLOT, AT, size, host, KVM_MEM_LOG_DIRTY_PAGES);
		/* a page written alone is logged alone, though it lies in a block */
		EXPECT_EQ(SWEEP(vm, AT + 7 * page, page, 1, TOUCH_WRITE, value + 7), 0U);
		EXPECT_EQ(get_log(vm, n), 1U);
		/* then each page takes a fault of its own */
		exits = sweep_exits(vm, AT, page, n, TOUCH_WRITE, value + 0x1000);
		EXPECT_GE(exits, n);
		EXPECT_EQ(get_log(vm, n), n);
		EXPECT_EQ(SWEEP(vm, AT, page, n, TOUCH_READ, value + 0x1000), 0U);
		/* all is protected by now: without the log the first write joins the block again */
		slot_map(vm, SLOT, AT, size, host, 0);
		exits = sweep_exits(vm, AT, page, n, TOUCH_WRITE, value + 0x2000);
		least = exits < least ? exits : least;
		EXPECT_EQ(SWEEP(vm, AT, page, n, TOUCH_READ, value + 0x2000), 0U);
		slot_remove(vm);
		if (least <= NOISE)
			break;
	}
	EXPECT_LE(least, NOISE);
}

/* A VM that splits blocks as soon as the log begins. */
static struct vm *eager_vm(void)
{
	struct vm *bare = vm_new_bare(40);
	int sizes = (int)vm_ioctl(bare, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES);

	vm_free(bare);
	if (sizes <= 0)
		SKIP_NEEDS("eager-split", "KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES is 0");
	return vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40,
		      .early_cap = KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, .early_arg = block_size());
}

/* One page is written; the others are pages by then, so that reading them costs no fault. */
TEST(memslot, blocks_are_split_at_once_where_it_was_asked_for, RULE("KVM-DIRTY-9"),
     .limit_ms = 60000, VARIANTS("get: manual=0 | clear: manual=1"))
{
	bool manual = test_param_u64("manual", 0);
	struct vm *vm = eager_vm();
	uint64_t size, page = page_size(), n, least = ~0ULL;
	char *host = huge_memory(KIND_HUGETLB, &size);
	static uint64_t ones[1 << 12];

	n = size / page;
	for (uint64_t i = 0; i < n; i++)
		ones[i / 64] |= 1ULL << i % 64;
	if (manual) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			.args = {KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET},
		};

		if (vm_ioctl(vm, KVM_ENABLE_CAP, &cap))
			SKIP_NEEDS("manual-dirty-log",
				   "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is refused");
	}
	for (unsigned int i = 0; i < ROUNDS && least > NOISE; i++) {
		uint64_t value = 0x100000ULL * (i + 1), exits;

		slot_map(vm, SLOT, AT, size, host, 0);
		EXPECT_EQ(SWEEP(vm, AT, page, n, TOUCH_WRITE, value), 0U);
		slot_map(vm, SLOT, AT, size, host, KVM_MEM_LOG_DIRTY_PAGES);
		if (manual) {
			struct kvm_clear_dirty_log clear = {
				.slot = SLOT, .num_pages = (uint32_t)n, .dirty_bitmap = ones};

			ASSERT_OK((int)vm_ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear));
		}
		EXPECT_EQ(SWEEP(vm, AT + 9 * page, page, 1, TOUCH_WRITE, value + 9), 0U);
		exits = sweep_exits(vm, AT, page, n, TOUCH_READ, value);
		least = exits < least ? exits : least;
		EXPECT_EQ(get_log(vm, n), 1U);
		slot_remove(vm);
	}
	EXPECT_LE(least, NOISE);
}

/* 8.36: 0 or one of KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES, and only before there is memory. */
TEST(memslot, bad_chunk_sizes_are_refused, RULE("KVM-DIRTY-9"))
{
	struct vm *vm = vm_new_bare(40);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE};
	int sizes = vm_cap(vm, KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES);

	if (sizes <= 0) {
		cap.args[0] = block_size();
		EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
		NOTE("KVM does not offer eager splitting, and refuses it");
		return;
	}
	/* the host's blocks, and its page */
	EXPECT_TRUE(((uint64_t)sizes & block_size()) != 0);
	EXPECT_TRUE(((uint64_t)sizes & page_size()) != 0);
	for (unsigned int bit = 0; bit < 40; bit++) {
		cap.args[0] = 1ULL << bit;
		if (bit < 31 && (unsigned int)sizes >> bit & 1)
			EXPECT_OK((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
		else
			EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	}
	cap.args[0] = block_size() + page_size();
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 0;
	EXPECT_OK((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
	vm_add_slot(vm, VM_RAM_BASE, block_size(), 0);
	cap.args[0] = block_size();
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	vm_free(vm);
}
