/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest prints, to standard output: the serial line's by lines, for a write a character would cost more than
 * the character's own exit, the test port's at once.
 *
 * Devices print into a queue, under the machine's lock. The vCPU whose store it was writes what stands there before its
 * guest goes on, without that lock: a reader that is slow, or none, stops the vCPUs that print and nobody else. The
 * writer's lock keeps the order; it is taken before the machine's. Whoever is to stand still or to end leaves the rest
 * in the queue, where it is in front of what is printed next.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "core/err.h"
#include "machine.h"

#define LINE_ENOUGH 512U /* of the serial line is written without its end */

/* ---- devices: under the machine's lock */

static void print(struct machine *m, const void *text, size_t len)
{
	struct buf *b = &m->console.printed;

	buf_bytes(b, text, len);
	if (b->failed)
		machine_stop(m, err_host(ENOMEM, "what the guest prints"), 0);
	else if (len)
		m->console.mid_line = b->data[b->len - 1] != '\n';
}

/* Outside a vCPU's store it waits for the next one's, or for the end. */
static void to_be_written(struct machine *m)
{
	if (m->current)
		m->current->owes = true;
}

void console_print(struct machine *m, const void *text, size_t len)
{
	struct console *c = &m->console;

	print(m, text, len);
	/* with --console stdio somebody is typing */
	if (!c->mid_line || c->printed.len >= LINE_ENOUGH || m->conf.console_stdio)
		to_be_written(m);
}

/* A line of the test port never shares a line with the serial console. */
void console_print_line(struct machine *m, const char *text, size_t len)
{
	if (m->console.mid_line)
		print(m, "\n", 1);
	print(m, text, len);
	print(m, "\n", 1);
	to_be_written(m);
}

/* ---- who writes: without it */

/* Is there anything left to write? Then it stands in `going`, from `at` on. */
static bool more(struct machine *m)
{
	struct console *c = &m->console;
	struct buf written = c->going;

	if (c->broken)
		return false;
	if (c->at < c->going.len)
		return true;
	written.len = c->at = 0;
	lock_take(&m->lock);
	c->going = c->printed;
	c->printed = written;
	lock_give(&m->lock);
	return c->going.len;
}

/* A part that a pipe which takes anything takes at once. False: it was interrupted, or failed. */
static bool write_part(struct machine *m)
{
	struct console *c = &m->console;
	size_t len = c->going.len - c->at;
	ssize_t n = write(STDOUT_FILENO, c->going.data + c->at, len < PIPE_BUF ? len : PIPE_BUF);

	if (n >= 0) {
		c->at += (size_t)n;
		return true;
	}
	if (errno != EINTR) {
		c->broken = true; /* nobody will ever read it */
		machine_stop(m, err_host(errno, "standard output"), 0);
	}
	return false;
}

static bool wanted_elsewhere(struct machine *m)
{
	return machine_leaving(m) || machine_pausing(m);
}

bool console_write(struct machine *m)
{
	struct console *c = &m->console;
	bool left;

	lock_take(&c->writer);
	/* Who wants us elsewhere says so first, and then looks whether we write: machine_unblock(). */
	__atomic_store_n(&c->writing, true, __ATOMIC_SEQ_CST);
	while ((left = more(m)) && !wanted_elsewhere(m)) {
		if (!write_part(m))
			machine_signals_check(m);
	}
	__atomic_store_n(&c->writing, false, __ATOMIC_SEQ_CST);
	lock_give(&c->writer);
	return left;
}

bool console_writing(struct machine *m)
{
	return __atomic_load_n(&m->console.writing, __ATOMIC_SEQ_CST);
}

static bool takes_output(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
	int n;

	do
		n = poll(&p, 1, 0);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* What ends the machine from outside does not wait for a reader that may never come. */
static bool in_a_hurry(struct machine *m)
{
	return m->hurried || __atomic_load_n(&m->signal, __ATOMIC_SEQ_CST);
}

void console_finish(struct machine *m)
{
	while (more(m) && (!in_a_hurry(m) || takes_output()))
		write_part(m);
	buf_free(&m->console.printed);
	buf_free(&m->console.going);
}
