/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vGIC as user space reads it back. Offsets: GICv3 IHI 0069 H 12.8 (distributor), 12.11 (redistributor),
 * 12.14 (CPU interface, as system registers); GICv2 IHI 0048 B 4.3, 4.4.
 */
#include "regs.h"
#include "state.h"

#define IRQS 64 /* the first SPIs stand for the rest */

struct range {
	uint32_t from, to, step; /* [from, to) */
};

static const struct range dist_v3[] = {
	{0x0000, 0x000c, 4},		/* CTLR, TYPER, IIDR */
	{0x0080, 0x0080 + IRQS / 8, 4}, /* IGROUPR */
	{0x0100, 0x0100 + IRQS / 8, 4}, /* ISENABLER */
	{0x0200, 0x0200 + IRQS / 8, 4}, /* ISPENDR */
	{0x0300, 0x0300 + IRQS / 8, 4}, /* ISACTIVER */
	{0x0400, 0x0400 + IRQS, 4},	/* IPRIORITYR */
	{0x0c00, 0x0c00 + IRQS / 4, 4}, /* ICFGR */
	{0x6100, 0x6000 + IRQS * 8, 4}, /* IROUTER of SPIs */
};

static const struct range redist_v3[] = {
	{0x00000, 0x00010, 4}, /* CTLR, IIDR, TYPER */
	{0x00014, 0x00018, 4}, /* WAKER */
	{0x00070, 0x00080, 4}, /* PROPBASER, PENDBASER */
	{0x10080, 0x10084, 4}, /* IGROUPR0 */
	{0x10100, 0x10104, 4}, /* ISENABLER0 */
	{0x10200, 0x10204, 4}, /* ISPENDR0 */
	{0x10300, 0x10304, 4}, /* ISACTIVER0 */
	{0x10400, 0x10420, 4}, /* IPRIORITYR */
	{0x10c00, 0x10c08, 4}, /* ICFGR */
};

static const struct range dist_v2[] = {
	{0x000, 0x00c, 4},
	{0x080, 0x080 + IRQS / 8, 4},
	{0x100, 0x100 + IRQS / 8, 4},
	{0x200, 0x200 + IRQS / 8, 4},
	{0x300, 0x300 + IRQS / 8, 4},
	{0x400, 0x400 + IRQS, 4},
	{0x800, 0x800 + IRQS, 4}, /* ITARGETSR */
	{0xc00, 0xc00 + IRQS / 4, 4},
	{0xf20, 0xf30, 4}, /* SPENDSGIR */
};

static const struct range cpu_v2[] = {
	{0x00, 0x0c, 4}, /* CTLR, PMR, BPR */
	{0x1c, 0x20, 4}, /* ABPR */
	{0xd0, 0xe0, 4}, /* APR */
};

#define ICC(op0, op1, crn, crm, op2) \
	(((op0) << 14) | ((op1) << 11) | ((crn) << 7) | ((crm) << 3) | (op2))

static const uint32_t icc[] = {
	ICC(3, 0, 4, 6, 0),   /* ICC_PMR_EL1 */
	ICC(3, 0, 12, 8, 3),  /* ICC_BPR0_EL1 */
	ICC(3, 0, 12, 8, 4),  /* ICC_AP0R0_EL1 */
	ICC(3, 0, 12, 9, 0),  /* ICC_AP1R0_EL1 */
	ICC(3, 0, 12, 12, 3), /* ICC_BPR1_EL1 */
	ICC(3, 0, 12, 12, 4), /* ICC_CTLR_EL1 */
	ICC(3, 0, 12, 12, 5), /* ICC_SRE_EL1 */
	ICC(3, 0, 12, 12, 6), /* ICC_IGRPEN0_EL1 */
	ICC(3, 0, 12, 12, 7), /* ICC_IGRPEN1_EL1 */
};

/* An attribute that cannot be read is recorded by its errno: that must not change either. */
static void read32(struct vm_state *s, struct vm *vm, const char *kind, unsigned int cpu,
		   uint32_t group, uint64_t attr, uint32_t off)
{
	uint32_t v = 0;
	int r = dev_try_get(vm->gic_fd, group, attr, &v);

	state_add_u64(s, kind, cpu, off, r ? (uint64_t)-r << 32 : v);
}

static void ranges(struct vm_state *s, struct vm *vm, const char *kind, unsigned int cpu,
		   uint32_t group, uint64_t selector, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t off = r[i].from; off < r[i].to; off += r[i].step)
			read32(s, vm, kind, cpu, group, selector | off, off);
}

static uint64_t affinity(struct vm *vm, unsigned int i)
{
	uint64_t mpidr = vcpu_get(vm, i, REG_MPIDR_EL1);

	/* arm-vgic-v3.rst: Aff3.Aff2.Aff1.Aff0 in bits 63:32 */
	return ((mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000)) << 32;
}

static void gic_v3(struct vm_state *s, struct vm *vm)
{
	ranges(s, vm, "vGIC distributor", 0, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, dist_v3,
	       ARRAY_SIZE(dist_v3));
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		uint64_t cpu, v;

		if (!vm->vcpu[i] || !vm->vcpu[i]->init.features[0])
			continue;
		cpu = affinity(vm, i);
		ranges(s, vm, "vGIC redistributor", i, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, cpu,
		       redist_v3, ARRAY_SIZE(redist_v3));
		for (size_t n = 0; n < ARRAY_SIZE(icc); n++) {
			int r;

			v = 0;
			r = dev_try_get(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, cpu | icc[n],
					&v);
			state_add_u64(s, "vGIC CPU interface", i, icc[n],
				      r ? (uint64_t)-r << 32 : v);
		}
		v = cpu | (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL
				  << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT;
		read32(s, vm, "vGIC line levels", i, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, v, 0);
		read32(s, vm, "vGIC line levels", i, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, v | 32, 32);
	}
}

static void gic_v2(struct vm_state *s, struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		uint64_t cpu = (uint64_t)i << KVM_DEV_ARM_VGIC_CPUID_SHIFT;

		if (!vm->vcpu[i])
			continue;
		ranges(s, vm, "vGIC distributor", i, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, cpu, dist_v2,
		       ARRAY_SIZE(dist_v2));
		ranges(s, vm, "vGIC CPU interface", i, KVM_DEV_ARM_VGIC_GRP_CPU_REGS, cpu, cpu_v2,
		       ARRAY_SIZE(cpu_v2));
	}
}

static void its(struct vm_state *s, struct vm *vm)
{
	/* GITS_CTLR, IIDR, CBASER, CWRITER, CREADR, BASER0-7 (arm-vgic-its.rst) */
	static const uint32_t offs[] = {0x0, 0x4, 0x80, 0x88, 0x90, 0x100, 0x108, 0x110};

	for (size_t i = 0; i < ARRAY_SIZE(offs); i++) {
		uint64_t v = 0;
		int r = dev_try_get(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, offs[i], &v);

		state_add_u64(s, "ITS", 0, offs[i], r ? (uint64_t)-r << 32 : v);
	}
}

void state_gic(struct vm_state *s, struct vm *vm)
{
	if (vm->gic_fd >= 0 && vm->opt.gic == 2)
		gic_v2(s, vm);
	if (vm->gic_fd >= 0 && vm->opt.gic == 3)
		gic_v3(s, vm);
	if (vm->its_fd >= 0)
		its(s, vm);
}
