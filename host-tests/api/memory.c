/* SPDX-License-Identifier: Apache-2.0 */
/* Address space and memory slots: Documentation/virt/kvm/api.rst 4.2 (IPA size in the machine type), 4.35. */
#include "state.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

GUEST(store_and_load)
{
	uint64_t at = guest_arg(0);

	guest_write64(at, 0x600dcafe);
	guest_result(0, guest_read64(at));
}

static int ipa_limit(void)
{
	int bits = kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE);

	return bits > 0 ? bits : 40; /* 4.2: without the capability 40 bits, fixed */
}

/* 4.2: "The limit must be ... greater or equal to 32, and at most KVM_CAP_ARM_VM_IPA_SIZE". */
TEST(api, ipa_size_out_of_range_is_refused, RULE("KVM-IPA-2"))
{
	int kvm = kvm_open(), limit = ipa_limit();

	/* a machine type bit nobody has given out */
	EXPECT_REFUSED(kvm_try_create_vm(kvm, 1UL << 20 | 40), EINVAL);
	if (kvm_protected_mode())
		SKIP("kvm-arm.mode=protected: KVM ignores the size asked for and gives every VM %d "
		     "bits",
		     limit);
	for (int bits = 1; bits < 32; bits++)
		EXPECT_REFUSED(kvm_try_create_vm(kvm, (unsigned long)bits), EINVAL);
	EXPECT_REFUSED(kvm_try_create_vm(kvm, (unsigned long)limit + 1), EINVAL);
	EXPECT_REFUSED(kvm_try_create_vm(kvm, 255), EINVAL);
	close(kvm);
}

TEST(api, every_ipa_size_works, RULE("KVM-IPA-2"), .limit_ms = 60000)
{
	int kvm = kvm_open(), limit = ipa_limit();

	for (int bits = 32; bits <= limit; bits++) {
		int fd = kvm_try_create_vm(kvm, (unsigned long)bits);

		if (!EXPECT_GE(fd, 0)) {
			NOTE("IPA size was %d bits, the limit is %d", bits, limit);
			continue;
		}
		close(fd);
	}
	close(kvm);
}

/* The last page of the space is as good as any; the VM has as many bits as the variant says, or the limit. */
TEST(api, memory_at_the_top_of_the_ipa_space_works, RULE("KVM-IPA-3"), .limit_ms = 60000,
     VARIANTS("b32: bits=32 | b36: bits=36 | b40: bits=40 | b44: bits=44 | limit: bits=0"))
{
	unsigned int limit = (unsigned int)ipa_limit();
	unsigned int bits = (unsigned int)test_param_u64("bits", 0);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), top;
	struct vm *vm;

	if (!bits)
		bits = limit;
	if (bits > limit)
		SKIP("the host's IPA space has only %u bits", limit);
	vm = vm_new(.vcpus = 1, .ipa_bits = bits, .entry = store_and_load);
	top = 1ULL << bits;
	vm_add_slot(vm, top - 2 * page, 2 * page, 0);
	vm->vcpu[0]->arg[0] = top - 8;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0x600dcafe);
	vm_sync_ram(vm, top - page, page);
	EXPECT_EQ(*(uint64_t *)vm_host(vm, top - 8), 0x600dcafeU);
}

/* kvm_arch_prepare_memory_region: EFAULT for what ends above the space */
TEST(api, memory_above_the_ipa_space_is_refused, RULE("KVM-IPA-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE),
		 top = 1ULL << (kvm_protected_mode() ? ipa_limit() : VM_IPA_BITS);
	void *host =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vm_state *before;

	ASSERT_TRUE(host != MAP_FAILED);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, top, page, host, 0), EFAULT);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, top - page, 2 * page, host, 0), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.35: guest_phys_addr, memory_size and userspace_addr are page aligned, slots do not overlap, flags are known. */
TEST(api, bad_memory_slots_are_refused, RULE("KVM-MEM-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char *host =
		mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int slots = (unsigned int)vm_cap(vm, KVM_CAP_NR_MEMSLOTS);
	struct vm_state *before;

	ASSERT_TRUE(host != MAP_FAILED);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, 0x60000000 + 0x200, page, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, 0x60000000, page - 0x200, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, 0x60000000, page, host + 0x200, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, 0x60000000, page, host, 1U << 15), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, slots, 0x60000000, page, host, 0), EINVAL);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, ~0ULL << 16, 1ULL << 16, host, 0), EINVAL, EFAULT);
	EXPECT_REFUSED(vm_try_set_slot(vm, 5, VM_RAM_BASE, page, host, 0), EEXIST);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.35: a store to KVM_MEM_READONLY memory exits as MMIO and changes nothing; loads do not exit. */
GUEST(load_store_load)
{
	uint64_t at = guest_arg(0);

	guest_result(0, guest_read64(at));
	guest_write64(at, 0xbad);
	guest_result(1, guest_read64(at));
}

TEST(api, readonly_store_exits_as_mmio, RULE("KVM-MEM-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = load_store_load);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), gpa = 0x60000000;
	uint64_t *rom;

	if (vm_cap(vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP_NEEDS("readonly-mem", "KVM_CAP_READONLY_MEM is 0");
	rom = vm_add_slot(vm, gpa, page, KVM_MEM_READONLY);
	rom[0] = 0x1234;
	vm_sync_ram(vm, gpa, 8);
	vm->vcpu[0]->arg[0] = gpa;
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.phys_addr, gpa);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.is_write, 1);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.len, 8U);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0x1234);
	EXPECT_EQ(vm->vcpu[0]->result[1], 0x1234);
	EXPECT_EQ(rom[0], 0x1234);
}
