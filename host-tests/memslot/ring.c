/* SPDX-License-Identifier: Apache-2.0 */
/* The dirty ring (api.rst 8.29 KVM_CAP_DIRTY_LOG_RING_ACQ_REL, 4.126 KVM_RESET_DIRTY_RINGS). */
#include "dirty.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* arm64's since 6.2, when it got the ring; older headers have 0 for "none" */
#define RING_PAGE_OFFSET 64
#define RING_BYTES	 0x10000U
#define RING_ENTRIES	 (RING_BYTES / sizeof(struct kvm_dirty_gfn))

static struct vm *ring_vm(void)
{
	struct vm *bare = vm_new_bare(VM_IPA_BITS);
	int offered = vm_cap(bare, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);

	if (offered <= 0) {
		struct kvm_enable_cap cap = {.cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
					     .args = {RING_BYTES}};

		EXPECT_REFUSED((int)vm_ioctl(bare, KVM_ENABLE_CAP, &cap), EINVAL);
		vm_free(bare);
		SKIP_NEEDS("dirty-ring", "KVM_CAP_DIRTY_LOG_RING_ACQ_REL is 0, and it is refused");
	}
	vm_free(bare);
	return vm_new(.vcpus = 1, .entry = sweep, .early_cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
		      .early_arg = RING_BYTES);
}

static struct kvm_dirty_gfn *ring_of(struct vm *vm)
{
	struct kvm_dirty_gfn *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
					  vm->vcpu[0]->fd, (off_t)(RING_PAGE_OFFSET * page_size()));

	if (ring == MAP_FAILED)
		test_error("mmap of the dirty ring: %s", strerrorname_np(errno));
	return ring;
}

/* Takes the entries that stand in the ring from *next on; those of SLOT into the set. */
static unsigned int collect(struct kvm_dirty_gfn *ring, uint32_t *next, struct log *set)
{
	unsigned int taken = 0;

	for (;; taken++) {
		struct kvm_dirty_gfn *e = &ring[*next % RING_ENTRIES];

		if (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY))
			return taken;
		if (e->slot == SLOT) {
			if (EXPECT_LT(e->offset, LOG_PAGES))
				log_add(set, (unsigned int)e->offset);
		} else {
			EXPECT_EQ(e->slot, 0U); /* the RAM of the VM is not logged, nor any other */
		}
		__atomic_store_n(&e->flags, (uint32_t)KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		(*next)++;
	}
}

TEST(memslot, dirty_ring_names_exactly_the_pages_written, RULE("KVM-RING-1"), .limit_ms = 30000)
{
	struct vm *vm = ring_vm();
	struct kvm_dirty_gfn *ring = ring_of(vm);
	char *host = log_memory(KIND_NORMAL);
	uint32_t next = 0;

	log_slot(vm, host, KVM_MEM_LOG_DIRTY_PAGES);
	for (unsigned int round = 0; round < 3; round++) {
		struct log set = {}, want = {};
		unsigned int wrote = 0;

		for (unsigned int i = 0; i < 60; i++) {
			unsigned int n = i == 0	  ? 0
					 : i == 1 ? LOG_PAGES - 1
						  : (unsigned int)(test_random() % LOG_PAGES);

			wrote += !log_has(&want, n);
			log_add(&want, n);
			EXPECT_EQ(SWEEP(vm, LOG_AT + n * page_size(), 8, 1, TOUCH_WRITE, n), 0U);
		}
		/* a page is in the ring once until it is reset, however often it is written */
		EXPECT_EQ(collect(ring, &next, &set), wrote);
		for (unsigned int i = 0; i < LOG_WORDS; i++)
			EXPECT_EQ(set.bits[i], want.bits[i]);
		EXPECT_EQ((int)vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, 0), (int)wrote);
		EXPECT_EQ((int)vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, 0), 0);
	}
}

/* More writes than the ring takes: KVM_EXIT_DIRTY_RING_FULL, nothing is lost, and after a reset the guest goes on. */
TEST(memslot, full_dirty_ring_stops_the_vcpu_and_loses_nothing, RULE("KVM-RING-2"),
     .limit_ms = 60000)
{
	struct vm *vm = ring_vm();
	struct kvm_dirty_gfn *ring = ring_of(vm);
	uint64_t page = page_size(), n = RING_ENTRIES + 300, seen = 0, full = 0;
	char *host = pages_normal(n * page, page), *marks = pages_normal(n, page);
	uint32_t next = 0, first;
	int end;

	slot_map(vm, SLOT, LOG_AT, n * page, host, KVM_MEM_LOG_DIRTY_PAGES);
	vm->vcpu[0]->arg[0] = LOG_AT;
	vm->vcpu[0]->arg[1] = page;
	vm->vcpu[0]->arg[2] = n;
	vm->vcpu[0]->arg[3] = TOUCH_WRITE;
	vm->vcpu[0]->arg[4] = 1;
	do {
		end = vcpu_run(vm, 0);
		if (end != GUEST_DONE && !EXPECT_EQ(end, (int)KVM_EXIT_DIRTY_RING_FULL))
			return;
		full += end == KVM_EXIT_DIRTY_RING_FULL;
		for (first = next;; next++) {
			struct kvm_dirty_gfn *e = &ring[next % RING_ENTRIES];

			if (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY))
				break;
			if (e->slot == SLOT && e->offset < n)
				seen += !marks[e->offset]++;
			__atomic_store_n(&e->flags, (uint32_t)KVM_DIRTY_GFN_F_RESET,
					 __ATOMIC_RELEASE);
		}
		/* some entries are kept for what the CPU still has (kvm_dirty_ring_get_rsvd_entries) */
		EXPECT_LT(next - first, RING_ENTRIES);
		ASSERT_GT((int)vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, 0), 0);
	} while (end != GUEST_DONE);
	EXPECT_GE(full, 1U);
	EXPECT_EQ(seen, n);
	for (uint64_t i = 0; i < n; i += 97)
		EXPECT_EQ(page_get(host, i), 1 + i);
}

/* 8.29: a power of two between a page and the maximum, before there are vCPUs, once; then KVM_GET_DIRTY_LOG is no more. */
TEST(memslot, bad_dirty_rings_are_refused, RULE("KVM-RING-3"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL};
	int most = vm_cap(vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
	static struct log log;

	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, 0), EINVAL);
	if (most <= 0) {
		cap.args[0] = RING_BYTES;
		EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
		return;
	}
	/* 8.29: x86's form of it, without the ordering that ARM needs, is not offered */
	EXPECT_EQ(vm_cap(vm, KVM_CAP_DIRTY_LOG_RING), 0);
	cap.args[0] = 0;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = RING_BYTES + 16;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = page_size() / 2;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 2ULL * (unsigned int)most;
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), E2BIG, EINVAL);
	cap.args[0] = RING_BYTES;
	EXPECT_OK((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	vm_free(vm);
	/* with vCPUs it is too late */
	vm = vm_new(.vcpus = 1, .entry = sweep);
	EXPECT_REFUSED((int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap), EINVAL);
	/* and with the ring there is no bitmap */
	vm = ring_vm();
	log_slot(vm, log_memory(KIND_NORMAL), KVM_MEM_LOG_DIRTY_PAGES);
	EXPECT_REFUSED(log_get(vm, &log), ENXIO);
	EXPECT_REFUSED(log_clear(vm, 0, LOG_PAGES, log.bits), ENXIO);
}
