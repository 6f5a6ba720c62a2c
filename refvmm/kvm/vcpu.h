/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual CPU: features, registers, and one run until it needs user space. */
#ifndef REFVMM_KVM_VCPU_H
#define REFVMM_KVM_VCPU_H

#include "conf.h"
#include "kvm/vm.h"

struct kvm_run;
struct trace_event;

struct vcpu {
	const struct vm *vm;
	int fd;
	int stats_fd; /* -1: not opened, or the host has none */
	unsigned id;
	bool sve, pmu, pauth;
	struct kvm_run *run;
	struct trace_event *read; /* the MMIO read whose answer is still to be recorded */
};

enum vcpu_exit_kind {
	VCPU_AGAIN, /* a signal, or nothing to do: run again unless told to stop */
	VCPU_MMIO_READ,
	VCPU_MMIO_WRITE,
	VCPU_UNDECODED, /* an access that KVM cannot decode: it takes an external abort; gpa: the instruction's address */
	VCPU_SHUTDOWN,
	VCPU_RESET,
	VCPU_CRASH,
};

struct vcpu_exit {
	enum vcpu_exit_kind kind;
	uint64_t gpa, val; /* MMIO */
	unsigned len;
};

/* All return 0 or a negative error, logged. */
int vcpu_create(struct vcpu *v, const struct vm *vm, unsigned id);
/* KVM_ARM_VCPU_INIT with the features `c` asks for and the host has; SVE lengths; finalise. */
int vcpu_init(struct vcpu *v, const struct cpu_conf *c, bool powered_off);
/* Once the vGIC is initialised: the PMU's interrupt. */
int vcpu_init_pmu(const struct vcpu *v);
int vcpu_set_entry(const struct vcpu *v, uint64_t pc, uint64_t x0);
int vcpu_mpidr(const struct vcpu *v, uint64_t *mpidr);
void vcpu_destroy(struct vcpu *v);

int vcpu_run(struct vcpu *v, struct vcpu_exit *x);
void vcpu_mmio_answer(struct vcpu *v, uint64_t val);
/* From any thread: the run in progress, or the next one, returns VCPU_AGAIN. */
void vcpu_kick(struct vcpu *v);
void vcpu_unkick(struct vcpu *v);

int vcpu_get_reg(const struct vcpu *v, uint64_t id, void *val); /* -errno, unlogged */
int vcpu_set_reg(const struct vcpu *v, uint64_t id, const void *val);
int vcpu_get_mpidr(const struct vcpu *v, uint64_t *mpidr); /* the same */
int vcpu_get_pc(const struct vcpu *v, uint64_t *pc);

/* sve.c: before finalisation; leaves the vCPU with exactly the lengths asked for, or says why KVM cannot. */
int sve_choose(const struct vcpu *v, const struct cpu_conf *c);

#endif
