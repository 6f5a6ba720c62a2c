/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dirty log names exactly the pages that the guest wrote (api.rst 4.8 KVM_GET_DIRTY_LOG, 4.117
 * KVM_CLEAR_DIRTY_LOG, 7.13 KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2), in all kinds of memory, and misses none.
 */
#include "dirty.h"
#include <errno.h>
#include <string.h>

static void expect_log(struct vm *vm, struct log *log, const struct log *want, const char *when)
{
	unsigned int wrong = 0, first = 0;

	ASSERT_OK(log_get(vm, log));
	for (unsigned int n = 0; n < LOG_PAGES; n++)
		if (log_has(log, n) != log_has(want, n) && !wrong++)
			first = n;
	/* bits behind the last page are nobody's */
	for (unsigned int n = LOG_PAGES; n < 64 * LOG_WORDS; n++)
		wrong += log_has(log, n);
	if (!EXPECT_EQ(wrong, 0U))
		NOTE("%s: first wrong page %u: %s", when, first,
		     log_has(log, first) ? "logged, but not written" : "written, but not logged");
}

/* A random set with its corners: first and last page of the slot and of a word of the bitmap. */
static void random_set(struct log *set)
{
	for (unsigned int i = 0; i < LOG_WORDS; i++) {
		uint64_t half = test_random();

		set->bits[i] = half & test_random(); /* a quarter of them */
	}
	log_add(set, 0);
	log_add(set, 63);
	log_add(set, 64);
	log_add(set, LOG_PAGES - 1);
	for (unsigned int n = LOG_PAGES; n < 64 * LOG_WORDS; n++)
		set->bits[n / 64] &= ~(1ULL << n % 64);
}

static void write_set(struct vm *vm, const struct log *set, uint64_t value)
{
	for (unsigned int i = 0; i < LOG_WORDS; i++)
		vm->vcpu[0]->arg[5 + i] = set->bits[i];
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_WRITE_SET, value), 0U);
}

static void expect_memory(char *host, const struct log *set, uint64_t value, uint64_t otherwise)
{
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < LOG_PAGES; n++)
		wrong += page_get(host, n) != (log_has(set, n) ? value : otherwise) + n;
	EXPECT_EQ(wrong, 0U);
}

/* Logging begins on memory that the guest has mapped already, whatever it is mapped with. */
TEST(memslot, dirty_log_is_exact_to_the_page, RULE("KVM-DIRTY-3"), .limit_ms = 30000,
     VARIANTS("normal: kind=0 | thp: kind=1 | hugetlb: kind=2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory((unsigned int)test_param_u64("kind", 0));
	static struct log log, set, none;

	log_slot(vm, host, 0);
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_WRITE, 0x10000), 0U);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, &log, &none, "before any write");
	for (unsigned int round = 1; round <= 3; round++) {
		random_set(&set);
		write_set(vm, &set, 0x10000ULL * (round + 1));
		/* reading makes nothing dirty */
		(void)SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_READ, 0);
		expect_log(vm, &log, &set, "after writes");
		expect_log(vm, &log, &none, "read again");
		if (round == 1)
			expect_memory(host, &set, 0x20000, 0x10000);
	}
}

/* Pages read first are mapped without the right to write; the write that follows is the one that is logged. */
TEST(memslot, write_after_a_read_is_logged, RULE("KVM-DIRTY-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory(KIND_NORMAL);
	static struct log log, set, none;

	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	for (unsigned int n = 0; n < LOG_PAGES; n++)
		page_put(host, n, 0x100 + n);
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_READ, 0x100), 0U);
	/* neither the guest's reads nor the host's own writes are in the log */
	expect_log(vm, &log, &none, "after reads by the guest and writes by the host");
	random_set(&set);
	write_set(vm, &set, 0x200);
	expect_log(vm, &log, &set, "after writes");
}

/* Execution from a logged slot is no write. */
TEST(memslot, execution_makes_nothing_dirty, RULE("KVM-DIRTY-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory(KIND_NORMAL);
	static struct log log, none;

	for (unsigned int n = 0; n < LOG_PAGES; n++)
		page_put(host, n, 0xd65f03c0d2800000ULL | (uint64_t)n << 5);
	__builtin___clear_cache(host, host + LOG_PAGES * page_size());
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_EXECUTE, 0), 0U);
	expect_log(vm, &log, &none, "after execution of each page");
}

