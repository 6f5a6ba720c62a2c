/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register file of the vGIC as user space saves and restores it, register class by register class, for every
 * interrupt: Documentation/virt/kvm/devices/arm-vgic-v3.rst, arm-vgic.rst; IHI 0069 H 12.9, 12.11; IHI 0048 B 4.3.
 */
#include "gicreg.h"
#include <assay/board.h>
#include <errno.h>

static unsigned int gic(void)
{
	return (unsigned int)test_param_u64("gic", 3);
}

static uint32_t rnd32(void)
{
	return (uint32_t)test_random();
}

static uint32_t nr_irqs(struct vm *vm)
{
	uint32_t n = 0;

	ASSERT_OK(dev_try_get(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &n));
	return n;
}

static void expect_reg(const char *name, uint32_t off, uint32_t got, uint32_t want)
{
	if (!EXPECT_EQ(got, want))
		NOTE("%s at %#x", name, off);
}

/* Pending of a GICv3 is written whole; the pairs of SET and CLEAR registers of the rest set and clear. */
TEST(saverestore, every_spi_bit_is_saved_and_restored, RULE("KVM-VGIC-1"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic());
	uint32_t words = nr_irqs(vm) / 32;

	ASSERT_GE(words, 2U);
	if (gic() == 2) {
		/* its groups are writable for who has shown to know of them by restoring GICD_IIDR (since 4.19) */
		gicd_set(vm, 0, GICD_IGROUPR(1), ~0U);
		expect_reg("IGROUPR", 1, gicd_get(vm, 0, GICD_IGROUPR(1)), 0);
		gicd_set(vm, 0, GICD_IIDR, gicd_get(vm, 0, GICD_IIDR));
	}
	for (uint32_t n = 1; n < words; n++) {
		uint32_t a = rnd32(), b = rnd32(), c = rnd32(), d = rnd32(), less = rnd32();

		gicd_set(vm, 0, GICD_IGROUPR(n), a);
		gicd_set(vm, 0, GICD_ISENABLER(n), b);
		gicd_set(vm, 0, GICD_ISPENDR(n), c);
		gicd_set(vm, 0, GICD_ISACTIVER(n), d);
		expect_reg("IGROUPR", GICD_IGROUPR(n), gicd_get(vm, 0, GICD_IGROUPR(n)), a);
		expect_reg("ISENABLER", GICD_ISENABLER(n), gicd_get(vm, 0, GICD_ISENABLER(n)), b);
		expect_reg("ICENABLER", GICD_ICENABLER(n), gicd_get(vm, 0, GICD_ICENABLER(n)), b);
		expect_reg("ISPENDR", GICD_ISPENDR(n), gicd_get(vm, 0, GICD_ISPENDR(n)), c);
		expect_reg("ISACTIVER", GICD_ISACTIVER(n), gicd_get(vm, 0, GICD_ISACTIVER(n)), d);
		expect_reg("ICACTIVER", GICD_ICACTIVER(n), gicd_get(vm, 0, GICD_ICACTIVER(n)), d);
		gicd_set(vm, 0, GICD_ICENABLER(n), less);
		gicd_set(vm, 0, GICD_ICACTIVER(n), less);
		expect_reg("ISENABLER", GICD_ISENABLER(n), gicd_get(vm, 0, GICD_ISENABLER(n)),
			   b & ~less);
		expect_reg("ISACTIVER", GICD_ISACTIVER(n), gicd_get(vm, 0, GICD_ISACTIVER(n)),
			   d & ~less);
		if (gic() == 3) {
			/* arm-vgic-v3.rst: ISPENDR sets and clears, ICPENDR is RAZ/WI */
			gicd_set(vm, 0, GICD_ICPENDR(n), ~0U);
			expect_reg("ICPENDR", GICD_ICPENDR(n), gicd_get(vm, 0, GICD_ICPENDR(n)), 0);
			expect_reg("ISPENDR", GICD_ISPENDR(n), gicd_get(vm, 0, GICD_ISPENDR(n)), c);
			gicd_set(vm, 0, GICD_ISPENDR(n), less);
			expect_reg("ISPENDR", GICD_ISPENDR(n), gicd_get(vm, 0, GICD_ISPENDR(n)),
				   less);
		} else {
			gicd_set(vm, 0, GICD_ICPENDR(n), less);
			expect_reg("ISPENDR", GICD_ISPENDR(n), gicd_get(vm, 0, GICD_ISPENDR(n)),
				   c & ~less);
		}
	}
}

