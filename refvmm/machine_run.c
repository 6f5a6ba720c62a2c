/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread a vCPU. The first is the process's own: a machine of one vCPU whose devices ask for no timer has no
 * other thread, which makes start and exits cheaper (the kernel looks files up faster). The event loop,
 * machine_loop.c, gets its thread when there is something to wait for.
 */
#include <assay/exit.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>

#include "core/err.h"
#include "machine.h"

#define KICK_AGAIN_MS 100

/* Out of KVM_RUN or a pause, and not in again: `stopped` is set before. */
static void kick(struct cpu_thread *t)
{
	vcpu_kick(&t->vcpu);
	pthread_kill(t->thread, MACHINE_KICK_SIGNAL);
}

/* The first vCPU's thread ends the others. During a reset it has no vCPU to be kicked out of. */
static void kick_first(struct machine *m)
{
	pthread_mutex_lock(&m->kick_lock);
	if (m->cpu && m->cpu[0].started && !pthread_equal(m->cpu[0].thread, pthread_self()))
		kick(&m->cpu[0]);
	pthread_mutex_unlock(&m->kick_lock);
}

static void first_may_be_kicked(struct machine *m, bool may)
{
	pthread_mutex_lock(&m->kick_lock);
	m->cpu[0].thread = pthread_self();
	m->cpu[0].started = may;
	pthread_mutex_unlock(&m->kick_lock);
}

/* A kick is lost on a thread that begins to write just behind it. */
static void unblock(struct machine *m)
{
	if (console_writing(m))
		machine_tick(true);
}

