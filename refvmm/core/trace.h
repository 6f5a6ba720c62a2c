/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flight recorder: a ring of the last 4096 events of this process, an ioctl with its arguments
 * and result or an exit of a vCPU. An event is 32 bytes and recording one a few instructions;
 * words are made of them only when somebody wants to read. It is the process's, like stderr, and
 * not a machine's: what happened before the end is wanted whoever did it.
 */
#ifndef REFVMM_CORE_TRACE_H
#define REFVMM_CORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TRACE_EVENTS 4096U /* a power of two */

enum trace_kind {
	TRACE_NONE,
	TRACE_IOCTL,	  /* nr: the request's number; who: descriptor; a, b: argument */
	TRACE_MMIO_READ,  /* nr: length; who: vCPU; a: address; b: the answer */
	TRACE_MMIO_WRITE, /* the same; b: what was written */
	TRACE_EXIT,	  /* nr: KVM's reason; who: vCPU; a, b: as the reason has it */
	TRACE_RUN_FAILED, /* who: vCPU; result: -errno */
};

struct trace_event {
	uint64_t when; /* trace_now() */
	uint8_t kind, nr;
	uint16_t who;
	int32_t result;
	uint64_t a, b;
};

struct trace {
	uint32_t next; /* atomic; events so far */
	int fd;	       /* of --trace; -1 or, at the beginning, 0: none */
	uint64_t start;
	struct trace_event event[TRACE_EVENTS]; /* memory is used from the front, as it fills */
};

extern struct trace trace_ring;

/* A counter that costs one instruction; trace_hz() says how fast it is. */
static inline uint64_t trace_now(void)
{
#ifdef __aarch64__
	uint64_t t;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
#endif
}

void trace_spill(uint32_t before); /* see trace_open() */

/* Where the next event goes, for trace_put(). */
static inline struct trace_event *trace_next(void)
{
	uint32_t n = __atomic_fetch_add(&trace_ring.next, 1, __ATOMIC_RELAXED);

	if (__builtin_expect(trace_ring.fd > 0 && n % (TRACE_EVENTS / 4) == 0, 0))
		trace_spill(n);
	return &trace_ring.event[n % TRACE_EVENTS];
}

static inline void trace_put(struct trace_event *e, enum trace_kind kind, uint8_t nr, unsigned who,
			     int result, uint64_t a, uint64_t b)
{
	*e = (struct trace_event){trace_now(), (uint8_t)kind, nr, (uint16_t)who, result, a, b};
}

static inline void trace_add(enum trace_kind kind, uint8_t nr, unsigned who, int result, uint64_t a,
			     uint64_t b)
{
	trace_put(trace_next(), kind, nr, who, result, a, b);
}

/* --trace FILE: keeps all events, a line each, written a thousand at a time. 0 or an error, logged. */
int trace_open(const char *path);
void trace_close(void);

/* The latest events on FD, at most LINES lines, repeated ones as one. Safe in a signal handler. */
void trace_print(int fd, unsigned lines);

/* One event as a line without its newline; returns its length. */
size_t trace_format(char *buf, size_t size, const struct trace_event *e, uint64_t start);

/* trace_names.c: "KVM_RUN", "MMIO"; NULL if unknown. */
const char *trace_ioctl_name(unsigned nr);
const char *trace_exit_name(unsigned reason);

#endif
