/* SPDX-License-Identifier: Apache-2.0 */
/* A guest goes on in a second VM as if nothing had happened; the dirty log names exactly the pages written. */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STEPS	    400
#define TABLE_WORDS 512U
#define TABLE_BYTES (TABLE_WORDS * 8ULL)

/* One step of the guest's computation; the same code predicts the result. */
#define MIX(sum, word, n) (((sum) ^ (word)) * 0x100000001b3ULL + (n))

GUEST(checksum)
{
	uint64_t sum = guest_arg(0), table = guest_arg(1);

	for (uint64_t n = 1; n <= STEPS; n++) {
		uint64_t at = table + n % TABLE_WORDS * 8;

		sum = MIX(sum, guest_read64(at), n);
		guest_write64(at, sum);
		guest_set_sysreg(tpidr_el1, 0);
		guest_tick(n);
	}
	guest_result(0, sum);
	guest_result(1, guest_sysreg(tpidrro_el0));
}

static uint64_t predict(uint64_t seed, uint64_t *table)
{
	uint64_t sum = seed;

	for (uint64_t n = 1; n <= STEPS; n++) {
		sum = MIX(sum, table[n % TABLE_WORDS], n);
		table[n % TABLE_WORDS] = sum;
	}
	return sum;
}

static void fill(struct vm *vm, uint64_t *table)
{
	uint64_t *ram = vm_host(vm, VM_FREE_BASE);

	for (unsigned int i = 0; i < TABLE_WORDS; i++)
		ram[i] = table[i] = test_random();
	vm_sync_ram(vm, VM_FREE_BASE, TABLE_BYTES);
}

static struct reg_list list;

static void copy_registers(struct vm *to, struct vm *from)
{
	uint8_t value[256];
	char name[64];

	vcpu_reg_list(from, 0, &list);
	for (uint64_t i = 0; i < list.n; i++) {
		memset(value, 0, sizeof(value));
		if (list.id[i] == KVM_REG_ARM64_SVE_VLS)
			continue; /* set up before FINALIZE: both VMs have the host's lengths */
		if (!EXPECT_OK(vcpu_try_get(from, 0, list.id[i], value)) ||
		    !EXPECT_OK(vcpu_try_set(to, 0, list.id[i], value)))
			NOTE("register was %s", reg_name(list.id[i], name, sizeof(name)));
	}
}

static void copy_memory(struct vm *to, struct vm *from)
{
	uint64_t size = from->slot[0].size;

	vm_sync_ram(from, VM_RAM_BASE, size);
	memcpy(vm_host(to, VM_RAM_BASE), vm_host(from, VM_RAM_BASE), size);
	vm_sync_ram(to, VM_RAM_BASE, size);
}

TEST(saverestore, second_vm_goes_on_with_the_right_checksum, RULE("KVM-MOVE-1"),
     VARIANTS("plain: | sve: sve=1"))
{
	bool sve = test_param_u64("sve", 0);
	struct vm *a = vm_new(.vcpus = 1, .sve = sve, .entry = checksum);
	struct vm *b = vm_new(.vcpus = 1, .sve = sve, .entry = checksum);
	uint64_t table[TABLE_WORDS], seed = test_random();
	uint64_t stop = 20 + test_random() % (STEPS - 40);

	a->vcpu[0]->arg[0] = seed;
	a->vcpu[0]->arg[1] = VM_FREE_BASE;
	fill(a, table);
	vcpu_run_to_tick(a, 0, stop);
	/* completes the MMIO access that reported the tick; then the registers are whole (api.rst 5, kvm_run) */
	a->vcpu[0]->run->immediate_exit = 1;
	ASSERT_EQ(vcpu_run(a, 0), GUEST_PARKED);
	vcpu_set(a, 0, REG_SYS(3, 3, 13, 0, 3), seed); /* TPIDRRO_EL0 travels too */
	copy_registers(b, a);
	copy_memory(b, a);
	vm_free(a);
	RUN_TO_END(b, 0);
	EXPECT_EQ(b->vcpu[0]->result[0], predict(seed, table));
	EXPECT_EQ(b->vcpu[0]->result[1], seed);
	EXPECT_EQ(atomic_load(&b->vcpu[0]->ticks), STEPS);
}

