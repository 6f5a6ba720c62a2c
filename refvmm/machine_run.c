/* SPDX-License-Identifier: Apache-2.0 */
/* One thread a vCPU; the main thread waits for the end, timers, input and the time limit. */
#include <assay/exit.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "machine.h"

#define KICK_SIGNAL    SIGUSR1
#define INPUT_RETRY_MS 10

void machine_stop(struct machine *m, int result, unsigned status)
{
	bool before = false;

	if (!__atomic_compare_exchange_n(&m->stopped, &before, true, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	m->result = result;
	m->status = status;
	eventfd_write(m->wake_fd, 1);
}

static bool stopped(struct machine *m)
{
	return __atomic_load_n(&m->stopped, __ATOMIC_SEQ_CST);
}

static void mmio(struct cpu_thread *t, const struct vcpu_exit *x)
{
	struct machine *m = t->m;

	pthread_mutex_lock(&m->lock);
	m->current = t;
	if (x->kind == VCPU_MMIO_WRITE)
		bus_write(&m->board.bus, x->gpa, x->len, x->val);
	else
		vcpu_mmio_answer(&t->vcpu, bus_read(&m->board.bus, x->gpa, x->len));
	m->current = NULL;
	pthread_mutex_unlock(&m->lock);
}

/* Outside the lock, so that the other vCPUs go on. A kick ends it early. */
static void pause_thread(struct cpu_thread *t)
{
	struct timespec d = {.tv_sec = (time_t)(t->pause_ms / 1000),
			     .tv_nsec = (long)(t->pause_ms % 1000) * 1000000};

	t->pause_ms = 0;
	while (!stopped(t->m) && nanosleep(&d, &d) && errno == EINTR)
		;
}

static void handle(struct cpu_thread *t, const struct vcpu_exit *x)
{
	switch (x->kind) {
	case VCPU_AGAIN:
		break;
	case VCPU_MMIO_READ:
	case VCPU_MMIO_WRITE:
		mmio(t, x);
		if (t->pause_ms)
			pause_thread(t);
		break;
	case VCPU_SHUTDOWN:
		machine_stop(t->m, 0, ASSAY_EXIT_OK);
		break;
	case VCPU_RESET:
		machine_stop(t->m, err_guest("it asked for a reset, which refvmm does not follow"),
			     0);
		break;
	case VCPU_CRASH:
		machine_stop(t->m, err_guest("it reported a crash"), 0);
		break;
	}
}

static void *cpu_main(void *arg)
{
	struct cpu_thread *t = arg;
	struct vcpu_exit x;

	while (!stopped(t->m)) {
		int ret = vcpu_run(&t->vcpu, &x);

		if (ret)
			machine_stop(t->m, ret, 0);
		else
			handle(t, &x);
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig; /* its arrival is what matters: KVM_RUN and nanosleep return */
}

static int start_cpus(struct machine *m)
{
	struct sigaction sa = {.sa_handler = on_kick};

	sigaction(KICK_SIGNAL, &sa, NULL);
	for (unsigned i = 0; i < m->cpus; i++) {
		int err = pthread_create(&m->cpu[i].thread, NULL, cpu_main, &m->cpu[i]);

		if (err)
			return err_host(err, "thread of vCPU %u", i);
		m->cpu[i].started = true;
	}
	return 0;
}

static void join_cpus(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		if (!m->cpu[i].started)
			continue;
		vcpu_kick(&m->cpu[i].vcpu);
		pthread_kill(m->cpu[i].thread, KICK_SIGNAL);
	}
	for (unsigned i = 0; i < m->cpus; i++) {
		if (m->cpu[i].started)
			pthread_join(m->cpu[i].thread, NULL);
		m->cpu[i].started = false;
	}
}

/* Fires what is due; returns the nearest deadline, 0 if there is none. */
static uint64_t run_timers(struct machine *m)
{
	uint64_t now = m->env.ops->clock_ns(&m->env), next = 0;

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

static void event_loop(struct machine *m)
{
	struct input in = {.eof = !m->conf.console_stdio};
	uint64_t now = m->env.ops->clock_ns(&m->env);
	uint64_t end = m->conf.time_limit_ms ? now + m->conf.time_limit_ms * 1000000 : 0;

	while (!stopped(m)) {
		struct pollfd fd[2] = {{.fd = m->wake_fd, .events = POLLIN},
				       {.fd = STDIN_FILENO, .events = POLLIN}};
		uint64_t next;
		eventfd_t count;

		pthread_mutex_lock(&m->lock);
		next = run_timers(m);
		if (in.at < in.len)
			feed_input(m, &in);
		pthread_mutex_unlock(&m->lock);
		if (in.eof || in.at < in.len)
			fd[1].fd = -1; /* poll() skips it */
		now = m->env.ops->clock_ns(&m->env);
		if (end && now >= end)
			machine_stop(m,
				     err_limit("time limit of %" PRIu64 " ms passed",
					       m->conf.time_limit_ms),
				     0);
		if (poll(fd, 2, poll_timeout(now, next, end, in.at < in.len)) < 0 && errno != EINTR)
			machine_stop(m, err_host(errno, "poll"), 0);
		if (fd[0].revents)
			eventfd_read(m->wake_fd, &count);
		if (fd[1].revents)
			read_input(&in);
	}
}

int machine_run(struct machine *m, unsigned *status)
{
	int ret = start_cpus(m);

	if (ret)
		machine_stop(m, ret, 0);
	event_loop(m);
	join_cpus(m);
	console_flush(m);
	if (m->conf.verbose)
		err_note("%" PRIu64 " guest errors, %" PRIu64 " accesses claimed by nobody",
			 m->guest_errors, m->board.bus.unclaimed);
	*status = m->status;
	return m->result;
}
