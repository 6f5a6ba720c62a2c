/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process does to its memory holds for the guest at once (mmu notifiers: arch/arm64/kvm/mmu.c,
 * kvm_unmap_gfn_range; virt/kvm/kvm_main.c, kvm_handle_hva_range). What is not there ends KVM_RUN with EFAULT
 * (api.rst 4.10), and the guest goes on where it was once it is.
 */
#include "pages.h"
#include "regs.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT 0x80000000ULL
#define N  96U

static struct vm *mapped(char **host, uint64_t value)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);

	*host = pages_normal(N * page_size(), page_size());
	slot_map(vm, SLOT, AT, N * page_size(), *host, 0);
	EXPECT_EQ(SWEEP(vm, AT, page_size(), N, TOUCH_WRITE, value), 0U);
	return vm;
}

/* Pages [from, to) are zero, all others what they were. */
static void expect_zeros(struct vm *vm, unsigned int from, unsigned int to, uint64_t value)
{
	uint64_t page = page_size();

	EXPECT_EQ(SWEEP(vm, AT, page, from, TOUCH_READ, value), 0U);
	EXPECT_EQ(SWEEP(vm, AT + from * page, page, to - from, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, AT + to * page, page, N - to, TOUCH_READ, value + to), 0U);
}

TEST(memslot, range_given_up_is_zero_to_its_last_page, RULE("KVM-NOTIFY-1"),
     VARIANTS("one: from=40 to=41 | first: from=0 to=1 | last: from=95 to=96 | middle: from=13 "
	      "to=77 | all: from=0 to=96"))
{
	unsigned int from = (unsigned int)test_param_u64("from", 40);
	unsigned int to = (unsigned int)test_param_u64("to", 41);
	uint64_t page = page_size();
	char *host;
	struct vm *vm = mapped(&host, 0x1000);

	ASSERT_OK(madvise(host + from * page, (to - from) * page, MADV_DONTNEED));
	expect_zeros(vm, from, to, 0x1000);
}

/* The same memory in two slots: both lose it. And a range that two slots share a part of each. */
TEST(memslot, memory_in_two_slots_is_given_up_in_both, RULE("KVM-NOTIFY-1"))
{
	uint64_t page = page_size(), other = AT + 0x10000000;
	char *host;
	struct vm *vm = mapped(&host, 0x2000);

	slot_map(vm, SLOT + 1, other, 40 * page, host + 30 * page, 0);
	EXPECT_EQ(SWEEP(vm, other, page, 40, TOUCH_READ, 0x2000 + 30), 0U);
	ASSERT_OK(madvise(host + 20 * page, 20 * page, MADV_DONTNEED));
	expect_zeros(vm, 20, 40, 0x2000);
	EXPECT_EQ(SWEEP(vm, other, page, 10, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, other + 10 * page, page, 30, TOUCH_READ, 0x2000 + 40), 0U);
	/* one page, two addresses */
	EXPECT_EQ(SWEEP(vm, other + 10 * page, page, 1, TOUCH_WRITE, 0x77), 0U);
	EXPECT_EQ(SWEEP(vm, AT + 40 * page, page, 1, TOUCH_READ, 0x77), 0U);
}

