/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM_IRQFD (Documentation/virt/kvm/api.rst 4.75), KVM_SET_GSI_ROUTING (4.52), KVM_IRQ_LINE (4.25): interrupts in, as
 * the vGIC's pending state shows them to user space.
 */
#include "gicreg.h"
#include "state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		test_error("eventfd: %s", strerrorname_np(errno));
	return fd;
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	ASSERT_EQ(write(fd, &one, sizeof(one)), 8);
}

static uint64_t events(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int irqfd(struct vm *vm, int fd, uint32_t gsi, uint32_t flags, int resample)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)fd, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resample};

	return (int)vm_ioctl(vm, KVM_IRQFD, &i);
}

/* A vGIC all of whose SPIs are edge-triggered: what arrives stays latched. */
static struct vm *edge_vm(void)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);

	for (uint32_t n = 2; n < 16; n++)
		gicd_set(vm, 0, GICD_ICFGR(n), 0xaaaaaaaa);
	return vm;
}

/* A gsi is the SPI's number without 32 (4.25, "irqchip pin"); nothing else becomes pending. */
TEST(api, irqfd_makes_its_spi_pending, RULE("KVM-IRQFD-1"),
     VARIANTS("first: gsi=0 | some: gsi=9 | next: gsi=37 | last: gsi=223"))
{
	struct vm *vm = edge_vm();
	uint32_t gsi = (uint32_t)test_param_u64("gsi", 0), n = gsi / 32 + 1;
	int fd = new_eventfd();

	ASSERT_OK(irqfd(vm, fd, gsi, 0, 0));
	for (uint32_t i = 1; i < 8; i++)
		EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(i)), 0U);
	signal_event(fd);
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(n)) == 1U << gsi % 32);
	for (uint32_t i = 1; i < 8; i++)
		EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(i)), i == n ? 1U << gsi % 32 : 0U);
	EXPECT_EQ(events(fd), 0); /* KVM took it */
	EXPECT_OK(irqfd(vm, fd, gsi, KVM_IRQFD_FLAG_DEASSIGN, 0));
	gicd_set(vm, 0, vm->opt.gic == 2 ? GICD_ICPENDR(n) : GICD_ISPENDR(n),
		 vm->opt.gic == 2 ? ~0U : 0);
	signal_event(fd);
	test_pause_us(2000);
	EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(n)), 0U);
	EXPECT_EQ(events(fd), 1); /* nobody's any more */
}

/* "if the eventfd is already signalled, the interrupt is injected at once" (kvm_irqfd_assign) */
TEST(api, irqfd_finds_what_was_signalled_before, RULE("KVM-IRQFD-1"))
{
	struct vm *vm = edge_vm();
	int fd = new_eventfd();

	signal_event(fd);
	ASSERT_OK(irqfd(vm, fd, 5, 0, 0));
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(1)) == 1U << 5);
}

TEST(api, bad_irqfds_are_refused, RULE("KVM-IRQFD-2"))
{
	struct vm *vm = edge_vm(), *early = vm_new(.vcpus = 1, .gic = 3, .no_gic_init = true,
						   .entry = guest_nothing);
	int fd = new_eventfd(), second = new_eventfd(), pipes[2];
	struct vm_state *before;

	if (pipe(pipes))
		test_error("pipe: %s", strerrorname_np(errno));
	ASSERT_OK(irqfd(vm, fd, 3, 0, 0));
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(irqfd(vm, second, 4, 1U << 2, 0), EINVAL);
	EXPECT_REFUSED(irqfd(vm, second, 4, 1U << 31, 0), EINVAL);
	EXPECT_REFUSED(irqfd(vm, -1, 4, 0, 0), EBADF);
	EXPECT_REFUSED(irqfd(vm, pipes[0], 4, 0, 0), EINVAL);
	EXPECT_REFUSED(irqfd(vm, second, 4, KVM_IRQFD_FLAG_RESAMPLE, -1), EBADF);
	EXPECT_REFUSED(irqfd(vm, second, 4, KVM_IRQFD_FLAG_RESAMPLE, pipes[0]), EINVAL);
	EXPECT_REFUSED(irqfd(vm, fd, 4, 0, 0), EBUSY); /* one gsi an eventfd */
	EXPECT_REFUSED(irqfd(vm, fd, 3, 0, 0), EBUSY);
	EXPECT_REFUSED(irqfd(vm, -1, 3, KVM_IRQFD_FLAG_DEASSIGN, 0), EBADF);
	EXPECT_REFUSED(irqfd(vm, pipes[0], 3, KVM_IRQFD_FLAG_DEASSIGN, 0), EINVAL);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_IRQFD, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
	/* before the vGIC is initialized: EAGAIN */
	EXPECT_REFUSED(irqfd(early, second, 4, 0, 0), EAGAIN);
	EXPECT_OK(vm_try_init_gic(early));
	EXPECT_OK(irqfd(early, second, 4, 0, 0));
}