/* Five bits of priority (KVM: VGIC_PRI_BITS), the odd bit of each pair of ICFGR, routes of three affinity levels. */
TEST(saverestore, every_spi_field_is_saved_and_restored, RULE("KVM-VGIC-1"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic());
	uint32_t irqs = nr_irqs(vm);

	for (uint32_t n = 32 / 4; n < irqs / 4; n++) {
		uint32_t a = rnd32();

		gicd_set(vm, 0, GICD_IPRIORITYR(n), a);
		expect_reg("IPRIORITYR", GICD_IPRIORITYR(n), gicd_get(vm, 0, GICD_IPRIORITYR(n)),
			   a & 0xf8f8f8f8);
	}
	for (uint32_t n = 32 / 16; n < irqs / 16; n++) {
		uint32_t a = rnd32();

		gicd_set(vm, 0, GICD_ICFGR(n), a);
		expect_reg("ICFGR", GICD_ICFGR(n), gicd_get(vm, 0, GICD_ICFGR(n)), a & 0xaaaaaaaa);
	}
	for (uint32_t i = 32; gic() == 3 && i < irqs; i++) {
		uint32_t a = rnd32();

		gicd_set(vm, 0, GICD_IROUTER(i), a);
		gicd_set(vm, 0, GICD_IROUTER(i) + 4, rnd32()); /* Aff3: no KVM guest has one */
		expect_reg("IROUTER", GICD_IROUTER(i), gicd_get(vm, 0, GICD_IROUTER(i)),
			   a & 0xffffff);
		expect_reg("IROUTER", GICD_IROUTER(i) + 4, gicd_get(vm, 0, GICD_IROUTER(i) + 4), 0);
	}
	for (uint32_t n = 32 / 4; gic() == 2 && n < irqs / 4; n++) {
		uint32_t a = rnd32() & 0x03030303; /* two CPUs */

		gicd_set(vm, 0, GICD_ITARGETSR(n), a);
		expect_reg("ITARGETSR", GICD_ITARGETSR(n), gicd_get(vm, 0, GICD_ITARGETSR(n)), a);
	}
}

/* IHI 0069 12.9: with affinity routing the distributor's registers of SGIs and PPIs are RES0. */
TEST(saverestore, private_interrupts_are_not_in_the_v3_distributor, RULE("KVM-VGIC-4"))
{
	static const uint32_t regs[] = {GICD_IGROUPR(0),    GICD_ISENABLER(0),	GICD_ISPENDR(0),
					GICD_ISACTIVER(0),  GICD_IPRIORITYR(0), GICD_IPRIORITYR(7),
					GICD_ICFGR(0),	    GICD_ICFGR(1),	GICD_ITARGETSR(0),
					GICD_ITARGETSR(16), GICD_IROUTER(5)};
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3);

	gicr_set(vm, 0, GICR_ICENABLER0, ~0U);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		gicd_set(vm, 0, regs[i], ~0U);
		expect_reg("GICD", regs[i], gicd_get(vm, 0, regs[i]), 0);
	}
	expect_reg("ISENABLER0", GICR_ISENABLER0, gicr_get(vm, 0, GICR_ISENABLER0), 0);
	expect_reg("ISPENDR0", GICR_ISPENDR0, gicr_get(vm, 0, GICR_ISPENDR0), 0);
}

/*
 * Each redistributor keeps its own; SGIs are edge-triggered for ever (IHI 0069 12.11.7 GICR_ICFGR0), PPIs of KVM's are
 * level (GICR_ICFGR1: IMPLEMENTATION DEFINED whether it can be written). SGIs are enabled at reset.
 */