/* A new mapping over the old one is what the guest sees next. */
TEST(memslot, memory_mapped_anew_is_what_the_guest_sees, RULE("KVM-NOTIFY-2"))
{
	uint64_t page = page_size();
	char *host, *p;
	struct vm *vm = mapped(&host, 0x3000);

	p = mmap(host + 8 * page, 16 * page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_TRUE(p == host + 8 * page);
	for (unsigned int i = 0; i < 16; i++)
		page_put(p, i, 0x4000 + i);
	EXPECT_EQ(SWEEP(vm, AT, page, 8, TOUCH_READ, 0x3000), 0U);
	EXPECT_EQ(SWEEP(vm, AT + 8 * page, page, 16, TOUCH_READ, 0x4000), 0U);
	EXPECT_EQ(SWEEP(vm, AT + 24 * page, page, N - 24, TOUCH_READ, 0x3000 + 24), 0U);
	/* pages that move: what was at the one address is at the other */
	p = mremap(host + 60 * page, 4 * page, 4 * page, MREMAP_MAYMOVE | MREMAP_FIXED,
		   host + 70 * page);
	ASSERT_TRUE(p == host + 70 * page);
	EXPECT_EQ(SWEEP(vm, AT + 70 * page, page, 4, TOUCH_READ, 0x3000 + 60), 0U);
}

/* Runs into the fault, with the sweep of n pages from gpa on half done; then what mends it, and to the end. */
static uint64_t vcpu_pc(struct vm *vm, unsigned int i)
{
	return vcpu_get(vm, i, REG_PC);
}

static void expect_fault(struct vm *vm, uint64_t gpa, uint64_t n, enum touch touch, uint64_t value)
{
	struct vcpu *c = vm->vcpu[0];
	uint64_t pc;

	c->arg[0] = gpa;
	c->arg[1] = page_size();
	c->arg[2] = n;
	c->arg[3] = touch;
	c->arg[4] = value;
	EXPECT_REFUSED(vcpu_run(vm, 0), EFAULT);
	/* again, as often as one likes: nothing moves */
	pc = vcpu_pc(vm, 0);
	EXPECT_REFUSED(vcpu_run(vm, 0), EFAULT);
	EXPECT_EQ(vcpu_pc(vm, 0), pc);
}

TEST(memslot, memory_that_is_gone_is_efault_and_the_guest_goes_on_later, RULE("KVM-NOTIFY-3"),
     VARIANTS("read: touch=0 | write: touch=1"))
{
	enum touch touch = (enum touch)test_param_u64("touch", TOUCH_READ);
	uint64_t page = page_size();
	char *host;
	struct vm *vm = mapped(&host, 0x5000);

	ASSERT_OK(munmap(host + 50 * page, page));
	expect_fault(vm, AT, N, touch, touch == TOUCH_READ ? 0x5000 : 0x6000);
	ASSERT_TRUE(mmap(host + 50 * page, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	page_put(host, 50, 0x5000 + 50);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0U);
	for (unsigned int i = 0; i < N; i++)
		EXPECT_EQ(page_get(host, i), (touch == TOUCH_READ ? 0x5000U : 0x6000U) + i);
}

/* PROT_READ: the guest reads on; a store is EFAULT and changes nothing until the process may write again. */
TEST(memslot, memory_the_process_may_not_write_is_not_written, RULE("KVM-NOTIFY-3"))
{
	uint64_t page = page_size();
	char *host;
	struct vm *vm = mapped(&host, 0x7000);

	ASSERT_OK(mprotect(host, N * page, PROT_READ));
	EXPECT_EQ(SWEEP(vm, AT, page, N, TOUCH_READ, 0x7000), 0U);
	expect_fault(vm, AT, N, TOUCH_WRITE, 0x8000);
	for (unsigned int i = 0; i < N; i++)
		EXPECT_EQ(page_get(host, i), 0x7000U + i);
	ASSERT_OK(mprotect(host, N * page, PROT_READ | PROT_WRITE));
	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < N; i++)
		EXPECT_EQ(page_get(host, i), 0x8000U + i);
	/* PROT_NONE: not even read */
	ASSERT_OK(mprotect(host + 3 * page, page, PROT_NONE));
	expect_fault(vm, AT, N, TOUCH_READ, 0x8000);
	ASSERT_OK(mprotect(host + 3 * page, page, PROT_READ));
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0U);
}

