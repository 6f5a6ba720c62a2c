/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes under vCPUs that never leave the guest meanwhile: what the ioctl changed must hold for what their TLBs had.
 * A guest that exits all the time would hide a missing invalidation, for entering it may drop the TLB.
 */
#include "dirty.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define VCPUS	   2U
#define ROUNDS	   12U
/* A host that gives its vCPUs little time needs more of them, until enough was seen. */
#define ROUNDS_MAX 4000U

#define NEIGHBOUR_AT (SLOT_AT + 0x10000)

/*
 * Reads word arg 0 until it is not arg 1; no exit on the way. Word and count of reads to results 0 and 1. The page at
 * arg 2 is read before: it is in the same stage-2 table, and keeps it. Else KVM would give up the table with the page,
 * and invalidate for that.
 */
GUEST(watch_word)
{
	for (;;) {
		uint64_t at = guest_arg(0), want = guest_arg(1), got, n = 0;

		(void)guest_read64(guest_arg(2));
		guest_tick(1);
		do {
			got = guest_read64(at);
			n++;
		} while (got == want);
		guest_result(0, got);
		guest_result(1, n);
		guest_done();
	}
}

/* Counts up in word arg 0, for ever, without an exit. */
GUEST(count_in_memory)
{
	uint64_t at = guest_arg(0);

	guest_tick(1);
	for (uint64_t n = 1;; n++)
		guest_write64(at, n);
}

static void start_again(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		vm->vcpu[i]->run->immediate_exit = 1;
		(void)vcpu_run(vm, i); /* completes the exit that was left */
		vm->vcpu[i]->run->immediate_exit = 0;
		vcpu_start_at(vm, i, guest_entry);
		atomic_store(&vm->vcpu[i]->ticks, 0);
	}
	vm_start(vm, 0, vm->vcpus);
	for (unsigned int i = 0; i < vm->vcpus; i++)
		EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[i]->ticks) == 1);
	test_pause_us(2000); /* they are in the loop by now, or soon */
}

static struct vm *watching_vm(void)
{
	struct vm *vm = vm_new(.vcpus = VCPUS, .entry = watch_word);

	vm_add_slot(vm, NEIGHBOUR_AT, 0x10000, 0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		vm->vcpu[i]->arg[0] = SLOT_AT;
		vm->vcpu[i]->arg[1] = WORD_BEFORE;
		vm->vcpu[i]->arg[2] = NEIGHBOUR_AT;
	}
	return vm;
}

static struct vm *watchers(char **host)
{
	*host = pages_normal(page_size(), page_size());
	return watching_vm();
}

/* Memory is taken away and then changed by the host: nobody may see the change. */
TEST(memslot, removed_slot_is_gone_for_a_vcpu_that_never_exits, RULE("KVM-SLOT-1"),
     .limit_ms = 30000)
{
	char *host;
	struct vm *vm = watchers(&host);

	for (unsigned int round = 0; round < ROUNDS; round++) {
		page_put(host, 0, WORD_BEFORE);
		slot_map(vm, SLOT, SLOT_AT, page_size(), host, 0);
		start_again(vm);
		slot_map(vm, SLOT, 0, 0, NULL, 0);
		page_put(host, 0, WORD_AFTER);
		for (unsigned int i = 0; i < VCPUS; i++) {
			EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[i]->parked) == 2);
			if (!EXPECT_EQ(vm->vcpu[i]->end, (int)KVM_EXIT_MMIO))
				NOTE("round %u: it saw %#llx", round,
				     (unsigned long long)vm->vcpu[i]->result[0]);
		}
		vm_join(vm);
	}
}

TEST(memslot, moved_slot_is_gone_for_a_vcpu_that_never_exits, RULE("KVM-SLOT-2"), .limit_ms = 30000)
{
	char *host;
	struct vm *vm = watchers(&host);

	for (unsigned int round = 0; round < ROUNDS; round++) {
		page_put(host, 0, WORD_BEFORE);
		slot_map(vm, SLOT, SLOT_AT, page_size(), host, 0);
		start_again(vm);
		slot_map(vm, SLOT, SLOT_ELSE, page_size(), host, 0);
		page_put(host, 0, WORD_AFTER);
		for (unsigned int i = 0; i < VCPUS; i++) {
			EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[i]->parked) == 2);
			if (!EXPECT_EQ(vm->vcpu[i]->end, (int)KVM_EXIT_MMIO))
				NOTE("round %u: it saw %#llx", round,
				     (unsigned long long)vm->vcpu[i]->result[0]);
		}
		vm_join(vm);
	}
}

/* The process gives the page up: the next read is of a new one. The old one is kept alive by another mapping. */
TEST(memslot, page_given_up_is_gone_for_a_vcpu_that_never_exits, RULE("KVM-NOTIFY-1"),
     .limit_ms = 30000)
{
	struct vm *vm = watching_vm();
	uint64_t page = page_size();
	char *host =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *again;

	if (host == MAP_FAILED)
		test_error("mmap: %s", strerrorname_np(errno));
	/* old size 0: a second mapping of the same pages (mremap(2)) */
	again = mremap(host, 0, 2 * page, MREMAP_MAYMOVE);
	if (again == MAP_FAILED)
		test_error("mremap: %s", strerrorname_np(errno));
	for (unsigned int round = 0; round < ROUNDS; round++) {
		char *old = round & 1 ? again + page : again;

		page_put(old, 0, WORD_BEFORE);
		if (!round)
			slot_map(vm, SLOT, SLOT_AT, page, host, 0);
		start_again(vm);
		/* the other page takes its place, with another word; then the old one is changed */
		page_put(round & 1 ? again : again + page, 0, 0x5eed);
		ASSERT_TRUE(mremap(again + (round & 1 ? 0 : page), 0, page,
				   MREMAP_MAYMOVE | MREMAP_FIXED, host) == host);
		page_put(old, 0, WORD_AFTER);
		for (unsigned int i = 0; i < VCPUS; i++) {
			EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[i]->parked) == 2);
			EXPECT_EQ(vm->vcpu[i]->end, (int)GUEST_DONE);
			EXPECT_EQ(vm->vcpu[i]->result[0], 0x5eedU);
		}
		vm_join(vm);
	}
}

