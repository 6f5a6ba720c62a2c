/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

SUITE(aborts, .tags = "memory");

/* in the free part of RAM, away from IPA_DATA */
#define TABLES TABLES_AT
#define L1     TABLES
#define L2     (TABLES + 0x1000)
#define L3     (TABLES + 0x2000)

#define BLOCK ((PAGE & ~2ULL))
#define TABLE 3ULL

struct vm *paged_vm(void (*entry)(void))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = entry);
	uint64_t *l1 = vm_host(vm, L1), *l2 = vm_host(vm, L2);

	l1[0] = 0 | BLOCK;
	l1[1] = VM_RAM_BASE | BLOCK;
	l1[VA_PAGES >> 30] = L2 | TABLE;
	l2[0] = L3 | TABLE;
	l2[2] = IPA_TABLE | TABLE;
	vm->vcpu[0]->arg[15] = L1;
	vm_sync_ram(vm, TABLES, 0x3000);
	return vm;
}

uint64_t *tables_entry(struct vm *vm, unsigned int n)
{
	return (uint64_t *)vm_host(vm, L3) + n;
}

void page_set(struct vm *vm, unsigned int n, uint64_t descriptor)
{
	uint64_t *l3 = vm_host(vm, L3);

	l3[n] = descriptor;
	vm_sync_ram(vm, L3, 0x1000);
}
