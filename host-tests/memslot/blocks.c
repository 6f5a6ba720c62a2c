/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stage 2 maps with one fault: a page, or a block where the process has a huge page that the slot holds whole
 * (arch/arm64/kvm/mmu.c, user_mem_abort, fault_supports_stage2_huge_mapping). Each fault is an exit, and KVM counts
 * those (api.rst, KVM_GET_STATS_FD); the host's interrupts are counted too, so that the fewest of some rounds counts.
 */
#include "pages.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define AT     0x80000000ULL /* aligned to every block this fits */
#define ROUNDS 4U
#define NOISE  8U

/* Exits of a first sweep over n pages, the fewest of some rounds; each begins with nothing mapped in stage 2. */
static uint64_t fewest(struct vm *vm, uint64_t gpa, uint64_t n, char *host, uint32_t flags,
		       enum touch touch, uint64_t value, uint64_t enough)
{
	uint64_t page = page_size(), least = ~0ULL;

	for (unsigned int i = 0; i < ROUNDS && least > enough; i++) {
		uint64_t exits;

		slot_map(vm, SLOT, gpa, n * page, host, flags);
		exits = sweep_exits(vm, gpa, page, n, touch, value);
		least = exits < least ? exits : least;
		slot_remove(vm);
	}
	return least;
}

static void expect_mapped_by(struct vm *vm, uint64_t gpa, uint64_t n, char *host, uint64_t size,
			     const char *what)
{
	uint64_t want = n * page_size() / size, got;

	for (uint64_t i = 0; i < n; i++)
		page_put(host, i, 0x5000 + i);
	got = fewest(vm, gpa, n, host, 0, TOUCH_READ, 0x5000, want);
	if (!EXPECT_GE(got, want) || !EXPECT_LE(got, want + NOISE))
		NOTE("%s: %llu pages read, mapped by %llu KiB", what, (unsigned long long)n,
		     (unsigned long long)size >> 10);
}