/*
 * The log is read while vCPUs write without an exit: what is written after a reading is in a later one. Both words
 * differ from what they were when the log was read last only if the log says so.
 */
static void expect_writes_logged(struct vm *vm, char *host, bool manual)
{
	struct log log;
	uint64_t was[VCPUS], page = page_size();
	unsigned int moved = 0;
	static const struct log all = {.bits = {~0ULL, ~0ULL, ~0ULL, ~0ULL, (1ULL << 44) - 1}};

	for (unsigned int round = 0; round < 4 * ROUNDS || (moved <= 8 && round < ROUNDS_MAX);
	     round++) {
		/* the word is read after the log was: a later change is for the next reading */
		ASSERT_OK(log_get(vm, &log));
		if (manual)
			ASSERT_OK(log_clear(vm, 0, LOG_PAGES, all.bits));
		for (unsigned int i = 0; i < VCPUS; i++)
			was[i] = page_get(host + i * page, 0);
		test_pause_us(300);
		for (unsigned int i = 0; i < VCPUS; i++) {
			uint64_t now = page_get(host + i * page, 0);

			if (now == was[i])
				continue;
			moved++;
			/* GET alone clears: it is asked once, for both */
			was[i] = ~0ULL;
		}
		ASSERT_OK(log_get(vm, &log));
		for (unsigned int i = 0; i < VCPUS; i++)
			if (was[i] == ~0ULL && !EXPECT_TRUE(log_has(&log, i)))
				NOTE("round %u: vCPU %u wrote, and the log does not know", round,
				     i);
	}
	EXPECT_GT(moved, 8U);
}

TEST(memslot, log_sees_writes_of_a_vcpu_that_never_exits, RULE("KVM-DIRTY-3"), .limit_ms = 30000,
     VARIANTS("get: manual=0 kind=0 | clear: manual=1 kind=0 | hugetlb: manual=0 kind=2"))
{
	struct vm *vm = vm_new(.vcpus = VCPUS, .entry = count_in_memory);
	char *host = log_memory((unsigned int)test_param_u64("kind", 0));
	bool manual = test_param_u64("manual", 0);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
				     .args = {KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE}};

	if (manual && vm_ioctl(vm, KVM_ENABLE_CAP, &cap))
		SKIP_NEEDS("manual-dirty-log", "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is refused");
	log_slot(vm, host, 0);
	for (unsigned int i = 0; i < VCPUS; i++)
		vm->vcpu[i]->arg[0] = LOG_AT + i * page_size();
	vm_start(vm, 0, VCPUS);
	for (unsigned int i = 0; i < VCPUS; i++)
		EXPECT_EVENTUALLY(page_get(host, i) > 1000);
	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	expect_writes_logged(vm, host, manual);
	vm_join(vm);
}

/* The log begins while vCPUs write without an exit: what is written once KVM_SET_USER_MEMORY_REGION is back is in it. */
TEST(memslot, log_that_begins_sees_a_vcpu_that_never_exits, RULE("KVM-DIRTY-3"), .limit_ms = 30000,
     VARIANTS("normal: kind=0 | hugetlb: kind=2"))
{
	struct vm *vm = vm_new(.vcpus = VCPUS, .entry = count_in_memory);
	char *host = log_memory((unsigned int)test_param_u64("kind", 0));
	uint64_t page = page_size();
	unsigned int moved = 0;
	struct log log;

	log_slot(vm, host, 0);
	for (unsigned int i = 0; i < VCPUS; i++)
		vm->vcpu[i]->arg[0] = LOG_AT + i * page;
	vm_start(vm, 0, VCPUS);
	for (unsigned int round = 0; round < 4 * ROUNDS || (moved <= 4 && round < ROUNDS_MAX);
	     round++) {
		uint64_t was[VCPUS], now[VCPUS];

		for (unsigned int i = 0; i < VCPUS;
		     i++) { /* it writes, and has it mapped writable */
			was[i] = page_get(host, i);
			EXPECT_EVENTUALLY(page_get(host, i) > was[i] + 1000);
		}
		log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
		for (unsigned int i = 0; i < VCPUS; i++)
			was[i] = page_get(host, i);
		test_pause_us(300);
		for (unsigned int i = 0; i < VCPUS; i++)
			now[i] = page_get(host, i);
		ASSERT_OK(log_get(vm, &log));
		for (unsigned int i = 0; i < VCPUS; i++) {
			moved += now[i] != was[i];
			if (now[i] != was[i] && !EXPECT_TRUE(log_has(&log, i)))
				NOTE("round %u: vCPU %u wrote, and the log does not know", round,
				     i);
		}
		log_slot(vm, host, 0);
	}
	EXPECT_GT(moved, 4U);
	vm_join(vm);
}
