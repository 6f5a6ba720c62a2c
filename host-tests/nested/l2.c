/* SPDX-License-Identifier: Apache-2.0 */
#include "l2.h"

/* Vectors and world switch of the snippet hypervisor: what L2 does leaves by the slot at 0x400. */
__asm__(".pushsection assay_guest, \"ax\", %progbits\n"
	".balign 2048\n"
	".global guest_l2_vectors\n"
	"guest_l2_vectors:\n"
	".rept 8\n"
	".balign 128\n"
	"	b	l2_unasked\n"
	".endr\n"
	".balign 128\n"
	"	b	l2_leave\n"
	".rept 7\n"
	".balign 128\n"
	"	b	l2_unasked\n"
	".endr\n"
	".balign 128\n"
	".global guest_l2_run\n"
	"guest_l2_run:\n"
	"	sub	sp, sp, #96\n"
	"	stp	x19, x20, [sp]\n"
	"	stp	x21, x22, [sp, #16]\n"
	"	stp	x23, x24, [sp, #32]\n"
	"	stp	x25, x26, [sp, #48]\n"
	"	stp	x27, x28, [sp, #64]\n"
	"	stp	x29, x30, [sp, #80]\n"
	"	msr	elr_el2, x0\n"
	"	msr	sp_el1, x1\n"
	"	mov	x3, #0x3c5\n"
	"	msr	spsr_el2, x3\n"
	"	mov	x0, x2\n"
	"	isb\n"
	"	eret\n"
	"l2_leave:\n"
	"	mov	x1, x0\n"
	"	mrs	x0, esr_el2\n"
	"	ldp	x19, x20, [sp]\n"
	"	ldp	x21, x22, [sp, #16]\n"
	"	ldp	x23, x24, [sp, #32]\n"
	"	ldp	x25, x26, [sp, #48]\n"
	"	ldp	x27, x28, [sp, #64]\n"
	"	ldp	x29, x30, [sp, #80]\n"
	"	add	sp, sp, #96\n"
	"	ret\n"
	"l2_unasked:\n" /* report and stop: GUEST_PORT_ESR, ELR, FAR */
	"	mov	x0, #0x0c000000\n"
	"	mrs	x1, esr_el2\n"
	"	str	x1, [x0, #0x40]\n"
	"	mrs	x1, elr_el2\n"
	"	str	x1, [x0, #0x48]\n"
	"	mrs	x1, far_el2\n"
	"	str	x1, [x0, #0x50]\n"
	"	b	.\n"
	".popsection\n");

struct vm *l2_vm(void (*entry)(void))
{
	int cap = kvm_cap(KVM_CAP_ARM_EL2);
	uint64_t *table;
	struct vm *vm;

	if (cap <= 0)
		SKIP_NEEDS("nested",
			   "KVM_CAP_ARM_EL2 is %d; Linux 6.16 or newer with kvm-arm.mode=nested on "
			   "a CPU "
			   "with FEAT_NV2 offers it",
			   cap);
	vm = vm_new(.vcpus = 1, .gic = 3, .features = 1U << KVM_ARM_VCPU_HAS_EL2, .entry = entry);
	table = vm_host(vm, L2_TABLE);
	table[0] = S2_DEVICE(0);
	table[1] = S2_BLOCK(0x40000000ULL);
	vm_sync_ram(vm, L2_TABLE, 64);
	return vm;
}
