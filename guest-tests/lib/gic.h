/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt controller that the device tree names: GICv2 (IHI 0048B) or
 * GICv3 (IHI 0069H). One set of calls for both, and the windows for tests that
 * want the registers themselves. Interrupts are non-secure Group 1 on GICv3 and
 * Group 0 on GICv2: a KVM guest sees one security state.
 */
#ifndef LIB_GIC_H
#define LIB_GIC_H

#include "cpu.h"
#include "mmio.h"
#include "types.h"

#define GIC_SPURIOUS  1023U
#define GIC_SPI_FIRST 32U
#define GIC_PRIORITY  0xa0U /* what the library gives every interrupt it enables */

/* 2, 3, or 0 when the machine has none; the first call looks and switches it on */
unsigned gic_version(void);
/*
 * Before anything else of a test: leave the groups of this CPU's GICv3 interface off. Tests switch them
 * on only, never off again: a KVM of 6.19 and later asks for a maintenance interrupt when a guest
 * switches a group off, and 7.2 then never gets the vCPU on.
 */
void gic_leave_groups_off(void);
/* skip the test without a GIC of that version */
void gic_need(unsigned version);
/* skip the test without any */
void gic_need_any(void);

struct mmio gic_dist(void);
struct mmio gic_cpu_frame(void);      /* GICv2: GICC */
struct mmio gic_redist(unsigned cpu); /* GICv3: RD_base; SGI_base is 64 KiB above it */
uint64_t gic_msi_address(void);	      /* GICv3 ITS: GITS_TRANSLATER; 0 without an ITS */

void gic_enable(unsigned intid);
void gic_disable(unsigned intid);
bool gic_is_enabled(unsigned intid);
void gic_set_priority(unsigned intid, uint8_t priority);
uint8_t gic_get_priority(unsigned intid);
void gic_set_pending(unsigned intid, bool pending);
bool gic_is_pending(unsigned intid);
void gic_set_active(unsigned intid, bool active);
bool gic_is_active(unsigned intid);
void gic_set_edge(unsigned intid, bool edge);
/* Group 1 or 0; the library's own is 1 on GICv3, 0 on GICv2 */
void gic_set_group(unsigned intid, bool group1);
bool gic_get_group(unsigned intid);
void gic_route(unsigned intid, unsigned cpu);
unsigned gic_intids(void); /* highest SPI INTID + 1 */
/* is this the vGIC of KVM? Product and implementer of GICD_IIDR, Linux arch/arm64/kvm/vgic/vgic.h */
bool gic_is_kvm(void);
/* where an interrupt's registers stand: banked ones (below 32) are the calling CPU's */
struct mmio gic_frame(unsigned intid);

/* CPU interface of this CPU; ack gives the register as read: its INTID is gic_intid() */
uint32_t gic_ack(void);
static inline unsigned gic_intid(uint32_t iar)
{
	return iar & 0xffffff;
}
void gic_eoi(uint32_t iar);
void gic_deactivate(uint32_t iar);
/* the highest pending interrupt without acknowledging it; GIC_SPURIOUS: none */
unsigned gic_highest_pending(void);
void gic_set_pmr(uint8_t mask);
uint8_t gic_get_pmr(void);
uint8_t gic_running_priority(void);
void gic_set_eoimode(bool split);
bool gic_get_eoimode(void);

/* SGIs 0..15 */
void gic_sgi(unsigned intid, unsigned cpu);
void gic_sgi_list(unsigned intid, uint64_t cpus); /* bit n: CPU n < 64 */
void gic_sgi_others(unsigned intid);

/* library: secondaries, and a clean controller after each test */
void gic_cpu_init(void);
void gic_reset(void);

/* what both versions share, with the same offsets from their frames */
#define GICD_CTLR	0x000
#define GICD_TYPER	0x004
#define GICD_IIDR	0x008
#define GICD_IGROUPR	0x080
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_ISPENDR	0x200
#define GICD_ICPENDR	0x280
#define GICD_ISACTIVER	0x300
#define GICD_ICACTIVER	0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR	0x800
#define GICD_ICFGR	0xc00
#define GICD_SGIR	0xf00
#define GICD_CPENDSGIR	0xf10 /* GICv2 only */
#define GICD_SPENDSGIR	0xf20 /* GICv2 only */
#define GICD_STATUSR	0x010
#define GICD_IGRPMODR	0xd00
#define GICD_NSACR	0xe00
#define GICD_IROUTER	0x6000
#define GICD_V3_PIDR2	0xffe8
#define GICD_V2_PIDR2	0xfe8

#define GICR_CTLR      0x000
#define GICR_IIDR      0x004
#define GICR_TYPER     0x008
#define GICR_STATUSR   0x010
#define GICR_WAKER     0x014
#define GICR_PROPBASER 0x070
#define GICR_PENDBASER 0x078
#define GICR_INVLPIR   0x0a0
#define GICR_INVALLR   0x0b0
#define GICR_SYNCR     0x0c0
#define GICR_PIDR2     0xffe8
#define GICR_SGI       0x10000 /* SGI_base from RD_base */

#define GICC_CTLR	  0x000
#define GICC_PMR	  0x004
#define GICC_BPR	  0x008
#define GICC_IAR	  0x00c
#define GICC_EOIR	  0x010
#define GICC_RPR	  0x014
#define GICC_HPPIR	  0x018
#define GICC_ABPR	  0x01c
#define GICC_AIAR	  0x020
#define GICC_AEOIR	  0x024
#define GICC_AHPPIR	  0x028
#define GICC_APR	  0x0d0
#define GICC_IIDR	  0x0fc
#define GICC_DIR	  0x1000
#define GICC_CTLR_GRP0	  BIT(0)
#define GICC_CTLR_GRP1	  BIT(1)
#define GICC_CTLR_ACKCTL  BIT(2)
#define GICC_CTLR_FIQEN	  BIT(3)
#define GICC_CTLR_CBPR	  BIT(4)
#define GICC_CTLR_EOIMODE BIT(9)

/* GICv3 CPU interface by encoding: older assemblers know only some of the names */
#define ICC_PMR_EL1	 S3_0_C4_C6_0
#define ICC_IAR0_EL1	 S3_0_C12_C8_0
#define ICC_EOIR0_EL1	 S3_0_C12_C8_1
#define ICC_HPPIR0_EL1	 S3_0_C12_C8_2
#define ICC_BPR0_EL1	 S3_0_C12_C8_3
#define ICC_AP0R0_EL1	 S3_0_C12_C8_4
#define ICC_AP1R0_EL1	 S3_0_C12_C9_0
#define ICC_IAR1_EL1	 S3_0_C12_C12_0
#define ICC_EOIR1_EL1	 S3_0_C12_C12_1
#define ICC_HPPIR1_EL1	 S3_0_C12_C12_2
#define ICC_BPR1_EL1	 S3_0_C12_C12_3
#define ICC_DIR_EL1	 S3_0_C12_C11_1
#define ICC_RPR_EL1	 S3_0_C12_C11_3
#define ICC_SGI1R_EL1	 S3_0_C12_C11_5
#define ICC_ASGI1R_EL1	 S3_0_C12_C11_6
#define ICC_SGI0R_EL1	 S3_0_C12_C11_7
#define ICC_CTLR_EL1	 S3_0_C12_C12_4
#define ICC_SRE_EL1	 S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1	 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1	 S3_0_C12_C12_7
#define ICC_CTLR_CBPR	 BIT(0)
#define ICC_CTLR_EOIMODE BIT(1)

#endif
