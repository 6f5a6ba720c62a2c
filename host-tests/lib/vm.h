/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driving /dev/kvm. vm_x() and vcpu_x() must succeed: a failure is an error of
 * the test (host trouble), a missing capability a skip that names it.
 * vm_try_x() and vcpu_try_x() return 0 or -errno and judge nothing.
 *
 *	struct vm *vm = vm_new(.vcpus = 2, .gic = 3, .entry = guest_count);
 *
 * Guest memory map: the port at GUEST_PORT (unbacked, exits as MMIO), the GIC
 * at the virt board's addresses, RAM at VM_RAM_BASE holding snippets, from
 * VM_FREE_BASE on what the test likes (VM_FREE_SIZE bytes), then the stacks.
 */
#ifndef HOST_VM_H
#define HOST_VM_H

#include "guest.h"
#include "test.h"
#include "uapi.h"
#include <pthread.h>
#include <stdatomic.h>

#define VM_RAM_BASE   0x40000000ULL
#define VM_FREE_BASE  0x40010000ULL
#define VM_FREE_SIZE  0x30000ULL
#define VM_STACK_BASE 0x40040000ULL /* VM_STACK_SIZE for each vCPU */
#define VM_STACK_SIZE 0x400ULL
#define VM_MAX_VCPUS  512
#define GIC_ANY	      1U
#define VM_MAX_SLOTS  32

/*
 * The smallest IPA space KVM takes: closing a VM costs time in proportion to
 * its size.
 */
#define VM_IPA_BITS 32

struct vm_options {
	unsigned int vcpus;    /* 0: 1 */
	unsigned int gic;      /* 0: none, 2, 3, GIC_ANY: the newest this host offers */
	void (*entry)(void);   /* snippet of every vCPU; NULL: guest_nothing */
	unsigned int ipa_bits; /* 0: VM_IPA_BITS */
	uint64_t ram_size;    /* 0: what the map above needs; little, for captures read all of it */
	uint32_t features;    /* further KVM_ARM_VCPU_* bits, as a mask */
	bool sve;	      /* KVM_ARM_VCPU_SVE, finalized */
	bool secondaries_off; /* vCPUs but the first start powered off */
	bool its;	      /* with gic = 3 */
	bool no_gic_init;     /* the vGIC is made, but not initialized */
	bool no_vcpu_init;    /* vCPUs are made, but KVM_ARM_VCPU_INIT is left to the test */
	bool no_finalize;     /* with sve */
	/* A capability that has to be enabled before memory and vCPUs are made, and args[0]; 0: none. */
	unsigned int early_cap;
	uint64_t early_arg;
};

struct vm_slot {
	uint64_t gpa, size;
	uint32_t flags;
	void *host;
};

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	struct kvm_vcpu_init init;
	uint64_t entry;
	uint64_t arg[GUEST_ARGS];
	uint64_t result[GUEST_RESULTS];
	uint64_t esr, elr, far; /* of GUEST_EXCEPTION */
	_Atomic uint64_t ticks; /* last value of guest_tick() */
	_Atomic uint64_t question, answer;
	/* run.c */
	pthread_t thread;
	bool has_thread;
	_Atomic int parked;
	int end; /* what the thread's last vcpu_run returned */
};

struct vm {
	struct vm_options opt;
	int kvm, fd, gic_fd, its_fd;
	unsigned int vcpus;
	struct vcpu *vcpu[VM_MAX_VCPUS];
	struct vm_slot slot[VM_MAX_SLOTS];
	unsigned int slots;
	_Atomic int park; /* run.c: threads stay out of KVM_RUN */
};

#define vm_new(...) vm_make(&(const struct vm_options){__VA_ARGS__})
struct vm *vm_make(const struct vm_options *opt);
/* Only the bare VM: no memory, no vCPU. */
struct vm *vm_new_bare(unsigned int ipa_bits);
void vm_free(struct vm *vm);

int kvm_open(void);				    /* /dev/kvm, or a skip */
int kvm_try_create_vm(int kvm, unsigned long type); /* fd or -errno */
/* Booted with kvm-arm.mode=protected: every VM gets the host's whole IPA space (kvm_init_ipa_range, 6.1 to 7.2). */
bool kvm_protected_mode(void);
int kvm_cap(unsigned int cap); /* on a fresh /dev/kvm */
int vm_cap(const struct vm *vm, unsigned int cap);

/* Ioctl with the errno folded into the result. */
long sys_ioctl(int fd, unsigned long request, unsigned long arg);
#define vm_ioctl(vm, request, arg)	sys_ioctl((vm)->fd, request, (unsigned long)(arg))
#define vcpu_ioctl(vm, i, request, arg) sys_ioctl((vm)->vcpu[i]->fd, request, (unsigned long)(arg))

