/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a vCPU, and what its exit means. */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/err.h"
#include "core/trace.h"
#include "kvm/vcpu.h"

static int system_event(const struct vcpu *v, struct vcpu_exit *x)
{
	switch (v->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		x->kind = VCPU_SHUTDOWN;
		return 0;
	case KVM_SYSTEM_EVENT_RESET:
		x->kind = VCPU_RESET;
		return 0;
	case KVM_SYSTEM_EVENT_CRASH:
		x->kind = VCPU_CRASH;
		return 0;
	default:
		return err_guest("vCPU %u: system event %u", v->id, v->run->system_event.type);
	}
}

/* All eight bytes are there; what the guest did not write is left of earlier accesses. */
static uint64_t written(const struct kvm_run *run)
{
	uint64_t val;

	memcpy(&val, run->mmio.data, sizeof(val));
	return run->mmio.len < sizeof(val) ? val & ((1ULL << (8 * run->mmio.len)) - 1) : val;
}

static void mmio(struct vcpu *v, struct vcpu_exit *x)
{
	struct trace_event *e = trace_next(); /* first: a call, and nothing is in registers yet */
	const struct kvm_run *run = v->run;
	bool write = run->mmio.is_write;

	x->kind = write ? VCPU_MMIO_WRITE : VCPU_MMIO_READ;
	x->gpa = run->mmio.phys_addr;
	x->len = run->mmio.len;
	x->val = write ? written(run) : 0;
	v->read = e;
	trace_put(e, write ? TRACE_MMIO_WRITE : TRACE_MMIO_READ, (uint8_t)x->len, v->id, 0, x->gpa,
		  x->val);
}

/* KVM fills a union by the reason; its first two words say most. */
static void record_exit(const struct vcpu *v)
{
	uint64_t word[2];

	memcpy(word, v->run->padding, sizeof(word));
	trace_add(TRACE_EXIT, (uint8_t)v->run->exit_reason, v->id, 0, word[0], word[1]);
}

/*
 * The guest touched what is no memory with an instruction that has no syndrome: two registers, vector registers, write-back,
 * cache maintenance (DDI 0487, ISS encoding for a Data Abort, ISV). QEMU answers with an external abort, so that the guest goes on.
 */
static int undecoded(const struct vcpu *v, struct vcpu_exit *x)
{
	struct kvm_vcpu_events ev = {.exception.ext_dabt_pending = 1};

	if (vcpu_get_pc(v, &x->gpa) || kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &ev))
		return err_guest("vCPU %u: an access outside RAM that KVM cannot decode (no valid "
				 "syndrome)",
				 v->id);
	x->kind = VCPU_UNDECODED;
	return 0;
}

/* Errors of KVM_RUN that the guest provokes; but for signals the rest are the host's. */
static __attribute__((noinline)) int run_failed(const struct vcpu *v, int err, struct vcpu_exit *x)
{
	trace_add(TRACE_RUN_FAILED, 0, v->id, -err, 0, 0);
	if (err == EINTR || err == EAGAIN)
		return 0;
	if (err == ENOSYS) /* api.rst, KVM_CAP_ARM_NISV_TO_USER */
		return undecoded(v, x);
	return err_host(err, "KVM_RUN of vCPU %u", v->id);
}

/* Kept apart from vcpu_run(), whose path for MMIO stays short. */
static __attribute__((noinline)) int other_exit(const struct vcpu *v, struct vcpu_exit *x)
{
	record_exit(v);
	switch (v->run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(v, x);
	case KVM_EXIT_INTR:
		return 0;
	case KVM_EXIT_FAIL_ENTRY:
		return err_host(
			EIO, "vCPU %u: KVM cannot enter the guest, reason 0x%llx", v->id,
			(unsigned long long)v->run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTERNAL_ERROR:
		return err_host(EIO, "vCPU %u: KVM internal error %u", v->id,
				v->run->internal.suberror);
	default:
		return err_host(EIO, "vCPU %u: unexpected exit %u", v->id, v->run->exit_reason);
	}
}

int vcpu_run(struct vcpu *v, struct vcpu_exit *x)
{
	x->kind = VCPU_AGAIN;
	if (ioctl(v->fd, KVM_RUN, 0) < 0)
		return run_failed(v, errno, x);
	if (v->run->exit_reason != KVM_EXIT_MMIO)
		return other_exit(v, x);
	mmio(v, x);
	return 0;
}

void vcpu_mmio_answer(struct vcpu *v, uint64_t val)
{
	memcpy(v->run->mmio.data, &val, sizeof(v->run->mmio.data));
	v->read->b = val;
}

void vcpu_kick(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

void vcpu_unkick(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}
