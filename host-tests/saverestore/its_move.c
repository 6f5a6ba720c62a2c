/* SPDX-License-Identifier: Apache-2.0 */
/* The ITS and its LPIs in a second VM: Documentation/virt/kvm/devices/arm-vgic-its.rst. */
#include "its.h"
#include "state.h"
#include <errno.h>
#include <string.h>

/* Takes one interrupt, reports, and is moved with it active; then takes all that are left. */
GUEST(take_lpis)
{
	guest_icc_on(0xf8);
	guest_result(0, guest_iar1());
	guest_tick(1);
	guest_result(1, guest_rpr());
	guest_eoir1(guest_arg(0));
	for (unsigned int i = 2; i < 8; i++) {
		uint64_t irq = guest_iar1();

		guest_result(i, irq);
		if (irq != GIC_NONE)
			guest_eoir1(irq);
	}
}

/* Devices 3 and 700 (of the second, with two levels, in the same leaf); collections 1 and 5. */
static void populate(struct vm *vm)
{
	its_mapc(vm, 1, 0, true);
	its_mapc(vm, 5, 1, true);
	its_mapd(vm, 3, ITS_ITT(0), true);
	its_mapd(vm, 700, ITS_ITT(1), true);
	for (uint32_t i = 0; i < 6; i++)
		its_configure(vm, LPI(i), (uint8_t)(0xa0 - 0x10 * i), i != 3);
	its_mapti(vm, 3, 0, LPI(0), 1);
	its_mapti(vm, 3, 7, LPI(1), 1);
	its_mapti(vm, 3, 31, LPI(2), 5);
	its_mapti(vm, 700, 1, LPI(3), 1); /* not enabled */
	its_mapti(vm, 700, 2, LPI(4), 1);
	its_mapti(vm, 700, 30, LPI(5), 5);
}

/* KVM answers 1 when the MSI was delivered (api.rst 4.70, KVM_SIGNAL_MSI: >0), 0 when the guest blocked it. */
static void msi(struct vm *vm, uint32_t device, uint32_t event)
{
	if (!EXPECT_EQ(vm_try_signal_msi(vm, device, event), 1))
		NOTE("device %u, event %u", device, event);
}

TEST(saverestore, lpis_go_on_in_a_second_vm, RULE("KVM-ITS-1"),
     VARIANTS("flat: move=1 | levels: move=1 levels=1 | unmoved: move=0"))
{
	struct vm *a = its_vm(take_lpis, test_param_u64("levels", 0)), *vm = a;
	const uint64_t *r;

	populate(a);
	a->vcpu[0]->arg[0] = LPI(4);
	a->vcpu[1]->arg[0] = LPI(5);
	msi(a, 700, 2);	 /* LPI 4, priority 0x60: taken before the move */
	msi(a, 700, 30); /* LPI 5, priority 0x50, at the second vCPU */
	for (unsigned int i = 0; i < 2; i++) {
		vcpu_run_to_tick(a, i, 1);
		vcpu_complete_one(a, i);
	}
	EXPECT_EQ(a->vcpu[0]->result[0], LPI(4));
	EXPECT_EQ(a->vcpu[1]->result[0], LPI(5));
	msi(a, 3, 0);	/* LPI 0, 0xa0 */
	msi(a, 3, 7);	/* LPI 1, 0x90 */
	msi(a, 3, 31);	/* LPI 2, 0x80, second vCPU */
	msi(a, 700, 1); /* LPI 3: pending, but not enabled */
	if (test_param_u64("move", 0)) {
		vm = its_empty_vm(take_lpis);
		vm->vcpu[0]->arg[0] = LPI(4);
		vm->vcpu[1]->arg[0] = LPI(5);
		vm_move(vm, a);
		EXPECT_EQUAL_STATE(vm_capture_parts(a, STATE_GIC), vm_capture_parts(vm, STATE_GIC));
		vm_free(a);
	}
	msi(vm, 700, 2); /* the translation is there too: LPI 4 once more */
	for (unsigned int i = 0; i < 2; i++)
		RUN_TO_END(vm, i);
	r = vm->vcpu[0]->result;
	EXPECT_EQ(r[1], 0x60);
	EXPECT_EQ(r[2], LPI(4));
	EXPECT_EQ(r[3], LPI(1));
	EXPECT_EQ(r[4], LPI(0));
	EXPECT_EQ(r[5], GIC_NONE);
	r = vm->vcpu[1]->result;
	EXPECT_EQ(r[1], 0x50);
	EXPECT_EQ(r[2], LPI(2));
	EXPECT_EQ(r[3], GIC_NONE);
}

