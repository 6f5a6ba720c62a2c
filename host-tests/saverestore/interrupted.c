/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest in the middle of its interrupts: one active, one active and pending again, others pending by edge, by level,
 * as SGI and PPI. It goes on in a second VM and takes them in the order that their priorities demand. The variant
 * without a move is the control: the same guest, the same order (IHI 0069 H 4.1, 4.8; IHI 0048 B 3.2, 3.3).
 */
#include "gicreg.h"
#include "regs.h"
#include "state.h"
#include <assay/board.h>

#define EDGE   40U /* priority 0x40: taken before the move, pending again behind it */
#define EDGE2  41U /* 0x80 */
#define LEVEL  42U /* 0x90 */
#define SGI    3U  /* 0x60 */
#define PPI    20U /* 0x70, of the second vCPU */
#define ROUTED 44U /* 0xb0, at the second vCPU */
#define PPI_VT 27U

#define DIST ASSAY_GIC_DIST_BASE
#define CPUI ASSAY_GIC_CPU_BASE

GUEST_INLINE uint64_t rd_base(void)
{
	return ASSAY_GIC_REDIST_BASE + (guest_sysreg(mpidr_el1) & 0xf) * GICR_FRAMES;
}

GUEST_INLINE void v3_cpu_on(uint32_t enable)
{
	uint64_t rd = rd_base();

	guest_write32(rd + GICR_IGROUPR0, ~0U);
	guest_write32(rd + GICR_IPRIORITYR(0), 0x60U << 24); /* SGI 3 */
	guest_write32(rd + GICR_IPRIORITYR(5), 0x70);	     /* PPI 20 */
	guest_write32(rd + GICR_IPRIORITYR(6), 0x50U << 24); /* PPI 27 */
	guest_write32(rd + GICR_ISENABLER0, enable);
	guest_icc_on(0xf0);
}

/* ARE_NS and EnableGrp1 with DS (IHI 0069 12.9.4): bits 4 and 1. */
GUEST_INLINE void v3_dist_on(void)
{
	guest_write32(DIST + GICD_CTLR, 0x12);
	guest_write32(DIST + GICD_IGROUPR(1), ~0U);
	guest_write32(DIST + GICD_IPRIORITYR(EDGE / 4), 0x00908040);
	guest_write32(DIST + GICD_IPRIORITYR(ROUTED / 4), 0xb0);
	guest_write32(DIST + GICD_ICFGR(2), 1U << 17 | 1U << 19 | 1U << 25);
	guest_write64(DIST + GICD_IROUTER(ROUTED), 1);
	guest_write32(DIST + GICD_ISENABLER(1), 0x1700);
}

/* Polls: what was made pending is in the list registers from the next entry on. */
GUEST_INLINE uint64_t v3_take(void)
{
	uint64_t irq = GIC_NONE;

	for (unsigned int n = 0; irq == GIC_NONE && n < 1000; n++)
		irq = guest_iar1();
	return irq;
}

GUEST(v3_first)
{
	v3_dist_on();
	v3_cpu_on(1U << SGI);
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (EDGE - 32));
	guest_result(0, v3_take());
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (EDGE - 32) | 1U << (EDGE2 - 32));
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (ROUTED - 32));
	guest_sgi1r((uint64_t)SGI << 24 | 1);
	guest_tick(1);
	/* here the VM is moved; the host has raised LEVEL */
	guest_result(1, guest_rpr());
	guest_result(2, guest_iar1()); /* nothing preempts priority 0x40 */
	guest_eoir1(EDGE);
	for (unsigned int i = 3; i < 8; i++) {
		uint64_t irq = guest_iar1();

		guest_result(i, irq);
		if (irq == LEVEL)
			guest_tick(2); /* the host lowers it */
		if (irq != GIC_NONE)
			guest_eoir1(irq);
	}
	guest_result(8, guest_read32(DIST + GICD_ISACTIVER(1)));
	guest_result(9, guest_read32(DIST + GICD_ISPENDR(1)));
	guest_result(10, guest_rpr());
}

GUEST(v3_second)
{
	v3_cpu_on(1U << PPI);
	guest_tick(1);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t irq = guest_iar1();

		guest_result(i, irq);
		if (irq == PPI)
			guest_tick(2);
		if (irq != GIC_NONE)
			guest_eoir1(irq);
	}
}

/* ---- the same by GICv2 */

