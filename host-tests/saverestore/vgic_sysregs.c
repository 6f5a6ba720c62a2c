/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU interface, identification and revision of a vGICv3: Documentation/virt/kvm/devices/arm-vgic-v3.rst,
 * KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS; DDI 0487 C5.2, IHI 0069 H 12.9, 12.11.
 */
#include "gicreg.h"
#include <assay/board.h>
#include <errno.h>

#define CTLR_CBPR    1ULL
#define CTLR_EOIMODE 2ULL
#define GET	     KVM_GET_DEVICE_ATTR
#define SET	     KVM_SET_DEVICE_ATTR

GUEST(read_cpu_interface)
{
	guest_result(0, guest_sysreg(S3_0_C4_C6_0));   /* ICC_PMR_EL1 */
	guest_result(1, guest_sysreg(S3_0_C12_C8_3));  /* ICC_BPR0_EL1 */
	guest_result(2, guest_sysreg(S3_0_C12_C12_3)); /* ICC_BPR1_EL1 */
	guest_result(3, guest_sysreg(S3_0_C12_C12_4)); /* ICC_CTLR_EL1 */
	guest_result(4, guest_sysreg(S3_0_C12_C12_6)); /* ICC_IGRPEN0_EL1 */
	guest_result(5, guest_sysreg(S3_0_C12_C12_7)); /* ICC_IGRPEN1_EL1 */
	guest_result(6, guest_sysreg(S3_0_C12_C12_5)); /* ICC_SRE_EL1 */
	guest_result(7, guest_sysreg(S3_0_C12_C9_0));  /* ICC_AP1R0_EL1 */
	guest_result(8, guest_sysreg(S3_0_C12_C8_4));  /* ICC_AP0R0_EL1 */
}

/* What was restored is what the vCPU has, and what it has is what is saved. */
TEST(saverestore, cpu_interface_of_each_vcpu_is_restored, RULE("KVM-VGIC-7"))
{
	static const struct {
		uint32_t reg;
		unsigned int result;
		uint64_t values[2];
	} regs[] = {
		{ICC_PMR, 0, {0xa8, 0x50}},
		{ICC_BPR0, 1, {5, 3}},
		{ICC_BPR1, 2, {6, 4}},
		{ICC_IGRPEN1, 5, {0, 1}},
		{ICC_AP1R(0), 7, {1U << 9, 1U << 20}},
		{ICC_AP0R(0), 8, {1U << 4, 0}},
	};
	struct vm *vm = vm_new(.vcpus = 2, .gic = 3, .entry = read_cpu_interface);
	uint64_t ctlr = icc_get(vm, 0, ICC_CTLR);

	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		icc_set(vm, cpu, ICC_CTLR, ctlr | (cpu ? 0 : CTLR_EOIMODE));
		icc_set(vm, cpu, ICC_IGRPEN0, !cpu);
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			icc_set(vm, cpu, regs[i].reg, regs[i].values[cpu]);
	}
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		EXPECT_EQ(icc_get(vm, cpu, ICC_IGRPEN0), !cpu);
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			if (!EXPECT_EQ(icc_get(vm, cpu, regs[i].reg), regs[i].values[cpu]))
				NOTE("ICC register %#x of vCPU %u", regs[i].reg, cpu);
		/*
		 * A group 0 that nobody uses: with it on, Linux 7.2 asks for a maintenance interrupt that the lab's GIC
		 * raises for ever.
		 */
		icc_set(vm, cpu, ICC_IGRPEN0, 0);
		RUN_TO_END(vm, cpu);
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			if (!EXPECT_EQ(vm->vcpu[cpu]->result[regs[i].result], regs[i].values[cpu]))
				NOTE("ICC register %#x of vCPU %u", regs[i].reg, cpu);
		EXPECT_EQ(vm->vcpu[cpu]->result[3] & 3, cpu ? 0 : CTLR_EOIMODE);
		EXPECT_EQ(vm->vcpu[cpu]->result[6] & 1, 1);
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			if (!EXPECT_EQ(icc_get(vm, cpu, regs[i].reg), regs[i].values[cpu]))
				NOTE("ICC register %#x of vCPU %u", regs[i].reg, cpu);
	}
}

/* ICC_CTLR_EL1.CBPR (DDI 0487): BPR1 follows BPR0 and cannot be written. */
TEST(saverestore, common_binary_point_is_restored, RULE("KVM-VGIC-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = read_cpu_interface);
	uint64_t ctlr = icc_get(vm, 0, ICC_CTLR);

	icc_set(vm, 0, ICC_BPR1, 6);
	icc_set(vm, 0, ICC_BPR0, 3);
	icc_set(vm, 0, ICC_CTLR, ctlr | CTLR_CBPR);
	EXPECT_EQ(icc_get(vm, 0, ICC_CTLR), ctlr | CTLR_CBPR);
	EXPECT_EQ(icc_get(vm, 0, ICC_BPR1), 4);
	icc_set(vm, 0, ICC_BPR1, 7);
	icc_set(vm, 0, ICC_BPR0, 7);
	EXPECT_EQ(icc_get(vm, 0, ICC_BPR1), 7);
	icc_set(vm, 0, ICC_BPR0, 3);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[2], 4);
	EXPECT_EQ(vm->vcpu[0]->result[3] & 3, CTLR_CBPR);
	icc_set(vm, 0, ICC_CTLR, ctlr);
	EXPECT_EQ(icc_get(vm, 0, ICC_BPR1), 6);
	EXPECT_EQ(icc_get(vm, 0, ICC_BPR0), 3);
}