/* An SPI pin beyond the vGIC's is accepted and never arrives; what is deassigned twice is gone once. */
TEST(api, irqfd_of_another_gsi_is_not_deassigned, RULE("KVM-IRQFD-2"))
{
	struct vm *vm = edge_vm();
	int fd = new_eventfd();

	ASSERT_OK(irqfd(vm, fd, 3, 0, 0));
	EXPECT_OK(irqfd(vm, fd, 4, KVM_IRQFD_FLAG_DEASSIGN, 0));
	signal_event(fd);
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(1)) == 1U << 3);
}

/* ---- resample: level in by eventfd, out again when the guest ends the interrupt */

GUEST(take_level)
{
	guest_icc_on(0xf0);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t irq = GIC_NONE;

		for (unsigned int n = 0; irq == GIC_NONE && n < 2000; n++)
			irq = guest_iar1();
		guest_result(i, irq);
		guest_tick(i + 1);
		if (irq != GIC_NONE)
			guest_eoir1(irq);
		guest_tick(0x100 + i);
	}
}

TEST(api, resampling_irqfd_asks_after_each_end_of_interrupt, RULE("KVM-IRQFD-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = take_level);
	int fd = new_eventfd(), resample = new_eventfd();

	ASSERT_EQ(vm_cap(vm, KVM_CAP_IRQFD_RESAMPLE), 1);
	gicd_set(vm, 0, GICD_CTLR, 2);
	gicd_set(vm, 0, GICD_ICFGR(2), 0);
	gicd_set(vm, 0, GICD_ISENABLER(1), 1U << 8);
	ASSERT_OK(irqfd(vm, fd, 8, KVM_IRQFD_FLAG_RESAMPLE, resample));
	for (unsigned int i = 0; i < 2; i++) {
		signal_event(fd);
		vcpu_run_to_tick(vm, 0, i + 1);
		EXPECT_EQ(vm->vcpu[0]->result[i], 40);
		EXPECT_EQ(events(resample), 0);
		while (atomic_load(&vm->vcpu[0]->ticks) < 0x100)
			vcpu_run_to_tick(vm, 0, 0x100 + i);
		EXPECT_EVENTUALLY(events(resample) == 1);
		atomic_store(&vm->vcpu[0]->ticks, 0);
	}
	/* the line fell with the end of the interrupt: nothing comes by itself */
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[2], GIC_NONE);
	EXPECT_EQ(events(resample), 0);
}

/* ---- routing */

static int route(struct vm *vm, unsigned int n, const struct kvm_irq_routing_entry *e,
		 uint32_t flags)
{
	struct kvm_irq_routing *r = calloc(1, sizeof(*r) + n * sizeof(*e));
	int ret;

	if (!r)
		test_error("out of memory");
	r->nr = n;
	r->flags = flags;
	memcpy(r->entries, e, n * sizeof(*e));
	ret = (int)vm_ioctl(vm, KVM_SET_GSI_ROUTING, r);
	free(r);
	return ret;
}

#define PIN(g, p)                                                           \
	{                                                                   \
		.gsi = (g), .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = { \
			.irqchip = 0,                                       \
			.pin = (p),                                         \
		}                                                           \
	}

/* What was assigned follows the new routes; a gsi without a route goes nowhere. */
TEST(api, routes_decide_where_an_irqfd_goes, RULE("KVM-ROUTE-1"))
{
	const struct kvm_irq_routing_entry one[] = {PIN(3, 20)}, both[] = {PIN(3, 21), PIN(4, 3)};
	struct vm *vm = edge_vm();
	int fd = new_eventfd();

	ASSERT_OK(irqfd(vm, fd, 3, 0, 0));
	ASSERT_OK(route(vm, 1, one, 0));
	signal_event(fd);
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(1)) == 1U << 20);
	ASSERT_OK(route(vm, 2, both, 0));
	signal_event(fd);
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(1)) == (1U << 20 | 1U << 21));
	ASSERT_OK(route(vm, 0, one, 0));
	signal_event(fd);
	test_pause_us(2000);
	EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(1)), 1U << 20 | 1U << 21);
	/* KVM_IRQ_LINE names the interrupt itself and needs no route */
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, 50, 1));
	EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(1)) >> 18 & 1, 1U);
}

