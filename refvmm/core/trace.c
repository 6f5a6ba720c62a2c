/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/trace_names.h"

#define LINE_MAX_BYTES 160U

struct trace trace_ring;

const char *trace_ioctl_name(unsigned nr)
{
	switch (nr) {
#define NAME(name, number) \
	case number:       \
		return #name;
		TRACE_IOCTLS(NAME)
	default:
		return NULL;
	}
}

const char *trace_exit_name(unsigned reason)
{
	switch (reason) {
		TRACE_EXITS(NAME)
#undef NAME
	default:
		return NULL;
	}
}

static uint64_t hz(void)
{
#ifdef __aarch64__
	uint64_t f;

	__asm__("mrs %0, cntfrq_el0" : "=r"(f));
	return f ? f : 1;
#else
	return 1000000000U;
#endif
}

/* ---- words without stdio, whose locks a crashed thread may hold */

struct line {
	char *buf;
	size_t size, len;
};

static void put(struct line *l, const char *s)
{
	while (*s && l->len + 1 < l->size)
		l->buf[l->len++] = *s++;
	l->buf[l->len] = '\0';
}

static void put_number(struct line *l, uint64_t v, unsigned base, unsigned width)
{
	char digits[24];
	unsigned at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (sizeof(digits) - 1 - at < width)
		digits[--at] = '0';
	put(l, digits + at);
}

static void put_u(struct line *l, const char *before, uint64_t v)
{
	put(l, before);
	put_number(l, v, 10, 1);
}

static void put_x(struct line *l, const char *before, uint64_t v)
{
	put(l, before);
	put(l, "0x");
	put_number(l, v, 16, 1);
}

static void put_result(struct line *l, int result)
{
	const char *name = result < 0 ? strerrorname_np(-result) : NULL;

	put(l, " = ");
	if (name)
		put(l, name);
	else if (result < 0)
		put_u(l, "-", (uint64_t)-result);
	else
		put_u(l, "", (uint64_t)result);
}

static void put_name(struct line *l, const char *name, const char *what, unsigned nr)
{
	if (name)
		put(l, name);
	else
		put_x(l, what, nr);
}

size_t trace_format(char *buf, size_t size, const struct trace_event *e, uint64_t start)
{
	struct line l = {buf, size, 0};
	uint64_t ticks = e->when - start, f = hz();

	put_u(&l, "", ticks / f);
	put(&l, ".");
	put_number(&l, ticks % f * 1000000 / f, 10, 6);
	switch (e->kind) {
	case TRACE_IOCTL:
		put_u(&l, " fd ", e->who);
		put(&l, " ");
		put_name(&l, trace_ioctl_name(e->nr), "ioctl ", e->nr);
		put_x(&l, " ", e->a);
		put_x(&l, " ", e->b);
		put_result(&l, e->result);
		break;
	case TRACE_MMIO_READ:
	case TRACE_MMIO_WRITE:
		put_u(&l, " vcpu ", e->who);
		put_u(&l, e->kind == TRACE_MMIO_READ ? " MMIO read " : " MMIO write ", e->nr);
		put_x(&l, " ", e->a);
		put_x(&l, e->kind == TRACE_MMIO_READ ? " -> " : " <- ", e->b);
		break;
	case TRACE_EXIT:
		put_u(&l, " vcpu ", e->who);
		put(&l, " ");
		put_name(&l, trace_exit_name(e->nr), "exit ", e->nr);
		put_x(&l, " ", e->a);
		put_x(&l, " ", e->b);
		break;
	case TRACE_RUN_FAILED:
		put_u(&l, " vcpu ", e->who);
		put(&l, " KVM_RUN");
		put_result(&l, e->result);
		break;
	default:
		put(&l, " nothing");
		break;
	}
	return l.len;
}

/* ---- the latest ones, when something went wrong */