/* The whole state of the second VM equals the first's, register by register. */
TEST(saverestore, restored_registers_read_back_equal, RULE("KVM-MOVE-1"))
{
	struct vm *a = vm_new(.vcpus = 1, .entry = checksum);
	struct vm *b = vm_new(.vcpus = 1, .entry = checksum);
	uint64_t table[TABLE_WORDS];

	a->vcpu[0]->arg[1] = VM_FREE_BASE;
	fill(a, table);
	vcpu_run_to_tick(a, 0, 30);
	a->vcpu[0]->run->immediate_exit = 1;
	ASSERT_EQ(vcpu_run(a, 0), GUEST_PARKED);
	copy_registers(b, a);
	copy_memory(b, a);
	EXPECT_EQUAL_STATE(vm_capture_parts(a, STATE_REGS | STATE_MEMORY),
			   vm_capture_parts(b, STATE_REGS | STATE_MEMORY));
}

/* ---- dirty log: api.rst 4.8 */

GUEST(write_pages)
{
	uint64_t base = guest_arg(0), page = guest_arg(1), n = guest_arg(2), bits = guest_arg(3);

	for (uint64_t i = 0; i < n; i++)
		if (bits >> i & 1)
			guest_write64(base + i * page, i);
	guest_tick(1);
	for (uint64_t i = 0; i < n; i++) /* reading makes nothing dirty */
		guest_read64(base + i * page);
}

#define PAGES	64
#define LOG_GPA 0x50000000ULL

TEST(saverestore, dirty_log_names_exactly_the_pages_written, RULE("KVM-DIRTY-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = write_pages);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), bits = test_random() | 1ULL << 63;
	uint64_t bitmap = 0x5555;
	struct kvm_dirty_log log = {.slot = vm->slots, .dirty_bitmap = &bitmap};

	vm_add_slot(vm, LOG_GPA, PAGES * page, KVM_MEM_LOG_DIRTY_PAGES);
	vm->vcpu[0]->arg[0] = LOG_GPA;
	vm->vcpu[0]->arg[1] = page;
	vm->vcpu[0]->arg[2] = PAGES;
	vm->vcpu[0]->arg[3] = bits;
	EXPECT_OK(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(bitmap, 0);
	RUN_TO_END(vm, 0);
	EXPECT_OK(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(bitmap, bits);
	/* reading it clears it */
	EXPECT_OK(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(bitmap, 0);
}

TEST(saverestore, dirty_log_notices_a_second_write, RULE("KVM-DIRTY-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = write_pages);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), bitmap = 0;
	struct kvm_dirty_log log = {.slot = vm->slots, .dirty_bitmap = &bitmap};

	vm_add_slot(vm, LOG_GPA, PAGES * page, KVM_MEM_LOG_DIRTY_PAGES);
	vm->vcpu[0]->arg[0] = LOG_GPA;
	vm->vcpu[0]->arg[1] = page;
	vm->vcpu[0]->arg[2] = PAGES;
	for (int round = 0; round < 3; round++) {
		uint64_t bits = test_random();

		vm->vcpu[0]->arg[3] = bits;
		vcpu_start_at(vm, 0, guest_entry);
		RUN_TO_END(vm, 0);
		/* the last access was an MMIO store: complete it before the PC is set anew */
		vm->vcpu[0]->run->immediate_exit = 1;
		ASSERT_EQ(vcpu_run(vm, 0), GUEST_PARKED);
		vm->vcpu[0]->run->immediate_exit = 0;
		ASSERT_OK(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log));
		EXPECT_EQ(bitmap, bits);
	}
}

/* 4.8: ENOENT for a slot without logging (kvm_get_dirty_log), EINVAL for an id that cannot be */
TEST(saverestore, dirty_log_of_an_unlogged_slot_is_refused, RULE("KVM-DIRTY-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	static uint64_t bitmap[64];
	struct kvm_dirty_log log = {.slot = 0, .dirty_bitmap = bitmap};
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	log.slot = 7;
	EXPECT_REFUSED(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	log.slot = 0xffff;
	EXPECT_REFUSED(vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
