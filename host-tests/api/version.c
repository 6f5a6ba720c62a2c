/* SPDX-License-Identifier: Apache-2.0 */
/* The API itself (Documentation/virt/kvm/api.rst, sections 4.1 to 4.5). */
#include "vm.h"
#include <errno.h>
#include <unistd.h>

SUITE(api, .tags = "api");

TEST(api, version_is_12, RULE("KVM-API-1"))
{
	int kvm = kvm_open();

	/* 4.1: "the API version ... is always 12" */
	EXPECT_EQ(sys_ioctl(kvm, KVM_GET_API_VERSION, 0), 12);
	close(kvm);
}

GUEST(three_results)
{
	guest_result(0, guest_arg(0) + 1);
	guest_result(1, guest_sysreg(CurrentEL));
	guest_result(2, GUEST_TRAP("mrs x0, vbar_el2" ::: "x0"));
}

TEST(api, snippet_runs_and_answers, RULE("KVM-RUN-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = three_results);

	vm->vcpu[0]->arg[0] = 41;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 42);
	EXPECT_EQ(vm->vcpu[0]->result[1] >> 2, 1);
	EXPECT_EQ(ESR_EC(vm->vcpu[0]->result[2]), ESR_EC_UNKNOWN);
	EXPECT_NE(vm->vcpu[0]->result[2], 0);
}
