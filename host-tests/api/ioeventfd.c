/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_IOEVENTFD: Documentation/virt/kvm/api.rst 4.59. A store that matches becomes an event and no exit. */
#include "state.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DOORBELL 0x0b000000ULL

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		test_error("eventfd: %s", strerrorname_np(errno));
	return fd;
}

static uint64_t events(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int assign(struct vm *vm, int fd, uint64_t at, uint32_t len, uint64_t match, uint32_t flags)
{
	struct kvm_ioeventfd io = {
		.datamatch = match, .addr = at, .len = len, .fd = fd, .flags = flags};

	return (int)vm_ioctl(vm, KVM_IOEVENTFD, &io);
}

#define MATCH	 KVM_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN KVM_IOEVENTFD_FLAG_DEASSIGN

/* Stores arg(1) to arg(0) with the width of arg(2) bytes, then says so. */
GUEST(store_once)
{
	guest_store(guest_arg(0), guest_arg(1), guest_arg(2));
}

/* True if the store left as an exit, false if it did not. */
static bool exits(struct vm *vm, uint64_t at, uint64_t value, uint64_t width)
{
	struct vcpu *c = vm->vcpu[0];
	int end;

	c->arg[0] = at;
	c->arg[1] = value;
	c->arg[2] = width;
	vcpu_start_at(vm, 0, guest_entry);
	end = vcpu_run(vm, 0);
	if (end == KVM_EXIT_MMIO) {
		EXPECT_EQ(c->run->mmio.phys_addr, at);
		EXPECT_EQ(c->run->mmio.len, width);
		EXPECT_EQ(c->run->mmio.is_write, 1);
		end = vcpu_run(vm, 0);
		EXPECT_EQ(end, GUEST_DONE);
		vcpu_complete_one(vm, 0);
		return true;
	}
	EXPECT_EQ(end, GUEST_DONE);
	vcpu_complete_one(vm, 0);
	return false;
}

TEST(api, ioeventfd_catches_matching_stores_only, RULE("KVM-IOEVENT-1"),
     VARIANTS("w1: width=1 | w2: width=2 | w4: width=4 | w8: width=8"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = store_once);
	uint32_t width = (uint32_t)test_param_u64("width", 4), other = width == 4 ? 8 : 4;
	uint64_t value = 0x1122334455667788ULL & (~0ULL >> (64 - 8 * width));
	int fd = new_eventfd();

	ASSERT_OK(assign(vm, fd, DOORBELL, width, value, MATCH));
	EXPECT_TRUE(!exits(vm, DOORBELL, value, width));
	EXPECT_EQ(events(fd), 1);
	EXPECT_TRUE(exits(vm, DOORBELL, value ^ 1, width));
	EXPECT_TRUE(exits(vm, DOORBELL, value ^ 1ULL << (8 * width - 1), width));
	EXPECT_TRUE(exits(vm, DOORBELL, value, other));
	EXPECT_TRUE(exits(vm, DOORBELL + width, value, width));
	EXPECT_TRUE(exits(vm, DOORBELL - width, value, width));
	EXPECT_EQ(events(fd), 0);
	EXPECT_TRUE(!exits(vm, DOORBELL, value, width));
	EXPECT_TRUE(!exits(vm, DOORBELL, value, width));
	EXPECT_EQ(events(fd), 2);
	EXPECT_OK(assign(vm, fd, DOORBELL, width, value, MATCH | DEASSIGN));
	EXPECT_TRUE(exits(vm, DOORBELL, value, width));
	EXPECT_EQ(events(fd), 0);
}

/* Without a datamatch every value, with length 0 every width (KVM_CAP_IOEVENTFD_ANY_LENGTH). Loads are nobody's. */
GUEST(load_once)
{
	guest_result(0, guest_read32(guest_arg(0)));
}

TEST(api, ioeventfd_wildcards_catch_every_store, RULE("KVM-IOEVENT-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = store_once);
	int any = new_eventfd(), word = new_eventfd();

	ASSERT_EQ(vm_cap(vm, KVM_CAP_IOEVENTFD_ANY_LENGTH), 1);
	ASSERT_OK(assign(vm, word, DOORBELL, 4, 0, 0));
	ASSERT_OK(assign(vm, any, DOORBELL + 0x1000, 0, 0, 0));
	for (uint64_t v = 0; v < 3; v++)
		EXPECT_TRUE(!exits(vm, DOORBELL, v * 0x7f7f7f7f, 4));
	EXPECT_TRUE(exits(vm, DOORBELL, 1, 8));
	EXPECT_TRUE(exits(vm, DOORBELL, 1, 2));
	EXPECT_TRUE(exits(vm, DOORBELL, 1, 1));
	for (uint64_t w = 1; w <= 8; w *= 2)
		EXPECT_TRUE(!exits(vm, DOORBELL + 0x1000, w, w));
	EXPECT_EQ(events(word), 3);
	EXPECT_EQ(events(any), 4);
	vm->vcpu[0]->entry = vm_snippet(vm, load_once);
	vm->vcpu[0]->arg[0] = DOORBELL;
	vcpu_start_at(vm, 0, guest_entry);
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.is_write, 0);
	EXPECT_EQ(events(word), 0);
}

/* Several on one address, told apart by their data, by length; each goes alone. */
TEST(api, ioeventfds_share_an_address, RULE("KVM-IOEVENT-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = store_once);
	int fd[3] = {new_eventfd(), new_eventfd(), new_eventfd()};

	ASSERT_OK(assign(vm, fd[0], DOORBELL, 4, 1, MATCH));
	ASSERT_OK(assign(vm, fd[1], DOORBELL, 4, 2, MATCH));
	ASSERT_OK(assign(vm, fd[2], DOORBELL, 2, 1, MATCH));
	EXPECT_TRUE(!exits(vm, DOORBELL, 1, 4));
	EXPECT_TRUE(!exits(vm, DOORBELL, 2, 4));
	EXPECT_TRUE(!exits(vm, DOORBELL, 2, 4));
	EXPECT_TRUE(!exits(vm, DOORBELL, 1, 2));
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_EQ(events(fd[i]), i == 1 ? 2U : 1U);
	EXPECT_OK(assign(vm, fd[0], DOORBELL, 4, 1, MATCH | DEASSIGN));
	EXPECT_TRUE(exits(vm, DOORBELL, 1, 4));
	EXPECT_TRUE(!exits(vm, DOORBELL, 2, 4));
	EXPECT_TRUE(!exits(vm, DOORBELL, 1, 2));
}

/* EINVAL for lengths and flags that are none, EEXIST for what is taken, ENOENT for what is not there, EBADF, EINVAL */
TEST(api, bad_ioeventfds_are_refused, RULE("KVM-IOEVENT-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	int fd = new_eventfd(), second = new_eventfd(), pipes[2];
	struct vm_state *before;

	if (pipe(pipes))
		test_error("pipe: %s", strerrorname_np(errno));
	ASSERT_OK(assign(vm, fd, DOORBELL, 4, 7, MATCH));
	ASSERT_OK(assign(vm, fd, DOORBELL + 8, 4, 0, 0));
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 64, 3, 0, 0), EINVAL);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 64, 16, 0, 0), EINVAL);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 64, 4, 0, 1U << 5), EINVAL);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 64, 4, 0, 1U << 31), EINVAL);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 64, 0, 1, MATCH), EINVAL);
	EXPECT_REFUSED(assign(vm, second, ~0ULL - 1, 4, 0, 0), EINVAL);
	EXPECT_REFUSED(assign(vm, -1, DOORBELL + 64, 4, 0, 0), EBADF);
	EXPECT_REFUSED(assign(vm, pipes[0], DOORBELL + 64, 4, 0, 0), EINVAL);
	EXPECT_REFUSED(assign(vm, second, DOORBELL, 4, 7, MATCH), EEXIST);
	EXPECT_REFUSED(assign(vm, fd, DOORBELL, 4, 7, MATCH), EEXIST);
	EXPECT_REFUSED(assign(vm, second, DOORBELL, 4, 0, 0), EEXIST);
	EXPECT_REFUSED(assign(vm, second, DOORBELL, 0, 0, 0), EEXIST);
	EXPECT_REFUSED(assign(vm, second, DOORBELL + 8, 4, 9, MATCH), EEXIST);
	EXPECT_REFUSED(assign(vm, second, DOORBELL, 4, 7, MATCH | DEASSIGN), ENOENT);
	EXPECT_REFUSED(assign(vm, fd, DOORBELL, 4, 8, MATCH | DEASSIGN), ENOENT);
	EXPECT_REFUSED(assign(vm, fd, DOORBELL, 8, 7, MATCH | DEASSIGN), ENOENT);
	EXPECT_REFUSED(assign(vm, fd, DOORBELL, 4, 0, DEASSIGN), ENOENT);
	EXPECT_REFUSED(assign(vm, fd, DOORBELL + 4, 4, 7, MATCH | DEASSIGN), ENOENT);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_IOEVENTFD, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_OK(assign(vm, fd, DOORBELL, 4, 7, MATCH | DEASSIGN));
	EXPECT_REFUSED(assign(vm, fd, DOORBELL, 4, 7, MATCH | DEASSIGN), ENOENT);
}
