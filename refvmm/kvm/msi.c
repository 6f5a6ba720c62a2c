/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts from outside the vCPUs: lines and messages; and doorbells that the vCPUs ring. */
#include <assay/board.h>
#include <linux/kvm.h>

#include "kvm/vm.h"

int vm_irq_line(const struct vm *vm, unsigned spi, bool level)
{
	struct kvm_irq_level l = {
		.irq = (KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT) | ASSAY_SPI_TO_INTID(spi),
		.level = level,
	};

	return kvm_ioctl(vm->fd, KVM_IRQ_LINE, &l);
}

/* KVM wants the address of the doorbell, GITS_TRANSLATER (IHI 0069, 12.19), and the device ID. */
int vm_signal_msi(const struct vm *vm, uint64_t addr, uint32_t data, uint32_t devid)
{
	struct kvm_msi m = {
		.address_lo = (uint32_t)addr,
		.address_hi = (uint32_t)(addr >> 32),
		.data = data,
		.flags = KVM_MSI_VALID_DEVID,
		.devid = devid,
	};

	return kvm_ioctl(vm->fd, KVM_SIGNAL_MSI, &m);
}

int vm_ioeventfd(const struct vm *vm, uint64_t gpa, unsigned len, int fd, bool on)
{
	struct kvm_ioeventfd i = {
		.addr = gpa,
		.len = len,
		.fd = fd,
		.flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return kvm_ioctl(vm->fd, KVM_IOEVENTFD, &i);
}
