/* SPDX-License-Identifier: Apache-2.0 */
/* Coalesced MMIO: Documentation/virt/kvm/api.rst 4.116. Stores into a zone go into a ring and cost no exit. */
#include "state.h"
#include <errno.h>
#include <unistd.h>

#define ZONE	  0x0b000000ULL
#define ZONE_SIZE 0x100U
#define AWAY	  (ZONE + 0x1000) /* nobody's */

/* Stores arg(1), arg(1) + 1 … to arg(0), arg(3) times, with the width of arg(2) bytes. */
GUEST(store_some)
{
	uint64_t at = guest_arg(0), v = guest_arg(1), width = guest_arg(2), n = guest_arg(3);

	for (; n; n--, v++)
		guest_store(at, v, width);
}

GUEST(load_some)
{
	guest_result(0, guest_read32(guest_arg(0)));
}

static struct vm *coalesced_vm(void)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = store_some);

	if (!vm_cap(vm, KVM_CAP_COALESCED_MMIO))
		SKIP_NEEDS("coalesced-mmio", "KVM_CAP_COALESCED_MMIO is 0 on this host");
	return vm;
}

/* In the pages of a vCPU's descriptor (4.5 KVM_GET_VCPU_MMAP_SIZE); the capability is the number of its page. */
static struct kvm_coalesced_mmio_ring *ring_of(const struct vm *vm)
{
	uint64_t offset =
		(uint64_t)vm_cap(vm, KVM_CAP_COALESCED_MMIO) * (uint64_t)sysconf(_SC_PAGESIZE);

	return (struct kvm_coalesced_mmio_ring *)(void *)((uint8_t *)vm->vcpu[0]->run + offset);
}

/* One entry stays free, so that a full ring is not an empty one. */
static uint32_t ring_entries(void)
{
	return ((uint32_t)sysconf(_SC_PAGESIZE) -
		(uint32_t)sizeof(struct kvm_coalesced_mmio_ring)) /
	       (uint32_t)sizeof(struct kvm_coalesced_mmio);
}

static int zone_call(struct vm *vm, unsigned long request, uint64_t at, uint32_t size, uint32_t pio)
{
	struct kvm_coalesced_mmio_zone zone = {.addr = at, .size = size, .pio = pio};

	return (int)vm_ioctl(vm, request, &zone);
}

/* How many of the stores left as exits; each exit is checked. */
static unsigned int exits(struct vm *vm, uint64_t at, uint64_t value, uint64_t width, uint64_t n)
{
	struct vcpu *c = vm->vcpu[0];
	unsigned int count = 0;
	int end;

	c->arg[0] = at;
	c->arg[1] = value;
	c->arg[2] = width;
	c->arg[3] = n;
	vcpu_start_at(vm, 0, guest_entry);
	while ((end = vcpu_run(vm, 0)) == KVM_EXIT_MMIO && count <= n) {
		EXPECT_EQ(c->run->mmio.phys_addr, at);
		EXPECT_EQ(c->run->mmio.is_write, 1);
		count++;
	}
	EXPECT_EQ(end, GUEST_DONE);
	vcpu_complete_one(vm, 0);
	return count;
}

static uint64_t value_of(const struct kvm_coalesced_mmio *e)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8 && i < e->len; i++)
		value |= (uint64_t)e->data[i] << (8 * i);
	return value;
}

TEST(api, coalesced_stores_are_in_the_ring_in_order, RULE("KVM-COALESCED-1"))
{
	struct vm *vm = coalesced_vm();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vm);
	const uint64_t value = 0x8877665544332211ULL;
	uint32_t n = 0;

	EXPECT_EQ(exits(vm, ZONE, value, 4, 1), 1); /* not yet a zone */
	ASSERT_OK(zone_call(vm, KVM_REGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 0));
	EXPECT_EQ(ring->first, 0);
	ASSERT_EQ(ring->last, 0);
	for (uint64_t width = 1; width <= 8; width *= 2, n++) {
		uint64_t at = ZONE + ZONE_SIZE - width; /* the last place in the zone */

		EXPECT_EQ(exits(vm, at, value, width, 1), 0);
		ASSERT_EQ(ring->last, n + 1);
		EXPECT_EQ(ring->coalesced_mmio[n].phys_addr, at);
		EXPECT_EQ(ring->coalesced_mmio[n].len, width);
		EXPECT_EQ(ring->coalesced_mmio[n].pio, 0);
		EXPECT_EQ(value_of(&ring->coalesced_mmio[n]), value & (~0ULL >> (64 - 8 * width)));
	}
	EXPECT_EQ(exits(vm, ZONE, value, 4, 3), 0);
	ASSERT_EQ(ring->last, n + 3);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(value_of(&ring->coalesced_mmio[n + i]), (value + i) & 0xffffffffU);
	EXPECT_EQ(ring->first, 0); /* user space's */
}