TEST(saverestore, private_interrupts_are_saved_for_each_vcpu, RULE("KVM-VGIC-1"))
{
	struct vm *vm = vm_new(.vcpus = 3, .gic = 3);
	uint32_t want[3][12];

	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		uint32_t *w = want[cpu];

		for (unsigned int i = 0; i < 12; i++)
			w[i] = rnd32();
		gicr_set(vm, cpu, GICR_IGROUPR0, w[0]);
		gicr_set(vm, cpu, GICR_ICENABLER0, ~0U);
		gicr_set(vm, cpu, GICR_ISENABLER0, w[1]);
		gicr_set(vm, cpu, GICR_ISPENDR0, w[2]);
		gicr_set(vm, cpu, GICR_ISACTIVER0, w[3]);
		for (unsigned int n = 0; n < 8; n++)
			gicr_set(vm, cpu, GICR_IPRIORITYR(n), w[4 + n]);
		gicr_set(vm, cpu, GICR_ICFGR(0), 0);
		gicr_set(vm, cpu, GICR_ICFGR(1), w[0]);
	}
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		const uint32_t *w = want[cpu];

		expect_reg("GICR", GICR_IGROUPR0, gicr_get(vm, cpu, GICR_IGROUPR0), w[0]);
		expect_reg("GICR", GICR_ISENABLER0, gicr_get(vm, cpu, GICR_ISENABLER0), w[1]);
		expect_reg("GICR", GICR_ICENABLER0, gicr_get(vm, cpu, GICR_ICENABLER0), w[1]);
		expect_reg("GICR", GICR_ISPENDR0, gicr_get(vm, cpu, GICR_ISPENDR0), w[2]);
		expect_reg("GICR", GICR_ICPENDR0, gicr_get(vm, cpu, GICR_ICPENDR0), 0);
		expect_reg("GICR", GICR_ISACTIVER0, gicr_get(vm, cpu, GICR_ISACTIVER0), w[3]);
		for (unsigned int n = 0; n < 8; n++)
			expect_reg("GICR", GICR_IPRIORITYR(n),
				   gicr_get(vm, cpu, GICR_IPRIORITYR(n)), w[4 + n] & 0xf8f8f8f8);
		expect_reg("GICR", GICR_ICFGR(0), gicr_get(vm, cpu, GICR_ICFGR(0)), 0xaaaaaaaa);
		expect_reg("GICR", GICR_ICFGR(1), gicr_get(vm, cpu, GICR_ICFGR(1)), 0);
		gicr_set(vm, cpu, GICR_ICENABLER0, w[3]);
		gicr_set(vm, cpu, GICR_ICACTIVER0, w[1]);
		gicr_set(vm, cpu, GICR_ISPENDR0, w[1]);
		expect_reg("GICR", GICR_ISENABLER0, gicr_get(vm, cpu, GICR_ISENABLER0),
			   w[1] & ~w[3]);
		expect_reg("GICR", GICR_ISACTIVER0, gicr_get(vm, cpu, GICR_ISACTIVER0),
			   w[3] & ~w[1]);
		expect_reg("GICR", GICR_ISPENDR0, gicr_get(vm, cpu, GICR_ISPENDR0), w[1]);
	}
}