/* arm-vgic-v3.rst: EINVAL, "invalid value": more priority bits, more ID bits, other SEIS or A3V than this host has */
TEST(saverestore, cpu_interface_of_another_host_is_refused, RULE("KVM-VGIC-8"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = guest_nothing);
	uint64_t ctlr = icc_get(vm, 0, ICC_CTLR), sre = icc_get(vm, 0, ICC_SRE), bad;
	unsigned int aprs = 1U << ((ctlr >> 8 & 7) + 1 > 5 ? (ctlr >> 8 & 7) - 4 : 0);

	if ((ctlr >> 8 & 7) < 7) {
		bad = ctlr + (1U << 8);
		EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_CTLR, &bad), EINVAL);
	}
	bad = (ctlr & ~(7ULL << 11)) | 7ULL << 11;
	EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_CTLR, &bad), EINVAL);
	bad = ctlr ^ 1ULL << 14;
	EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_CTLR, &bad), EINVAL);
	bad = ctlr ^ 1ULL << 15;
	EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_CTLR, &bad), EINVAL);
	EXPECT_EQ(icc_get(vm, 0, ICC_CTLR) & 0x7c000, ctlr & 0x7c000);
	bad = sre & ~1ULL;
	EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_SRE, &bad), EINVAL);
	icc_set(vm, 0, ICC_SRE, sre);
	/* one active priorities register for each 32 levels (ICC_AP0R<n>_EL1) */
	for (unsigned int n = 0; n < 4; n++) {
		uint64_t v = 0;

		if (n < aprs) {
			icc_set(vm, 0, ICC_AP0R(n), 1);
			icc_set(vm, 0, ICC_AP1R(n), 2);
			EXPECT_EQ(icc_get(vm, 0, ICC_AP0R(n)), 1);
			EXPECT_EQ(icc_get(vm, 0, ICC_AP1R(n)), 2);
			continue;
		}
		EXPECT_REFUSED(icc_try(vm, GET, 0, ICC_AP0R(n), &v), EINVAL, ENXIO, ENOENT);
		EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_AP0R(n), &v), EINVAL, ENXIO, ENOENT);
		EXPECT_REFUSED(icc_try(vm, GET, 0, ICC_AP1R(n), &v), EINVAL, ENXIO, ENOENT);
		EXPECT_REFUSED(icc_try(vm, SET, 0, ICC_AP1R(n), &v), EINVAL, ENXIO, ENOENT);
	}
	/* fewer bits than the host's are a guest from a smaller one: taken */
	if ((ctlr >> 8 & 7) > 4) {
		bad = ctlr - (1U << 8);
		EXPECT_OK(icc_try(vm, SET, 0, ICC_CTLR, &bad));
		EXPECT_EQ(icc_get(vm, 0, ICC_CTLR), bad);
	}
	RUN_TO_END(vm, 0);
}

/* Registers of the CPU interface that have no state, or that do not exist: ENXIO for HAS, an errno for the rest. */
TEST(saverestore, cpu_interface_without_state_is_refused, RULE("KVM-VGIC-8"))
{
	static const uint32_t none[] = {
		ICC_REG(3, 0, 12, 12, 0), /* ICC_IAR1_EL1 */
		ICC_REG(3, 0, 12, 12, 1), /* ICC_EOIR1_EL1 */
		ICC_REG(3, 0, 12, 11, 3), /* ICC_RPR_EL1 */
		ICC_REG(3, 0, 12, 11, 5), /* ICC_SGI1R_EL1 */
		ICC_REG(3, 0, 12, 9, 5),  /* ICC_NMIAR1_EL1 */
		ICC_REG(3, 0, 4, 6, 1),
	};
	static const uint32_t some[] = {ICC_PMR,  ICC_BPR0, ICC_AP0R(0), ICC_AP1R(0), ICC_BPR1,
					ICC_CTLR, ICC_SRE,  ICC_IGRPEN0, ICC_IGRPEN1};
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = guest_nothing);
	uint64_t v = 0;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_REFUSED(icc_try(vm, KVM_HAS_DEVICE_ATTR, 0, none[i], NULL), ENXIO);
		EXPECT_REFUSED(icc_try(vm, GET, 0, none[i], &v), ENXIO, ENOENT);
		EXPECT_REFUSED(icc_try(vm, SET, 0, none[i], &v), ENXIO, ENOENT);
	}
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		EXPECT_OK(icc_try(vm, KVM_HAS_DEVICE_ATTR, 0, some[i], NULL));
	/* a vCPU that is not there */
	EXPECT_REFUSED(icc_try(vm, GET, 1, ICC_PMR, &v), EINVAL);
	EXPECT_REFUSED(icc_try(vm, SET, 1, ICC_PMR, &v), EINVAL);
	EXPECT_REFUSED(icc_try(vm, KVM_HAS_DEVICE_ATTR, 1, ICC_PMR, NULL), EINVAL);
	RUN_TO_END(vm, 0);
}

