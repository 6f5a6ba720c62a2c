/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices far apart in the ITS's device table, saved and restored: arm-vgic-its.rst, "ITS Table ABI REV0". An entry
 * says how far the next one is in 14 bits; what is farther is searched for, and in a table of two levels each leaf
 * begins with an id of its own.
 */
#include "its.h"
#include "state.h"

#define LEAF   (0x10000U / 8) /* devices of a leaf: 64 KiB of 8-byte entries */
#define WIDE   (ITS_GPA + 0x90000)
#define PAGES  4U /* of the flat table */
#define FAR_ID (2 * LEAF + 700)
#define END_ID (4 * LEAF - 1)
#define LEAF_2 (ITS_GPA + 0x80000)
#define LEAF_3 (ITS_GPA + 0xd0000)

GUEST(take_three)
{
	guest_icc_on(0xf8);
	guest_tick(1);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t irq = guest_iar1();

		guest_result(i, irq);
		if (irq != GIC_NONE)
			guest_eoir1(irq);
	}
}

static void give_table(struct vm *vm, bool levels)
{
	gits_set(vm, GITS_CTLR, 0);
	if (levels) {
		uint64_t *l1 = vm_host(vm, ITS_DEVICES);

		l1[0] = BASER_VALID | ITS_LEVEL2;
		l1[2] = BASER_VALID | LEAF_2; /* of leaf 1 there is none */
		l1[3] = BASER_VALID | LEAF_3;
		gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | BASER_LEVELS | ITS_DEVICES);
	} else {
		gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | WIDE | (PAGES - 1));
	}
	gits_set(vm, GITS_CTLR, 1);
}

TEST(saverestore, devices_far_apart_go_on_in_a_second_vm, RULE("KVM-ITS-1"),
     VARIANTS("flat: levels=0 | levels: levels=1"))
{
	static const uint32_t device[] = {3, FAR_ID, END_ID};
	bool levels = test_param_u64("levels", 0);
	struct vm *a = its_vm(take_three, false), *b;

	give_table(a, levels);
	its_mapc(a, 1, 0, true);
	for (uint32_t i = 0; i < 3; i++) {
		its_configure(a, LPI(i), (uint8_t)(0x80 + 0x10 * i), true);
		its_mapd(a, device[i], ITS_ITT(i), true);
		its_mapti(a, device[i], 5, LPI(i), 1);
	}
	vcpu_run_to_tick(a, 0, 1);
	vcpu_complete_one(a, 0);
	EXPECT_EQ(vm_try_signal_msi(a, FAR_ID, 5), 1);
	b = its_empty_vm(take_three);
	vm_move(b, a);
	EXPECT_EQUAL_STATE(vm_capture_parts(a, STATE_GIC), vm_capture_parts(b, STATE_GIC));
	vm_free(a);
	EXPECT_EQ(vm_try_signal_msi(b, device[0], 5), 1);
	EXPECT_EQ(vm_try_signal_msi(b, device[2], 5), 1);
	EXPECT_LE(vm_try_signal_msi(b, FAR_ID % LEAF, 5), 0); /* the same place in another leaf */
	EXPECT_LE(vm_try_signal_msi(b, FAR_ID, 4), 0);
	EXPECT_LE(vm_try_signal_msi(b, FAR_ID + 1, 5), 0);
	RUN_TO_END(b, 0);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(b->vcpu[0]->result[i], LPI(i));
	EXPECT_EQ(b->vcpu[0]->result[3], GIC_NONE);
}
