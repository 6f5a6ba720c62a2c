/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is no NMI to send to an ARM64 guest. KVM_NMI: Documentation/virt/kvm/api.rst 4.64 (KVM_CAP_USER_NMI, x86
 * only); arm64 answers vCPU and VM ioctls it does not know with EINVAL (kvm_arch_vcpu_ioctl, kvm_arch_vm_ioctl:
 * 6.1 to 7.2).
 */
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>
#include <string.h>

SUITE(nmi, .tags = "refusal nmi");

#define EACH_GIC VARIANTS("v2: gic=2 | v3: gic=3")

static struct vm *running_vm(unsigned int gic)
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic, .entry = guest_count);

	vm_start(vm, 0, 2);
	return vm;
}

TEST(nmi, vcpu_ioctl_is_refused, RULE("KVM-NMI-1"), EACH_GIC)
{
	struct vm *vm = running_vm((unsigned int)test_param_u64("gic", 3));
	struct vm_state *before = vm_capture(vm);

	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_NMI, 0), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 1, KVM_NMI, 0), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(nmi, vm_ioctl_is_refused, RULE("KVM-NMI-1"))
{
	struct vm *vm = running_vm(GIC_ANY);
	struct vm_state *before = vm_capture(vm);

	EXPECT_REFUSED(vm_ioctl(vm, KVM_NMI, 0), EINVAL, ENOTTY);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(nmi, refused_while_the_guest_runs, RULE("KVM-NMI-1"))
{
	struct vm *vm = running_vm(GIC_ANY);

	EXPECT_STILL_RUNNING(vm);
	for (int i = 0; i < 50; i++)
		if (!EXPECT_REFUSED(vm_ioctl(vm, KVM_NMI, 0), EINVAL, ENOTTY))
			break;
	EXPECT_STILL_RUNNING(vm);
}

TEST(nmi, capability_is_absent, RULE("KVM-NMI-1"))
{
	EXPECT_EQ(kvm_cap(KVM_CAP_USER_NMI), 0);
}

/* 4.86 KVM_INTERRUPT has no arm64 form either. */
TEST(nmi, x86_injection_ioctls_are_refused, RULE("KVM-NMI-2"))
{
	struct vm *vm = running_vm(GIC_ANY);
	struct vm_state *before = vm_capture(vm);
	struct kvm_interrupt irq = {.irq = 2};

	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_INTERRUPT, &irq), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SMI, 0), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

#define IRQ_LINE(type, vcpu, id)                                                                   \
	((uint32_t)(type) << KVM_ARM_IRQ_TYPE_SHIFT | (uint32_t)(vcpu) << KVM_ARM_IRQ_VCPU_SHIFT | \
	 (uint32_t)(id))

static int irq_line(struct vm *vm, uint32_t irq, uint32_t level)
{
	struct kvm_irq_level l = {.irq = irq, .level = level};

	return (int)vm_ioctl(vm, KVM_IRQ_LINE, &l);
}

/* 4.25: types are 0 (CPU), 1 (SPI), 2 (PPI); "NMI" is none of them. */
TEST(nmi, interrupt_line_of_unknown_type_is_refused, RULE("KVM-IRQ-1"), EACH_GIC)
{
	struct vm *vm = running_vm((unsigned int)test_param_u64("gic", 3));
	struct vm_state *before = vm_capture(vm);

	for (uint32_t type = 3; type < 16; type++)
		if (!EXPECT_REFUSED(irq_line(vm, IRQ_LINE(type, 0, 40), 1), EINVAL))
			NOTE("type was %u", type);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.25: with an in-kernel GIC the CPU's own inputs (IRQ, FIQ) are not user space's. */
TEST(nmi, raw_cpu_lines_are_refused, RULE("KVM-IRQ-2"), EACH_GIC)
{
	struct vm *vm = running_vm((unsigned int)test_param_u64("gic", 3));
	struct vm_state *before = vm_capture(vm);

	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_CPU, 0, KVM_ARM_IRQ_CPU_IRQ), 1),
		       ENXIO);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_CPU, 0, KVM_ARM_IRQ_CPU_FIQ), 1),
		       ENXIO);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* Without a GIC only those two exist; a third, NMI-like input does not. */
TEST(nmi, third_cpu_line_is_refused, RULE("KVM-IRQ-2"))
{
	struct vm *vm = running_vm(0);
	struct vm_state *before = vm_capture(vm);

	for (uint32_t line = KVM_ARM_IRQ_CPU_FIQ + 1; line < 8; line++)
		EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_CPU, 0, line), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_SPI, 0, 40), 1), ENXIO);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.25: SPI numbers 32 to 1019, PPI numbers 16 to 31, on a vCPU that exists. */
TEST(nmi, interrupt_line_out_of_range_is_refused, RULE("KVM-IRQ-3"), EACH_GIC)
{
	struct vm *vm = running_vm((unsigned int)test_param_u64("gic", 3));
	struct vm_state *before = vm_capture(vm);

	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_SPI, 0, 31), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_SPI, 0, 0), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_SPI, 0, 1020), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_SPI, 0, 0xffff), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_PPI, 0, 15), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_PPI, 0, 32), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_PPI, 2, 20), 1), EINVAL);
	EXPECT_REFUSED(irq_line(vm, IRQ_LINE(KVM_ARM_IRQ_TYPE_PPI, 255, 20), 1), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.32: reserved and pad bytes are zero; has_esr needs KVM_CAP_ARM_INJECT_SERROR_ESR. */
TEST(nmi, bad_vcpu_events_are_refused, RULE("KVM-EVENTS-1"))
{
	struct vm *vm = running_vm(GIC_ANY);
	struct vm_state *before = vm_capture(vm);
	struct kvm_vcpu_events good, bad;

	ASSERT_OK(vcpu_ioctl(vm, 0, KVM_GET_VCPU_EVENTS, &good));
	bad = good;
	bad.reserved[0] = 1;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, &bad), EINVAL);
	bad = good;
	bad.reserved[ARRAY_SIZE(bad.reserved) - 1] = 1;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, &bad), EINVAL);
	bad = good;
	bad.exception.pad[0] = 1;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, &bad), EINVAL);
	bad = good;
	bad.exception.serror_pending = 1;
	bad.exception.serror_has_esr = 1;
	/* with RAS: the syndrome has 25 bits, the rest is refused; without: the syndrome is */
	bad.exception.serror_esr = vm_cap(vm, KVM_CAP_ARM_INJECT_SERROR_ESR) ? 1ULL << 25 : 1;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, &bad), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
