/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No way in for an NMI: the distributor's and redistributors' non-maskable registers (GICv3.3, IHI 0069 H 12.9.19,
 * 12.11.13), MSIs and irqfds with arguments that might mean one, the register interface of PSTATE.ALLINT.
 */
#include "gicreg.h"
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>
#include <sys/eventfd.h>

GUEST(write_inmir)
{
	guest_write32(ASSAY_GIC_DIST_BASE + GICD_INMIR(1), ~0U);
	guest_write32(ASSAY_GIC_REDIST_BASE + GICR_INMIR0, ~0U);
	guest_result(0, guest_read32(ASSAY_GIC_DIST_BASE + GICD_INMIR(1)));
	guest_result(1, guest_read32(ASSAY_GIC_REDIST_BASE + GICR_INMIR0));
	guest_count();
}

TEST(nmi, non_maskable_registers_take_nothing, RULE("NMI-GIC-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = write_inmir);
	struct vm_state *before = vm_capture_parts(vm, STATE_GIC);

	for (uint32_t n = 0; n < 8; n++) {
		gicd_set(vm, 0, GICD_INMIR(n), ~0U);
		EXPECT_EQ(gicd_get(vm, 0, GICD_INMIR(n)), 0U);
		EXPECT_REFUSED(gicd_try(vm, KVM_HAS_DEVICE_ATTR, 0, GICD_INMIR(n), NULL), ENXIO);
	}
	gicr_set(vm, 0, GICR_INMIR0, ~0U);
	EXPECT_EQ(gicr_get(vm, 0, GICR_INMIR0), 0U);
	EXPECT_SAME_STATE(vm, before);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	EXPECT_EQ(vm->vcpu[0]->result[0], 0);
	EXPECT_EQ(vm->vcpu[0]->result[1], 0);
	EXPECT_EQ(gicd_get(vm, 0, GICD_INMIR(1)), 0U);
}

static int msi(struct vm *vm, uint32_t flags, uint64_t address, uint32_t device)
{
	struct kvm_msi m = {.address_lo = (uint32_t)address,
			    .address_hi = (uint32_t)(address >> 32),
			    .data = 1,
			    .flags = flags,
			    .devid = device};

	return (int)vm_ioctl(vm, KVM_SIGNAL_MSI, &m);
}

/* 4.71 KVM_SIGNAL_MSI: no vGIC and unknown flags EINVAL; no ITS ENODEV; an ITS that is off, or elsewhere: refused */
TEST(nmi, bad_msis_are_refused, RULE("KVM-MSI-1"),
     VARIANTS("none: gic=0 | v3: gic=3 | its: gic=3 its=1"))
{
	unsigned int gic = (unsigned int)test_param_u64("gic", 0);
	bool its = test_param_u64("its", 0);
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic, .its = its, .entry = guest_count);
	uint64_t translater = ASSAY_GIC_ITS_BASE + 0x10040;
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (unsigned int bit = 1; bit < 32; bit++)
		if (!EXPECT_REFUSED(msi(vm, 1U << bit, translater, 0), EINVAL))
			NOTE("flag was bit %u", bit);
	if (!gic)
		EXPECT_REFUSED(msi(vm, KVM_MSI_VALID_DEVID, translater, 0), EINVAL);
	if (gic && !its)
		EXPECT_REFUSED(msi(vm, KVM_MSI_VALID_DEVID, translater, 0), ENODEV);
	if (its) {
		EXPECT_REFUSED(msi(vm, 0, translater, 0), EINVAL);
		EXPECT_REFUSED(msi(vm, KVM_MSI_VALID_DEVID, ASSAY_GIC_DIST_BASE, 0), EINVAL,
			       ENODEV);
		EXPECT_REFUSED(msi(vm, KVM_MSI_VALID_DEVID, translater, 0), EBUSY); /* it is off */
	}
	EXPECT_REFUSED(vm_ioctl(vm, KVM_SIGNAL_MSI, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* A flag that might say "non-maskable" is none of an irqfd's; interrupts that are not SPIs have no gsi */
TEST(nmi, irqfd_has_no_flag_for_it, RULE("KVM-NMI-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct kvm_irqfd i = {.fd = (uint32_t)eventfd(0, EFD_CLOEXEC), .gsi = 2};
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (unsigned int bit = 2; bit < 32; bit++) {
		i.flags = 1U << bit;
		if (!EXPECT_REFUSED(vm_ioctl(vm, KVM_IRQFD, &i), EINVAL))
			NOTE("flag was bit %u", bit);
	}
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* Every value of ID_AA64PFR1_EL1.NMI but 0 is refused; PSTATE.ALLINT (bit 13) and its register do not exist */
TEST(nmi, register_interface_has_no_nmi, RULE("NMI-ID-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	uint64_t pfr1 = vcpu_get(vm, 0, REG_ID_AA64PFR1_EL1), v = 0;
	static const uint64_t none[] = {
		REG_SYS(3, 0, 4, 3, 0),	 /* ALLINT */
		REG_SYS(3, 0, 12, 9, 5), /* ICC_NMIAR1_EL1 */
	};

	for (uint64_t nmi = 1; nmi < 16; nmi++) {
		v = pfr1 | nmi << 36;
		EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_ID_AA64PFR1_EL1, &v), EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_REFUSED(vcpu_try_get(vm, 0, none[i], &v), ENOENT);
		EXPECT_REFUSED(vcpu_try_set(vm, 0, none[i], &v), ENOENT);
	}
	EXPECT_EQ(vcpu_get(vm, 0, REG_ID_AA64PFR1_EL1), pfr1);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}
