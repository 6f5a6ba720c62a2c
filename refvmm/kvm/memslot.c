/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>

#include "core/err.h"
#include "kvm/vm.h"

static int set_slot(const struct vm *vm, unsigned slot, uint64_t gpa, uint64_t size, void *host,
		    bool readonly)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = readonly && size ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};
	int ret = kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);

	return ret ? err_host(-ret,
			      "KVM_SET_USER_MEMORY_REGION: slot %u, 0x%" PRIx64
			      " bytes at 0x%" PRIx64,
			      slot, size, gpa)
		   : 0;
}

int vm_add_memory(struct vm *vm, uint64_t gpa, uint64_t size, void *host, bool readonly)
{
	int ret = set_slot(vm, vm->slots, gpa, size, host, readonly);

	if (!ret)
		vm->slots++;
	return ret;
}

int vm_set_rom(const struct vm *vm, unsigned n, uint64_t gpa, uint64_t size, void *host)
{
	return n < VM_ROMS ? set_slot(vm, VM_ROM_SLOT + n, gpa, size, host, true) : -ENOSPC;
}
