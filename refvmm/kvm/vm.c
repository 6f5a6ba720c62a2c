/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "core/err.h"

#define IPA_BITS_MIN	 32U /* Documentation/virt/kvm/api.rst, KVM_CREATE_VM */
#define IPA_BITS_DEFAULT 40U /* what machine type 0 means */

int vm_create(struct vm *vm, const struct kvm *k, unsigned ipa_bits)
{
	unsigned limit = kvm_ipa_limit(k);
	unsigned long type;

	*vm = (struct vm){.kvm = k, .fd = -1, .stats_fd = -1, .ipa_bits = ipa_bits};
	if (ipa_bits < IPA_BITS_MIN)
		return err_usage("--ipa-bits %u: the least is %u", ipa_bits, IPA_BITS_MIN);
	if (ipa_bits > limit) {
		char cap[16] = "ipa-";

		cap[4] = (char)('0' + ipa_bits / 10 % 10);
		cap[5] = (char)('0' + ipa_bits % 10);
		return err_lacks(cap,
				 "the machine needs %u bits of guest physical addresses, this "
				 "host's KVM offers %u; use less memory or highmem=off",
				 ipa_bits, limit);
	}
	type = ipa_bits == IPA_BITS_DEFAULT ? 0 : KVM_VM_TYPE_ARM_IPA_SIZE(ipa_bits);
	vm->fd = kvm_ioctl_num(k->fd, KVM_CREATE_VM, type);
	if (vm->fd < 0)
		return err_host(-vm->fd, "KVM_CREATE_VM with %u-bit addresses", ipa_bits);
	return 0;
}

void vm_destroy(struct vm *vm)
{
	vm_messages_forget(vm);
	if (vm->stats_fd >= 0)
		close(vm->stats_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	vm->fd = vm->stats_fd = -1;
}
