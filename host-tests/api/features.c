/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPU features one by one (Documentation/virt/kvm/api.rst 4.77): what a capability offers works, what it does not is
 * refused, combinations that cannot be are refused.
 */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>

#define BIT(feature) (1U << KVM_ARM_VCPU_##feature)

static const struct {
	const char *name;
	uint32_t bits;
	unsigned int cap; /* 0: always there */
} features[] = {
	{"none", 0, 0},
	{"psci", BIT(PSCI_0_2), 0},
	{"off", BIT(POWER_OFF), 0},
	{"el1-32", BIT(EL1_32BIT), KVM_CAP_ARM_EL1_32BIT},
	{"pmu", BIT(PMU_V3), KVM_CAP_ARM_PMU_V3},
	{"sve", BIT(SVE), KVM_CAP_ARM_SVE},
	{"pauth", BIT(PTRAUTH_ADDRESS) | BIT(PTRAUTH_GENERIC), KVM_CAP_ARM_PTRAUTH_ADDRESS},
	{"el2", BIT(HAS_EL2), KVM_CAP_ARM_EL2},
};

/* Offered: initializes; not offered: EINVAL, or ENOENT where KVM does not know the bit; then the vCPU is as new. */
TEST(api, features_are_those_of_the_capabilities, RULE("KVM-FEATURE-1"), .limit_ms = 60000,
     VARIANTS("none: n=0 | psci: n=1 | off: n=2 | el1-32: n=3 | pmu: n=4 | sve: n=5 | pauth: n=6 | "
	      "el2: n=7"))
{
	unsigned int n = (unsigned int)test_param_u64("n", 0);
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true, .entry = guest_nothing);
	int cap = features[n].cap ? vm_cap(vm, features[n].cap) : 1, r;

	r = vcpu_try_init(vm, 0, features[n].bits);
	if (cap > 0) {
		EXPECT_OK(r);
		/* the same again: the features are the VM's now; others are EINVAL */
		EXPECT_OK(vcpu_try_init(vm, 0, features[n].bits));
		EXPECT_REFUSED(vcpu_try_init(vm, 0, features[n].bits ^ BIT(PSCI_0_2)), EINVAL);
		return;
	}
	EXPECT_REFUSED(r, EINVAL, ENOENT);
	EXPECT_OK(vcpu_try_init(vm, 0, BIT(PSCI_0_2)));
	vcpu_start_at(vm, 0, guest_entry);
	RUN_TO_END(vm, 0);
}

/* 4.77: "all vCPUs must have the same features" since 6.4 (KVM_ARM_VCPU_INIT after another vCPU's) */
TEST(api, features_are_one_set_for_a_vm, RULE("KVM-FEATURE-2"))
{
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_nothing);
	int r;

	vcpu_init(vm, 0);
	r = vcpu_try_init(vm, 1, 0);
	if (vm_cap(vm, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES) >
	    0) /* since 6.7: younger than the rule */
		EXPECT_REFUSED(r, EINVAL);
	else
		EXPECT_REFUSED(r, 0, EINVAL);
	FACT("kvm.vcpus_with_different_features", "%s", r ? strerrorname_np(-r) : "works");
	if (r)
		EXPECT_OK(vcpu_try_init(vm, 1, BIT(PSCI_0_2)));
	RUN_TO_END(vm, 0);
}

