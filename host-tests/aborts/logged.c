/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-2 faults that the guest never notices, taken under its own stage 1 or beside its registers. */
#include "tables.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOGGED 0x70000000ULL

static void log_ram(struct vm *vm, uint32_t flags)
{
	struct vm_slot *s = &vm->slot[0];
	int r = vm_try_set_slot(vm, 0, s->gpa, s->size, s->host, flags);

	if (r)
		test_error("KVM_SET_USER_MEMORY_REGION with flags %#x: %s", flags,
			   strerrorname_np(-r));
}

static bool is_logged(struct vm *vm, uint64_t gpa)
{
	static uint64_t bits[64];
	struct kvm_dirty_log get = {.slot = 0, .dirty_bitmap = bits};
	uint64_t n = (gpa - VM_RAM_BASE) / (uint64_t)sysconf(_SC_PAGESIZE);

	ASSERT_OK((int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &get));
	return bits[n / 64] >> n % 64 & 1;
}

/* Walks cacheable, as hardware that writes tables may want them (DDI 0487 D8.5), and TCR_EL1.HA. */
GUEST(set_access_flag)
{
	uint64_t at = guest_arg(0);

	guest_result(0, guest_sysreg(id_aa64mmfr1_el1));
	stage1_on();
	guest_set_sysreg(tcr_el1,
			 guest_sysreg(tcr_el1) | 1ULL << 8 | 1ULL << 10 | 3ULL << 12 | 1ULL << 39);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	guest_tick(1);
	guest_result(2, GUEST_TRAP("ldr x0, [%0]" ::"r"(at) : "x0", "memory"));
	guest_result(1, 1);
}

static struct vm *old_page(uint64_t **entry)
{
	struct vm *vm = paged_vm(set_access_flag);

	page_set(vm, 4, IPA_DATA | PAGE_NO_AF | PAGE_XN);
	*entry = tables_entry(vm, 4);
	vm->vcpu[0]->arg[0] = VA_PAGES + 0x4008;
	return vm;
}

/* Memory that not even the process may write: a CPU that updates a table there does not ask stage 2. */
static bool cpu_ignores_stage_2(void)
{
	uint64_t *entry;
	struct vm *vm = old_page(&entry);

	if (mprotect(vm_host(vm, TABLES_AT), 0x10000, PROT_READ))
		test_error("mprotect of the guest's tables failed");
	return vcpu_run(vm, 0) == GUEST_DONE && vm->vcpu[0]->result[2] == 0 && (*entry >> 10 & 1);
}

/*
 * The hardware's update of a stage-1 table is a write of the guest: it makes the page of the table dirty, and where the
 * log has protected it the update waits for KVM (arch/arm64/kvm, kvm_is_write_fault: S1PTW with a permission fault).
 */
TEST(aborts, hardware_update_of_a_table_is_logged, RULE("KVM-ABORT-11"))
{
	uint64_t *entry;
	struct vm *vm = old_page(&entry);
	struct vcpu *c = vm->vcpu[0];

	log_ram(vm, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_run_to_tick(vm, 0, 1);
	(void)is_logged(vm, VM_RAM_BASE); /* all that came before is read, and protected again */
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[1], 1U);
	vm_sync_ram(vm, TABLES_AT, 0x3000);
	if (c->result[0] & 0xf) {
		EXPECT_EQ(c->result[2], 0U);
		EXPECT_EQ(*entry >> 10 & 1, 1U);
		if (is_logged(vm, TABLES_AT + 0x2000)) {
			test_held();
			return;
		}
		if (cpu_ignores_stage_2())
			SKIP("this CPU updates stage-1 tables without asking stage 2, as QEMU's "
			     "emulated "
			     "CPUs do: KVM cannot know");
		test_differs(__FILE__, __LINE__, "table in the dirty log", "no", "yes");
	} else if (c->result[2]) {
		EXPECT_EQ(c->result[2] & 0x3f, 0x0bU); /* access flag, level 3 */
		EXPECT_EQ(*entry >> 10 & 1, 0U);
		EXPECT_TRUE(!is_logged(vm, TABLES_AT + 0x2000));
	} else {
		/* TCR_EL1.HA is RES0 then, and nobody stops a CPU that obeys it: QEMU's Cortex-A57 does */
		NOTE("ID_AA64MMFR1_EL1.HAFDBS is 0, and the CPU sets access flags nevertheless");
		EXPECT_EQ(*entry >> 10 & 1, 1U);
	}
}

