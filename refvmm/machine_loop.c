/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: timers of the devices, what is typed, and the time limit, in a thread of its own. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/err.h"
#include "machine.h"

#define INPUT_RETRY_MS 10

void machine_wake(struct machine *m)
{
	eventfd_write(m->wake_fd, 1); /* fails only if it would overflow: it is awake then */
}

/* Fires what is due; returns the nearest deadline, 0 if there is none. */
static uint64_t run_timers(struct machine *m)
{
	uint64_t now = m->env.ops->clock_ns(&m->env), next = machine_power_timers(m, now);

	if (machine_pausing(m))
		return next; /* alarms that are due come when it goes on */
	for (unsigned i = 0; i < m->board.nr; i++) {
		if (m->deadline_ns[i] && m->deadline_ns[i] <= now) {
			m->deadline_ns[i] = 0;
			m->board.dev[i]->ops->timer(m->board.dev[i]);
		}
		if (m->deadline_ns[i] && (!next || m->deadline_ns[i] < next))
			next = m->deadline_ns[i];
	}
	return next;
}

struct input {
	uint8_t buf[256];
	size_t at, len;
	bool eof;
};

/* Hands what was typed to the first device that reads a serial line. */
static void feed_input(struct machine *m, struct input *in)
{
	for (unsigned i = 0; i < m->board.nr; i++) {
		struct dev *d = m->board.dev[i];

		if (!d->ops->input)
			continue;
		in->at += d->ops->input(d, in->buf + in->at, in->len - in->at);
		return;
	}
}

static void read_input(struct input *in)
{
	ssize_t n = read(STDIN_FILENO, in->buf, sizeof(in->buf));

	in->at = 0;
	in->len = n > 0 ? (size_t)n : 0;
	in->eof = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static int poll_timeout(uint64_t now, uint64_t next_ns, uint64_t end_ns, bool retry)
{
	uint64_t until = next_ns && (!end_ns || next_ns < end_ns) ? next_ns : end_ns;
	uint64_t ms;

	if (!until)
		return retry ? INPUT_RETRY_MS : -1;
	ms = until > now ? (until - now + 999999) / 1000000 : 0;
	if (retry && ms > INPUT_RETRY_MS)
		ms = INPUT_RETRY_MS;
	return ms > 3600000 ? 3600000 : (int)ms;
}

/* Commands look at vCPUs, which a reset makes anew. True: there is more to do at once. */
static bool serve_control(struct machine *m, const struct pollfd *fd, unsigned nr)
{
	bool more;

	pthread_mutex_lock(&m->pause.guard);
	more = control_serve(m->control, fd, nr);
	pthread_mutex_unlock(&m->pause.guard);
	return more;
}

enum { FD_WAKE, FD_INPUT, FD_CONTROL, FDS = FD_CONTROL + CONTROL_POLLFDS };

static void keep_limit(struct machine *m, uint64_t now, uint64_t end)
{
	if (end && now >= end)
		machine_end(m,
			    err_limit("time limit of %" PRIu64 " ms passed", m->conf.time_limit_ms),
			    0);
}

static void await(struct machine *m, struct pollfd *fd, unsigned nr, int timeout)
{
	eventfd_t count;

	if (poll(fd, nr, timeout) < 0 && errno != EINTR)
		machine_stop(m, err_host(errno, "poll"), 0);
	if (fd[FD_WAKE].revents)
		eventfd_read(m->wake_fd, &count);
}

static void *loop_main(void *arg)
{
	struct machine *m = arg;
	struct input in = {.eof = !m->conf.console_stdio};
	uint64_t now = m->env.ops->clock_ns(&m->env);
	uint64_t end = m->conf.time_limit_ms ? now + m->conf.time_limit_ms * 1000000 : 0;
	bool more = false; /* the control socket has work that needs no waiting */

	while (!machine_stopped(m)) {
		struct pollfd fd[FDS + MACHINE_WATCHES_MAX] = {
			[FD_WAKE] = {.fd = m->wake_fd, .events = POLLIN},
			[FD_INPUT] = {.fd = STDIN_FILENO, .events = POLLIN}};
		unsigned nr = m->control ? control_pollfds(m->control, fd + FD_CONTROL) : 0;
		struct pollfd *watched = fd + FD_CONTROL + nr;
		unsigned watches;
		uint64_t next;
		bool still;

		lock_take(&m->lock);
		machine_signals_serve(m);
		next = run_timers(m);
		still = machine_pausing(m);
		if (in.at < in.len && !still)
			feed_input(m, &in);
		watches = machine_watch_prepare(m, watched);
		lock_give(&m->lock);

		if (in.eof || still || in.at < in.len)
			fd[FD_INPUT].fd = -1; /* poll() skips it */
		now = m->env.ops->clock_ns(&m->env);
		keep_limit(m, now, end);
		await(m, fd, FD_CONTROL + nr + watches,
		      more ? 0 : poll_timeout(now, next, end, in.at < in.len && !still));
		if (fd[FD_INPUT].revents)
			read_input(&in);
		if (nr)
			more = serve_control(m, fd + FD_CONTROL, nr);
		if (watches)
			machine_watch_serve(m, watched, watches);
	}
	return NULL;
}

bool machine_loop_wanted(const struct machine *m)
{
	bool wanted = m->conf.console_stdio || m->conf.time_limit_ms || m->control;

	for (unsigned i = 0; i < m->board.nr; i++)
		wanted |= m->deadline_ns[i] != 0;
	return wanted;
}

int machine_loop_start(struct machine *m)
{
	int err = m->loop_started ? 0 : machine_thread(&m->loop, loop_main, m);
	if (err)
		return err_host(err, "thread of the event loop");
	m->loop_started = true;
	return 0;
}

void machine_loop_join(struct machine *m)
{
	if (m->loop_started)
		pthread_join(m->loop, NULL);
	m->loop_started = false;
}
