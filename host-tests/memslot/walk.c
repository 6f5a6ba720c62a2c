/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPA space outside memory slots: every access exits as MMIO (Documentation/virt/kvm/api.rst 5, KVM_EXIT_MMIO) or,
 * beyond the space, ends in an abort of the guest (arch/arm64/kvm/mmu.c, kvm_handle_guest_abort). Never in data.
 */
#include "common.h"
#include "regs.h"
#include <stdio.h>
#include <string.h>

/* For each round: an address from arg 0, what was read to result 0, the syndrome to result 1, and a stop. */
GUEST(load_one_by_one)
{
	for (;;) {
		uint64_t at = guest_arg(0), value = 0, esr;

		esr = GUEST_TRAP("ldr %0, [%1]" : "+r"(value) : "r"(at) : "memory");
		guest_result(0, value);
		guest_result(1, esr);
		guest_done();
	}
}

#define ANSWER 0x0bb0c0ffee5a5a5aULL

static void failed_at(uint64_t at, const char *got, const char *want)
{
	char what[48];

	snprintf(what, sizeof(what), "8 bytes read at %#llx", (unsigned long long)at);
	test_differs(__FILE__, __LINE__, what, got, want);
}

/* One load: what KVM did with it. */
enum seen { DATA, MMIO, ABORT };

static enum seen load(struct vm *vm, uint64_t at, uint64_t *value)
{
	struct vcpu *c = vm->vcpu[0];
	const uint64_t answer = ANSWER;
	bool exited = false;
	int end;

	c->arg[0] = at;
	end = vcpu_run(vm, 0);
	if (end == KVM_EXIT_MMIO) {
		exited = true;
		EXPECT_EQ(c->run->mmio.phys_addr, at);
		EXPECT_EQ(c->run->mmio.len, 8U);
		EXPECT_EQ(c->run->mmio.is_write, 0);
		memcpy(c->run->mmio.data, &answer, sizeof(answer));
		end = vcpu_run(vm, 0);
	}
	if (end != GUEST_DONE)
		test_error("load from %#llx: the run ended with %d", (unsigned long long)at, end);
	*value = c->result[0];
	if (c->result[1]) {
		EXPECT_EQ(ESR_EC(c->result[1]), 0x25U); /* data abort at EL1 */
		return ABORT;
	}
	return exited ? MMIO : DATA;
}

static void expect_nobody(struct vm *vm, uint64_t at, unsigned int bits)
{
	uint64_t value = 0;
	enum seen seen = load(vm, at, &value);
	bool inside = bits >= 64 || !(at >> bits);
	char got[40];

	if (seen == (inside ? MMIO : ABORT) && value == (inside ? ANSWER : 0)) {
		test_held();
		return;
	}
	snprintf(got, sizeof(got), "%s, value %#llx",
		 seen == DATA	? "data"
		 : seen == MMIO ? "KVM_EXIT_MMIO"
				: "an abort",
		 (unsigned long long)value);
	failed_at(at, got, inside ? "KVM_EXIT_MMIO and its answer" : "an abort");
}

static bool in_slot(const struct vm *vm, uint64_t at)
{
	for (unsigned int i = 0; i < vm->slots; i++)
		if (at + 8 > vm->slot[i].gpa && at < vm->slot[i].gpa + vm->slot[i].size)
			return true;
	return at >= GUEST_PORT && at < GUEST_PORT + GUEST_PORT_SIZE;
}

static unsigned int try_at(struct vm *vm, uint64_t at, unsigned int bits)
{
	if (in_slot(vm, at))
		return 0;
	expect_nobody(vm, at, bits);
	return 1;
}

/* Islands of memory in a space of 40 bits; then the powers of two, the islands' edges, and 150 seeded places. */
TEST(memslot, nothing_but_slots_is_data, RULE("KVM-SLOT-7"), .limit_ms = 60000)
{
	static const uint64_t island[] = {0x60000000, 0x100000000, 0x80ffff0000, 0xffffff0000};
	int limit = kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE);
	unsigned int bits = limit > 40 && kvm_protected_mode() ? (unsigned int)limit : 40, n = 0;
	struct vm *vm = vm_new(.vcpus = 1, .entry = load_one_by_one, .ipa_bits = 40);
	uint64_t value;

	for (unsigned int i = 0; i < ARRAY_SIZE(island); i++) {
		uint64_t *host = vm_add_slot(vm, island[i], 0x10000, 0);

		host[0] = 0x600d0000 + i;
		host[0x10000 / 8 - 1] = 0x600d1000 + i;
		vm_sync_ram(vm, island[i], 0x10000);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(island); i++) {
		EXPECT_EQ((int)load(vm, island[i], &value), (int)DATA);
		EXPECT_EQ(value, 0x600d0000U + i);
		EXPECT_EQ((int)load(vm, island[i] + 0xfff8, &value), (int)DATA);
		EXPECT_EQ(value, 0x600d1000U + i);
		n += try_at(vm, island[i] - 8, bits);
		n += try_at(vm, island[i] + 0x10000, bits);
	}
	for (unsigned int b = 12; b < 52; b++) {
		n += try_at(vm, 1ULL << b, bits);
		n += try_at(vm, (1ULL << b) - 8, bits);
	}
	for (unsigned int i = 0; i < 150; i++)
		n += try_at(vm, (test_random() & ((1ULL << bits) - 1)) & ~7ULL, bits);
	NOTE("%u addresses outside memory slots", n);
	EXPECT_GT(n, 200U);
}

GUEST(store_and_stop)
{
	for (;;) {
		uint64_t at = guest_arg(0), value = guest_arg(1);

		guest_result(0, guest_read64(at));
		if (value)
			guest_write64(at, value);
		guest_done();
	}
}

/* DDI 0487 D8.16, VMIDs: two VMs that run in turns on one CPU see each its own memory at one address. */
TEST(memslot, same_address_in_two_vms_is_two_memories, RULE("KVM-SLOT-8"))
{
	struct vm *vm[2];

	for (unsigned int i = 0; i < 2; i++) {
		vm[i] = vm_new(.vcpus = 1, .entry = store_and_stop);
		slot_set(vm[i], SLOT_AT, slot_memory(slot_size()), 0);
		vm[i]->vcpu[0]->arg[0] = SLOT_AT;
	}
	for (uint64_t round = 1; round <= 40; round++)
		for (unsigned int i = 0; i < 2; i++) {
			struct vcpu *c = vm[i]->vcpu[0];
			uint64_t was = round == 1 ? WORD_BEFORE : (round - 1) << 8 | (i + 1);

			c->arg[1] = round << 8 | (i + 1);
			RUN_TO_END(vm[i], 0);
			EXPECT_EQ(c->result[0], was);
		}
}