TEST(memslot, normal_memory_is_mapped_page_by_page, RULE("KVM-S2-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t n = 160;

	expect_mapped_by(vm, AT, n, pages_normal(n * page_size(), page_size()), page_size(),
			 "normal pages");
}

/* How many pages of a huge page are looked at: all of a small one. */
static uint64_t some_pages(uint64_t size)
{
	uint64_t n = size / page_size();

	return n > 1024 ? 1024 : n;
}

/* Every size of huge page that the host has in its pool. */
TEST(memslot, each_huge_page_size_is_mapped_by_its_block, RULE("KVM-S2-2"), .limit_ms = 60000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	unsigned int tried = 0;

	for (uint64_t huge = page_size() * 2; huge <= 1ULL << 34; huge <<= 1) {
		char *host = pages_hugetlb(huge, huge), what[48];
		uint64_t map = stage2_size(huge), n = some_pages(huge);

		if (!host)
			continue;
		tried++;
		snprintf(what, sizeof(what), "huge page of %llu KiB",
			 (unsigned long long)huge >> 10);
		/*
		 * of a block larger than what is looked at, the slot must hold all; what is looked at is spread over it,
		 * for 1 GiB in blocks of the next level, 2 MiB, is a fault for every second look
		 */
		if (n * page_size() < map) {
			uint64_t exits, step = huge / n;

			for (uint64_t i = 0; i < n; i++)
				page_put(host, i * (step / page_size()), 0x6000 + i);
			slot_map(vm, SLOT, 0x8000000000, huge, host, 0);
			exits = sweep_exits(vm, 0x8000000000, step, n, TOUCH_READ, 0x6000);
			slot_remove(vm);
			EXPECT_LE(exits, NOISE + n / 4);
		} else {
			expect_mapped_by(vm, 0x8000000000, n, host, map, what);
		}
		NOTE("%s: mapped by %llu KiB", what, (unsigned long long)map >> 10);
		munmap(host, huge);
	}
	if (!tried)
		SKIP("no huge page is in the pool: write to "
		     "/sys/kernel/mm/hugepages/*/nr_hugepages");
}

TEST(memslot, transparent_huge_page_is_mapped_by_its_block, RULE("KVM-S2-3"), .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t huge = thp_size(), n = some_pages(huge), exits;
	char *host;

	if (!huge)
		SKIP("the host's transparent huge pages are off");
	host = pages_thp(huge);
	if (!host)
		SKIP("the host has no free memory for a transparent huge page of %llu MiB",
		     (unsigned long long)huge >> 20);
	for (uint64_t i = 0; i < n; i++)
		page_put(host, i, 0x7000 + i);
	slot_map(vm, SLOT, 0x8000000000, huge, host, 0);
	exits = sweep_exits(vm, 0x8000000000, page_size(), n, TOUCH_READ, 0x7000);
	EXPECT_LE(exits, NOISE + n / 8);
	EXPECT_GE(exits, 1U);
}

/* A huge page that the test may cut into slots, of some kind; a skip without. */
static char *some_huge_page(uint64_t *size)
{
	char *host = NULL;

	*size = hugetlb_block();
	if (*size)
		host = pages_hugetlb(*size, *size);
	if (!host && thp_size()) {
		*size = thp_size();
		host = pages_thp(*size);
	}
	if (!host)
		SKIP("the host has no huge page for this test: write to "
		     "/sys/kernel/mm/hugepages/*/nr_hugepages");
	return host;
}

/* The slot lies otherwise in guest memory than in the huge page: no block fits, and each page is the right one. */
TEST(memslot, misaligned_huge_page_shows_each_page, RULE("KVM-S2-4"), .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t size, page = page_size(), n, gpa = 0x8000000000 + 3 * page, bad;
	char *host = some_huge_page(&size);

	n = some_pages(size) - 8;
	for (uint64_t i = 0; i < n; i++)
		page_put(host, i, 0x8000 + i);
	slot_map(vm, SLOT, gpa, n * page, host, 0);
	bad = SWEEP(vm, gpa, page, n, TOUCH_READ, 0x8000);
	EXPECT_EQ(bad, 0U);
	bad = SWEEP(vm, gpa, page, n, TOUCH_WRITE, 0x9000);
	for (uint64_t i = 0; i < n; i++)
		bad += page_get(host, i) != 0x9000 + i;
	EXPECT_EQ(bad, 0U);
}

/* One access; the end and, for KVM_EXIT_MMIO, that it is this address. */
static void expect_hole(struct vm *vm, uint64_t at)
{
	struct vcpu *c = vm->vcpu[0];
	uint64_t no = 0;
	int end;

	c->arg[0] = at;
	c->arg[1] = 8;
	c->arg[2] = 1;
	c->arg[3] = TOUCH_READ;
	c->arg[4] = 0;
	end = vcpu_run(vm, 0);
	if (!EXPECT_EQ(end, (int)KVM_EXIT_MMIO)) {
		NOTE("access to %#llx, outside the slot: it saw data%s", (unsigned long long)at,
		     c->result[0] ? " of the page next to it" : "");
		return;
	}
	EXPECT_EQ(c->run->mmio.phys_addr, at);
	*(volatile uint64_t *)c->run->mmio.data = no;
	RUN_TO_END(vm, 0);
}

/* A slot that has not the whole huge page shows what it has, and not a byte beside it. */
TEST(memslot, part_of_a_huge_page_is_all_the_guest_gets, RULE("KVM-S2-5"), .limit_ms = 30000,
     VARIANTS("start: head=1 tail=0 | end: head=0 tail=1 | both: head=1 tail=1 | deep: head=7 "
	      "tail=9"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t size, page = page_size(), gpa = 0x8000000000, n, all;
	uint64_t head = test_param_u64("head", 1), tail = test_param_u64("tail", 1);
	char *host = some_huge_page(&size);

	all = size / page;
	n = all - head - tail;
	for (uint64_t i = 0; i < all; i++)
		page_put(host, i, 0xa000 + i);
	slot_map(vm, SLOT, gpa + head * page, n * page, host + head * page, 0);
	/* the first, the last, and some between, so that what could be a block is mapped */
	EXPECT_EQ(SWEEP(vm, gpa + head * page, page, 3, TOUCH_READ, 0xa000 + head), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + (all - tail - 3) * page, page, 3, TOUCH_READ,
			0xa000 + all - tail - 3),
		  0U);
	if (head) {
		expect_hole(vm, gpa + head * page - 8);
		expect_hole(vm, gpa);
	}
	if (tail) {
		expect_hole(vm, gpa + (all - tail) * page);
		expect_hole(vm, gpa + size - 8);
	}
	expect_hole(vm, gpa - 8);
	expect_hole(vm, gpa + size);
	EXPECT_EQ(SWEEP(vm, gpa + head * page, page, n < 600 ? n : 600, TOUCH_READ, 0xa000 + head),
		  0U);
}

/* Two slots share a huge page, in the wrong order: each shows its own half. */
TEST(memslot, halves_of_a_huge_page_in_two_slots_do_not_mix, RULE("KVM-S2-5"), .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t size, page = page_size(), gpa = 0x8000000000, half, n;
	char *host = some_huge_page(&size);

	half = size / page / 2;
	n = half < 300 ? half : 300;
	for (uint64_t i = 0; i < n; i++) {
		page_put(host, i, 0xb000 + i);
		page_put(host, half + i, 0xc000 + i);
	}
	slot_map(vm, SLOT, gpa, half * page, host + half * page, 0);
	slot_map(vm, SLOT + 1, gpa + half * page, half * page, host, 0);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_READ, 0xc000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + half * page, page, n, TOUCH_READ, 0xb000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + half * page, page, n, TOUCH_WRITE, 0xd000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_READ, 0xc000), 0U);
	for (uint64_t i = 0; i < n; i += 37)
		EXPECT_EQ(page_get(host, i), 0xd000 + i);
}

