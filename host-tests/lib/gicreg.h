/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the vGIC as user space reaches them. Offsets: GICv3 IHI 0069 H 12.8 (distributor), 12.10, 12.11
 * (redistributor), 12.18 (ITS), C5.2 of DDI 0487 (ICC_*_EL1); GICv2 IHI 0048 B 4.3, 4.4.
 */
#ifndef HOST_GICREG_H
#define HOST_GICREG_H

#include "vm.h"

#define GICD_CTLR	   0x0000
#define GICD_TYPER	   0x0004
#define GICD_IIDR	   0x0008
#define GICD_TYPER2	   0x000c
#define GICD_STATUSR	   0x0010
#define GICD_IGROUPR(n)	   (0x0080 + 4 * (n))
#define GICD_ISENABLER(n)  (0x0100 + 4 * (n))
#define GICD_ICENABLER(n)  (0x0180 + 4 * (n))
#define GICD_ISPENDR(n)	   (0x0200 + 4 * (n))
#define GICD_ICPENDR(n)	   (0x0280 + 4 * (n))
#define GICD_ISACTIVER(n)  (0x0300 + 4 * (n))
#define GICD_ICACTIVER(n)  (0x0380 + 4 * (n))
#define GICD_IPRIORITYR(n) (0x0400 + 4 * (n)) /* four interrupts each */
#define GICD_ITARGETSR(n)  (0x0800 + 4 * (n)) /* GICv2; four interrupts each */
#define GICD_ICFGR(n)	   (0x0c00 + 4 * (n)) /* sixteen interrupts each */
#define GICD_INMIR(n)	   (0x0f80 + 4 * (n)) /* FEAT_GICv3_NMI */
#define GICD_CPENDSGIR(n)  (0x0f10 + 4 * (n)) /* GICv2 */
#define GICD_SPENDSGIR(n)  (0x0f20 + 4 * (n)) /* GICv2 */
#define GICD_IROUTER(irq)  (0x6000 + 8 * (irq))
#define GICD_PIDR2	   0xffe8

#define GICR_CTLR	   0x0000
#define GICR_IIDR	   0x0004
#define GICR_TYPER	   0x0008
#define GICR_STATUSR	   0x0010
#define GICR_WAKER	   0x0014
#define GICR_PROPBASER	   0x0070
#define GICR_PENDBASER	   0x0078
#define GICR_SYNCR	   0x00c0
#define GICR_SGI	   0x10000 /* the second frame */
#define GICR_IGROUPR0	   (GICR_SGI + 0x0080)
#define GICR_ISENABLER0	   (GICR_SGI + 0x0100)
#define GICR_ICENABLER0	   (GICR_SGI + 0x0180)
#define GICR_ISPENDR0	   (GICR_SGI + 0x0200)
#define GICR_ICPENDR0	   (GICR_SGI + 0x0280)
#define GICR_ISACTIVER0	   (GICR_SGI + 0x0300)
#define GICR_ICACTIVER0	   (GICR_SGI + 0x0380)
#define GICR_IPRIORITYR(n) (GICR_SGI + 0x0400 + 4 * (n))
#define GICR_ICFGR(n)	   (GICR_SGI + 0x0c00 + 4 * (n))
#define GICR_INMIR0	   (GICR_SGI + 0x0f80)
#define GICR_FRAMES	   0x20000 /* of one vCPU */

#define GITS_CTLR     0x0000
#define GITS_IIDR     0x0004
#define GITS_TYPER    0x0008
#define GITS_CBASER   0x0080
#define GITS_CWRITER  0x0088
#define GITS_CREADR   0x0090
#define GITS_BASER(n) (0x0100 + 8 * (n))
#define GITS_PIDR2    0xffe8

#define GICC_CTLR   0x0000
#define GICC_PMR    0x0004
#define GICC_BPR    0x0008
#define GICC_IAR    0x000c
#define GICC_EOIR   0x0010
#define GICC_RPR    0x0014
#define GICC_HPPIR  0x0018
#define GICC_ABPR   0x001c
#define GICC_APR(n) (0x00d0 + 4 * (n))
#define GICC_IIDR   0x00fc

/* KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS: arm-vgic-v3.rst */
#define ICC_REG(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define ICC_PMR	    ICC_REG(3, 0, 4, 6, 0)
#define ICC_BPR0    ICC_REG(3, 0, 12, 8, 3)
#define ICC_AP0R(n) ICC_REG(3, 0, 12, 8, 4 + (n))
#define ICC_AP1R(n) ICC_REG(3, 0, 12, 9, (n))
#define ICC_BPR1    ICC_REG(3, 0, 12, 12, 3)
#define ICC_CTLR    ICC_REG(3, 0, 12, 12, 4)
#define ICC_SRE	    ICC_REG(3, 0, 12, 12, 5)
#define ICC_IGRPEN0 ICC_REG(3, 0, 12, 12, 6)
#define ICC_IGRPEN1 ICC_REG(3, 0, 12, 12, 7)

/* 0 or -errno. `cpu` is the vCPU's index; attributes need its affinity (v3) or number (v2). */
int gicd_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value);
int gicr_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value);
int gicc_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t off, uint32_t *value);
int icc_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t reg, uint64_t *value);
int gits_try(struct vm *vm, unsigned long request, uint32_t off, uint64_t *value);
int gic_level_try(struct vm *vm, unsigned long request, unsigned int cpu, uint32_t first,
		  uint32_t *value);
uint64_t gic_affinity(unsigned int cpu); /* bits 63:32 of a GICv3 attribute */

/* The same, but a refusal fails the test and names the register. Reads return 0 then. */
uint32_t gicd_get(struct vm *vm, unsigned int cpu, uint32_t off);
void gicd_set(struct vm *vm, unsigned int cpu, uint32_t off, uint32_t value);
uint32_t gicr_get(struct vm *vm, unsigned int cpu, uint32_t off);
void gicr_set(struct vm *vm, unsigned int cpu, uint32_t off, uint32_t value);
uint32_t gicc_get(struct vm *vm, unsigned int cpu, uint32_t off);
void gicc_set(struct vm *vm, unsigned int cpu, uint32_t off, uint32_t value);
uint64_t icc_get(struct vm *vm, unsigned int cpu, uint32_t reg);
void icc_set(struct vm *vm, unsigned int cpu, uint32_t reg, uint64_t value);
uint64_t gits_get(struct vm *vm, uint32_t off);
void gits_set(struct vm *vm, uint32_t off, uint64_t value);

/*
 * KVM_IRQ_LINE (api.rst 4.25); `cpu` only matters for a PPI. The whole field of 12 bits for the vCPU is used
 * (KVM_CAP_ARM_IRQ_LINE_LAYOUT_2).
 */
int vm_try_irq_line(struct vm *vm, unsigned int type, unsigned int cpu, unsigned int irq,
		    unsigned int level);
int vm_try_signal_msi(struct vm *vm, uint32_t device, uint32_t event); /* at the ITS of the board */

/* ---- the CPU interface as a guest reaches it (DDI 0487 C5.2; the assembler knows ICC_* only from ARMv8.x+gic on) */

GUEST_INLINE uint64_t guest_iar1(void)
{
	return guest_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
}

GUEST_INLINE void guest_eoir1(uint64_t irq)
{
	guest_set_sysreg(S3_0_C12_C12_1, irq); /* ICC_EOIR1_EL1 */
}

GUEST_INLINE uint64_t guest_rpr(void)
{
	return guest_sysreg(S3_0_C12_C11_3); /* ICC_RPR_EL1 */
}

GUEST_INLINE void guest_sgi1r(uint64_t value)
{
	guest_set_sysreg(S3_0_C12_C11_5, value); /* ICC_SGI1R_EL1 */
}

/* Everything below `pmr` is signalled, group 1 is on. */
GUEST_INLINE void guest_icc_on(uint64_t pmr)
{
	guest_set_sysreg(S3_0_C4_C6_0, pmr); /* ICC_PMR_EL1 */
	guest_set_sysreg(S3_0_C12_C12_3, 0); /* ICC_BPR1_EL1 */
	guest_set_sysreg(S3_0_C12_C12_7, 1); /* ICC_IGRPEN1_EL1 */
}

/* Spurious (IHI 0069 H 2.2.1). */
#define GIC_NONE 1023U

/* ---- moving a whole VM (move.c), each in the order that the documents demand */

void vm_move_registers(struct vm *to, struct vm *from, unsigned int cpu);
void vm_move_memory(struct vm *to, struct vm *from);
void vm_move_gic(struct vm *to, struct vm *from);
/* Saves the ITS and pending tables into `from`'s memory. Before vm_move_memory(). */
void vm_save_its(struct vm *from);
void vm_move_its(struct vm *to, struct vm *from);
/* Everything: each vCPU's registers, events and run state, memory, vGIC, ITS. Exits must be complete. */
void vm_move(struct vm *to, struct vm *from);

#endif
