/* SPDX-License-Identifier: Apache-2.0 */
/* The in-kernel interrupt controllers (Documentation/virt/kvm/devices/arm-vgic*.rst). */
#include "vm.h"
#include <assay/board.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int dev_try_attr(int fd, unsigned long request, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uintptr_t)value};

	return (int)sys_ioctl(fd, request, (unsigned long)&a);
}

int vm_try_create_device(struct vm *vm, uint32_t type, uint32_t flags)
{
	struct kvm_create_device d = {.type = type, .flags = flags};
	long r = vm_ioctl(vm, KVM_CREATE_DEVICE, &d);

	if (r < 0)
		return (int)r;
	return flags & KVM_CREATE_DEVICE_TEST ? 0 : (int)d.fd;
}

bool kvm_has_device(uint32_t type)
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	bool has = vm_try_create_device(vm, type, KVM_CREATE_DEVICE_TEST) == 0;

	vm_free(vm);
	return has;
}

static void set_address(int fd, uint64_t type, uint64_t address)
{
	int r = dev_try_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, type, &address);

	if (r)
		test_error("vGIC address type %llu at %#llx: %s", (unsigned long long)type,
			   (unsigned long long)address, strerrorname_np(-r));
}

void vm_add_gic(struct vm *vm, unsigned int version)
{
	uint32_t type;

	if (version == GIC_ANY)
		version = vm_try_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3, KVM_CREATE_DEVICE_TEST)
				  ? 2
				  : 3;
	type = version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2 : KVM_DEV_TYPE_ARM_VGIC_V3;

	vm->gic_fd = vm_try_create_device(vm, type, 0);
	if (vm->gic_fd == -ENODEV && version == 2)
		SKIP_NEEDS("gicv2", "KVM_CREATE_DEVICE(VGIC_V2): ENODEV, the host's GIC cannot run "
				    "GICv2 guests");
	if (vm->gic_fd == -ENODEV)
		SKIP_NEEDS("gicv3", "KVM_CREATE_DEVICE(VGIC_V3): ENODEV, the host has no GICv3");
	if (vm->gic_fd < 0)
		test_error("KVM_CREATE_DEVICE(VGIC_V%u): %s", version,
			   strerrorname_np(-vm->gic_fd));
	vm->opt.gic = version;
	if (version == 2) {
		set_address(vm->gic_fd, KVM_VGIC_V2_ADDR_TYPE_DIST, ASSAY_GIC_DIST_BASE);
		set_address(vm->gic_fd, KVM_VGIC_V2_ADDR_TYPE_CPU, ASSAY_GIC_CPU_BASE);
	} else {
		set_address(vm->gic_fd, KVM_VGIC_V3_ADDR_TYPE_DIST, ASSAY_GIC_DIST_BASE);
		set_address(vm->gic_fd, KVM_VGIC_V3_ADDR_TYPE_REDIST, ASSAY_GIC_REDIST_BASE);
	}
}

int vm_try_init_gic(struct vm *vm)
{
	return dev_try_set(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

void vm_add_its(struct vm *vm)
{
	int r;

	vm->its_fd = vm_try_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, 0);
	if (vm->its_fd == -ENODEV)
		SKIP_NEEDS("its", "KVM_CREATE_DEVICE(VGIC_ITS): ENODEV");
	if (vm->its_fd < 0)
		test_error("KVM_CREATE_DEVICE(VGIC_ITS): %s", strerrorname_np(-vm->its_fd));
	set_address(vm->its_fd, KVM_VGIC_ITS_ADDR_TYPE, ASSAY_GIC_ITS_BASE);
	r = dev_try_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	if (r)
		test_error("ITS init: %s", strerrorname_np(-r));
}
