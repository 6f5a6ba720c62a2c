/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measure of things: the KVM calls a VM with a GICv3 cannot do without, and nothing else.
 *
 *	bare CPUS PAYLOAD.elf [IPA-BITS]
 *
 * 64 MiB of RAM, 40-bit IPA unless told otherwise, one thread a vCPU (the first runs in the main thread). Answers MMIO reads with 0.
 * Errors end it with the number of the step in the exit status; it says nothing.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <assay/board.h>

#define RAM_SIZE (64UL << 20)
#define MAX_CPUS 512U

static struct cpu {
	int fd;
	struct kvm_run *run;
} cpus[MAX_CPUS];

static int must(int ret, int step)
{
	if (ret < 0)
		_exit(step);
	return ret;
}

static void *run(void *arg)
{
	struct cpu *c = arg;

	for (;;) {
		must(ioctl(c->fd, KVM_RUN, 0), 20);
		if (c->run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
			_exit(0);
		if (c->run->exit_reason != KVM_EXIT_MMIO)
			_exit(21);
		if (!c->run->mmio.is_write)
			*(uint64_t *)c->run->mmio.data = 0;
	}
}

static uint64_t load(const char *path, unsigned char *ram)
{
	int fd = must(open(path, O_RDONLY | O_CLOEXEC), 2);
	Elf64_Ehdr e;
	Elf64_Phdr p;

	must((int)pread(fd, &e, sizeof(e), 0), 3);
	for (unsigned i = 0; i < e.e_phnum; i++) {
		must((int)pread(fd, &p, sizeof(p), (off_t)(e.e_phoff + i * sizeof(p))), 4);
		if (p.p_type == PT_LOAD)
			must((int)pread(fd, ram + (p.p_paddr - ASSAY_RAM_BASE), p.p_filesz,
					(off_t)p.p_offset),
			     5);
	}
	close(fd);
	return e.e_entry;
}

static void set_attr(int fd, uint32_t group, uint64_t attr, const void *val, int step)
{
	struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uintptr_t)val};

	must(ioctl(fd, KVM_SET_DEVICE_ATTR, &a), step);
}

int main(int argc, char **argv)
{
	int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), 6);
	int vm = must(ioctl(kvm, KVM_CREATE_VM, argc > 3 ? strtoul(argv[3], NULL, 10) : 0), 7);
	size_t run_size = (size_t)must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), 8);
	struct kvm_create_device gic = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	struct kvm_vcpu_init init;
	unsigned nr = argc >= 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	uint64_t dist = ASSAY_GIC_DIST_BASE, redist = ASSAY_GIC_REDIST_BASE, entry;
	struct kvm_userspace_memory_region slot = {.guest_phys_addr = ASSAY_RAM_BASE,
						   .memory_size = RAM_SIZE};
	struct kvm_one_reg pc = {.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
				       (offsetof(struct kvm_regs, regs.pc) / sizeof(uint32_t)),
				 .addr = (uintptr_t)&entry};
	unsigned char *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!nr || nr > MAX_CPUS || ram == MAP_FAILED)
		return 1;
	entry = load(argv[2], ram);
	slot.userspace_addr = (uintptr_t)ram;
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), 9);
	must(ioctl(vm, KVM_CREATE_DEVICE, &gic), 10);
	set_attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist, 11);
	set_attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist, 12);
	must(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), 13);
	for (unsigned i = 0; i < nr; i++) {
		struct cpu *c = &cpus[i];

		c->fd = must(ioctl(vm, KVM_CREATE_VCPU, i), 14);
		c->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
		if (c->run == MAP_FAILED)
			return 15;
		init.features[0] =
			1U << KVM_ARM_VCPU_PSCI_0_2 | (i ? 1U << KVM_ARM_VCPU_POWER_OFF : 0);
		must(ioctl(c->fd, KVM_ARM_VCPU_INIT, &init), 16);
	}
	set_attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, 17);
	must(ioctl(cpus[0].fd, KVM_SET_ONE_REG, &pc), 18);
	for (unsigned i = 1; i < nr; i++) {
		pthread_t t;

		must(-pthread_create(&t, NULL, run, &cpus[i]), 19);
	}
	run(&cpus[0]);
}