TEST(api, bad_routes_are_refused, RULE("KVM-ROUTE-2"))
{
	struct vm *vm = edge_vm();
	unsigned int max = (unsigned int)vm_cap(vm, KVM_CAP_IRQ_ROUTING);
	struct kvm_irq_routing_entry e[2] = {PIN(3, 20), PIN(4, 21)};
	struct vm_state *before;
	int fd = new_eventfd();

	ASSERT_GE(max, 1020U);
	ASSERT_OK(irqfd(vm, fd, 3, 0, 0));
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(route(vm, 1, e, 1), EINVAL);
	e[0].flags = 1;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	e[0].flags = 0;
	e[0].type = 99;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	e[0].type = KVM_IRQ_ROUTING_MSI;
	e[0].flags = 1U << 5;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	e[0] = e[1];
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL); /* one pin of a chip to a gsi */
	e[0].gsi = max;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	e[0].gsi = 3;
	e[0].u.irqchip.irqchip = 1;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	e[0].u.irqchip.irqchip = 0;
	e[0].u.irqchip.pin = 1020 - 32;
	EXPECT_REFUSED(route(vm, 2, e, 0), EINVAL);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_SET_GSI_ROUTING, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
	/* the routes of before are still there */
	vm_park(vm);
	signal_event(fd);
	EXPECT_EVENTUALLY(gicd_get(vm, 0, GICD_ISPENDR(1)) == 1U << 3);
}

/* ---- KVM_IRQ_LINE: edge on the rising edge, level as long as the line is up; a PPI is its vCPU's alone */

TEST(api, interrupt_lines_set_what_they_name, RULE("KVM-IRQ-4"))
{
	struct vm *vm = vm_new(.vcpus = 3, .gic = 3);
	uint32_t level = 0;

	gicd_set(vm, 0, GICD_ICFGR(2), 1U << 17); /* 40: edge */
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 2, 40 + i, 1));
	EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(1)), 1U << 8);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &level));
	EXPECT_EQ(level, 1U << 9);
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, 40 + i, 0));
	EXPECT_EQ(gicd_get(vm, 0, GICD_ISPENDR(1)), 1U << 8);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, 0, 32, &level));
	EXPECT_EQ(level, 0U);
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, 1, 16, 1));
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, 2, 31, 1));
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, cpu, 0, &level));
		EXPECT_EQ(level, cpu == 1 ? 1U << 16 : cpu == 2 ? 1U << 31 : 0U);
	}
}

GUEST(read_lines)
{
	guest_result(0, guest_sysreg(isr_el1));
}

/* api.rst 4.25, irq type 0: without an in-kernel irqchip irq_id 0 is the vCPU's IRQ, 1 its FIQ; ISR_EL1.I and .F show them */
TEST(api, raw_lines_reach_the_vcpu_they_name, RULE("KVM-IRQ-4"))
{
	static const uint64_t isr[] = {1U << 7, 1U << 6};
	struct vm *vm = vm_new(.vcpus = 2, .entry = read_lines);

	for (unsigned int lines = 0; lines < 4; lines++) {
		for (unsigned int n = 0; n < 2; n++)
			EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_CPU, 1, n, lines >> n & 1));
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			uint64_t want = (lines & 1 ? isr[0] : 0) | (lines & 2 ? isr[1] : 0);

			vcpu_start_at(vm, cpu, guest_entry);
			RUN_TO_END(vm, cpu);
			EXPECT_EQ(vm->vcpu[cpu]->result[0], cpu == 1 ? want : 0U);
		}
	}
}

/* KVM_CAP_ARM_IRQ_LINE_LAYOUT_2: four further bits for vCPUs from 256 on */
TEST(api, interrupt_line_reaches_a_vcpu_beyond_256, RULE("KVM-IRQ-4"))
{
	unsigned int far = 257;
	struct vm *vm;
	uint32_t level = 0;

	if (kvm_cap(KVM_CAP_ARM_IRQ_LINE_LAYOUT_2) != 1 || kvm_cap(KVM_CAP_MAX_VCPU_ID) <= (int)far)
		SKIP("KVM_CAP_ARM_IRQ_LINE_LAYOUT_2 is 0, or no vCPU can have the number %u", far);
	vm = vm_new(.vcpus = far + 1, .gic = 3);
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, far, 20, 1));
	EXPECT_REFUSED(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, far + 1, 20, 1), EINVAL);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, far, 0, &level));
	EXPECT_EQ(level, 1U << 20);
	EXPECT_OK(gic_level_try(vm, KVM_GET_DEVICE_ATTR, far & 0xff, 0, &level));
	EXPECT_EQ(level, 0U);
}