/* Tables in memory that is read-only for the guest are walked as any others. */
GUEST(walk_read_only)
{
	uint64_t at = guest_arg(0);

	stage1_on();
	guest_result(0, GUEST_TRAP("ldr x0, [%0]" ::"r"(at) : "x0", "memory"));
	guest_result(1, guest_read64(at));
}

TEST(aborts, tables_in_a_read_only_slot_are_walked, RULE("KVM-ABORT-12"))
{
	struct vm *vm = paged_vm(walk_read_only);
	struct vcpu *c = vm->vcpu[0];
	uint64_t *data = vm_host(vm, IPA_DATA), *l3;

	if (vm_cap(vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP_NEEDS("readonly-mem", "KVM_CAP_READONLY_MEM is 0");
	/* the last table of VA_WALK lies at IPA_TABLE, which is aligned for every page size of a host */
	l3 = vm_add_slot(vm, IPA_TABLE, 0x10000, KVM_MEM_READONLY);
	l3[1] = IPA_DATA | PAGE_XN;
	vm_sync_ram(vm, IPA_TABLE, 0x10000);
	data[3] = 0x1eaf;
	vm_sync_ram(vm, IPA_DATA, 0x1000);
	c->arg[0] = VA_WALK + 0x1018;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[0], 0U);
	EXPECT_EQ(c->result[1], 0x1eafU);
}

/*
 * To find the address of a permission fault KVM translates it, by an instruction that writes PAR_EL1
 * (arch/arm64/kvm/hyp/include/hyp/fault.h): the guest's PAR_EL1 is what it was.
 */
GUEST(keep_par)
{
	uint64_t at = guest_arg(0), before;

	__asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(guest_arg(1)) : "memory");
	before = guest_sysreg(par_el1);
	guest_write64(at, 1);
	guest_result(0, before);
	guest_result(1, guest_sysreg(par_el1));
}

TEST(aborts, permission_fault_leaves_par_alone, RULE("KVM-ABORT-13"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = keep_par);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), bits = 0;
	struct kvm_dirty_log get = {.slot = vm->slots, .dirty_bitmap = &bits};
	struct vcpu *c = vm->vcpu[0];

	vm_add_slot(vm, LOGGED, 8 * page, KVM_MEM_LOG_DIRTY_PAGES);
	c->arg[0] = LOGGED + 2 * page + 0x128;
	c->arg[1] = VM_FREE_BASE + 0x5000;
	for (unsigned int round = 0; round < 3; round++) {
		RUN_TO_END(vm, 0);
		EXPECT_EQ(c->result[1], c->result[0]);
		EXPECT_EQ(c->result[0] >> 12 & 0xfffffffff, (VM_FREE_BASE + 0x5000) >> 12);
		ASSERT_OK((int)vm_ioctl(vm, KVM_GET_DIRTY_LOG, &get));
		EXPECT_EQ(bits, 1ULL << 2);
		c->run->immediate_exit = 1;
		ASSERT_EQ(vcpu_run(vm, 0), GUEST_PARKED);
		c->run->immediate_exit = 0;
		vcpu_start_at(vm, 0, guest_entry);
	}
}

/* Maintenance by address asks for no right to write (but DC IVAC, which is left out): read-only memory stays as it is. */
GUEST(maintain_read_only)
{
	uint64_t at = guest_arg(0);

	guest_result(0, GUEST_TRAP("dc civac, %0" ::"r"(at) : "memory"));
	guest_result(1, GUEST_TRAP("dc cvac, %0" ::"r"(at) : "memory"));
	guest_result(2, GUEST_TRAP("ic ivau, %0" ::"r"(at) : "memory"));
	guest_result(3, guest_read64(at));
}

TEST(aborts, cache_maintenance_of_read_only_memory_changes_nothing, RULE("KVM-ABORT-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = maintain_read_only);
	uint64_t *rom;

	if (vm_cap(vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP_NEEDS("readonly-mem", "KVM_CAP_READONLY_MEM is 0");
	rom = vm_add_slot(vm, LOGGED, 0x10000, KVM_MEM_READONLY);
	rom[8] = 0x5afe;
	vm_sync_ram(vm, LOGGED, 0x10000);
	vm->vcpu[0]->arg[0] = LOGGED + 64;
	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_EQ(vm->vcpu[0]->result[i], 0U);
	EXPECT_EQ(vm->vcpu[0]->result[3], 0x5afeU);
	EXPECT_EQ(rom[8], 0x5afeU);
}