static void stop(struct machine *m, int result, unsigned status, bool hurried)
{
	bool before = false;

	if (!__atomic_compare_exchange_n(&m->stopped, &before, true, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	m->hurried = hurried;
	m->result = result;
	m->status = status;
	machine_wake(m);
	machine_wake_parked(m);
	kick_first(m);
	unblock(m);
}

void machine_stop(struct machine *m, int result, unsigned status)
{
	stop(m, result, status, false);
}

void machine_end(struct machine *m, int result, unsigned status)
{
	stop(m, result, status, true);
}

void machine_ask_for_reset(struct machine *m)
{
	if (m->conf.no_reboot) {
		machine_stop(m, err_guest("it asked for a reset, and there is --no-reboot"), 0);
		return;
	}
	__atomic_store_n(&m->reset, true, __ATOMIC_SEQ_CST);
	machine_wake_parked(m);
	kick_first(m);
	unblock(m);
}

bool machine_stopped(struct machine *m)
{
	return __atomic_load_n(&m->stopped, __ATOMIC_SEQ_CST);
}

/* To the end, or to a reset. */
bool machine_leaving(struct machine *m)
{
	return machine_stopped(m) || __atomic_load_n(&m->reset, __ATOMIC_SEQ_CST);
}

static void mmio(struct cpu_thread *t, const struct vcpu_exit *x)
{
	struct machine *m = t->m;

	lock_take(&m->lock);
	m->current = t;
	if (x->kind == VCPU_MMIO_WRITE)
		bus_write(&m->board.bus, x->gpa, x->len, x->val);
	else
		vcpu_mmio_answer(&t->vcpu, bus_read(&m->board.bus, x->gpa, x->len));
	m->current = NULL;
	lock_give(&m->lock);
}

/* Outside the lock, so that the other vCPUs go on. A kick ends it early. */
static void pause_thread(struct cpu_thread *t)
{
	struct timespec d = {.tv_sec = (time_t)(t->pause_ms / 1000),
			     .tv_nsec = (long)(t->pause_ms % 1000) * 1000000};

	t->pause_ms = 0;
	while (!machine_leaving(t->m) && !machine_pausing(t->m) && nanosleep(&d, &d) &&
	       errno == EINTR)
		;
}

static void do_work(struct cpu_thread *t)
{
	struct env_work *w = t->work;

	t->work = NULL;
	w->work(w);
	lock_take(&t->m->lock);
	w->done(w);
	lock_give(&t->m->lock);
}

/* What the last store of the guest brought along and needs no lock; the guest waits for it. */
static void settle(struct cpu_thread *t)
{
	if (t->work)
		do_work(t);
	if (t->pause_ms)
		pause_thread(t);
	t->owes = console_write(t->m);
	if (t->owes)
		vcpu_kick(&t->vcpu); /* KVM completes the store, and the guest does not run */
}

/* Said once, for a program that never did this under an emulator would not know why it ends here. */
static void undecoded(const struct cpu_thread *t, uint64_t pc)
{
	struct machine *m = t->m;

	if (__atomic_fetch_add(&m->undecoded, 1, __ATOMIC_RELAXED) && !m->conf.verbose)
		return;
	err_note(
		"guest: vCPU %u at 0x%" PRIx64
		": an access to no memory that KVM cannot decode (two registers, vector registers, "
		"write-back): an external abort%s",
		t->vcpu.id, pc, m->conf.verbose ? "" : "; further ones are not told (--verbose)");
}

static void handle(struct cpu_thread *t, const struct vcpu_exit *x)
{
	switch (x->kind) {
	case VCPU_AGAIN:
		if (machine_pausing(t->m))
			machine_park(t);
		else if (t == t->m->cpu || t->owes)
			machine_unkick(t); /* a signal's kick, or our own, has done its work */
		machine_signals_check(t->m);
		if (t->owes)
			settle(t);
		break;
	case VCPU_MMIO_READ:
	case VCPU_MMIO_WRITE:
		mmio(t, x);
		if (t->owes)
			settle(t);
		break;
	case VCPU_UNDECODED:
		undecoded(t, x->gpa);
		break;
	case VCPU_SHUTDOWN:
		machine_stop(t->m, 0, ASSAY_EXIT_OK);
		break;
	case VCPU_RESET:
		machine_ask_for_reset(t->m);
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

	if (machine_pausing(t->m))
		machine_park(t);
	machine_signals_check(t->m); /* those of before there was anything to kick */
	if (t->owes)
		settle(t);
	while (!machine_leaving(t->m)) {
		int ret = vcpu_run(&t->vcpu, &x);

		if (ret)
			machine_stop(t->m, ret, 0);
		else
			handle(t, &x);
	}
	machine_park_ended(t->m);
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig; /* its arrival is what matters: KVM_RUN and nanosleep return */
}

/* The first vCPU's thread is this one. */
static int start_others(struct machine *m)
{
	for (unsigned i = 1; i < m->cpus; i++) {
		int err = machine_thread(&m->cpu[i].thread, cpu_main, &m->cpu[i]);

		if (err)
			return err_host(err, "thread of vCPU %u", i);
		m->cpu[i].started = true;
	}
	return 0;
}

/* One kick may be lost. */
static void join(struct cpu_thread *t)
{
	struct timespec end;

	do {
		kick(t);
		end = machine_in_ms(KICK_AGAIN_MS);
	} while (pthread_timedjoin_np(t->thread, NULL, &end) == ETIMEDOUT);
}

static void join_others(struct machine *m)
{
	for (unsigned i = 1; i < m->cpus; i++) {
		if (m->cpu[i].started)
			kick(&m->cpu[i]);
	}
	for (unsigned i = 1; i < m->cpus; i++) {
		bool started = m->cpu[i].started;

		m->cpu[i].started = false; /* nobody kicks a thread that is gone */
		if (started)
			join(&m->cpu[i]);
	}
}

/* The first vCPU's thread, after the others have ended. What the guest printed before is written first. */
static int follow_reset(struct machine *m)
{
	int ret;

	pthread_mutex_lock(&m->pause.guard);
	first_may_be_kicked(m, false);
	lock_take(&m->lock);
	machine_tick(false);
	m->cpu[0].owes = true;
	__atomic_store_n(&m->reset, false, __ATOMIC_SEQ_CST);
	ret = machine_reset(m);
	lock_give(&m->lock);
	first_may_be_kicked(m, true);
	machine_park_begin(m);
	if (!ret)
		ret = start_others(m);
	pthread_mutex_unlock(&m->pause.guard);
	return ret;
}

int machine_run(struct machine *m, unsigned *status)
{
	struct sigaction sa = {.sa_handler = on_kick};
	int ret;

	sigaction(MACHINE_KICK_SIGNAL, &sa, NULL);
	ret = machine_confine(&m->conf);
	pthread_mutex_lock(&m->pause.guard);
	first_may_be_kicked(m, true);
	if (!ret && machine_loop_wanted(m))
		ret = machine_loop_start(m);
	if (!ret)
		ret = start_others(m);
	pthread_mutex_unlock(&m->pause.guard);
	if (ret)
		machine_stop(m, ret, 0);
	for (;;) {
		cpu_main(&m->cpu[0]);
		join_others(m);
		if (machine_stopped(m))
			break;
		ret = follow_reset(m);
		if (ret)
			machine_stop(m, ret, 0);
	}
	machine_loop_join(m);
	machine_work_end(m);
	console_finish(m);
	if (m->conf.verbose)
		err_note("%" PRIu64 " guest errors, %" PRIu64 " accesses claimed by nobody",
			 m->guest_errors, m->board.bus.unclaimed);
	*status = m->status;
	return m->result;
}