/* Memory that was only read is the host's one page of zeros; a write must get a page of its own (user_mem_abort). */
TEST(memslot, page_that_was_read_first_is_written_alone, RULE("KVM-S2-6"),
     VARIANTS("normal: thp=0 | thp: thp=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size(), n = 64;
	bool thp = test_param_u64("thp", 0);
	uint64_t size = thp ? thp_size() : n * page;
	char *host, *other;

	if (thp && (!size || size > 64ULL << 20))
		SKIP("the host has no transparent huge pages, or of %llu MiB",
		     (unsigned long long)size >> 20);
	host = pages_normal(size, size);
	other = pages_normal(size, size);
	if (thp) {
		madvise(host, size, MADV_HUGEPAGE);
		madvise(other, size, MADV_HUGEPAGE);
	}
	slot_map(vm, SLOT, AT, size, host, 0);
	slot_map(vm, SLOT + 1, AT + size, size, other, 0);
	EXPECT_EQ(SWEEP(vm, AT, page, n, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, AT + size, page, n, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, AT + 5 * page, page, 1, TOUCH_WRITE, 0xdead), 0U);
	EXPECT_EQ(page_get(host, 5), 0xdeadU);
	EXPECT_EQ(SWEEP(vm, AT, page, 5, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, AT + 6 * page, page, n - 6, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, AT + size, page, n, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(page_get(other, 5), 0U);
}

/* What is mapped stays mapped: another sweep, reading or writing, costs no fault. */
TEST(memslot, second_sweep_costs_no_fault, RULE("KVM-S2-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size(), n = 256, least[2] = {~0ULL, ~0ULL};
	char *host = pages_normal(n * page, page);

	slot_map(vm, SLOT, AT, n * page, host, 0);
	EXPECT_EQ(SWEEP(vm, AT, page, n, TOUCH_WRITE, 0xe000), 0U);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t r = sweep_exits(vm, AT, page, n, TOUCH_READ, 0xe000);
		uint64_t w = sweep_exits(vm, AT, page, n, TOUCH_WRITE, 0xe000);

		least[0] = r < least[0] ? r : least[0];
		least[1] = w < least[1] ? w : least[1];
	}
	EXPECT_LE(least[0], NOISE);
	EXPECT_LE(least[1], NOISE);
}

/* arch/arm64/kvm/mmu.c, user_mem_abort: execution is a permission of its own; code, then data, then code again. */
TEST(memslot, page_is_executed_written_and_executed_again, RULE("KVM-S2-8"),
     VARIANTS("normal: huge=0 log=0 | huge: huge=1 log=0 | logged: huge=0 log=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t page = page_size(), n = 24, size = n * page, gpa = 0x8000000000;
	uint32_t flags = test_param_u64("log", 0) ? KVM_MEM_LOG_DIRTY_PAGES : 0;
	char *host = test_param_u64("huge", 0) ? some_huge_page(&size) : pages_normal(size, page);

	slot_map(vm, SLOT, gpa, size, host, flags);
	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < n; i++) {
			/* movz x0, #imm16; ret (C6.2) */
			uint64_t imm = 0x100 * (round + 1) + i;

			page_put(host, i, 0xd65f03c0d2800000ULL | imm << 5);
		}
		__builtin___clear_cache(host, host + n * page);
		EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_EXECUTE, 0x100 * (round + 1)), 0U);
		/* the guest writes data over it */
		EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_WRITE, 0xf000 + round), 0U);
		for (uint64_t i = 0; i < n; i++)
			EXPECT_EQ(page_get(host, i), 0xf000 + round + i);
	}
}