GUEST(v2_first)
{
	guest_write32(DIST + GICD_CTLR, 1);
	guest_write32(DIST + GICD_IPRIORITYR(0), 0x60U << 24);
	guest_write32(DIST + GICD_IPRIORITYR(EDGE / 4), 0x00908040);
	guest_write32(DIST + GICD_IPRIORITYR(ROUTED / 4), 0xb0);
	guest_write32(DIST + GICD_ITARGETSR(EDGE / 4), 0x01010101);
	guest_write32(DIST + GICD_ITARGETSR(ROUTED / 4), 0x02);
	guest_write32(DIST + GICD_ICFGR(2), 1U << 17 | 1U << 19 | 1U << 25);
	guest_write32(DIST + GICD_ISENABLER(0), 1U << SGI);
	guest_write32(DIST + GICD_ISENABLER(1), 0x1700);
	guest_write32(CPUI + GICC_PMR, 0xf0);
	guest_write32(CPUI + GICC_CTLR, 1);
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (EDGE - 32));
	for (unsigned int n = 0; n < 1000; n++) {
		uint32_t irq = guest_read32(CPUI + GICC_IAR);

		guest_result(0, irq);
		if (irq != GIC_NONE)
			break;
	}
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (EDGE - 32) | 1U << (EDGE2 - 32));
	guest_write32(DIST + GICD_ISPENDR(1), 1U << (ROUTED - 32));
	guest_tick(1);
	guest_result(1, guest_read32(CPUI + GICC_RPR));
	guest_result(2, guest_read32(CPUI + GICC_IAR));
	guest_write32(CPUI + GICC_EOIR, EDGE);
	for (unsigned int i = 3; i < 8; i++) {
		uint32_t irq = guest_read32(CPUI + GICC_IAR);

		guest_result(i, irq);
		if (irq == LEVEL)
			guest_tick(2);
		if (irq != GIC_NONE)
			guest_write32(CPUI + GICC_EOIR, irq);
	}
	guest_result(8, guest_read32(DIST + GICD_ISACTIVER(1)));
	guest_result(9, guest_read32(DIST + GICD_ISPENDR(1)));
	guest_result(10, guest_read32(CPUI + GICC_RPR));
}

GUEST(v2_second)
{
	guest_write32(DIST + GICD_IPRIORITYR(5), 0x70);
	guest_write32(DIST + GICD_ISENABLER(0), 1U << PPI);
	guest_write32(CPUI + GICC_PMR, 0xf0);
	guest_write32(CPUI + GICC_CTLR, 1);
	guest_write32(DIST + 0xf00, 1U << 16 | SGI); /* GICD_SGIR: to CPU 0 */
	guest_tick(1);
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t irq = guest_read32(CPUI + GICC_IAR);

		guest_result(i, irq);
		if (irq == PPI)
			guest_tick(2);
		if (irq != GIC_NONE)
			guest_write32(CPUI + GICC_EOIR, irq);
	}
}

static struct vm *make(unsigned int gic)
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic, .entry = gic == 2 ? v2_first : v3_first);

	vm->vcpu[1]->entry = vm_snippet(vm, gic == 2 ? v2_second : v3_second);
	return vm;
}

static void lines(struct vm *vm, unsigned int level)
{
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, LEVEL, level));
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, 1, PPI, level));
}