/* IHI 0069 12.12: a bit for each INTID; exactly those pending and not taken. */
TEST(saverestore, pending_tables_name_exactly_the_pending_lpis, RULE("KVM-ITS-2"))
{
	struct vm *vm = its_vm(guest_nothing, false);
	uint8_t *first, *second;

	populate(vm);
	first = vm_host(vm, ITS_PEND(0));
	second = vm_host(vm, ITS_PEND(1));
	first[LPI(0) / 8] = 1;	   /* stale: LPI 0 is not pending */
	first[LPI(63) / 8] = 0x80; /* an LPI that KVM does not know stays as it is */
	msi(vm, 3, 7);
	msi(vm, 700, 1);
	msi(vm, 3, 31);
	vm_save_its(vm);
	EXPECT_EQ(first[LPI(0) / 8], 1U << 1 | 1U << 3);
	EXPECT_EQ(second[LPI(0) / 8], 1U << 2);
	EXPECT_EQ(first[LPI(63) / 8], 0x80);
}

/*
 * The layout is an ABI (arm-vgic-its.rst, "ITS Table ABI REV0"). Device entry: V 63, next 62:49, ITT_addr[51:8] 48:5,
 * Size 4:0. Interrupt entry: next 63:48, pINTID 47:16, ICID 15:0. Collection entry: V 63, RDBase 51:16, ICID 15:0.
 */
TEST(saverestore, saved_its_tables_have_the_documented_layout, RULE("KVM-ITS-3"),
     VARIANTS("flat: levels=0 | levels: levels=1"))
{
	bool levels = test_param_u64("levels", 0);
	struct vm *vm = its_vm(guest_nothing, levels);
	const uint64_t *devices, *itt, *collections;
	uint64_t size = (uint64_t)__builtin_ctz(ITS_EVENTS) - 1;

	populate(vm);
	vm_save_its(vm);
	devices = vm_host(vm, levels ? ITS_LEVEL2 : ITS_DEVICES);
	EXPECT_EQ(devices[3], 1ULL << 63 | (700ULL - 3) << 49 | ITS_ITT(0) >> 8 << 5 | size);
	EXPECT_EQ(devices[700], 1ULL << 63 | ITS_ITT(1) >> 8 << 5 | size);
	EXPECT_EQ(devices[4], 0);
	itt = vm_host(vm, ITS_ITT(0));
	EXPECT_EQ(itt[0], 7ULL << 48 | (uint64_t)LPI(0) << 16 | 1);
	EXPECT_EQ(itt[7], 24ULL << 48 | (uint64_t)LPI(1) << 16 | 1);
	EXPECT_EQ(itt[31], (uint64_t)LPI(2) << 16 | 5);
	itt = vm_host(vm, ITS_ITT(1));
	EXPECT_EQ(itt[1], 1ULL << 48 | (uint64_t)LPI(3) << 16 | 1);
	EXPECT_EQ(itt[2], 28ULL << 48 | (uint64_t)LPI(4) << 16 | 1);
	EXPECT_EQ(itt[30], (uint64_t)LPI(5) << 16 | 5);
	collections = vm_host(vm, ITS_COLLS);
	EXPECT_EQ(collections[0] | collections[1], 1ULL << 63 | 1ULL << 16 | 5); /* in any order */
	EXPECT_EQ(collections[0] & 0xffff & collections[1], 1);
	EXPECT_EQ(collections[2] >> 63, 0);
}

static int restore(struct vm *vm)
{
	return dev_try_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_RESTORE_TABLES,
			   NULL);
}