/* ---- memory */

int vm_try_set_slot(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t size, void *host,
		    uint32_t flags);
/* Fresh zeroed memory in the next free slot; returns its host address. */
void *vm_add_slot(struct vm *vm, uint64_t gpa, uint64_t size, uint32_t flags);
void *vm_host(struct vm *vm, uint64_t gpa); /* host address of a guest physical address */
/* Make host and guest (MMU off: uncached) see the same bytes. Before reading and after writing guest RAM. */
void vm_sync_ram(struct vm *vm, uint64_t gpa, uint64_t size);
uint64_t vm_snippet(const struct vm *vm, void (*fn)(void)); /* GPA of a snippet */

/* ---- vCPUs */

int vm_try_create_vcpu(struct vm *vm, unsigned long id); /* fd or -errno; the caller closes it */
void vm_add_vcpu(struct vm *vm, unsigned int index);	 /* created and mapped, not initialized */
uint32_t vm_features(const struct vm *vm, unsigned int index);
int vcpu_try_init(struct vm *vm, unsigned int i, uint32_t features);
void vcpu_init(struct vm *vm, unsigned int i);
int vcpu_try_finalize(struct vm *vm, unsigned int i, int feature);
void vcpu_init_again(struct vm *vm,
		     unsigned int i); /* KVM_ARM_VCPU_INIT as the first time; the PC is 0 then */
void vcpu_start_at(struct vm *vm, unsigned int i, void (*snippet)(void));

/* Registers; see regs.h for ids. */
int vcpu_try_get(struct vm *vm, unsigned int i, uint64_t id, void *value);
int vcpu_try_set(struct vm *vm, unsigned int i, uint64_t id, const void *value);
uint64_t vcpu_get(struct vm *vm, unsigned int i, uint64_t id);
void vcpu_set(struct vm *vm, unsigned int i, uint64_t id, uint64_t value);

/* ---- running */

enum guest_end {
	GUEST_DONE = 0x1000, /* the snippet returned */
	GUEST_EXCEPTION,     /* vcpu->esr, elr, far */
	GUEST_PARKED,	     /* asked to stop (EINTR) */
};

/* A KVM_EXIT_* the port does not handle, an enum guest_end, or -errno of KVM_RUN. */
int vcpu_run(struct vm *vm, unsigned int i);
/* The same, but anything except GUEST_DONE fails the test, with the values. */
#define RUN_TO_END(vm, i) vcpu_run_to_end(__FILE__, __LINE__, vm, i)
void vcpu_run_to_end(const char *file, int line, struct vm *vm, unsigned int i);
/* Completes the MMIO access that the last run stopped at; the registers are whole then (api.rst 5, kvm_run). */
void vcpu_complete_one(struct vm *vm, unsigned int i);
/* Runs until guest_tick() reported at least n. */
void vcpu_run_to_tick(struct vm *vm, unsigned int i, uint64_t n);

/* Threads: each vCPU that has been started runs in its own until it ends or is parked. */
void vm_start(struct vm *vm, unsigned int first, unsigned int count);
void vm_park(struct vm *vm);   /* all started vCPUs are out of KVM_RUN, their exits completed */
void vm_resume(struct vm *vm); /* and go on */
void vm_join(struct vm *vm);   /* parks and ends the threads */
/* Every started vCPU goes on counting and answers a question. */
#define EXPECT_STILL_RUNNING(vm) vm_expect_running(__FILE__, __LINE__, vm)
void vm_expect_running(const char *file, int line, struct vm *vm);

/* ---- device attributes */

int dev_try_attr(int fd, unsigned long request, uint32_t group, uint64_t attr, void *value);
#define dev_try_get(fd, group, attr, value) \
	dev_try_attr(fd, KVM_GET_DEVICE_ATTR, group, attr, value)
#define dev_try_set(fd, group, attr, value) \
	dev_try_attr(fd, KVM_SET_DEVICE_ATTR, group, attr, value)
#define dev_try_has(fd, group, attr) dev_try_attr(fd, KVM_HAS_DEVICE_ATTR, group, attr, NULL)
int vm_try_create_device(struct vm *vm, uint32_t type, uint32_t flags); /* fd or -errno */
bool kvm_has_device(uint32_t type); /* KVM_CREATE_DEVICE_TEST on a VM of its own */
void vm_add_gic(struct vm *vm, unsigned int version);
int vm_try_init_gic(struct vm *vm);
void vm_add_its(struct vm *vm);

#endif