/* fork: the child keeps what was; what the guest writes afterwards is the parent's alone (copy on write). */
TEST(memslot, write_after_fork_is_not_the_childs, RULE("KVM-NOTIFY-4"))
{
	uint64_t page = page_size();
	char *host;
	struct vm *vm = mapped(&host, 0x9000);

	int go[2], status = 0;
	pid_t child;

	ASSERT_OK(pipe(go));
	child = fork();
	if (child < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!child) {
		char byte;
		int bad = read(go[0], &byte, 1) != 1;

		for (unsigned int i = 0; i < N; i++)
			bad |= *(volatile uint64_t *)(host + i * page) != 0x9000 + i;
		_exit(bad);
	}
	EXPECT_EQ(SWEEP(vm, AT, page, N, TOUCH_READ, 0x9000), 0U);
	EXPECT_EQ(SWEEP(vm, AT, page, N, TOUCH_WRITE, 0xa000), 0U);
	ASSERT_EQ((int)write(go[1], "x", 1), 1);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0); /* what the child saw is what there was */
	for (unsigned int i = 0; i < N; i++)
		EXPECT_EQ(page_get(host, i), 0xa000U + i);
	EXPECT_EQ(SWEEP(vm, AT, page, N, TOUCH_READ, 0xa000), 0U);
}

/* A page of a huge page that the guest has as one block: it alone goes. */
TEST(memslot, page_of_a_huge_page_is_given_up_alone, RULE("KVM-NOTIFY-5"), .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t huge = thp_size(), page = page_size(), gpa = 0x8000000000, n;
	char *host;

	if (!huge)
		SKIP("the host's transparent huge pages are off");
	host = pages_thp(huge);
	if (!host)
		SKIP("the host has no free memory for a transparent huge page of %llu MiB",
		     (unsigned long long)huge >> 20);
	n = huge / page < 512 ? huge / page : 512;
	slot_map(vm, SLOT, gpa, huge, host, 0);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_WRITE, 0xa000), 0U);
	ASSERT_OK(madvise(host + 33 * page, page, MADV_DONTNEED));
	EXPECT_EQ(SWEEP(vm, gpa, page, 33, TOUCH_READ, 0xa000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + 33 * page, page, 1, TOUCH_READ_0, 0), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + 34 * page, page, n - 34, TOUCH_READ, 0xa000 + 34), 0U);
	/* and read-only: each page is refused, none is lost */
	ASSERT_OK(mprotect(host + 7 * page, page, PROT_READ));
	EXPECT_EQ(SWEEP(vm, gpa, page, 33, TOUCH_READ, 0xa000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa + 8 * page, page, 20, TOUCH_WRITE, 0xb000), 0U);
	expect_fault(vm, gpa + 7 * page, 1, TOUCH_WRITE, 0xbad);
	EXPECT_EQ(page_get(host, 7), 0xa007U);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Pages collapsed into a huge page under the guest: the same data, and by and by one block (6.1, MADV_COLLAPSE). */
TEST(memslot, pages_collapsed_into_a_huge_page_keep_their_data, RULE("KVM-NOTIFY-5"),
     .limit_ms = 30000)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep, .ipa_bits = 40);
	uint64_t huge = thp_size(), page = page_size(), gpa = 0x8000000000, n;
	char *host;
	int err;

	if (!huge || huge > 64ULL << 20)
		SKIP("the host has no transparent huge pages of at most 64 MiB");
	host = pages_normal(huge, huge);
	n = huge / page;
	slot_map(vm, SLOT, gpa, huge, host, 0);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_WRITE, 0xc000), 0U);
	madvise(host, huge, MADV_HUGEPAGE);
	err = madvise(host, huge, MADV_COLLAPSE) ? errno : 0;
	if (err)
		SKIP("the host does not collapse pages now: madvise(MADV_COLLAPSE): %s",
		     strerrorname_np(err));
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_READ, 0xc000), 0U);
	EXPECT_EQ(SWEEP(vm, gpa, page, n, TOUCH_WRITE, 0xd000), 0U);
	for (uint64_t i = 0; i < n; i += 61)
		EXPECT_EQ(page_get(host, i), 0xd000 + i);
}
