/* SPDX-License-Identifier: Apache-2.0 */
/* The ITS's registers by attribute: Documentation/virt/kvm/devices/arm-vgic-its.rst; IHI 0069 H 12.18. */
#include "its.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>

#define GET KVM_GET_DEVICE_ATTR
#define SET KVM_SET_DEVICE_ATTR

TEST(saverestore, its_registers_are_saved_and_restored, RULE("KVM-ITS-6"))
{
	struct vm *vm = its_empty_vm(guest_nothing);
	uint64_t base0 = BASER_VALID | BASER_64K | ITS_DEVICES | 3,
		 base1 = BASER_VALID | BASER_64K | ITS_COLLS | 1, got;

	EXPECT_EQ(gits_get(vm, GITS_CTLR) & 0x80000001, 0x80000000); /* off, quiescent */
	gits_set(vm, GITS_CBASER, BASER_VALID | ITS_QUEUE | 0xf);
	gits_set(vm, GITS_CREADR, 0x1fe0);
	gits_set(vm, GITS_CWRITER, 0x1fe0);
	gits_set(vm, GITS_BASER(0), base0 | BASER_LEVELS);
	gits_set(vm, GITS_BASER(1), base1);
	EXPECT_EQ(gits_get(vm, GITS_CBASER) & 0x800ffffffffff0ff, BASER_VALID | ITS_QUEUE | 0xf);
	EXPECT_EQ(gits_get(vm, GITS_CREADR), 0x1fe0);
	EXPECT_EQ(gits_get(vm, GITS_CWRITER), 0x1fe0);
	/* Type: 1 devices, 4 collections; Entry_Size is one less than 8; two levels only of devices */
	got = gits_get(vm, GITS_BASER(0));
	EXPECT_EQ(got & 0xc700fffffffff3ff, base0 | BASER_LEVELS | 1ULL << 56);
	EXPECT_EQ(got >> 48 & 0x1f, 7);
	gits_set(vm, GITS_BASER(1), base1 | BASER_LEVELS);
	got = gits_get(vm, GITS_BASER(1));
	EXPECT_EQ(got & 0xc700fffffffff3ff, base1 | 4ULL << 56);
	EXPECT_EQ(got >> 48 & 0x1f, 7);
	for (unsigned int n = 2; n < 8; n++) {
		gits_set(vm, GITS_BASER(n), BASER_VALID | ITS_DEVICES);
		EXPECT_EQ(gits_get(vm, GITS_BASER(n)), 0);
	}
	/* a CBASER resets CREADR: the order of the document */
	gits_set(vm, GITS_CBASER, BASER_VALID | ITS_QUEUE);
	EXPECT_EQ(gits_get(vm, GITS_CREADR), 0);
	EXPECT_EQ(gits_get(vm, GITS_CWRITER), 0);
}

/* GITS_TYPER (12.19.5): 16 bits of events and devices, virtual no, physical yes; INTIDs say that there are LPIs */
TEST(saverestore, its_identification_is_read_only, RULE("KVM-ITS-6"))
{
	struct vm *vm = its_empty_vm(guest_nothing);
	uint64_t typer = gits_get(vm, GITS_TYPER), iidr = gits_get(vm, GITS_IIDR), bad;
	uint32_t dist = gicd_get(vm, 0, GICD_TYPER);

	gits_set(vm, GITS_TYPER, ~typer);
	EXPECT_EQ(gits_get(vm, GITS_TYPER), typer);
	EXPECT_EQ(typer & 3, 1);
	EXPECT_EQ(typer >> 4 & 0xf, 7);	   /* ITT_entry_size: 8 */
	EXPECT_EQ(typer >> 8 & 0x1f, 15);  /* ID_bits */
	EXPECT_EQ(typer >> 13 & 0x1f, 15); /* Devbits */
	EXPECT_EQ(typer >> 19 & 1, 0);	   /* PTA: collections target processor numbers */
	EXPECT_EQ(gits_get(vm, GITS_PIDR2) >> 4 & 0xf, 3);
	EXPECT_EQ(iidr & 0xfff, 0x43b);
	EXPECT_EQ(iidr >> 12 & 0xf, 0); /* the only revision of the tables so far */
	gits_set(vm, GITS_IIDR, iidr);
	bad = iidr | 1U << 12;
	EXPECT_REFUSED(gits_try(vm, SET, GITS_IIDR, &bad), EINVAL);
	EXPECT_EQ(dist >> 17 & 1, 1U);
	EXPECT_EQ(dist >> 19 & 0x1f, 15U);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		EXPECT_EQ(gicr_get(vm, cpu, GICR_TYPER) & 1, 1U); /* PLPIS */
	EXPECT_EQ(vm_cap(vm, KVM_CAP_MSI_DEVID), 1);
}