/* GICD_IIDR (arm-vgic-v3.rst): read-only but for the revision, which takes those this kernel knows */
TEST(saverestore, revision_takes_known_values_only, RULE("KVM-VGIC-9"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = (unsigned int)test_param_u64("gic", 3),
			       .entry = guest_nothing);
	uint32_t iidr = gicd_get(vm, 0, GICD_IIDR), rev = iidr >> 12 & 0xf, v;

	EXPECT_EQ(iidr & 0xfff, 0x43bU); /* JEP106 of Arm */
	EXPECT_EQ(iidr >> 24, 'K');
	ASSERT_GE(rev, 2U);
	for (v = 0; v < 16; v++) {
		uint32_t value = (iidr & ~0xf000U) | v << 12;
		int r = gicd_try(vm, SET, 0, GICD_IIDR, &value);
		bool good = v >= 2 && v <= rev ? EXPECT_OK(r)
			    : v < 2	       ? EXPECT_REFUSED(r, EINVAL)
					       : true;

		if (r == 0)
			good &= EXPECT_EQ(gicd_get(vm, 0, GICD_IIDR), value);
		else
			good &= EXPECT_REFUSED(r, EINVAL);
		if (!good)
			NOTE("revision %u, the kernel's own is %u", v, rev);
	}
	v = iidr ^ 1;
	EXPECT_REFUSED(gicd_try(vm, SET, 0, GICD_IIDR, &v), EINVAL);
	v = iidr ^ 1U << 24;
	EXPECT_REFUSED(gicd_try(vm, SET, 0, GICD_IIDR, &v), EINVAL);
	gicd_set(vm, 0, GICD_IIDR, iidr);
	RUN_TO_END(vm, 0);
}

/* IHI 0069 12.9, 12.11: what says who and what the GIC is, and cannot be written. */
TEST(saverestore, v3_identification_is_read_only, RULE("KVM-VGIC-9"))
{
	struct vm *vm = vm_new(.vcpus = 3, .gic = 3);
	uint32_t typer = gicd_get(vm, 0, GICD_TYPER), two = gicd_get(vm, 0, GICD_TYPER2), v;

	gicd_set(vm, 0, GICD_TYPER, ~typer);
	EXPECT_EQ(gicd_get(vm, 0, GICD_TYPER), typer);
	EXPECT_EQ(typer >> 17 & 1, 0U);	   /* LPIS: no ITS */
	EXPECT_EQ(typer >> 19 & 0x1f, 9U); /* IDbits: 10 bits */
	EXPECT_EQ(gicd_get(vm, 0, GICD_PIDR2) >> 4 & 0xf, 3U);
	EXPECT_EQ(gicd_get(vm, 0, GICD_CTLR) & ~0x102U,
		  0x50U); /* DS and ARE_NS, for ever; nASSGIreq on a GICv4.1 */
	gicd_set(vm, 0, GICD_CTLR, 0);
	EXPECT_EQ(gicd_get(vm, 0, GICD_CTLR) & ~0x100U, 0x50U);
	gicd_set(vm, 0, GICD_CTLR, 2);
	EXPECT_EQ(gicd_get(vm, 0, GICD_CTLR) & ~0x100U, 0x52U);
	v = two ^ 1U << 8;
	EXPECT_REFUSED(gicd_try(vm, SET, 0, GICD_TYPER2, &v), EINVAL,
		       EBUSY); /* EBUSY: newer, it may be chosen before init */
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		uint32_t low = gicr_get(vm, cpu, GICR_TYPER);

		gicr_set(vm, cpu, GICR_TYPER, ~low);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_TYPER), low);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_TYPER + 4), cpu); /* Affinity_Value */
		EXPECT_EQ(low >> 8 & 0xffff, cpu);		   /* Processor_Number */
		EXPECT_EQ(low >> 4 & 1, cpu == 2);		   /* Last */
		EXPECT_EQ(low & 1, 0U);				   /* PLPIS */
		EXPECT_EQ(gicr_get(vm, cpu, GICR_WAKER), 0U);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_SYNCR), 0U);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_IIDR) & 0xfff, 0x43bU);
		EXPECT_EQ(gicr_get(vm, cpu, GICD_PIDR2) >> 4 & 0xf, 3U);
		gicr_set(vm, cpu, GICR_CTLR, 1);
		EXPECT_EQ(gicr_get(vm, cpu, GICR_CTLR) & 1, 0U); /* no ITS, no LPIs */
	}
}
