/* SPDX-License-Identifier: Apache-2.0 */
/* Names: Arm ARM (DDI 0487) and IHI 0048, IHI 0069; access: devices/arm-vgic.rst, arm-vgic-v3.rst. */
#include "kvm/dump.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>

#define CORE(field, bits)                                          \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U##bits | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))
#define GICR_SGI_FRAME 0x10000U /* IHI 0069, 12.10 */

struct reg_name {
	const char *name;
	uint64_t id;
};

static const struct reg_name core[] = {
	{"sp", CORE(regs.sp, 64)},	   {"pc", CORE(regs.pc, 64)},
	{"pstate", CORE(regs.pstate, 64)}, {"sp_el1", CORE(sp_el1, 64)},
	{"elr_el1", CORE(elr_el1, 64)},	   {"spsr_el1", CORE(spsr[KVM_SPSR_EL1], 64)},
};

static const struct reg_name sysreg[] = {
	{"mpidr_el1", ARM64_SYS_REG(3, 0, 0, 0, 5)},
	{"sctlr_el1", ARM64_SYS_REG(3, 0, 1, 0, 0)},
	{"cpacr_el1", ARM64_SYS_REG(3, 0, 1, 0, 2)},
	{"ttbr0_el1", ARM64_SYS_REG(3, 0, 2, 0, 0)},
	{"ttbr1_el1", ARM64_SYS_REG(3, 0, 2, 0, 1)},
	{"tcr_el1", ARM64_SYS_REG(3, 0, 2, 0, 2)},
	{"esr_el1", ARM64_SYS_REG(3, 0, 5, 2, 0)},
	{"far_el1", ARM64_SYS_REG(3, 0, 6, 0, 0)},
	{"par_el1", ARM64_SYS_REG(3, 0, 7, 4, 0)},
	{"mair_el1", ARM64_SYS_REG(3, 0, 10, 2, 0)},
	{"vbar_el1", ARM64_SYS_REG(3, 0, 12, 0, 0)},
	{"contextidr_el1", ARM64_SYS_REG(3, 0, 13, 0, 1)},
	{"tpidr_el1", ARM64_SYS_REG(3, 0, 13, 0, 4)},
	{"tpidr_el0", ARM64_SYS_REG(3, 3, 13, 0, 2)},
	{"cntkctl_el1", ARM64_SYS_REG(3, 0, 14, 1, 0)},
	{"cntv_ctl_el0", KVM_REG_ARM_TIMER_CTL},
	{"cntv_cval_el0", KVM_REG_ARM_TIMER_CVAL},
	{"cntvct_el0", KVM_REG_ARM_TIMER_CNT},
};

static void dump_list(const struct vcpu *v, const struct reg_name *r, size_t n, dump_fn fn,
		      void *arg)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t val = 0;

		if (!vcpu_get_reg(v, r[i].id, &val)) /* a host may lack one: it is left out */
			fn(arg, r[i].name, val);
	}
}

void vcpu_dump(const struct vcpu *v, dump_fn fn, void *arg)
{
	for (unsigned i = 0; i < 31; i++) {
		uint64_t val;
		char name[8];

		snprintf(name, sizeof(name), "x%u", i);
		if (!vcpu_get_reg(v, CORE(regs.regs[0], 64) + i * 2ULL, &val))
			fn(arg, name, val);
	}
	dump_list(v, core, sizeof(core) / sizeof(core[0]), fn, arg);
	dump_list(v, sysreg, sizeof(sysreg) / sizeof(sysreg[0]), fn, arg);
}

/* ---- the vGIC: arrays of 32-bit registers, by offset */

struct gic_array {
	const char *name;
	uint32_t offset;
	unsigned words;
};