TEST(saverestore, bad_its_registers_are_refused, RULE("KVM-ITS-7"))
{
	struct vm *vm = its_vm(guest_count, false);
	struct vm_state *before;
	uint64_t v = 0;

	vm_start(vm, 0, 2);
	before = vm_capture(vm);
	EXPECT_REFUSED(gits_try(vm, GET, GITS_CBASER + 4, &v), EINVAL);
	EXPECT_REFUSED(gits_try(vm, SET, GITS_BASER(1) + 4, &v), EINVAL);
	EXPECT_REFUSED(gits_try(vm, GET, GITS_CTLR + 2, &v), EINVAL);
	EXPECT_REFUSED(gits_try(vm, GET, 0x40, &v), ENXIO);
	EXPECT_REFUSED(gits_try(vm, SET, 0x98, &v), ENXIO);
	EXPECT_REFUSED(gits_try(vm, KVM_HAS_DEVICE_ATTR, GITS_CBASER + 4, NULL), EINVAL);
	EXPECT_REFUSED(gits_try(vm, KVM_HAS_DEVICE_ATTR, 0x40, NULL), ENXIO);
	EXPECT_OK(gits_try(vm, KVM_HAS_DEVICE_ATTR, GITS_CBASER, NULL));
	EXPECT_REFUSED(gits_try(vm, SET, GITS_CTLR, (void *)0xffff000000000000UL), EFAULT);
	EXPECT_REFUSED(gits_try(vm, GET, GITS_CTLR, (void *)0xffff000000000000UL), EFAULT);
	/* restoring CREADR comes before enabling */
	EXPECT_REFUSED(gits_try(vm, SET, GITS_CREADR, &v), EBUSY);
	EXPECT_REFUSED(dev_try_has(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, 99), ENXIO);
	EXPECT_OK(dev_try_has(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_SAVE_TABLES));
	EXPECT_REFUSED(dev_try_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &v), ENXIO);
	/* the tables and the queue of an ITS that is on are left alone (IHI 0069 12.19: RO) */
	gits_set(vm, GITS_CBASER, 0);
	gits_set(vm, GITS_BASER(0), 0);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	gits_set(vm, GITS_CTLR, 0);
	v = 0x1000;
	EXPECT_REFUSED(gits_try(vm, SET, GITS_CREADR, &v), EINVAL); /* beyond the queue's 4 KiB */
	v = 0xfe0;
	EXPECT_OK(gits_try(vm, SET, GITS_CREADR, &v));
}

/* ADDR: EINVAL, E2BIG, EEXIST, ENODEV, EFAULT; registers before it: ENXIO */
TEST(saverestore, bad_its_addresses_are_refused, RULE("KVM-ITS-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = guest_count);
	uint64_t top = 1ULL << VM_IPA_BITS, v, got = 0;
	int its = vm_try_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, 0);

	if (its == -ENODEV)
		SKIP_NEEDS("its", "KVM_CREATE_DEVICE(VGIC_ITS): ENODEV");
	ASSERT_GE(its, 0);
	vm->its_fd = its;
#define PLACE(type, at) \
	(v = (at), dev_try_set(its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE + (type), &v))
	EXPECT_REFUSED(gits_try(vm, GET, GITS_CTLR, &got), ENXIO);
	EXPECT_REFUSED(PLACE(0, ASSAY_GIC_ITS_BASE + 0x1000), EINVAL);
	EXPECT_REFUSED(PLACE(0, ASSAY_GIC_ITS_BASE + 8), EINVAL);
	if (!kvm_protected_mode()) {
		EXPECT_REFUSED(PLACE(0, top), E2BIG);
		EXPECT_REFUSED(PLACE(0, top - 0x10000), E2BIG);
	}
	EXPECT_REFUSED(PLACE(1, ASSAY_GIC_ITS_BASE), ENODEV, ENXIO);
	EXPECT_REFUSED(dev_try_set(its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE,
				   (void *)0xffff000000000000UL),
		       EFAULT);
	EXPECT_OK(PLACE(0, ASSAY_GIC_ITS_BASE));
	EXPECT_REFUSED(PLACE(0, ASSAY_GIC_ITS_BASE), EEXIST);
	EXPECT_OK(dev_try_get(its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &got));
	EXPECT_EQ(got, ASSAY_GIC_ITS_BASE);
	EXPECT_OK(dev_try_set(its, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	EXPECT_OK(gits_try(vm, GET, GITS_CTLR, &got));
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

/*
 * LPI tables: PROPBASER is one for all redistributors, PENDBASER each one's own; RES0 bits and attributes that KVM
 * cannot honour do not stick; neither changes while LPIs are on (IHI 0069 12.11.31, 12.11.30).
 */
TEST(saverestore, lpi_table_registers_are_saved_and_restored, RULE("KVM-ITS-6"))
{
	struct vm *vm = its_empty_vm(guest_nothing);
	uint64_t prop, pend[2];

#define GET64(cpu, off) (gicr_get(vm, cpu, off) | (uint64_t)gicr_get(vm, cpu, (off) + 4) << 32)
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		gicr_set(vm, cpu, GICR_PENDBASER, (uint32_t)ITS_PEND(cpu) | 0xf07f);
		gicr_set(vm, cpu, GICR_PENDBASER + 4, 0xc0f00000);
	}
	gicr_set(vm, 0, GICR_PROPBASER, (uint32_t)ITS_PROP | 0x6f);
	gicr_set(vm, 0, GICR_PROPBASER + 4, 0x00f00000);
	prop = GET64(0, GICR_PROPBASER);
	EXPECT_EQ(prop & ~0xf80ULL & ~(7ULL << 56), ITS_PROP | 0xf);
	EXPECT_EQ(GET64(1, GICR_PROPBASER), prop);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		pend[cpu] = GET64(cpu, GICR_PENDBASER);
		EXPECT_EQ(pend[cpu] & ~0xf80ULL & ~(7ULL << 56), ITS_PEND(cpu));
		gicr_set(vm, cpu, GICR_CTLR, 1);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_CTLR) & 1, 1U);
		gicr_set(vm, cpu, GICR_PENDBASER, 0);
		gicr_set(vm, cpu, GICR_PROPBASER, 0);
		EXPECT_EQ(GET64(cpu, GICR_PENDBASER), pend[cpu]);
		EXPECT_EQ(GET64(cpu, GICR_PROPBASER), prop);
	}
	gicr_set(vm, 0, GICR_CTLR, 0);
	EXPECT_EQ(gicr_get(vm, 0, GICR_CTLR) & 1, 0U);
	EXPECT_EQ(gicr_get(vm, 1, GICR_CTLR) & 1, 1U);
}
