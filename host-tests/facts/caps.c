/* SPDX-License-Identifier: Apache-2.0 */
/* Every capability arm64 KVM answers (Documentation/virt/kvm/api.rst, sections 7, 8; kvm_vm_ioctl_check_extension). */
#include "vm.h"
#include <ctype.h>
#include <stdio.h>

#define CAP(name)                            \
	{                                    \
#name, KVM_CAP_##name, false \
	}
#define MUST(name)                          \
	{                                   \
#name, KVM_CAP_##name, true \
	}

static const struct {
	const char *name;
	unsigned int cap;
	bool must; /* arm64 KVM has had it since long before 4.18, and cannot do without */
} caps[] = {
	CAP(IRQCHIP),
	MUST(USER_MEMORY),
	MUST(NR_VCPUS),
	MUST(NR_MEMSLOTS),
	CAP(MP_STATE),
	CAP(COALESCED_MMIO),
	MUST(SYNC_MMU),
	MUST(DESTROY_MEMORY_REGION_WORKS),
	CAP(USER_NMI),
	CAP(SET_GUEST_DEBUG),
	CAP(IRQ_ROUTING),
	CAP(JOIN_MEMORY_REGIONS_WORKS),
	CAP(IRQFD),
	CAP(IOEVENTFD),
	CAP(ADJUST_CLOCK),
	CAP(INTERNAL_ERROR_DATA),
	CAP(VCPU_EVENTS),
	MUST(MAX_VCPUS),
	MUST(ONE_REG),
	CAP(SIGNAL_MSI),
	CAP(READONLY_MEM),
	CAP(IRQFD_RESAMPLE),
	MUST(ARM_PSCI),
	CAP(ARM_SET_DEVICE_ADDR),
	MUST(DEVICE_CTRL),
	CAP(ARM_EL1_32BIT),
	CAP(ENABLE_CAP_VM),
	CAP(VM_ATTRIBUTES),
	MUST(ARM_PSCI_0_2),
	CAP(CHECK_EXTENSION_VM),
	CAP(GUEST_DEBUG_HW_BPS),
	CAP(GUEST_DEBUG_HW_WPS),
	CAP(IOEVENTFD_ANY_LENGTH),
	CAP(ARM_PMU_V3),
	CAP(VCPU_ATTRIBUTES),
	CAP(MAX_VCPU_ID),
	CAP(MSI_DEVID),
	CAP(IMMEDIATE_EXIT),
	CAP(ARM_USER_IRQ),
	CAP(ARM_INJECT_SERROR_ESR),
	CAP(ARM_VM_IPA_SIZE),
	CAP(MANUAL_DIRTY_LOG_PROTECT2),
	CAP(ARM_SVE),
	CAP(ARM_PTRAUTH_ADDRESS),
	CAP(ARM_PTRAUTH_GENERIC),
	CAP(ARM_IRQ_LINE_LAYOUT_2),
	CAP(ARM_NISV_TO_USER),
	CAP(ARM_INJECT_EXT_DABT),
	CAP(HALT_POLL),
	CAP(STEAL_TIME),
	CAP(DIRTY_LOG_RING),
	CAP(SET_GUEST_DEBUG2),
	CAP(PTP_KVM),
	CAP(BINARY_STATS_FD),
	CAP(ARM_MTE),
	CAP(VM_GPA_BITS),
	CAP(SYSTEM_EVENT_DATA),
	CAP(ARM_SYSTEM_SUSPEND),
	CAP(DIRTY_LOG_RING_ACQ_REL),
	CAP(DIRTY_LOG_RING_WITH_BITMAP),
	CAP(COUNTER_OFFSET),
	CAP(ARM_EAGER_SPLIT_CHUNK_SIZE),
	CAP(ARM_SUPPORTED_BLOCK_SIZES),
	CAP(ARM_SUPPORTED_REG_MASK_RANGES),
	CAP(USER_MEMORY2),
	CAP(MEMORY_FAULT_INFO),
	CAP(MEMORY_ATTRIBUTES),
	CAP(GUEST_MEMFD),
	CAP(PRE_FAULT_MEMORY),
	CAP(ARM_WRITABLE_IMP_ID_REGS),
	CAP(ARM_EL2),
	CAP(ARM_EL2_E2H0),
	CAP(ARM_CACHEABLE_PFNMAP_SUPPORTED),
	CAP(GUEST_MEMFD_FLAGS),
	CAP(ARM_SEA_TO_USER),
};

/* On a VM, where KVM can answer it for that VM (KVM_CAP_CHECK_EXTENSION_VM). */
TEST(facts, capabilities_are_measured, RULE("KVM-API-2"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);

	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		char key[80] = "kvm.cap_";
		size_t n = 8;
		int value = vm_cap(vm, caps[i].cap);

		for (const char *p = caps[i].name; *p && n < sizeof(key) - 1; p++)
			key[n++] = (char)tolower((unsigned char)*p);
		key[n] = '\0';
		test_fact(key, "%d", value < 0 ? 0 : value);
		if (caps[i].must && !EXPECT_GT(value, 0))
			NOTE("capability was KVM_CAP_%s", caps[i].name);
	}
}
