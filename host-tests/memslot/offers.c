/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Newer ways to give a guest memory, both ways: what a capability offers works, what it does not offer is refused
 * (api.rst 4.140 KVM_SET_USER_MEMORY_REGION2, 4.141 KVM_SET_MEMORY_ATTRIBUTES, 4.142 KVM_CREATE_GUEST_MEMFD,
 * 4.143 KVM_PRE_FAULT_MEMORY).
 */
#include "pages.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AT    0x80000000ULL
#define NOISE 8U

/* include/uapi/linux/kvm.h; the structures' sizes are part of the ioctl numbers */
struct region2 {
	uint32_t slot, flags;
	uint64_t gpa, size, address, fd_offset;
	uint32_t fd, pad;
	uint64_t pad2[14];
};
struct create_guest_memfd {
	uint64_t size, flags, reserved[6];
};
struct pre_fault {
	uint64_t gpa, size, flags, padding[5];
};
struct attributes {
	uint64_t address, size, attributes, flags;
};

#define SET_REGION2	   _IOW(KVMIO, 0x49, struct region2)
#define SET_ATTRIBUTES	   _IOW(KVMIO, 0xd2, struct attributes)
#define CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct create_guest_memfd)
#define PRE_FAULT	   _IOWR(KVMIO, 0xd5, struct pre_fault)
#define MEM_GUEST_MEMFD	   (1U << 2)
#define MEMFD_MMAP	   (1U << 0)
#define MEMFD_INIT_SHARED  (1U << 1)

TEST(memslot, region2_makes_slots_where_it_is_offered, RULE("KVM-OFFER-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size();
	char *host = pages_normal(8 * page, page);
	struct region2 r = {.slot = SLOT, .gpa = AT, .size = 8 * page, .address = (uintptr_t)host};

	if (vm_cap(vm, KVM_CAP_USER_MEMORY2) <= 0) {
		EXPECT_REFUSED((int)vm_ioctl(vm, SET_REGION2, &r), EINVAL, ENOTTY);
		return;
	}
	r.flags = 1U << 3; /* no such flag */
	EXPECT_REFUSED((int)vm_ioctl(vm, SET_REGION2, &r), EINVAL);
	r.flags = 0;
	ASSERT_OK((int)vm_ioctl(vm, SET_REGION2, &r));
	EXPECT_EQ(SWEEP(vm, AT, page, 8, TOUCH_WRITE, 0x2222), 0U);
	EXPECT_EQ(page_get(host, 7), 0x2229U);
	r.size = 0;
	ASSERT_OK((int)vm_ioctl(vm, SET_REGION2, &r));
}

/* ARM has no private memory of this kind: nothing but 0 may be asked for. */
TEST(memslot, memory_attributes_are_refused_where_they_are_not_offered, RULE("KVM-OFFER-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	int offered = vm_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES);
	struct attributes a = {.address = AT, .size = page_size(), .attributes = 1ULL << 3};

	if (offered > 0)
		a.attributes = ~(uint64_t)offered;
	EXPECT_REFUSED((int)vm_ioctl(vm, SET_ATTRIBUTES, &a), EINVAL, ENOTTY);
}

/* Memory that was faulted in beforehand costs no fault; where it is not offered the call is refused. */
TEST(memslot, memory_faulted_in_beforehand_costs_no_fault, RULE("KVM-OFFER-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	uint64_t page = page_size(), n = 200;
	char *host = pages_normal(n * page, page);
	struct pre_fault f = {.gpa = AT, .size = n * page};

	slot_map(vm, SLOT, AT, n * page, host, 0);
	if (vm_cap(vm, KVM_CAP_PRE_FAULT_MEMORY) <= 0) {
		EXPECT_REFUSED((int)vcpu_ioctl(vm, 0, PRE_FAULT, &f), EINVAL, ENOTTY, EOPNOTSUPP);
		return;
	}
	while (f.size)
		ASSERT_OK((int)vcpu_ioctl(vm, 0, PRE_FAULT, &f));
	EXPECT_LE(sweep_exits(vm, AT, page, n, TOUCH_READ_0, 0), NOISE);
	f = (struct pre_fault){.gpa = AT + n * page, .size = page};
	EXPECT_REFUSED((int)vcpu_ioctl(vm, 0, PRE_FAULT, &f), ENOENT);
	f = (struct pre_fault){.gpa = AT + 1, .size = page};
	EXPECT_REFUSED((int)vcpu_ioctl(vm, 0, PRE_FAULT, &f), EINVAL);
}

static int try_memfd(struct vm *vm, uint64_t size, uint64_t flags)
{
	struct create_guest_memfd c = {.size = size, .flags = flags};

	return (int)vm_ioctl(vm, CREATE_GUEST_MEMFD, &c);
}

static void expect_memfd_works(struct vm *vm, int offered)
{
	uint64_t page = page_size(), flags = (uint64_t)offered & (MEMFD_MMAP | MEMFD_INIT_SHARED);
	int fd = try_memfd(vm, 8 * page, flags);
	struct region2 r = {.slot = SLOT, .flags = MEM_GUEST_MEMFD, .gpa = AT, .size = 8 * page};
	char *host;

	ASSERT_GE(fd, 0);
	host = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!EXPECT_TRUE(host != MAP_FAILED))
		return;
	r.fd = (uint32_t)fd;
	r.address = (uintptr_t)host;
	/* neither logged nor read-only, and not beyond its end */
	r.flags = MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES;
	EXPECT_REFUSED((int)vm_ioctl(vm, SET_REGION2, &r), EINVAL);
	r.flags = MEM_GUEST_MEMFD | KVM_MEM_READONLY;
	EXPECT_REFUSED((int)vm_ioctl(vm, SET_REGION2, &r), EINVAL);
	r.flags = MEM_GUEST_MEMFD;
	r.fd_offset = page;
	EXPECT_REFUSED((int)vm_ioctl(vm, SET_REGION2, &r), EINVAL);
	r.fd_offset = 0;
	ASSERT_OK((int)vm_ioctl(vm, SET_REGION2, &r));
	EXPECT_EQ(SWEEP(vm, AT, page, 8, TOUCH_WRITE, 0x6d), 0U);
	for (unsigned int i = 0; i < 8; i++)
		EXPECT_EQ(page_get(host, i), 0x6dU + i);
	page_put(host, 3, 0x99);
	EXPECT_EQ(SWEEP(vm, AT + 3 * page, page, 1, TOUCH_READ, 0x99), 0U);
}

TEST(memslot, guest_memfd_is_memory_where_it_is_offered, RULE("KVM-OFFER-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = sweep);
	int offered = vm_cap(vm, KVM_CAP_GUEST_MEMFD), flags;
	uint64_t page = page_size();

	FACT("kvm.guest_memfd", "%d", offered > 0);
	if (offered <= 0) {
		EXPECT_REFUSED(try_memfd(vm, page, 0), EINVAL, ENOTTY);
		return;
	}
	flags = vm_cap(vm, KVM_CAP_GUEST_MEMFD_FLAGS);
	EXPECT_REFUSED(try_memfd(vm, 0, 0), EINVAL);
	EXPECT_REFUSED(try_memfd(vm, page + 1, 0), EINVAL);
	EXPECT_REFUSED(try_memfd(vm, page, 1ULL << 40), EINVAL);
	if (flags > 0 && flags & (int)MEMFD_MMAP)
		expect_memfd_works(vm, flags);
}
