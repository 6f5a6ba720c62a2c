/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refvmm gives up before the first instruction of its guest: descriptors it inherited, new
 * privileges, core dumps (they would hold the guest's memory), and every system call that is not
 * in confine_calls.h. Whoever takes refvmm over from inside can then use what is open, and no more.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/err.h"
#include "core/trace.h"
#include "host.h"
#include "machine.h"
#include "refvmm/gen/confine.inc"

#define TRACE_LINES 100U

#ifdef REFVMM_COVERAGE
void __gcov_dump(void);
#else
#define __gcov_dump() /* nothing is counted */
#endif

static void say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static const char *call_name(int nr)
{
	size_t n = sizeof(confine_names) / sizeof(confine_names[0]);

	return nr >= 0 && (size_t)nr < n && confine_names[nr] ? confine_names[nr] : "unknown";
}

/* The last words: what happened before, and why. The handler is gone by now, so the signal kills. */
static void on_fatal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	trace_print(STDERR_FILENO, TRACE_LINES);
	say("refvmm: ");
	if (sig == SIGSYS) {
		say("a system call that is forbidden after the start: ");
		say(call_name(info->si_syscall));
	} else {
		say("ours: it dies of ");
		say(sigabbrev_np(sig) ? "SIG" : "a signal");
		say(sigabbrev_np(sig) ? sigabbrev_np(sig) : "");
	}
	say("\n");
	__gcov_dump();
	raise(sig);
}

static void catch_fatal(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	struct sigaction sa = {.sa_sigaction = on_fatal,
			       .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER};

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &sa, NULL);
}

static bool is_pipe(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	return S_ISFIFO(st.st_mode) ||
	       (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)); /* /dev/null */
}

/*
 * Whoever started us may have left files open. Those that can be named on the command line (/dev/fd/63) stay until
 * the guest runs; what is above them nobody means us to have. Our own are all closed by exec, theirs are not.
 */
void host_inherited(struct machine_conf *c)
{
	struct pollfd fd[64];
	uint64_t open_fds = 0;

	for (int i = 0; i < 64; i++)
		fd[i] = (struct pollfd){.fd = STDERR_FILENO + 1 + i};
	if (poll(fd, 64, 0) < 0)
		return;
	for (int i = 0; i < 64; i++) {
		if (!(fd[i].revents & POLLNVAL))
			open_fds |= 1ULL << i;
	}
	c->inherited = open_fds;
	c->pipes_only = !close_range(STDERR_FILENO + 65, ~0U, 0) && is_pipe(STDIN_FILENO) &&
			is_pipe(STDOUT_FILENO) && is_pipe(STDERR_FILENO);
}

static void close_inherited(const struct machine_conf *c)
{
	for (int i = 0; i < 64; i++) {
		int fd = STDERR_FILENO + 1 + i;

		if (c->inherited >> i & 1 && !board_keeps_descriptor(c, fd))
			close(fd);
	}
}

/* For tests: a system call with arguments that are bad, or do no harm, where it is allowed. */
static int probe(const char *name)
{
	for (size_t nr = 0; nr < sizeof(confine_names) / sizeof(confine_names[0]); nr++) {
		if (confine_names[nr] && !strcmp(confine_names[nr], name)) {
			long arg = strcmp(name, "clone") != 0 ? -1 : 0; /* clone(0) is fork() */

			syscall((long)nr, arg, arg, arg, arg, arg, arg);
			return 0;
		}
	}
	return err_usage("--sandbox probe=%s: no system call of arm64", name);
}

/*
 * Is nothing open, and nothing to be opened, that takes an ioctl of another kind than KVM's? Then ioctl is allowed
 * whatever its arguments, which the kernel remembers (since Linux 5.11): KVM_RUN costs no run of the filter.
 */
static bool sealed(const struct machine_conf *c)
{
	return c->pipes_only && !c->control && !c->trace && !board_keeps_files(c) &&
	       c->ram.backing != RAM_THP; /* ram_thp_bytes() opens a file */
}

#define FILTER(f)                                                                                 \
	{                                                                                         \
		.len = sizeof(f) / sizeof((f)[0]), .filter = (struct sock_filter *)(uintptr_t)(f) \
	}

int machine_confine(const struct machine_conf *c)
{
	static const struct sock_fprog filters[] = {FILTER(confine_filter), FILTER(confine_sealed)};
	const struct rlimit none = {0};

	catch_fatal();
	close_inherited(c);
	if (c->sandbox == SANDBOX_OFF)
		return 0;
	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_host(errno, "PR_SET_NO_NEW_PRIVS; --sandbox off runs without");
	/* The event loop's thread may be there already. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		    &filters[sealed(c)])) {
		if (errno != ENOSYS)
			return err_host(errno, "seccomp; --sandbox off runs without");
		if (c->sandbox == SANDBOX_ON)
			return err_lacks("seccomp", "this kernel has no seccomp filters; --sandbox "
						    "off runs without");
		err_note("this kernel has no seccomp filters: no system call is forbidden");
	}
	return c->sandbox_probe ? probe(c->sandbox_probe) : 0;
}

void machine_show_trace(int ret, unsigned status)
{
	/* What never ran has nothing to tell: a usage error, a refusal, what this host lacks. */
	bool host = ret < 0 && ret > -4096;

	if (host || ret == -ERR_GUEST || ret == -ERR_LIMIT || (!ret && status && status < 128))
		trace_print(STDERR_FILENO, TRACE_LINES);
}