/* Pointer authentication is had whole: one half is EINVAL (kvm_vcpu_init_check_features, kvm_reset_vcpu before 6.7) */
TEST(api, half_of_pointer_authentication_is_refused, RULE("KVM-FEATURE-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true, .entry = guest_nothing);

	EXPECT_EQ(vm_cap(vm, KVM_CAP_ARM_PTRAUTH_ADDRESS), vm_cap(vm, KVM_CAP_ARM_PTRAUTH_GENERIC));
	EXPECT_REFUSED(vcpu_try_init(vm, 0, BIT(PTRAUTH_ADDRESS)), EINVAL);
	EXPECT_REFUSED(vcpu_try_init(vm, 0, BIT(PTRAUTH_GENERIC)), EINVAL);
	vcpu_init(vm, 0);
	RUN_TO_END(vm, 0);
}

/* Every bit without a meaning is ENOENT, in the further words too (4.77). */
TEST(api, unknown_feature_words_are_refused, RULE("KVM-INIT-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true, .entry = guest_nothing);
	struct kvm_vcpu_init init;

	for (unsigned int bit = 9; bit < 32; bit++)
		if (!EXPECT_REFUSED(vcpu_try_init(vm, 0, BIT(PSCI_0_2) | 1U << bit), ENOENT))
			NOTE("bit was %u", bit);
	ASSERT_OK(vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init));
	for (unsigned int word = 1; word < ARRAY_SIZE(init.features); word++) {
		struct kvm_vcpu_init bad = init;

		bad.features[0] = BIT(PSCI_0_2);
		bad.features[word] = 1;
		if (!EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_INIT, &bad), ENOENT))
			NOTE("word was %u", word);
	}
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_INIT, 0xffff000000000000UL), EFAULT);
	vcpu_init(vm, 0);
	RUN_TO_END(vm, 0);
}

/* 4.83: a target that KVM_ARM_VCPU_INIT takes, with no feature set; and KVM_ARM_TARGET_GENERIC_V8 is always taken */
TEST(api, preferred_target_is_taken, RULE("KVM-FEATURE-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true, .entry = guest_nothing);
	struct kvm_vcpu_init init = {.target = 0xaaaa, .features = {~0U, ~0U, ~0U}};

	ASSERT_OK(vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init));
	for (unsigned int i = 0; i < ARRAY_SIZE(init.features); i++)
		EXPECT_EQ(init.features[i], 0U);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, 0xffff000000000000UL), EFAULT);
	init.features[0] = BIT(PSCI_0_2);
	EXPECT_OK(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_INIT, &init));
	init.target = KVM_ARM_TARGET_GENERIC_V8;
	EXPECT_OK(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_INIT, &init));
	for (uint32_t t = 6; t < 40; t++) {
		init.target = t;
		EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_INIT, &init), EINVAL);
	}
	vcpu_start_at(vm, 0, guest_entry);
	RUN_TO_END(vm, 0);
}

/* What ID registers, capabilities and the register list say of a feature is one thing. */
TEST(api, features_show_in_id_registers, RULE("KVM-FEATURE-5"), .limit_ms = 60000,
     VARIANTS("pmu: n=4 | sve: n=5 | pauth: n=6"))
{
	unsigned int n = (unsigned int)test_param_u64("n", 4);
	struct vm *plain = vm_new(.vcpus = 1), *with = vm_new(.vcpus = 1, .no_vcpu_init = true);
	/* PMUVer of DFR0; SVE of PFR0; APA, API, GPA, GPI of ISAR1 and APA3, GPA3 of ISAR2 (DDI 0487 D24.2) */
	static const struct {
		uint64_t id, mask;
	} field[][2] = {
		{{REG_SYS(3, 0, 0, 5, 0), 0xf00}, {0, 0}},
		{{REG_SYS(3, 0, 0, 4, 0), 0xf00000000}, {0, 0}},
		{{REG_SYS(3, 0, 0, 6, 1), 0xff000ff0}, {REG_SYS(3, 0, 0, 6, 2), 0xff00}},
	};
	uint64_t off = 0, on = 0;

	if (vm_cap(with, features[n].cap) <= 0)
		SKIP("this host does not offer %s: nothing to show", features[n].name);
	ASSERT_OK(vcpu_try_init(with, 0, BIT(PSCI_0_2) | features[n].bits));
	for (unsigned int i = 0; i < 2 && field[n - 4][i].mask; i++) {
		off |= vcpu_get(plain, 0, field[n - 4][i].id) & field[n - 4][i].mask;
		on |= vcpu_get(with, 0, field[n - 4][i].id) & field[n - 4][i].mask;
	}
	EXPECT_EQ(off, 0U);
	EXPECT_NE(on, 0U);
}