/* A store of each width at the very ends of a page belongs to that page. */
GUEST(store_at_ends)
{
	uint64_t at = guest_arg(0), page = guest_arg(1), back = at + 12 * page - 8;

	__asm__ volatile("strb wzr, [%0]" ::"r"(at + page) : "memory");
	__asm__ volatile("strb wzr, [%0]" ::"r"(at + 4 * page - 1) : "memory");
	__asm__ volatile("strh wzr, [%0]" ::"r"(at + 6 * page - 2) : "memory");
	__asm__ volatile("str wzr, [%0]" ::"r"(at + 8 * page - 4) : "memory");
	__asm__ volatile("stp xzr, xzr, [%0]" ::"r"(at + 10 * page - 16) : "memory");
	__asm__ volatile("str xzr, [%0], #8" : "+r"(back) : : "memory");
	__asm__ volatile("stlr xzr, [%0]" ::"r"(at + 13 * page) : "memory");
	__asm__ volatile("sttr xzr, [%0]" ::"r"(at + 16 * page - 8) : "memory");
}

TEST(memslot, store_of_each_width_dirties_its_page_alone, RULE("KVM-DIRTY-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = store_at_ends);
	static const unsigned int want[] = {1, 3, 5, 7, 9, 11, 13, 15};
	char *host = log_memory(KIND_NORMAL);
	static struct log log, set;

	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	vm->vcpu[0]->arg[0] = LOG_AT;
	vm->vcpu[0]->arg[1] = page_size();
	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++)
		log_add(&set, want[i]);
	expect_log(vm, &log, &set, "after one store of each kind");
}

/* ---- KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */

static void need_manual(struct vm *vm, uint64_t flags)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = {flags}};
	int offered = vm_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);

	if (offered < 0 || (offered & (int)flags) != (int)flags)
		SKIP_NEEDS("manual-dirty-log", "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is %#x", offered);
	if (vm_ioctl(vm, KVM_ENABLE_CAP, &cap))
		test_error("KVM_ENABLE_CAP(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) failed");
}

/* Reading clears nothing; clearing a part clears that part, and only there the next write is news. */
TEST(memslot, cleared_part_of_the_dirty_log_is_exact, RULE("KVM-DIRTY-4"), .limit_ms = 30000,
     VARIANTS("normal: kind=0 | thp: kind=1 | hugetlb: kind=2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory((unsigned int)test_param_u64("kind", 0));
	static struct log log, set, part;

	need_manual(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	log_slot(vm, host, 0);
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_WRITE, 0x10000), 0U);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	random_set(&set);
	write_set(vm, &set, 0x20000);
	expect_log(vm, &log, &set, "first reading");
	expect_log(vm, &log, &set, "second reading, nothing cleared");
	/* clear what is set in pages 64 to 191 of odd number */
	memset(&part, 0, sizeof(part));
	for (unsigned int n = 65; n < 192; n += 2)
		log_add(&part, n);
	ASSERT_OK(log_clear(vm, 64, 128, &part.bits[1]));
	for (unsigned int n = 65; n < 192; n += 2)
		set.bits[n / 64] &= ~(1ULL << n % 64);
	expect_log(vm, &log, &set, "after a part was cleared");
	/* each page that was cleared is seen again, and pages never cleared stay */
	write_set(vm, &part, 0x30000);
	for (unsigned int i = 0; i < LOG_WORDS; i++)
		set.bits[i] |= part.bits[i];
	expect_log(vm, &log, &set, "written again after clearing");
	/* all, by its end that is no multiple of 64 */
	ASSERT_OK(log_clear(vm, 0, LOG_PAGES, set.bits));
	memset(&set, 0, sizeof(set));
	expect_log(vm, &log, &set, "all cleared");
	random_set(&set);
	write_set(vm, &set, 0x40000);
	expect_log(vm, &log, &set, "after all was cleared");
}

/* KVM_DIRTY_LOG_INITIALLY_SET: all pages are dirty at first, and are protected when they are cleared. */
TEST(memslot, log_that_is_initially_set_is_exact_once_cleared, RULE("KVM-DIRTY-5"),
     .limit_ms = 30000, VARIANTS("normal: kind=0 | thp: kind=1 | hugetlb: kind=2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory((unsigned int)test_param_u64("kind", 0));
	static struct log log, all, set;

	need_manual(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET);
	for (unsigned int n = 0; n < LOG_PAGES; n++)
		log_add(&all, n);
	log_slot(vm, host, 0);
	EXPECT_EQ(SWEEP(vm, LOG_AT, page_size(), LOG_PAGES, TOUCH_WRITE, 0x10000), 0U);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, &log, &all, "when logging begins");
	ASSERT_OK(log_clear(vm, 0, 128, all.bits));
	memset(all.bits, 0, 2 * sizeof(all.bits[0]));
	expect_log(vm, &log, &all, "after the first 128 pages were cleared");
	ASSERT_OK(log_clear(vm, 128, LOG_PAGES - 128, &all.bits[2]));
	random_set(&set);
	write_set(vm, &set, 0x20000);
	expect_log(vm, &log, &set, "after all was cleared");
	expect_memory(host, &set, 0x20000, 0x10000);
}

