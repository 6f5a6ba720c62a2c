/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

SUITE(timer, .tags = "timer");

/* api.rst, KVM_ARM_SET_COUNTER_OFFSET (6.4 and later): two 64-bit words, the second reserved */
struct counter_offset {
	uint64_t counter_offset, reserved;
};

#define SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct counter_offset)

int try_set_offset(struct vm *vm, uint64_t offset, uint64_t reserved)
{
	struct counter_offset o = {.counter_offset = offset, .reserved = reserved};

	return (int)vm_ioctl(vm, SET_COUNTER_OFFSET, &o);
}

void need_offset(const struct vm *vm)
{
	if (vm_cap(vm, KVM_CAP_COUNTER_OFFSET) <= 0)
		SKIP_NEEDS("counter-offset", "KVM_CAP_COUNTER_OFFSET is 0: it came with Linux 6.4");
}

GUEST(note_physical)
{
	guest_result(0, guest_phys());
}

/*
 * QEMU (9.1 to 10) gives an emulated machine without EL3 the register CNTPOFF_EL2, and then applies it only
 * if SCR_EL3.ECVEN is set, which nobody can do there. That says nothing about KVM, which trusts the
 * register where ID_AA64MMFR0_EL1.ECV is 2. Only a CPU of a software model (MIDR_EL1.Implementer 0) is excused.
 */
void need_physical_offset(void)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = note_physical);
	const uint64_t offset = 1ULL << 41;
	uint64_t midr, mmfr0, first = host_count();

	__asm__("mrs %0, midr_el1"
		: "=r"(midr)); /* emulated by Linux (arm64/cpu-feature-registers.rst) */
	__asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
	if (midr >> 24 & 0xff || mmfr0 >> 60 < 2 || try_set_offset(vm, offset, 0))
		return;
	RUN_TO_END(vm, 0);
	if (within(vm->vcpu[0]->result[0], 0, first, host_count()))
		SKIP_NEEDS("cntpoff", "this emulated CPU has CNTPOFF_EL2 and does not apply it, as "
				      "QEMU without EL3: use a CPU model without FEAT_ECV");
}
