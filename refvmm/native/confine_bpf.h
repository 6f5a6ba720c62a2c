/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF for seccomp (Documentation/userspace-api/seccomp_filter.rst), made small. What a filter costs at the
 * start is its length (the kernel compiles it) and the number of steps until it is plain whether a system call is
 * allowed whatever its arguments (the kernel asks that for each call there is, kernel/seccomp.c,
 * seccomp_is_const_allow(); the answer is kept, and such a call runs no filter).
 */
#ifndef REFVMM_NATIVE_CONFINE_BPF_H
#define REFVMM_NATIVE_CONFINE_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_RULES_MAX 16U
#define BPF_CALLS_MAX 512U
#define BPF_INS_MAX   256U

/* System call `nr` if the low word of argument `arg` & mask == value. */
struct bpf_rule {
	uint32_t nr;
	unsigned arg;
	uint32_t mask, value;
};

/* What is allowed; all else traps, but for `enosys`, which the kernel is said not to have. */
struct bpf_policy {
	uint32_t
		first; /* the call asked for most often: the one the kernel keeps as allowed, if it is */
	bool allowed[BPF_CALLS_MAX];
	struct bpf_rule rule[BPF_RULES_MAX];
	unsigned rules;
	uint32_t enosys;
};

struct bpf_filter {
	struct sock_filter ins[BPF_INS_MAX];
	unsigned len;
};

/* False: it does not fit. */
bool bpf_make(struct bpf_filter *f, const struct bpf_policy *p);
/* What FILTER (N instructions) says of this call. UINT32_MAX: no valid filter. */
uint32_t bpf_run(const struct sock_filter *filter, size_t n, uint32_t arch, uint32_t nr,
		 const uint64_t args[6]);

#endif
