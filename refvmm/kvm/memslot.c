/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <linux/kvm.h>

#include "core/err.h"
#include "kvm/vm.h"

int vm_add_memory(struct vm *vm, uint64_t gpa, uint64_t size, void *host, bool readonly)
{
	struct kvm_userspace_memory_region r = {
		.slot = vm->slots,
		.flags = readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};
	int ret = kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);

	if (ret)
		return err_host(-ret,
				"KVM_SET_USER_MEMORY_REGION: slot %u, 0x%" PRIx64
				" bytes at 0x%" PRIx64,
				r.slot, size, gpa);
	vm->slots++;
	return 0;
}
