/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the vGIC and the ITS by the names of their registers. */
#include "gicreg.h"
#include <assay/board.h>
#include <stdio.h>

/* KVM numbers vCPUs so (reset_mpidr): Aff0 four bits, Aff1 eight, Aff2 eight. arm-vgic-v3.rst: Aff3.2.1.0 in 63:32 */
uint64_t gic_affinity(unsigned int cpu)
{
	return ((uint64_t)(cpu & 0xf) | (uint64_t)(cpu >> 4 & 0xff) << 8 |
		(uint64_t)(cpu >> 12 & 0xff) << 16)
	       << 32;
}

static uint64_t number(unsigned int cpu)
{
	return (uint64_t)cpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
}

int gicd_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
			    (vm->opt.gic == 2 ? number(cpu) : 0) | off, value);
}

int gicr_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
			    gic_affinity(cpu) | off, value);
}

int gicc_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_CPU_REGS, number(cpu) | off,
			    value);
}

int icc_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t reg, uint64_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS,
			    gic_affinity(cpu) | reg, value);
}

int gits_try(struct vm *vm, unsigned long request, uint32_t off, uint64_t *value)
{
	return dev_try_attr(vm->its_fd, request, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, off, value);
}

int gic_level_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t first,
		  uint32_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			    gic_affinity(cpu) |
				    (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL
					    << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT |
				    first,
			    value);
}

#define GET KVM_GET_DEVICE_ATTR
#define SET KVM_SET_DEVICE_ATTR

static void note(bool good, const char *name, unsigned int cpu, uint32_t off)
{
	if (!good)
		NOTE("%s of vCPU %u, offset %#x", name, cpu, off);
}

/* NAME_get() and NAME_set(): what cannot be read or written fails the test, with the register's name. */
#define ACCESS(name, NAME, type)                                                        \
	type name##_get(struct vm *vm, unsigned int cpu, uint32_t reg)                  \
	{                                                                               \
		type value = 0;                                                         \
                                                                                        \
		note(EXPECT_OK(name##_try(vm, GET, cpu, reg, &value)), NAME, cpu, reg); \
		return value;                                                           \
	}                                                                               \
                                                                                        \
	void name##_set(struct vm *vm, unsigned int cpu, uint32_t reg, type value)      \
	{                                                                               \
		note(EXPECT_OK(name##_try(vm, SET, cpu, reg, &value)), NAME, cpu, reg); \
	}

ACCESS(gicd, "GICD", uint32_t)
ACCESS(gicr, "GICR", uint32_t)
ACCESS(gicc, "GICC", uint32_t)
ACCESS(icc, "ICC", uint64_t)

uint64_t gits_get(struct vm *vm, uint32_t off)
{
	uint64_t value = 0;

	note(EXPECT_OK(gits_try(vm, GET, off, &value)), "GITS", 0, off);
	return value;
}

void gits_set(struct vm *vm, uint32_t off, uint64_t value)
{
	note(EXPECT_OK(gits_try(vm, SET, off, &value)), "GITS", 0, off);
}

int vm_try_irq_line(struct vm *vm, unsigned int type, unsigned int cpu, unsigned int irq,
		    unsigned int level)
{
	struct kvm_irq_level l = {
		.irq = type << KVM_ARM_IRQ_TYPE_SHIFT |
		       (cpu >> 8 & KVM_ARM_IRQ_VCPU2_MASK) << KVM_ARM_IRQ_VCPU2_SHIFT |
		       (cpu & KVM_ARM_IRQ_VCPU_MASK) << KVM_ARM_IRQ_VCPU_SHIFT |
		       (irq & KVM_ARM_IRQ_NUM_MASK),
		.level = level,
	};

	return (int)vm_ioctl(vm, KVM_IRQ_LINE, &l);
}

int vm_try_signal_msi(struct vm *vm, uint32_t device, uint32_t event)
{
	/* GITS_TRANSLATER: IHI 0069 H 12.20, offset 0x40 of the second frame */
	uint64_t address = ASSAY_GIC_ITS_BASE + 0x10040;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = event,
		.flags = KVM_MSI_VALID_DEVID,
		.devid = device,
	};

	return (int)vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);
}
