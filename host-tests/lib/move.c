/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a VM into a second one on the same host: what a VMM does to migrate. Orders: api.rst 4.68 to 4.70 (registers),
 * devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst ("ITS Restore Sequence").
 */
#include "gicreg.h"
#include "regs.h"
#include <string.h>

#define IRQS 64U /* what tests use; the number of interrupts is the same in both VMs */

static struct reg_list list;

void vm_move_registers(struct vm *to, struct vm *from, unsigned int cpu)
{
	struct kvm_vcpu_events events = {};
	struct kvm_mp_state mp = {};
	uint8_t value[256];
	char name[64];

	vcpu_reg_list(from, cpu, &list);
	for (uint64_t i = 0; i < list.n; i++) {
		memset(value, 0, sizeof(value));
		if (list.id[i] == KVM_REG_ARM64_SVE_VLS)
			continue; /* set up before FINALIZE: both VMs have the host's lengths */
		if (!EXPECT_OK(vcpu_try_get(from, cpu, list.id[i], value)) ||
		    !EXPECT_OK(vcpu_try_set(to, cpu, list.id[i], value)))
			NOTE("register was %s", reg_name(list.id[i], name, sizeof(name)));
	}
	EXPECT_OK(vcpu_ioctl(from, cpu, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_OK(vcpu_ioctl(to, cpu, KVM_SET_VCPU_EVENTS, &events));
	EXPECT_OK(vcpu_ioctl(from, cpu, KVM_GET_MP_STATE, &mp));
	EXPECT_OK(vcpu_ioctl(to, cpu, KVM_SET_MP_STATE, &mp));
}

void vm_move_memory(struct vm *to, struct vm *from)
{
	for (unsigned int i = 0; i < from->slots; i++) {
		const struct vm_slot *s = &from->slot[i];

		vm_sync_ram(from, s->gpa, s->size);
		memcpy(vm_host(to, s->gpa), s->host, s->size);
		vm_sync_ram(to, s->gpa, s->size);
	}
}

/* ---- GICv3 */

static void copy_gicd(struct vm *to, struct vm *from, unsigned int cpu, uint32_t off)
{
	gicd_set(to, cpu, off, gicd_get(from, cpu, off));
}

static void copy_gicr(struct vm *to, struct vm *from, unsigned int cpu, uint32_t off)
{
	gicr_set(to, cpu, off, gicr_get(from, cpu, off));
}

static void copy_level(struct vm *to, struct vm *from, unsigned int cpu, uint32_t first)
{
	uint32_t value = 0;

	EXPECT_OK(gic_level_try(from, KVM_GET_DEVICE_ATTR, cpu, first, &value));
	EXPECT_OK(gic_level_try(to, KVM_SET_DEVICE_ATTR, cpu, first, &value));
}

/* Priority bits: ICC_CTLR_EL1.PRIbits (10:8) + 1; one active priorities register for each 32 levels beyond 5 bits. */
static unsigned int apr_registers(struct vm *vm, unsigned int cpu)
{
	unsigned int bits = (unsigned int)(icc_get(vm, cpu, ICC_CTLR) >> 8 & 7) + 1;

	return bits <= 5 ? 1 : 1U << (bits - 5);
}

static void move_v3_cpu(struct vm *to, struct vm *from, unsigned int cpu)
{
	static const uint32_t frame[] = {GICR_IGROUPR0, GICR_ISENABLER0, GICR_ISPENDR0,
					 GICR_ISACTIVER0, GICR_ICFGR(1)};
	static const uint32_t icc[] = {ICC_SRE,	 ICC_CTLR,    ICC_PMR,	  ICC_BPR0,
				       ICC_BPR1, ICC_IGRPEN0, ICC_IGRPEN1};
	unsigned int aprs = apr_registers(from, cpu);

	gicr_set(to, cpu, GICR_STATUSR, gicr_get(from, cpu, GICR_STATUSR));
	/* KVM takes no attributes of memory that it could not honour: a PROPBASER never written does not read back */
	for (uint32_t off = GICR_PROPBASER; off < GICR_PENDBASER + 8; off += 4)
		if (gicr_get(from, cpu, off))
			copy_gicr(to, from, cpu, off);
	copy_gicr(to, from, cpu, GICR_CTLR); /* with its LPI enable, so after the tables */
	for (unsigned int n = 0; n < 8; n++)
		copy_gicr(to, from, cpu, GICR_IPRIORITYR(n));
	for (size_t i = 0; i < ARRAY_SIZE(frame); i++)
		copy_gicr(to, from, cpu, frame[i]);
	copy_level(to, from, cpu, 0);
	for (size_t i = 0; i < ARRAY_SIZE(icc); i++)
		icc_set(to, cpu, icc[i], icc_get(from, cpu, icc[i]));
	for (unsigned int n = 0; n < aprs; n++) {
		icc_set(to, cpu, ICC_AP0R(n), icc_get(from, cpu, ICC_AP0R(n)));
		icc_set(to, cpu, ICC_AP1R(n), icc_get(from, cpu, ICC_AP1R(n)));
	}
}

static void move_v3(struct vm *to, struct vm *from)
{
	copy_gicd(to, from, 0, GICD_IIDR); /* the revision decides what the rest means */
	copy_gicd(to, from, 0, GICD_CTLR);
	for (uint32_t irq = 32; irq < IRQS; irq++) {
		copy_gicd(to, from, 0, GICD_IROUTER(irq));
		copy_gicd(to, from, 0, GICD_IROUTER(irq) + 4);
	}
	for (uint32_t n = 32 / 4; n < IRQS / 4; n++)
		copy_gicd(to, from, 0, GICD_IPRIORITYR(n));
	for (uint32_t n = 32 / 16; n < IRQS / 16; n++)
		copy_gicd(to, from, 0, GICD_ICFGR(n));
	for (uint32_t n = 1; n < IRQS / 32; n++) {
		copy_gicd(to, from, 0, GICD_IGROUPR(n));
		copy_gicd(to, from, 0, GICD_ISENABLER(n));
		copy_level(to, from, 0, 32 * n);
		copy_gicd(to, from, 0, GICD_ISPENDR(n));
		copy_gicd(to, from, 0, GICD_ISACTIVER(n));
	}
	for (unsigned int cpu = 0; cpu < from->vcpus; cpu++)
		move_v3_cpu(to, from, cpu);
}

/* ---- GICv2 */

static void move_v2(struct vm *to, struct vm *from)
{
	copy_gicd(to, from, 0, GICD_IIDR);
	copy_gicd(to, from, 0, GICD_CTLR);
	for (unsigned int cpu = 0; cpu < from->vcpus; cpu++) {
		/* the first 32 interrupts are each CPU's own */
		uint32_t shared = cpu ? 32 : IRQS;

		for (uint32_t n = 0; n < shared / 4; n++) {
			copy_gicd(to, from, cpu, GICD_IPRIORITYR(n));
			copy_gicd(to, from, cpu, GICD_ITARGETSR(n));
		}
		for (uint32_t n = 0; n < shared / 16; n++)
			copy_gicd(to, from, cpu, GICD_ICFGR(n));
		for (uint32_t n = 0; n < shared / 32; n++) {
			copy_gicd(to, from, cpu, GICD_IGROUPR(n));
			copy_gicd(to, from, cpu, GICD_ISENABLER(n));
			copy_gicd(to, from, cpu, GICD_ISPENDR(n));
			copy_gicd(to, from, cpu, GICD_ISACTIVER(n));
		}
		/* ISPENDR0 made SGIs pending without their senders: put these right */
		for (uint32_t n = 0; n < 4; n++) {
			gicd_set(to, cpu, GICD_CPENDSGIR(n), ~0U);
			copy_gicd(to, from, cpu, GICD_SPENDSGIR(n));
		}
		for (uint32_t off = GICC_CTLR; off <= GICC_BPR; off += 4)
			gicc_set(to, cpu, off, gicc_get(from, cpu, off));
		gicc_set(to, cpu, GICC_ABPR, gicc_get(from, cpu, GICC_ABPR));
		for (uint32_t n = 0; n < 4; n++)
			gicc_set(to, cpu, GICC_APR(n), gicc_get(from, cpu, GICC_APR(n)));
	}
}

void vm_move_gic(struct vm *to, struct vm *from)
{
	if (from->opt.gic == 2)
		move_v2(to, from);
	if (from->opt.gic == 3)
		move_v3(to, from);
}

/* ---- ITS */

void vm_save_its(struct vm *from)
{
	EXPECT_OK(dev_try_set(from->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_SAVE_TABLES,
			      NULL));
	EXPECT_OK(dev_try_set(from->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			      KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL));
}

void vm_move_its(struct vm *to, struct vm *from)
{
	static const uint32_t regs[] = {GITS_IIDR,    GITS_CBASER,   GITS_CREADR,
					GITS_CWRITER, GITS_BASER(0), GITS_BASER(1)};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		gits_set(to, regs[i], gits_get(from, regs[i]));
	EXPECT_OK(dev_try_set(to->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_RESTORE_TABLES,
			      NULL));
	gits_set(to, GITS_CTLR, gits_get(from, GITS_CTLR));
}

void vm_move(struct vm *to, struct vm *from)
{
	if (from->its_fd >= 0)
		vm_save_its(from);
	vm_move_memory(to, from);
	for (unsigned int i = 0; i < from->vcpus; i++)
		vm_move_registers(to, from, i);
	vm_move_gic(to, from);
	if (from->its_fd >= 0)
		vm_move_its(to, from);
}
