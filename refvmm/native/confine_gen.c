/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run at build time: writes the seccomp filters for arm64 and the names of its system calls as C. The program that
 * is confined then needs neither libseccomp nor the time to make a filter.
 *
 * The rules are said twice: to libseccomp, and to confine_bpf.c, whose filter costs the kernel a third. Both are run
 * for all system calls and for every argument that makes a difference, and must agree: a mistake ends the build.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "confine_calls.h"
#include "native/confine_bpf.h"

#define KVM_IOCTL_TYPE 0xae00U /* linux/kvm.h: KVMIO */
#define IOCTL_TYPE     0xff00U
#define WRITING	       (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

/* Allowed if argument `arg` & mask == value. */
static const struct {
	const char *name;
	unsigned arg;
	uint32_t mask, value;
} rules[] = {
	/* KVM and nothing else: neither terminals nor network devices are reached by ioctl. */
	{"ioctl", 1, IOCTL_TYPE, KVM_IOCTL_TYPE},
	/* No memory becomes code. */
	{"mmap", 2, PROT_EXEC, 0},
	{"mprotect", 2, PROT_EXEC, 0},
	/* A thread, never a process. clone3() hides its flags, so glibc is sent to clone(). */
	{"clone", 0, CLONE_THREAD, CLONE_THREAD},
	/* glibc's own signals for threads, 32 and 33 (SIGCANCEL and SIGSETXID), with the first of them. */
	{"rt_sigaction", 0, ~1U, 32},
	/* Files are read at most: /proc/self/smaps for the test port. */
	{"openat", 2, WRITING, O_RDONLY},
	/* Its own limits: many vCPUs need many descriptors after a reset, too. */
	{"prlimit64", 0, ~0U, 0},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static void die(const char *what, int err)
{
	fprintf(stderr, "confine_gen: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

/* libseccomp's number for the native machine, as its rules want it. */
static int number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		die(name, ENOSYS);
	return nr;
}

static uint32_t number_arm64(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, name);

	if (nr < 0 || nr >= (int)BPF_CALLS_MAX)
		die(name, ENOSYS);
	return (uint32_t)nr;
}

/*
 * SEALED is for a process that holds no descriptor but KVM's, eventfds, pipes and /dev/null, and that can get no
 * other: it opens no file. No ioctl does any harm then, so all are allowed, and the kernel need not look at their
 * arguments each time a vCPU runs.
 */
static bool skipped(size_t rule, bool sealed)
{
	return sealed &&
	       (!strcmp(rules[rule].name, "ioctl") || !strcmp(rules[rule].name, "openat"));
}

/* ---- in libseccomp's words */

static void allow(scmp_filter_ctx f, const char *name, unsigned n, const struct scmp_arg_cmp *arg)
{
	int ret = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, number(name), n, arg);

	if (ret)
		die(name, ret);
}

static scmp_filter_ctx reference(bool sealed)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	int ret = f ? seccomp_arch_add(f, SCMP_ARCH_AARCH64) : -ENOMEM;

	if (ret && ret != -EEXIST)
		die("arm64", ret);
	ret = seccomp_arch_native() != SCMP_ARCH_AARCH64 ? seccomp_arch_remove(f, SCMP_ARCH_NATIVE)
							 : 0;
	if (ret && ret != -EEXIST)
		die("arm64 alone", ret);
	for (size_t i = 0; i < RULES; i++) {
		struct scmp_arg_cmp arg =
			SCMP_CMP(rules[i].arg, SCMP_CMP_MASKED_EQ, rules[i].mask, rules[i].value);

		if (!skipped(i, sealed))
			allow(f, rules[i].name, 1, &arg);
	}
	if (sealed)
		allow(f, "ioctl", 0, NULL);
#define ALLOW(name) allow(f, #name, 0, NULL);
	CONFINE_CALLS(ALLOW)
#undef ALLOW
	ret = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), number("clone3"), 0);
	if (ret)
		die("clone3", ret);
	return f;
}

/* ---- in ours */