/* 0, or -errno with *at telling how much of it was written. */
static int write_line(int fd, struct line *l, size_t *at)
{
	put(l, "\n");
	for (*at = 0; *at < l->len;) {
		ssize_t n = write(fd, l->buf + *at, l->len - *at);

		if (n < 0 && errno != EINTR)
			return -errno;
		*at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A guest that polls makes the same event again and again, with another answer at most. */
static bool alike(const struct trace_event *x, const struct trace_event *y)
{
	return x->kind == y->kind && x->nr == y->nr && x->who == y->who && x->a == y->a &&
	       x->result == y->result;
}

static const struct trace_event *nth(uint32_t n)
{
	return &trace_ring.event[n % TRACE_EVENTS];
}

/* The end of the group of like events that begins at N. */
static uint32_t group_end(uint32_t n, uint32_t end)
{
	uint32_t from = n;

	while (n != end && alike(nth(from), nth(n)))
		n++;
	return n;
}

static void print_group(int fd, uint32_t n, uint32_t end, uint64_t start)
{
	char buf[LINE_MAX_BYTES];
	struct line l = {buf, sizeof(buf), 0};
	size_t done;

	put(&l, "refvmm: trace: ");
	l.len += trace_format(buf + l.len, sizeof(buf) - l.len - 32, nth(n), start);
	if (end - n > 1)
		put_u(&l, " x", end - n);
	(void)write_line(fd, &l, &done); /* stderr: there is nobody left to tell */
}

void trace_print(int fd, unsigned lines)
{
	uint32_t end = __atomic_load_n(&trace_ring.next, __ATOMIC_RELAXED);
	uint32_t first = end > TRACE_EVENTS ? end - TRACE_EVENTS : 0;
	uint64_t start = trace_ring.start;
	unsigned groups = 0;

	if (!start && end)
		start = nth(first)->when;
	for (uint32_t n = first; n != end; n = group_end(n, end))
		groups++;
	for (uint32_t n = first; n != end; groups--) {
		uint32_t next = group_end(n, end);

		if (groups <= lines)
			print_group(fd, n, next, start);
		n = next;
	}
}

/* ---- all of them, in a file */

int trace_open(const char *path)
{
	trace_ring.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (trace_ring.fd < 0)
		return err_usage("--trace %s: %s", path, strerror(errno));
	trace_ring.start = trace_now();
	return 0;
}

/* The guest runs on; the file keeps the whole lines it has. It stays open, lest its number become another file's. */
static void give_up(int err, size_t part)
{
	int fd = __atomic_exchange_n(&trace_ring.fd, 0, __ATOMIC_RELAXED);
	off_t end = fd > 0 && part ? lseek(fd, 0, SEEK_END) : 0;

	if (fd <= 0)
		return; /* another vCPU's thread was here before */
	if (part && end >= (off_t)part)
		(void)!ftruncate(fd, end - (off_t)part);
	err_note("--trace: the file cannot be written any more, and ends early: %s",
		 strerror(-err));
}

static void spill(uint32_t from, uint32_t to)
{
	char buf[LINE_MAX_BYTES];
	int ret = 0;

	for (uint32_t n = from; !ret && n != to; n++) {
		struct line l = {buf, sizeof(buf), 0};
		size_t done;

		l.len = trace_format(buf, sizeof(buf) - 1, nth(n), trace_ring.start);
		ret = write_line(trace_ring.fd, &l, &done);
		if (ret)
			give_up(ret, done);
	}
}

void trace_spill(uint32_t before)
{
	if (before)
		spill(before - TRACE_EVENTS / 4, before);
}

void trace_close(void)
{
	uint32_t end = __atomic_load_n(&trace_ring.next, __ATOMIC_RELAXED);
	uint32_t part = end % (TRACE_EVENTS / 4);

	if (trace_ring.fd <= 0)
		return;
	if (end)
		spill(end - (part ? part : TRACE_EVENTS / 4), end);
	if (trace_ring.fd > 0)
		close(trace_ring.fd);
	trace_ring.fd = 0;
}
