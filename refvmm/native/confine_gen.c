/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run at build time: writes the seccomp filter for arm64 and the names of its system calls as C.
 * The program that is confined then needs neither libseccomp nor the time to make a filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "confine_calls.h"

#define CALLS_MAX      512
#define KVM_IOCTL_TYPE 0xae00U /* linux/kvm.h: KVMIO */
#define IOCTL_TYPE     0xff00U

static void die(const char *what, int err)
{
	fprintf(stderr, "confine_gen: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static int number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		die(name, ENOSYS);
	return nr;
}

static void allow(scmp_filter_ctx f, const char *name, unsigned n, const struct scmp_arg_cmp *arg)
{
	int ret = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, number(name), n, arg);

	if (ret)
		die(name, ret);
}

static void rules(scmp_filter_ctx f)
{
	/* KVM and nothing else: neither terminals nor network devices are reached by ioctl. */
	const struct scmp_arg_cmp kvm = SCMP_A1(SCMP_CMP_MASKED_EQ, IOCTL_TYPE, KVM_IOCTL_TYPE);
	/* No memory becomes code. */
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	/* A thread, never a process. clone3() hides its flags, so glibc is sent to clone(). */
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	/* Files are read at most: KVM's statistics aside, /proc/self/smaps for the test port. */
	const struct scmp_arg_cmp reading =
		SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND, O_RDONLY);
	/* glibc's own signals for threads (SIGCANCEL and SIGSETXID), with the first of them. */
	const struct scmp_arg_cmp of_threads[] = {SCMP_A0(SCMP_CMP_EQ, 32),
						  SCMP_A0(SCMP_CMP_EQ, 33)};
	/* Its own limits: many vCPUs need many descriptors after a reset, too. */
	const struct scmp_arg_cmp own = SCMP_A0(SCMP_CMP_EQ, 0);
	int ret;

	allow(f, "ioctl", 1, &kvm);
	allow(f, "mmap", 1, &data);
	allow(f, "mprotect", 1, &data);
	allow(f, "clone", 1, &thread);
	allow(f, "rt_sigaction", 1, &of_threads[0]);
	allow(f, "rt_sigaction", 1, &of_threads[1]);
	allow(f, "openat", 1, &reading);
	allow(f, "prlimit64", 1, &own);
#define ALLOW(name) allow(f, #name, 0, NULL);
	CONFINE_CALLS(ALLOW)
#undef ALLOW
	ret = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), number("clone3"), 0);
	if (ret)
		die("clone3", ret);
	/*
	 * A binary tree: when the filter is loaded the kernel walks it once for each system call there is, which
	 * with a list would cost more than all else that refvmm does before its guest runs.
	 */
	ret = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (ret)
		die("binary tree", ret);
}

static void print_filter(scmp_filter_ctx f)
{
	FILE *out = tmpfile();
	struct sock_filter ins;
	int ret = out ? seccomp_export_bpf(f, fileno(out)) : errno;

	if (ret)
		die("seccomp_export_bpf", ret);
	rewind(out);
	printf("static const struct sock_filter confine_filter[] = {\n");
	while (fread(&ins, sizeof(ins), 1, out) == 1)
		printf("\t{0x%04x, %u, %u, 0x%08" PRIx32 "},\n", ins.code, ins.jt, ins.jf, ins.k);
	printf("};\n\n");
	fclose(out);
}

static void print_names(void)
{
	printf("static const char *const confine_names[] = {\n");
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_AARCH64, nr);

		if (name)
			printf("\t[%d] = \"%s\",\n", nr, name);
		free(name);
	}
	printf("};\n");
}

int main(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	int ret = f ? seccomp_arch_add(f, SCMP_ARCH_AARCH64) : -ENOMEM;

	if (ret && ret != -EEXIST)
		die("arm64", ret);
	if (seccomp_arch_native() != SCMP_ARCH_AARCH64)
		ret = seccomp_arch_remove(f, SCMP_ARCH_NATIVE);
	if (ret && ret != -EEXIST)
		die("arm64 alone", ret);
	printf("/* Made by refvmm/native/confine_gen.c from refvmm/confine_calls.h. */\n");
	rules(f);
	print_filter(f);
	print_names();
	seccomp_release(f);
	return 0;
}
