/* SPDX-License-Identifier: Apache-2.0 */
#include "its.h"
#include <string.h>

struct vm *its_empty_vm(void (*entry)(void))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = 3, .its = true, .entry = entry);

	vm_add_slot(vm, ITS_GPA, ITS_SIZE, 0);
	return vm;
}

static void set64(struct vm *vm, unsigned int cpu, uint32_t off, uint64_t value)
{
	gicr_set(vm, cpu, off, (uint32_t)value);
	gicr_set(vm, cpu, off + 4, (uint32_t)(value >> 32));
}

struct vm *its_vm(void (*entry)(void), bool two_levels)
{
	struct vm *vm = its_empty_vm(entry);
	uint64_t levels = two_levels ? BASER_LEVELS : 0;

	gicd_set(vm, 0, GICD_CTLR, 0x12);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		set64(vm, cpu, GICR_PROPBASER, ITS_PROP | 15); /* 16 bits of INTID */
		set64(vm, cpu, GICR_PENDBASER, ITS_PEND(cpu));
		gicr_set(vm, cpu, GICR_CTLR, 1);
	}
	if (two_levels) {
		uint64_t *l1 = vm_host(vm, ITS_DEVICES);

		l1[0] = BASER_VALID | ITS_LEVEL2;
	}
	gits_set(vm, GITS_CBASER, BASER_VALID | ITS_QUEUE);
	gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | ITS_DEVICES | levels);
	gits_set(vm, GITS_BASER(1), BASER_VALID | BASER_64K | ITS_COLLS);
	gits_set(vm, GITS_CTLR, 1);
	return vm;
}

void its_configure(struct vm *vm, uint32_t lpi, uint8_t priority, bool enabled)
{
	uint8_t *table = vm_host(vm, ITS_PROP);

	table[lpi - 8192] = (uint8_t)((priority & 0xfc) | 2 | enabled);
}

void its_command(struct vm *vm, uint64_t d0, uint64_t d1, uint64_t d2)
{
	uint64_t at = gits_get(vm, GITS_CWRITER), next = (at + 32) % 4096;
	uint64_t *c = vm_host(vm, ITS_QUEUE + at);

	c[0] = d0;
	c[1] = d1;
	c[2] = d2;
	c[3] = 0;
	gits_set(vm, GITS_CWRITER, next);
	EXPECT_EQ(gits_get(vm, GITS_CREADR), next);
}

void its_mapd(struct vm *vm, uint32_t device, uint64_t itt, bool valid)
{
	its_command(vm, 0x08 | (uint64_t)device << 32, (uint64_t)(__builtin_ctz(ITS_EVENTS) - 1),
		    itt | (uint64_t)valid << 63);
}

void its_mapc(struct vm *vm, uint32_t collection, uint32_t cpu, bool valid)
{
	its_command(vm, 0x09, 0, (uint64_t)valid << 63 | (uint64_t)cpu << 16 | collection);
}

void its_mapti(struct vm *vm, uint32_t device, uint32_t event, uint32_t lpi, uint32_t collection)
{
	its_command(vm, 0x0a | (uint64_t)device << 32, (uint64_t)lpi << 32 | event, collection);
}

bool its_pending_bit(struct vm *vm, unsigned int cpu, uint32_t lpi)
{
	const uint8_t *table = vm_host(vm, ITS_PEND(cpu));

	return table[lpi / 8] >> (lpi % 8) & 1;
}