/* 4.117: first_page is a multiple of 64; so is num_pages, unless the range ends with the slot. */
TEST(memslot, bad_ranges_to_clear_are_refused, RULE("KVM-DIRTY-6"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory(KIND_NORMAL);
	static struct log log, set;

	need_manual(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	random_set(&set);
	write_set(vm, &set, 0x20000);
	EXPECT_REFUSED(log_clear(vm, 1, 64, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 32, 64, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 63, 64, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 0, 63, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 0, LOG_PAGES - 1, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 0, LOG_PAGES + 1, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 64, LOG_PAGES, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 64ULL * LOG_WORDS, 64, set.bits), EINVAL);
	EXPECT_REFUSED(log_clear(vm, 1ULL << 62, 64, set.bits), EINVAL);
	/* and nothing was cleared */
	expect_log(vm, &log, &set, "after refused calls");
	log_slot(vm, host, 0);
	EXPECT_REFUSED(log_clear(vm, 0, 64, set.bits), ENOENT);
	EXPECT_REFUSED(log_get(vm, &log), ENOENT);
}

/* 7.13: flags that do not exist, or initially-set alone, are refused. */
TEST(memslot, bad_flags_of_manual_protection_are_refused, RULE("KVM-DIRTY-6"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2};

	if (vm_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) <= 0)
		SKIP_NEEDS("manual-dirty-log", "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is 0");
	cap.args[0] = KVM_DIRTY_LOG_INITIALLY_SET;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 1ULL << 7;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
	cap.flags = 1;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.flags = 0;
	EXPECT_OK((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
}

/* ---- the life of a log */

TEST(memslot, slot_made_anew_has_an_empty_log, RULE("KVM-DIRTY-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	char *host = log_memory(KIND_NORMAL);
	static struct log log, set, none;

	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	random_set(&set);
	write_set(vm, &set, 0x20000);
	slot_remove(vm);
	EXPECT_REFUSED(log_get(vm, &log), ENOENT);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, &log, &none, "of the slot made anew");
	/* off and on again */
	write_set(vm, &set, 0x30000);
	log_slot(vm, host, 0);
	write_set(vm, &set, 0x40000);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, &log, &none, "after it was off and on again");
	write_set(vm, &set, 0x50000);
	expect_log(vm, &log, &set, "of writes after that");
}

/* Two slots have each its own log. */
TEST(memslot, neighbours_have_logs_of_their_own, RULE("KVM-DIRTY-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size(), bits[2] = {}, other[2] = {};
	char *host = pages_normal(192 * page, page);
	struct kvm_dirty_log a = {.slot = SLOT, .dirty_bitmap = bits};
	struct kvm_dirty_log b = {.slot = SLOT + 1, .dirty_bitmap = other};

	/* the second slot before the first, without a gap; another without a log beyond both */
	slot_map(vm, SLOT, LOG_AT + 70 * page, 70 * page, host, KVM_MEM_LOG_DIRTY_PAGES);
	slot_map(vm, SLOT + 1, LOG_AT, 70 * page, host + 70 * page, KVM_MEM_LOG_DIRTY_PAGES);
	slot_map(vm, SLOT + 2, LOG_AT + 140 * page, 52 * page, host + 140 * page, 0);
	EXPECT_EQ(SWEEP(vm, LOG_AT + 69 * page, page, 2, TOUCH_WRITE, 1), 0U);
	EXPECT_EQ(SWEEP(vm, LOG_AT + 139 * page, page, 2, TOUCH_WRITE, 1), 0U);
	EXPECT_OK((int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &a));
	EXPECT_OK((int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &b));
	EXPECT_EQ(bits[0], 1U);
	EXPECT_EQ(bits[1], 1U << 5);
	EXPECT_EQ(other[0], 0U);
	EXPECT_EQ(other[1], 1U << 5);
}