/* ---- KVM_ENABLE_CAP on the VM (4.37): flags and unknown capabilities are EINVAL, order rules hold */

static int enable(struct vm *vm, uint32_t cap, uint32_t flags, uint64_t arg)
{
	struct kvm_enable_cap e = {.cap = cap, .flags = flags, .args = {arg}};

	return (int)vm_ioctl(vm, KVM_ENABLE_CAP, &e);
}

TEST(api, bad_capabilities_are_not_enabled, RULE("KVM-CAP-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(enable(vm, 9999, 0, 0), EINVAL);
	EXPECT_REFUSED(enable(vm, KVM_CAP_NR_VCPUS, 0, 0), EINVAL);
	EXPECT_REFUSED(enable(vm, KVM_CAP_ARM_NISV_TO_USER, 1, 0), EINVAL);
	EXPECT_REFUSED(enable(vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 1, 0), EINVAL);
	/* memory tagging: before the first vCPU, on a host that has it (7.28) */
	EXPECT_REFUSED(enable(vm, KVM_CAP_ARM_MTE, 0, 0), EINVAL);
	/* eager splitting: before the first slot (8.x, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE) */
	EXPECT_REFUSED(enable(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, 0, 2UL << 20), EINVAL);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_ENABLE_CAP, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(api, split_chunk_size_takes_block_sizes_only, RULE("KVM-CAP-2"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	uint64_t sizes = (uint64_t)vm_cap(vm, KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES);

	if (vm_cap(vm, KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES) <= 0)
		SKIP("KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES is 0 (before Linux 6.5)");
	EXPECT_EQ(vm_cap(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE), 0); /* off by default */
	for (unsigned int bit = 12; bit < 31; bit++) {
		int r = enable(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, 0, 1ULL << bit);

		if (sizes >> bit & 1) {
			EXPECT_OK(r);
			EXPECT_EQ(vm_cap(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE), 1 << bit);
		} else {
			EXPECT_REFUSED(r, EINVAL);
		}
	}
	EXPECT_OK(enable(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, 0, 0));
	EXPECT_EQ(vm_cap(vm, KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE), 0);
}

/* ---- KVM_CHECK_EXTENSION: what both descriptors say, and what only a VM can */

TEST(api, extensions_of_system_and_vm_agree, RULE("KVM-CAP-3"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	int gic2 = vm_try_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V2, KVM_CREATE_DEVICE_TEST) == 0;
	int gic3 = vm_try_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3, KVM_CREATE_DEVICE_TEST) == 0;
	int max = kvm_cap(KVM_CAP_MAX_VCPUS);

	for (unsigned int cap = 0; cap < 260; cap++) {
		int system = kvm_cap(cap), own = vm_cap(vm, cap);

		/* 4.4: that of a VM may differ; on arm64 what depends on it: MSI_DEVID, and what only a VM answers */
		if (cap == KVM_CAP_MSI_DEVID || cap == KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED ||
		    system == own) {
			test_held();
			continue;
		}
		/* pKVM and memory attributes (6.8) are a VM's */
		if (cap == KVM_CAP_MEMORY_ATTRIBUTES || cap == KVM_CAP_GUEST_MEMFD ||
		    cap == KVM_CAP_GUEST_MEMFD_FLAGS)
			continue;
		EXPECT_EQ(own, system);
		NOTE("capability was %u", cap);
	}
	EXPECT_EQ(kvm_cap(KVM_CAP_IRQCHIP), gic2 || gic3);
	EXPECT_EQ(max, gic3 ? 512 : gic2 ? 8 : max);
	EXPECT_EQ(kvm_cap(KVM_CAP_MAX_VCPU_ID), max);
	EXPECT_LE(kvm_cap(KVM_CAP_NR_VCPUS), max);
	EXPECT_GE(kvm_cap(KVM_CAP_NR_VCPUS), 1);
	EXPECT_EQ(vm_cap(vm, KVM_CAP_MSI_DEVID), 0);
	EXPECT_EQ(kvm_cap(KVM_CAP_COALESCED_MMIO), 1);
	EXPECT_EQ(kvm_cap(KVM_CAP_ARM_USER_IRQ), 1);
	EXPECT_EQ(kvm_cap(KVM_CAP_IRQ_ROUTING), 4096);
	EXPECT_EQ(kvm_cap(KVM_CAP_CHECK_EXTENSION_VM), 1);
	/* x86's and others' are nobody's here */
	EXPECT_EQ(kvm_cap(KVM_CAP_HLT), 0);
	EXPECT_EQ(kvm_cap(KVM_CAP_PIT), 0);
	EXPECT_EQ(kvm_cap(KVM_CAP_S390_PSW), 0);
	EXPECT_EQ(kvm_cap(KVM_CAP_PPC_SMT), 0);
}

/*
 * What a test skips for want of a capability is not tested: so these must be there. arch/arm64/kvm/arm.c and
 * virt/kvm/kvm_main.c, KVM_CHECK_EXTENSION: 1 on every arm64 host since 6.1.
 */
TEST(api, capabilities_of_every_host_are_there, RULE("KVM-CAP-4"))
{
	static const unsigned int always[] = {
		KVM_CAP_USER_MEMORY,
		KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		KVM_CAP_JOIN_MEMORY_REGIONS_WORKS,
		KVM_CAP_SYNC_MMU,
		KVM_CAP_READONLY_MEM,
		KVM_CAP_IOEVENTFD,
		KVM_CAP_IOEVENTFD_ANY_LENGTH,
		KVM_CAP_IRQFD,
		KVM_CAP_IRQFD_RESAMPLE,
		KVM_CAP_SIGNAL_MSI,
		KVM_CAP_ONE_REG,
		KVM_CAP_MP_STATE,
		KVM_CAP_VCPU_EVENTS,
		KVM_CAP_VCPU_ATTRIBUTES,
		KVM_CAP_IMMEDIATE_EXIT,
		KVM_CAP_SET_GUEST_DEBUG,
		KVM_CAP_ENABLE_CAP_VM,
		KVM_CAP_DEVICE_CTRL,
		KVM_CAP_PTP_KVM,
		KVM_CAP_ARM_PSCI,
		KVM_CAP_ARM_PSCI_0_2,
		KVM_CAP_ARM_SET_DEVICE_ADDR,
		KVM_CAP_ARM_IRQ_LINE_LAYOUT_2,
		KVM_CAP_ARM_NISV_TO_USER,
		KVM_CAP_ARM_INJECT_EXT_DABT,
		KVM_CAP_ARM_SYSTEM_SUSPEND,
	};
	struct vm *vm = vm_new_bare(VM_IPA_BITS);

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (!EXPECT_EQ(vm_cap(vm, always[i]), 1))
			NOTE("capability was %u", always[i]);
	}
	EXPECT_EQ(vm_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2), 3);
	EXPECT_GE(vm_cap(vm, KVM_CAP_NR_MEMSLOTS), 509);
	EXPECT_GE(vm_cap(vm, KVM_CAP_GUEST_DEBUG_HW_BPS),
		  2); /* DDI 0487, ID_AA64DFR0_EL1.BRPs: 2 at least */
	EXPECT_GE(vm_cap(vm, KVM_CAP_GUEST_DEBUG_HW_WPS), 2);
	EXPECT_GE(vm_cap(vm, KVM_CAP_ARM_VM_IPA_SIZE), 32);
}

/* devices/arm-vgic.rst: with a GICv2 a VM has 8 vCPUs at most, with a GICv3 512, and says so */
TEST(api, vgic_decides_the_number_of_vcpus, RULE("KVM-CAP-3"), VARIANTS("v2: gic=2 | v3: gic=3"))
{
	unsigned int gic = (unsigned int)test_param_u64("gic", 3);
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic);

	EXPECT_EQ(vm_cap(vm, KVM_CAP_MAX_VCPUS), gic == 2 ? 8 : 512);
	EXPECT_EQ(vm_cap(vm, KVM_CAP_MAX_VCPU_ID), gic == 2 ? 8 : 512);
}
