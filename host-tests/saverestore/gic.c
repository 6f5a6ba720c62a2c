/* SPDX-License-Identifier: Apache-2.0 */
/* vGIC state: Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst. */
#include "gicreg.h"
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>

static int dist(struct vm *vm, unsigned long request, uint32_t off, uint32_t *value)
{
	return dev_try_attr(vm->gic_fd, request, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, off, value);
}

static void set_dist(struct vm *vm, uint32_t off, uint32_t value)
{
	if (!EXPECT_OK(dist(vm, KVM_SET_DEVICE_ATTR, off, &value)))
		NOTE("GICD offset %#x, value %#x", off, value);
}

static uint32_t get_dist(struct vm *vm, uint32_t off)
{
	uint32_t value = 0;

	if (!EXPECT_OK(dist(vm, KVM_GET_DEVICE_ATTR, off, &value)))
		NOTE("GICD offset %#x", off);
	return value;
}

/* Interrupts pending and active, priorities and routes: written before the first run, read back, and in force after. */
TEST(saverestore, vgic_state_reads_back, RULE("KVM-VGIC-1"), VARIANTS("v2: gic=2 | v3: gic=3"))
{
	unsigned int gic = (unsigned int)test_param_u64("gic", 3);
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic, .entry = guest_count);

	set_dist(vm, GICD_ISENABLER(1), 0x0000a5a5);
	set_dist(vm, GICD_ISPENDR(1), 0x00001234);
	set_dist(vm, GICD_ISACTIVER(1), 0x00004321);
	set_dist(vm, GICD_IPRIORITYR(8), 0x50a8f018);
	EXPECT_EQ(get_dist(vm, GICD_ISENABLER(1)), 0x0000a5a5U);
	EXPECT_EQ(get_dist(vm, GICD_ISPENDR(1)), 0x00001234U);
	EXPECT_EQ(get_dist(vm, GICD_ISACTIVER(1)), 0x00004321U);
	EXPECT_EQ(get_dist(vm, GICD_IPRIORITYR(8)) & 0xf8f8f8f8,
		  0x50a8f018U); /* 5 bits at least (IHI 0069 4.8) */
	if (gic == 3) {
		set_dist(vm, GICD_IROUTER(32), 1);
		EXPECT_EQ(get_dist(vm, GICD_IROUTER(32)), 1U);
	}
	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	EXPECT_EQ(get_dist(vm, GICD_ISENABLER(1)), 0x0000a5a5U);
	EXPECT_EQ(get_dist(vm, GICD_ISPENDR(1)), 0x00001234U);
	EXPECT_EQ(get_dist(vm, GICD_ISACTIVER(1)), 0x00004321U);
}

/* All of it from one VM to a second: distributor, redistributors and CPU interfaces then read back equal. */
TEST(saverestore, vgic_v3_state_moves_to_a_second_vm, RULE("KVM-VGIC-1"))
{
	static const struct {
		uint32_t group, off;
	} moved[] = {
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_CTLR},
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISENABLER(1)},
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISPENDR(1)},
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISACTIVER(1)},
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IPRIORITYR(8)},
		{KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IROUTER(32)},
		{KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISENABLER0},
		{KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISPENDR0},
		{KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_IPRIORITYR(0)},
	};
	struct vm *a = vm_new(.vcpus = 1, .gic = 3), *b = vm_new(.vcpus = 1, .gic = 3);
	uint32_t sgis = 0x8000ffff, sgi_pending = 0x0024;
	uint64_t pmr = 0xf0, got = 0;

	set_dist(a, GICD_CTLR, 0x12); /* ARE, group 1 */
	set_dist(a, GICD_ISENABLER(1), 0xdeadbeef);
	set_dist(a, GICD_ISPENDR(1), 0x00c0ffee);
	set_dist(a, GICD_IPRIORITYR(8), 0x80402010);
	EXPECT_OK(dev_try_set(a->gic_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISENABLER0, &sgis));
	EXPECT_OK(dev_try_set(a->gic_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISPENDR0,
			      &sgi_pending));
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		uint32_t value = 0;

		EXPECT_OK(dev_try_get(a->gic_fd, moved[i].group, moved[i].off, &value));
		EXPECT_OK(dev_try_set(b->gic_fd, moved[i].group, moved[i].off, &value));
	}
	/* ICC_PMR_EL1 of vCPU 0 */
	EXPECT_OK(dev_try_set(a->gic_fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, 0xc230, &pmr));
	EXPECT_OK(dev_try_get(a->gic_fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, 0xc230, &got));
	EXPECT_EQ(got, pmr);
	EXPECT_OK(dev_try_set(b->gic_fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, 0xc230, &got));
	EXPECT_EQUAL_STATE(vm_capture_parts(a, STATE_GIC), vm_capture_parts(b, STATE_GIC));
}

/* arm-vgic-v3.rst: EBUSY while a vCPU runs */
TEST(saverestore, vgic_state_of_a_running_vm_is_refused, RULE("KVM-VGIC-2"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = (unsigned int)test_param_u64("gic", 3),
			       .entry = guest_count);
	unsigned int busy = 0, done = 0;

	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	/*
	 * A vCPU whose thread waits for a CPU, or for the lock that the last try
	 * held, is out of KVM_RUN: not every try meets it inside, and a pause lets it in.
	 */
	for (int i = 0; i < 8000 && busy < 3; i++) {
		uint32_t value;
		int r = dist(vm, KVM_GET_DEVICE_ATTR, GICD_TYPER, &value);

		busy += r == -EBUSY;
		done += r == 0;
		if (r == 0)
			test_pause_us(1000);
		if (r != 0 && r != -EBUSY && !EXPECT_REFUSED(r, EBUSY))
			break;
	}
	NOTE("EBUSY %u times, read %u times", busy, done);
	EXPECT_GT(busy, 0U);
	EXPECT_STILL_RUNNING(vm);
}

/* arm-vgic-v3.rst: ENXIO, "getting or setting this register is not yet supported"; EBUSY before initialization */
TEST(saverestore, vgic_state_before_init_is_refused, RULE("KVM-VGIC-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .no_gic_init = true, .entry = guest_count);
	uint32_t value = 0;

	EXPECT_REFUSED(dist(vm, KVM_SET_DEVICE_ATTR, GICD_ISENABLER(1), &value), EBUSY);
	EXPECT_REFUSED(dist(vm, KVM_GET_DEVICE_ATTR, GICD_ISENABLER(1), &value), EBUSY);
	EXPECT_OK(vm_try_init_gic(vm));
	EXPECT_OK(dist(vm, KVM_GET_DEVICE_ATTR, GICD_ISENABLER(1), &value));
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}
