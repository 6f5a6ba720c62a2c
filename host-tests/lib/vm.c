/* SPDX-License-Identifier: Apache-2.0 */
/* Making VMs, their memory and their vCPUs. */
#include "vm.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

extern const char __start_assay_guest[], __stop_assay_guest[];

long sys_ioctl(int fd, unsigned long request, unsigned long arg)
{
	long r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP_NEEDS("kvm",
			   "open /dev/kvm: %s; run on a host with KVM, as a user who may open it",
			   strerrorname_np(errno));
	return fd;
}

bool kvm_protected_mode(void)
{
	static char line[4096];
	bool on = false;

	if (file_read("/proc/cmdline", line, sizeof(line)) < 0)
		return false;
	for (char *p = line; (p = strstr(p, "kvm-arm.mode=")); p++) /* the last one counts */
		on = !strncmp(p + 13, "protected", 9);
	return on;
}

int kvm_try_create_vm(int kvm, unsigned long type)
{
	return (int)sys_ioctl(kvm, KVM_CREATE_VM, type);
}

int kvm_cap(unsigned int cap)
{
	int kvm = kvm_open();
	int r = (int)sys_ioctl(kvm, KVM_CHECK_EXTENSION, cap);

	close(kvm);
	return r;
}

int vm_cap(const struct vm *vm, unsigned int cap)
{
	return (int)vm_ioctl(vm, KVM_CHECK_EXTENSION, cap);
}

struct vm *vm_new_bare(unsigned int ipa_bits)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		test_error("out of memory");
	vm->kvm = kvm_open();
	vm->gic_fd = -1;
	vm->its_fd = -1;
	vm->opt.ipa_bits = ipa_bits;
	/* api.rst 4.2: without the capability (before 4.20) every VM has 40 bits, and the type is 0 */
	if (sys_ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) <= 0)
		ipa_bits = 0;
	vm->fd = kvm_try_create_vm(vm->kvm, ipa_bits);
	if (vm->fd < 0)
		test_error("KVM_CREATE_VM with %u IPA bits: %s", ipa_bits,
			   strerrorname_np(-vm->fd));
	return vm;
}

void vm_free(struct vm *vm)
{
	vm_join(vm);
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		if (!vm->vcpu[i])
			continue;
		munmap(vm->vcpu[i]->run, (size_t)sys_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
		if (vm->vcpu[i]->fd >= 0)
			close(vm->vcpu[i]->fd);
		free(vm->vcpu[i]);
	}
	if (vm->its_fd >= 0)
		close(vm->its_fd);
	if (vm->gic_fd >= 0)
		close(vm->gic_fd);
	close(vm->fd);
	close(vm->kvm);
	for (unsigned int i = 0; i < vm->slots; i++)
		munmap(vm->slot[i].host, vm->slot[i].size);
	free(vm);
}

/* ---- memory */

int vm_try_set_slot(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t size, void *host,
		    uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return (int)vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

void *vm_add_slot(struct vm *vm, uint64_t gpa, uint64_t size, uint32_t flags)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int r;

	if (host == MAP_FAILED)
		test_error("mmap of %#llx bytes of guest memory: %s", (unsigned long long)size,
			   strerrorname_np(errno));
	if (vm->slots == VM_MAX_SLOTS)
		test_error("more than %d memory slots", VM_MAX_SLOTS);
	r = vm_try_set_slot(vm, vm->slots, gpa, size, host, flags);
	if (r < 0)
		test_error("KVM_SET_USER_MEMORY_REGION(%#llx, %#llx): %s", (unsigned long long)gpa,
			   (unsigned long long)size, strerrorname_np(-r));
	vm->slot[vm->slots++] = (struct vm_slot){gpa, size, flags, host};
	return host;
}

void *vm_host(struct vm *vm, uint64_t gpa)
{
	for (unsigned int i = 0; i < vm->slots; i++)
		if (gpa >= vm->slot[i].gpa && gpa - vm->slot[i].gpa < vm->slot[i].size)
			return (char *)vm->slot[i].host + (gpa - vm->slot[i].gpa);
	test_error("no memory slot holds %#llx", (unsigned long long)gpa);
}