/* clang-format off */
static const struct gic_array dist[] = {
	{"GICD_CTLR", 0x0, 1},		{"GICD_TYPER", 0x4, 1},
	{"GICD_IIDR", 0x8, 1},		{"GICD_IGROUPR", 0x80, 9},
	{"GICD_ISENABLER", 0x100, 9},	{"GICD_ISPENDR", 0x200, 9},
	{"GICD_ISACTIVER", 0x300, 9},	{"GICD_IPRIORITYR", 0x400, 72},
	{"GICD_ICFGR", 0xc00, 18},
};
/* IHI 0048, 4.3.12 */
static const struct gic_array dist_v2[] = {{"GICD_ITARGETSR", 0x800, 72}};
static const struct gic_array redist[] = {
	{"GICR_CTLR", 0x0, 1},
	{"GICR_TYPER_LOW", 0x8, 1},
	{"GICR_WAKER", 0x14, 1},
	{"GICR_IGROUPR0", GICR_SGI_FRAME + 0x80, 1},
	{"GICR_ISENABLER0", GICR_SGI_FRAME + 0x100, 1},
	{"GICR_ISPENDR0", GICR_SGI_FRAME + 0x200, 1},
	{"GICR_ISACTIVER0", GICR_SGI_FRAME + 0x300, 1},
	{"GICR_IPRIORITYR", GICR_SGI_FRAME + 0x400, 8},
	{"GICR_ICFGR", GICR_SGI_FRAME + 0xc00, 2},
};
/* IHI 0048, 4.4 */
static const struct gic_array cpu_v2[] = {
	{"GICC_CTLR", 0x0, 1}, {"GICC_PMR", 0x4, 1}, {"GICC_BPR", 0x8, 1},
	{"GICC_ABPR", 0x1c, 1}, {"GICC_APR", 0xd0, 1}, {"GICC_IIDR", 0xfc, 1},
};
/* op0 op1 CRn CRm op2, as arm-vgic-v3.rst has them in an attribute */
#define ICC(op1, crn, crm, op2) (3U << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
static const struct reg_name icc[] = {
	{"ICC_PMR_EL1", ICC(0, 4, 6, 0)},      {"ICC_BPR0_EL1", ICC(0, 12, 8, 3)},
	{"ICC_AP0R0_EL1", ICC(0, 12, 8, 4)},   {"ICC_AP1R0_EL1", ICC(0, 12, 9, 0)},
	{"ICC_BPR1_EL1", ICC(0, 12, 12, 3)},   {"ICC_CTLR_EL1", ICC(0, 12, 12, 4)},
	{"ICC_SRE_EL1", ICC(0, 12, 12, 5)},    {"ICC_IGRPEN0_EL1", ICC(0, 12, 12, 6)},
	{"ICC_IGRPEN1_EL1", ICC(0, 12, 12, 7)},
};
/* clang-format on */

struct where {
	int fd;
	uint32_t group;
	uint64_t high; /* of the attribute: which CPU */
	dump_fn fn;
	void *arg;
};

static int dump_array(const struct where *w, const struct gic_array *a)
{
	for (unsigned i = 0; i < a->words; i++) {
		char name[32];
		uint32_t val = 0;
		int ret = kvm_get_attr(w->fd, w->group, w->high | (a->offset + 4 * i), &val);

		if (ret)
			return ret;
		if (!val && a->words > 1)
			continue;
		snprintf(name, sizeof(name), a->words > 1 ? "%s[%u]" : "%s", a->name, i);
		w->fn(w->arg, name, val);
	}
	return 0;
}

static int dump_arrays(const struct where *w, const struct gic_array *a, size_t n)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = dump_array(w, &a[i]);
	return ret;
}

static int dump_v2(struct where w, unsigned cpu)
{
	int ret;

	w.group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
	w.high = (uint64_t)cpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
	ret = dump_arrays(&w, dist, sizeof(dist) / sizeof(dist[0]));
	if (!ret)
		ret = dump_arrays(&w, dist_v2, 1);
	w.group = KVM_DEV_ARM_VGIC_GRP_CPU_REGS;
	return ret ? ret : dump_arrays(&w, cpu_v2, sizeof(cpu_v2) / sizeof(cpu_v2[0]));
}

/* The lines themselves, 32 a word: devices/arm-vgic-v3.rst, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO. */
static int dump_lines(const struct where *w)
{
	for (unsigned intid = 0; intid < 32 + KVM_SPIS; intid += 32) {
		uint64_t attr = VGIC_LEVEL_INFO_LINE_LEVEL
					<< KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT |
				intid;
		uint32_t val = 0;
		char name[32];
		int ret =
			kvm_get_attr(w->fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, w->high | attr, &val);

		if (ret)
			return ret;
		snprintf(name, sizeof(name), "line-level[%u]", intid / 32);
		if (val)
			w->fn(w->arg, name, val);
	}
	return 0;
}

static int dump_v3(struct where w, uint64_t mpidr)
{
	int ret;

	/* Affinity as in the attribute: Aff3.Aff2.Aff1.Aff0 in bits 63:32. */
	w.high = (mpidr & 0xffffffU) << 32 | (mpidr >> 32 & 0xffU) << 56;
	w.group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
	ret = dump_arrays(&w, dist, sizeof(dist) / sizeof(dist[0]));
	if (!ret)
		ret = dump_lines(&w);
	w.group = KVM_DEV_ARM_VGIC_GRP_REDIST_REGS;
	if (!ret)
		ret = dump_arrays(&w, redist, sizeof(redist) / sizeof(redist[0]));
	for (size_t i = 0; !ret && i < sizeof(icc) / sizeof(icc[0]); i++) {
		uint64_t val = 0;

		ret = kvm_get_attr(w.fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, w.high | icc[i].id,
				   &val);
		if (!ret)
			w.fn(w.arg, icc[i].name, val);
	}
	return ret;
}

int gic_dump(const struct gic *g, unsigned cpu, uint64_t mpidr, dump_fn fn, void *arg)
{
	struct where w = {.fd = g->fd, .fn = fn, .arg = arg};

	return g->version == 2 ? dump_v2(w, cpu) : dump_v3(w, mpidr);
}