/* IHI 0048 4.3.7, 4.3.14, 4.3.15: SGI pending by source, banked for each CPU. */
TEST(saverestore, v2_sgis_are_saved_with_their_senders, RULE("KVM-VGIC-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = 2);

	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (uint32_t n = 0; n < 4; n++)
			gicd_set(vm, cpu, GICD_SPENDSGIR(n), 0x03000102U << cpu);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (uint32_t n = 0; n < 4; n++) {
			expect_reg("SPENDSGIR", n, gicd_get(vm, cpu, GICD_SPENDSGIR(n)),
				   0x03000102U << cpu);
			gicd_set(vm, cpu, GICD_CPENDSGIR(n), 0x01000000U << cpu);
			expect_reg("SPENDSGIR", n, gicd_get(vm, cpu, GICD_SPENDSGIR(n)),
				   0x02000102U << cpu);
		}
	expect_reg("ISPENDR0", 0, gicd_get(vm, 0, GICD_ISPENDR(0)) & 0xf, 0xb);
}

/* arm-vgic.rst: GICC_PMR as the five bits of GICH_VMCR.VMPriMask; IHI 0048 4.4 */
TEST(saverestore, v2_cpu_interface_is_saved_for_each_vcpu, RULE("KVM-VGIC-1"))
{
	static const struct {
		uint32_t off, values[2];
	} regs[] = {
		{GICC_CTLR, {0x201, 0x01}}, {GICC_PMR, {0x1e, 0x05}},	   {GICC_BPR, {4, 2}},
		{GICC_ABPR, {5, 3}},	    {GICC_APR(0), {0x10, 0x4001}},
	};
	struct vm *vm = vm_new(.vcpus = 2, .gic = 2);

	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			gicc_set(vm, cpu, regs[i].off, regs[i].values[cpu]);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
			expect_reg("GICC", regs[i].off, gicc_get(vm, cpu, regs[i].off),
				   regs[i].values[cpu]);
	/* GICC_IIDR.Architecture_version is 2 (4.4.17) */
	EXPECT_EQ(gicc_get(vm, 0, GICC_IIDR) >> 16 & 0xf, 2U);
}

/* NR_IRQS: ITLinesNumber says it, and beyond it everything is RAZ/WI (IHI 0069 12.9.38). */
TEST(saverestore, number_of_interrupts_is_what_was_asked_for, RULE("KVM-VGIC-5"),
     VARIANTS("v2-64: gic=2 n=64 | v2-992: gic=2 n=992 | v3-64: gic=3 n=64 | v3-96: gic=3 n=96 | "
	      "v3-992: gic=3 n=992"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic(), .no_gic_init = true);
	uint32_t n = (uint32_t)test_param_u64("n", 64), last = n - 1;
	unsigned int spi = KVM_ARM_IRQ_TYPE_SPI;

	ASSERT_OK(dev_try_set(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &n));
	EXPECT_EQ(nr_irqs(vm), n);
	ASSERT_OK(vm_try_init_gic(vm));
	EXPECT_EQ(nr_irqs(vm), n);
	EXPECT_EQ(gicd_get(vm, 0, GICD_TYPER) & 0x1f, n / 32 - 1);
	gicd_set(vm, 0, GICD_ISENABLER(last / 32), ~0U);
	expect_reg("ISENABLER", last / 32, gicd_get(vm, 0, GICD_ISENABLER(last / 32)), ~0U);
	gicd_set(vm, 0, GICD_ISENABLER(n / 32), ~0U);
	expect_reg("ISENABLER", n / 32, gicd_get(vm, 0, GICD_ISENABLER(n / 32)), 0);
	gicd_set(vm, 0, GICD_IPRIORITYR(n / 4), ~0U);
	expect_reg("IPRIORITYR", n / 4, gicd_get(vm, 0, GICD_IPRIORITYR(n / 4)), 0);
	/* and no line goes further (api.rst 4.25) */
	gicd_set(vm, 0, GICD_ICFGR(last / 16), ~0U);
	EXPECT_OK(vm_try_irq_line(vm, spi, 0, last, 1));
	expect_reg("ISPENDR", last / 32, gicd_get(vm, 0, GICD_ISPENDR(last / 32)), 1U << 31);
	EXPECT_REFUSED(vm_try_irq_line(vm, spi, 0, n, 1), EINVAL);
	EXPECT_REFUSED(vm_try_irq_line(vm, spi, 0, n + 27, 1), EINVAL);
}

/* arm-vgic-v3.rst, LEVEL_INFO: the line of each level interrupt; in force, for the pending state that a guest reads. */
GUEST(read_pending)
{
	guest_result(0, guest_read32(ASSAY_GIC_DIST_BASE + GICD_ISPENDR(1)));
	guest_result(1, guest_read32(ASSAY_GIC_REDIST_BASE + GICR_ISPENDR0));
}

TEST(saverestore, line_levels_are_saved_and_restored, RULE("KVM-VGIC-6"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = 3, .entry = read_pending);
	uint32_t spi = rnd32(), ppi = rnd32() & 0x07ff0000, latch = rnd32(), got = 0, zero = 0;

	for (uint32_t n = 2; n < 6; n++)
		gicd_set(vm, 0, GICD_ICFGR(n), 0);
	gicd_set(vm, 0, GICD_ISPENDR(1), latch);
	EXPECT_OK(gic_level_try(vm, KVM_SET_DEVICE_ATTR, 0, 32, &spi));
	EXPECT_OK(gic_level_try(vm, KVM_SET_DEVICE_ATTR, 0, 0, &ppi));
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &got));
	EXPECT_EQ(got, spi);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 0, &got));
	EXPECT_EQ(got, ppi);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 1, 0, &got));
	EXPECT_EQ(got, 0U);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 64, &got));
	EXPECT_EQ(got, 0U);
	/* user space sees the latch alone, the guest latch or line */
	expect_reg("ISPENDR", 1, gicd_get(vm, 0, GICD_ISPENDR(1)), latch);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], latch | spi);
	EXPECT_EQ(vm->vcpu[0]->result[1], ppi);
	EXPECT_OK(gic_level_try(vm, KVM_SET_DEVICE_ATTR, 0, 32, &zero));
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &got));
	EXPECT_EQ(got, 0U);
	/* the line of an edge interrupt is not saved, only its latch */
	gicd_set(vm, 0, GICD_ICFGR(2), 1U << 17);
	spi = 3U << 8;
	EXPECT_OK(gic_level_try(vm, KVM_SET_DEVICE_ATTR, 0, 32, &spi));
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &got));
	EXPECT_EQ(got, 1U << 9);
}