/* A saved VM in whose tables one entry is then made wrong: EINVAL, "inconsistent restored data". */
TEST(saverestore, inconsistent_its_tables_are_refused, RULE("KVM-ITS-4"),
     VARIANTS("itt-lpi: what=0 | itt-next: what=1 | itt-collection: what=2 | device-size: what=3 | "
	      "collection-cpu: what=4 | collection-twice: what=5"))
{
	struct vm *a = its_vm(guest_nothing, false), *b = its_empty_vm(guest_count);
	uint64_t *devices, *itt, *collections, kept;
	unsigned int what = (unsigned int)test_param_u64("what", 0);
	uint64_t *where;

	populate(a);
	vm_save_its(a);
	vm_move_memory(b, a);
	vm_move_gic(b, a);
	devices = vm_host(b, ITS_DEVICES);
	itt = vm_host(b, ITS_ITT(0));
	collections = vm_host(b, ITS_COLLS);
	where = what <= 2 ? &itt[7] : what == 3 ? &devices[3] : &collections[1];
	kept = *where;
	switch (what) {
	case 0: /* an INTID that is no LPI */
		*where = 24ULL << 48 | 8191ULL << 16 | 1;
		break;
	case 1: /* the next entry is beyond the device's events */
		*where = 25ULL << 48 | (uint64_t)LPI(1) << 16 | 1;
		break;
	case 2: /* no such collection */
		*where = 24ULL << 48 | (uint64_t)LPI(1) << 16 | 9;
		break;
	case 3: /* more event bits than GITS_TYPER.ID_bits */
		*where |= 0x1f;
		break;
	case 4: /* a vCPU that is not there */
		*where = (kept & ~0xfffffff0000ULL) | 7ULL << 16;
		break;
	default:
		*where = collections[0];
	}
	gits_set(b, GITS_CBASER, gits_get(a, GITS_CBASER));
	gits_set(b, GITS_BASER(0), gits_get(a, GITS_BASER(0)));
	gits_set(b, GITS_BASER(1), gits_get(a, GITS_BASER(1)));
	if (what == 5)
		EXPECT_REFUSED(restore(b), EEXIST, EINVAL);
	else
		EXPECT_REFUSED(restore(b), EINVAL);
	/* nothing of it stayed: put right, the same restore works */
	*where = kept;
	EXPECT_OK(restore(b));
	gits_set(b, GITS_CTLR, 1);
	msi(b, 3, 7);
	vm_start(b, 0, 2);
	EXPECT_STILL_RUNNING(b);
}

/* EFAULT, "invalid guest ram access": tables where no memory is */
TEST(saverestore, its_tables_outside_memory_are_refused, RULE("KVM-ITS-4"))
{
	struct vm *vm = its_empty_vm(guest_nothing);

	gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | ITS_DEVICES);
	gits_set(vm, GITS_BASER(1), BASER_VALID | BASER_64K | 0x70000000);
	EXPECT_REFUSED(restore(vm), EFAULT);
	EXPECT_REFUSED(dev_try_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
				   KVM_DEV_ARM_ITS_SAVE_TABLES, NULL),
		       EFAULT);
	gits_set(vm, GITS_BASER(1), BASER_VALID | BASER_64K | ITS_COLLS);
	EXPECT_OK(restore(vm));
	gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | 0x70000000);
	EXPECT_REFUSED(restore(vm), EFAULT);
}

/* KVM_DEV_ARM_ITS_CTRL_RESET: "ITS Reset State": disabled, tables and command queue invalid, nothing mapped */
TEST(saverestore, its_reset_forgets_everything, RULE("KVM-ITS-5"))
{
	struct vm *vm = its_vm(guest_nothing, false);

	populate(vm);
	msi(vm, 3, 0);
	EXPECT_OK(dev_try_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_CTRL_RESET,
			      NULL));
	EXPECT_EQ(gits_get(vm, GITS_CTLR) & 1, 0);
	EXPECT_EQ(gits_get(vm, GITS_CBASER) >> 63, 0);
	EXPECT_EQ(gits_get(vm, GITS_BASER(0)) >> 63, 0);
	EXPECT_EQ(gits_get(vm, GITS_BASER(1)) >> 63, 0);
	EXPECT_LE(vm_try_signal_msi(vm, 3, 0), 0);
	/* what is enabled again is empty */
	gits_set(vm, GITS_CBASER, BASER_VALID | ITS_QUEUE);
	gits_set(vm, GITS_BASER(0), BASER_VALID | BASER_64K | ITS_DEVICES);
	gits_set(vm, GITS_BASER(1), BASER_VALID | BASER_64K | ITS_COLLS);
	gits_set(vm, GITS_CTLR, 1);
	EXPECT_LE(vm_try_signal_msi(vm, 3, 0), 0);
	populate(vm);
	msi(vm, 3, 0);
}