/* What is not wholly in the zone exits, and what is a load; a zone that was given back is none. */
TEST(api, coalesced_zones_take_stores_inside_alone, RULE("KVM-COALESCED-1"))
{
	struct vm *vm = coalesced_vm();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vm);

	ASSERT_OK(zone_call(vm, KVM_REGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 0));
	EXPECT_EQ(exits(vm, ZONE - 4, 1, 4, 1), 1);
	EXPECT_EQ(exits(vm, ZONE - 8, 1, 8, 1), 1);
	EXPECT_EQ(exits(vm, ZONE + ZONE_SIZE, 1, 1, 1), 1);
	EXPECT_EQ(exits(vm, AWAY, 1, 4, 1), 1);
	EXPECT_EQ(ring->last, 0);
	ASSERT_OK(zone_call(vm, KVM_UNREGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 0));
	EXPECT_EQ(exits(vm, ZONE, 1, 4, 1), 1);
	ASSERT_OK(zone_call(vm, KVM_REGISTER_COALESCED_MMIO, ZONE, 4, 0));
	EXPECT_EQ(exits(vm, ZONE, 1, 8, 1), 1); /* begins in it, ends behind it */
	EXPECT_EQ(exits(vm, ZONE, 1, 4, 1), 0);
	EXPECT_EQ(ring->last, 1);
	vm->vcpu[0]->entry = vm_snippet(vm, load_some);
	vm->vcpu[0]->arg[0] = ZONE;
	vcpu_start_at(vm, 0, guest_entry);
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.is_write, 0);
	EXPECT_EQ(ring->last, 1);
}

/* Kernels before 6.12 say that it is full with half its entries used (coalesced_mmio_has_room). */
TEST(api, full_coalesced_ring_exits_and_loses_nothing, RULE("KVM-COALESCED-2"))
{
	struct vm *vm = coalesced_vm();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vm);
	uint32_t stores = ring_entries() + 2, n;

	ASSERT_OK(zone_call(vm, KVM_REGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 0));
	n = stores - exits(vm, ZONE, 1000, 4, stores);
	ASSERT_EQ(ring->last, n);
	EXPECT_GT(n, 0);
	ASSERT_GT(ring_entries(), n);
	FACT("kvm.coalesced_stores", "%u", n);
	for (uint32_t i = 0; i < n; i++) {
		if (!EXPECT_EQ(value_of(&ring->coalesced_mmio[i]), 1000 + i))
			break;
	}
	EXPECT_EQ(exits(vm, ZONE, 5000, 4, 1), 1);
	ring->first = ring->last = ring_entries() - 1; /* all were read, and the next is the last */
	EXPECT_EQ(exits(vm, ZONE, 7000, 4, 2), 0);
	EXPECT_EQ(ring->last, 1);
	EXPECT_EQ(value_of(&ring->coalesced_mmio[ring_entries() - 1]), 7000);
	EXPECT_EQ(value_of(&ring->coalesced_mmio[0]), 7001);
	ring->last = ring_entries(); /* what no ring has: KVM must not follow it */
	EXPECT_EQ(exits(vm, ZONE, 1, 4, 1), 1);
}

/* virt/kvm/coalesced_mmio.c: EINVAL for a kind of bus that is none */
TEST(api, bad_coalesced_zones_are_refused, RULE("KVM-COALESCED-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	if (!vm_cap(vm, KVM_CAP_COALESCED_MMIO))
		SKIP_NEEDS("coalesced-mmio", "KVM_CAP_COALESCED_MMIO is 0 on this host");
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(zone_call(vm, KVM_REGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 2), EINVAL);
	EXPECT_REFUSED(zone_call(vm, KVM_UNREGISTER_COALESCED_MMIO, ZONE, ZONE_SIZE, 2), EINVAL);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, 0xffff000000000000UL), EFAULT);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