void vm_sync_ram(struct vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t ctr, step;
	char *p = vm_host(vm, gpa);

	/* CTR_EL0.DminLine: log2 of the words in the smallest data cache line (DDI 0487 D24.2.34) */
	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	step = 4ULL << (ctr >> 16 & 0xf);
	__asm__ volatile("dsb sy" ::: "memory");
	for (uint64_t i = 0; i < size; i += step)
		__asm__ volatile("dc civac, %0" ::"r"(p + i) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

/* Snippets are copied to the same offset within 4 KiB, which ADRP needs and the vectors' alignment too. */
uint64_t vm_snippet(const struct vm *vm, void (*fn)(void))
{
	uintptr_t start = (uintptr_t)__start_assay_guest;

	(void)vm;
	return VM_RAM_BASE + (start & 0xfff) + ((uintptr_t)fn - start);
}

static void copy_snippets(struct vm *vm)
{
	uintptr_t start = (uintptr_t)__start_assay_guest;
	size_t size = (size_t)(__stop_assay_guest - __start_assay_guest);
	uint64_t gpa = VM_RAM_BASE + (start & 0xfff);

	if (gpa + size > VM_FREE_BASE)
		test_error("guest snippets need more room than VM_FREE_BASE leaves: %zu bytes",
			   size);
	memcpy(vm_host(vm, gpa), __start_assay_guest, size);
	vm_sync_ram(vm, gpa, size);
}

/* ---- vCPUs */

int vm_try_create_vcpu(struct vm *vm, unsigned long id)
{
	return (int)vm_ioctl(vm, KVM_CREATE_VCPU, id);
}

void vm_add_vcpu(struct vm *vm, unsigned int index)
{
	struct vcpu *c = calloc(1, sizeof(*c));
	long size = sys_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (!c || index >= VM_MAX_VCPUS)
		test_error("vCPU %u: out of memory or of the library's table", index);
	c->vm = vm;
	c->index = index;
	c->fd = vm_try_create_vcpu(vm, index);
	if (c->fd < 0)
		test_error("KVM_CREATE_VCPU(%u): %s", index, strerrorname_np(-c->fd));
	c->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->run == MAP_FAILED)
		test_error("mmap of vCPU %u: %s", index, strerrorname_np(errno));
	c->entry = vm_snippet(vm, vm->opt.entry ? vm->opt.entry : guest_nothing);
	vm->vcpu[index] = c;
	if (index >= vm->vcpus)
		vm->vcpus = index + 1;
}

uint32_t vm_features(const struct vm *vm, unsigned int index)
{
	uint32_t f = vm->opt.features | 1U << KVM_ARM_VCPU_PSCI_0_2;

	if (vm->opt.sve)
		f |= 1U << KVM_ARM_VCPU_SVE;
	if (vm->opt.secondaries_off && index)
		f |= 1U << KVM_ARM_VCPU_POWER_OFF;
	return f;
}

int vcpu_try_init(struct vm *vm, unsigned int i, uint32_t features)
{
	struct kvm_vcpu_init init = {};
	long r = vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);

	if (r < 0)
		test_error("KVM_ARM_PREFERRED_TARGET: %s", strerrorname_np((int)-r));
	init.features[0] = features;
	r = vcpu_ioctl(vm, i, KVM_ARM_VCPU_INIT, &init);
	if (r == 0)
		vm->vcpu[i]->init = init;
	return (int)r;
}

int vcpu_try_finalize(struct vm *vm, unsigned int i, int feature)
{
	return (int)vcpu_ioctl(vm, i, KVM_ARM_VCPU_FINALIZE, &feature);
}

void vcpu_init(struct vm *vm, unsigned int i)
{
	int r = vcpu_try_init(vm, i, vm_features(vm, i));

	if (r)
		test_error("KVM_ARM_VCPU_INIT(vCPU %u, features %#x): %s", i, vm_features(vm, i),
			   strerrorname_np(-r));
	if (vm->opt.sve && !vm->opt.no_finalize) {
		r = vcpu_try_finalize(vm, i, KVM_ARM_VCPU_SVE);
		if (r)
			test_error("KVM_ARM_VCPU_FINALIZE(SVE): %s", strerrorname_np(-r));
	}
	vcpu_start_at(vm, i, guest_entry);
}

void vcpu_init_again(struct vm *vm, unsigned int i)
{
	int r = vcpu_try_init(vm, i, vm_features(vm, i));

	if (r)
		test_error("KVM_ARM_VCPU_INIT(vCPU %u) once more: %s", i, strerrorname_np(-r));
}

/* Up to the last stack, in the largest page size of a host. */
static uint64_t default_ram(const struct vm_options *opt)
{
	uint64_t top = VM_STACK_BASE + (opt->vcpus ? opt->vcpus : 1) * VM_STACK_SIZE;

	return ((top + 0xffff) & ~0xffffULL) - VM_RAM_BASE;
}

struct vm *vm_make(const struct vm_options *opt)
{
	struct vm *vm = vm_new_bare(opt->ipa_bits ? opt->ipa_bits : VM_IPA_BITS);

	vm->opt = *opt;
	if (opt->sve && vm_cap(vm, KVM_CAP_ARM_SVE) <= 0)
		SKIP_NEEDS("sve", "KVM_CAP_ARM_SVE is 0 on this host");
	if (opt->early_cap) {
		struct kvm_enable_cap cap = {.cap = opt->early_cap, .args = {opt->early_arg}};
		int r = (int)vm_ioctl(vm, KVM_ENABLE_CAP, &cap);

		if (r)
			test_error("KVM_ENABLE_CAP(%u, %#llx): %s", opt->early_cap,
				   (unsigned long long)opt->early_arg, strerrorname_np(-r));
	}
	vm_add_slot(vm, VM_RAM_BASE, opt->ram_size ? opt->ram_size : default_ram(opt), 0);
	copy_snippets(vm);
	if (opt->gic)
		vm_add_gic(vm, opt->gic);
	for (unsigned int i = 0; i < (opt->vcpus ? opt->vcpus : 1); i++) {
		vm_add_vcpu(vm, i);
		if (!opt->no_vcpu_init)
			vcpu_init(vm, i);
	}
	if (opt->gic && !opt->no_gic_init) {
		int r = vm_try_init_gic(vm);

		if (r)
			test_error("KVM_DEV_ARM_VGIC_CTRL_INIT: %s", strerrorname_np(-r));
	}
	if (opt->its)
		vm_add_its(vm);
	return vm;
}
