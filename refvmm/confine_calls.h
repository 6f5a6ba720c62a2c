/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE list of system calls that refvmm keeps once its machine runs. native/confine_gen.c makes the
 * filters of it at build time; all else ends the process with SIGSYS and is named.
 */
#ifndef REFVMM_CONFINE_CALLS_H
#define REFVMM_CONFINE_CALLS_H

/* A build that counts what runs (docs/coverage.md) writes its counters when it ends. */
#ifdef REFVMM_COVERAGE
#define CONFINE_COUNTS(CALL) CALL(openat) CALL(mkdirat) CALL(fcntl)
#else
#define CONFINE_COUNTS(CALL)
#endif

/* CALL(name): with any arguments. */
#define CONFINE_CALLS(CALL)     \
	CALL(read)              \
	CALL(write)             \
	CALL(readv)             \
	CALL(writev)            \
	CALL(pread64)           \
	CALL(pwrite64)          \
	CALL(preadv)            \
	CALL(pwritev)           \
	CALL(preadv2)           \
	CALL(ppoll)             \
	CALL(lseek)             \
	CALL(fstat)             \
	CALL(close)             \
	CALL(memfd_create)      \
	CALL(fsync)             \
	CALL(fdatasync)         \
	CALL(ftruncate)         \
	CALL(fallocate)         \
	CALL(recvfrom)          \
	CALL(recvmsg)           \
	CALL(sendto)            \
	CALL(sendmsg)           \
	CALL(accept4)           \
	CALL(eventfd2)          \
	CALL(signalfd4)         \
	CALL(newfstatat)        \
	CALL(unlinkat)          \
	CALL(futex)             \
	CALL(rt_sigprocmask)    \
	CALL(rt_sigreturn)      \
	CALL(sigaltstack)       \
	CALL(tgkill)            \
	CALL(getpid)            \
	CALL(gettid)            \
	CALL(set_robust_list)   \
	CALL(rseq)              \
	CALL(sched_yield)       \
	CALL(sched_getaffinity) \
	CALL(sched_setaffinity) \
	CALL(restart_syscall)   \
	CALL(clock_gettime)     \
	CALL(clock_nanosleep)   \
	CALL(nanosleep)         \
	CALL(gettimeofday)      \
	CALL(setitimer)         \
	CALL(munmap)            \
	CALL(mremap)            \
	CALL(madvise)           \
	CALL(brk)               \
	CALL(getrandom)         \
	CALL(exit)              \
	CALL(exit_group)        \
	CONFINE_COUNTS(CALL)

#endif