static void make(struct bpf_filter *out, bool sealed)
{
	struct bpf_policy p = {.first = number_arm64("ioctl"), .enosys = number_arm64("clone3")};

	p.allowed[p.first] = sealed;
	for (size_t i = 0; i < RULES; i++) {
		if (!skipped(i, sealed))
			p.rule[p.rules++] =
				(struct bpf_rule){number_arm64(rules[i].name), rules[i].arg,
						  rules[i].mask, rules[i].value};
	}
#define ALLOW(name) p.allowed[number_arm64(#name)] = true;
	CONFINE_CALLS(ALLOW)
#undef ALLOW
	if (!bpf_make(out, &p))
		die("filter", E2BIG);
}

/* ---- do they say the same? */

static size_t export(scmp_filter_ctx f, struct sock_filter *ins, size_t room)
{
	FILE *out = tmpfile();
	int ret = out ? seccomp_export_bpf(f, fileno(out)) : errno;
	size_t n;

	if (ret)
		die("seccomp_export_bpf", ret);
	rewind(out);
	n = fread(ins, sizeof(*ins), room, out);
	fclose(out);
	return n;
}

static void compare(const struct bpf_filter *ours, scmp_filter_ctx theirs, uint32_t nr,
		    const uint64_t args[6])
{
	static struct sock_filter ins[4096];
	static scmp_filter_ctx exported;
	static size_t n;
	uint32_t got, want;

	if (exported != theirs)
		n = export(theirs, ins, sizeof(ins) / sizeof(ins[0]));
	exported = theirs;
	got = bpf_run(ours->ins, ours->len, AUDIT_ARCH_AARCH64, nr, args);
	want = bpf_run(ins, n, AUDIT_ARCH_AARCH64, nr, args);
	if (got == want && want != UINT32_MAX)
		return;
	fprintf(stderr,
		"confine_gen: system call %" PRIu32 " (0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64
		"): the filter says 0x%" PRIx32 ", libseccomp 0x%" PRIx32 "\n",
		nr, args[0], args[1], args[2], got, want);
	exit(1);
}

/* Each rule's value, alone and with each bit changed, in each of the first three arguments. */
static void verify(const struct bpf_filter *ours, scmp_filter_ctx theirs)
{
	for (uint32_t nr = 0; nr < BPF_CALLS_MAX + 64; nr++) {
		for (size_t r = 0; r < RULES; r++) {
			for (int bit = -1; bit < 64; bit++) {
				uint64_t v = rules[r].value ^ (bit < 0 ? 0 : 1ULL << bit);
				uint64_t args[6] = {v, v, v, ~v, 0, v};

				compare(ours, theirs, nr, args);
			}
		}
	}
	for (int bit = 9; bit < 32; bit++)
		compare(ours, theirs, 1U << bit | number_arm64("write"), (uint64_t[6]){0});
}

static void print_filter(const char *name, const struct bpf_filter *f)
{
	printf("static const struct sock_filter %s[] = {\n", name);
	for (unsigned i = 0; i < f->len; i++)
		printf("\t{0x%04x, %u, %u, 0x%08" PRIx32 "},\n", f->ins[i].code, f->ins[i].jt,
		       f->ins[i].jf, f->ins[i].k);
	printf("};\n\n");
}

static void print_names(void)
{
	printf("static const char *const confine_names[] = {\n");
	for (int nr = 0; nr < (int)BPF_CALLS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_AARCH64, nr);

		if (name)
			printf("\t[%d] = \"%s\",\n", nr, name);
		free(name);
	}
	printf("};\n");
}

int main(void)
{
	printf("/* Made by refvmm/native/confine_gen.c from refvmm/confine_calls.h. */\n");
	for (int sealed = 0; sealed <= 1; sealed++) {
		scmp_filter_ctx theirs = reference(sealed);
		struct bpf_filter ours;

		make(&ours, sealed);
		verify(&ours, theirs);
		print_filter(sealed ? "confine_sealed" : "confine_filter", &ours);
		seccomp_release(theirs);
	}
	print_names();
	return 0;
}