TEST(saverestore, interrupted_guest_goes_on_in_a_second_vm, RULE("KVM-MOVE-2"),
     VARIANTS("v2: gic=2 move=1 | v3: gic=3 move=1 | v2-unmoved: gic=2 | v3-unmoved: gic=3"))
{
	unsigned int gic = (unsigned int)test_param_u64("gic", 3);
	struct vm *a = make(gic), *vm = a;
	const uint64_t *r;

	vcpu_run_to_tick(a, 1, 1);
	vcpu_run_to_tick(a, 0, 1);
	lines(a, 1);
	for (unsigned int i = 0; i < 2; i++)
		vcpu_complete_one(a, i);
	if (test_param_u64("move", 0)) {
		vm = make(gic);
		vm_move(vm, a);
		if (gic == 2)
			lines(vm, 1); /* a GICv2 has no LEVEL_INFO: its lines are the VMM's */
		EXPECT_EQUAL_STATE(vm_capture_parts(a, STATE_GIC), vm_capture_parts(vm, STATE_GIC));
		vm->vcpu[0]->result[0] = a->vcpu[0]->result[0];
		vm_free(a);
	}
	vcpu_run_to_tick(vm, 0, 2);
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, LEVEL, 0));
	RUN_TO_END(vm, 0);
	r = vm->vcpu[0]->result;
	EXPECT_EQ(r[0], EDGE);
	EXPECT_EQ(r[1], 0x40);
	EXPECT_EQ(r[2], GIC_NONE);
	EXPECT_EQ(r[3], EDGE);
	EXPECT_EQ(r[4], gic == 2 ? 1U << 10 | SGI : SGI); /* GICv2 names the sender */
	EXPECT_EQ(r[5], EDGE2);
	EXPECT_EQ(r[6], LEVEL);
	EXPECT_EQ(r[7], GIC_NONE);
	EXPECT_EQ(r[8], 0U);
	EXPECT_EQ(r[9] & ~(1U << (ROUTED - 32)), 0U);
	EXPECT_EQ(r[10], 0xff);
	vcpu_run_to_tick(vm, 1, 2);
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, 1, PPI, 0));
	RUN_TO_END(vm, 1);
	r = vm->vcpu[1]->result;
	EXPECT_EQ(r[0], PPI);
	EXPECT_EQ(r[1], ROUTED);
	EXPECT_EQ(r[2], GIC_NONE);
}

/* ---- a timer whose interrupt is active, its condition still true; another in the far future */

GUEST(timed)
{
	v3_dist_on();
	v3_cpu_on(1U << PPI_VT);
	guest_set_sysreg(cntp_cval_el0, ~0ULL >> 1);
	guest_set_sysreg(cntp_ctl_el0, 1);
	guest_set_sysreg(cntv_cval_el0, 0x1234);
	guest_set_sysreg(cntv_ctl_el0, 1);
	guest_result(0, v3_take());
	guest_result(1, guest_sysreg(cntvct_el0));
	guest_result(2, guest_sysreg(cntpct_el0));
	guest_tick(1);
	guest_result(3, guest_sysreg(cntvct_el0));
	guest_result(4, guest_sysreg(cntv_cval_el0));
	guest_result(5, guest_sysreg(cntv_ctl_el0));
	guest_result(6, guest_sysreg(cntp_cval_el0));
	guest_result(7, guest_sysreg(cntp_ctl_el0));
	guest_result(8, guest_rpr());
	guest_eoir1(PPI_VT);
	guest_result(9, v3_take()); /* the condition holds */
	guest_set_sysreg(cntv_ctl_el0, 0);
	guest_eoir1(PPI_VT);
	guest_result(10, guest_iar1());
}

static bool in_list(struct vm *vm, uint64_t id)
{
	static struct reg_list list;

	vcpu_reg_list(vm, 0, &list);
	for (uint64_t i = 0; i < list.n; i++)
		if (list.id[i] == id)
			return true;
	return false;
}

TEST(saverestore, timers_go_on_in_a_second_vm, RULE("KVM-MOVE-3"),
     VARIANTS("moved: move=1 | unmoved: move=0"))
{
	struct vm *a = vm_new(.vcpus = 1, .gic = 3, .entry = timed), *vm = a;
	bool listed = in_list(a, KVM_REG_ARM_PTIMER_CVAL);
	uint64_t before[3];
	const uint64_t *r;

	vcpu_run_to_tick(a, 0, 1);
	vcpu_complete_one(a, 0);
	for (unsigned int i = 0; i < 3; i++)
		before[i] = a->vcpu[0]->result[i];
	if (test_param_u64("move", 0)) {
		test_pause_us(
			20000); /* a second VM's counter begins later: it must be given the first's */
		vm = vm_new(.vcpus = 1, .gic = 3, .entry = timed);
		vm_move(vm, a);
		vm_free(a);
	}
	RUN_TO_END(vm, 0);
	r = vm->vcpu[0]->result;
	EXPECT_EQ(before[0], PPI_VT);
	EXPECT_GE(r[3], before[1]);
	EXPECT_EQ(r[4], 0x1234);
	EXPECT_EQ(r[5], 5); /* ENABLE, ISTATUS (DDI 0487 D24.10) */
	/* 6.1 has the physical timer in no register list: what cannot be saved cannot be restored */
	if (listed) {
		EXPECT_EQ(r[6], ~0ULL >> 1);
		EXPECT_EQ(r[7], 1);
	}
	EXPECT_EQ(r[8], 0x50);
	EXPECT_EQ(r[9], PPI_VT);
	EXPECT_EQ(r[10], GIC_NONE);
}
