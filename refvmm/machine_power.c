/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power key, and the signals that end this process. SIGTERM and SIGINT press the key where the guest
 * listens to it, and give it time to power off; a guest that does not listen, a second signal and SIGHUP end
 * the machine at once.
 *
 * Signals come to the first vCPU's thread, which is the process's own; the others block them. The handler only
 * leaves a note, kicks that vCPU and wakes the event loop: whoever of the two comes first serves the note. A write
 * to standard output that nobody reads may begin just behind the handler, in any vCPU's thread: a timer interrupts
 * all of them until the note is served.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/err.h"
#include "dev/pl061.h"
#include "machine.h"

#define KEY_HOLD_NS 100000000U /* as long as somebody holds a power key */
#define NS_PER_S    1000000000ULL
#define TICK_US	    100000

static struct machine *volatile signalled; /* the one that this process's signals are for */

/* ---- the key */

static struct dev *power_key(const struct machine *m)
{
	return board_dev(&m->board, &pl061_ops);
}

void machine_press_key(struct machine *m)
{
	pl061_drive(power_key(m), PL061_POWER_KEY, true);
	m->key_up_ns = m->env.ops->clock_ns(&m->env) + KEY_HOLD_NS;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

uint64_t machine_power_timers(struct machine *m, uint64_t now)
{
	if (m->key_up_ns && m->key_up_ns <= now) {
		m->key_up_ns = 0;
		pl061_drive(power_key(m), PL061_POWER_KEY, false);
	}
	if (m->grace_ns && m->grace_ns <= now) {
		m->grace_ns = 0;
		err_note("the guest did not power off within %" PRIu64 " s of SIG%s (--grace)",
			 m->conf.grace_s, sigabbrev_np(m->ending));
		machine_end(m, 0, 128 + (unsigned)m->ending);
	}
	return earlier(m->key_up_ns, m->grace_ns);
}

/* ---- signals */

void machine_tick(bool on)
{
	struct itimerval t = {0};

	if (on)
		t.it_interval.tv_usec = t.it_value.tv_usec = TICK_US;
	setitimer(ITIMER_REAL, &t, NULL);
}

/* Its arrival makes a blocking call of this thread return; the others' kick does for them. */
static void on_tick(int sig)
{
	struct machine *m = signalled;
	int err = errno;

	(void)sig;
	for (unsigned i = 1; m && i < m->cpus; i++) {
		if (m->cpu[i].started)
			pthread_kill(m->cpu[i].thread, MACHINE_KICK_SIGNAL);
	}
	errno = err;
}

static void on_end(int sig)
{
	struct machine *m = signalled;
	int err = errno;

	if (!m || __atomic_exchange_n(&m->signal, sig, __ATOMIC_SEQ_CST))
		_exit(128 + sig); /* nobody served the one before: something is stuck */
	if (m->cpu[0].started)	  /* by this thread, which alone begins and ends it */
		vcpu_kick(&m->cpu[0].vcpu);
	machine_wake(m);
	machine_tick(true);
	errno = err;
}

void machine_signals_catch(struct machine *m)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
	const struct sigaction ticks = {.sa_handler = on_tick};

	signalled = m;
	sigaction(SIGALRM, &ticks, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sigaction sa = {.sa_handler = on_end}, before;

		/* nohup, and what a shell puts into the background, ignore some */
		if (!sigaction(ends[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &sa, NULL);
	}
}

void machine_signals_leave(void)
{
	signalled = NULL;
}

int machine_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGALRM);
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &set);
	err = pthread_create(t, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return err;
}

/* Can the guest act on its key? */
static bool listens(struct machine *m)
{
	return !machine_pausing(m) && pl061_armed(power_key(m), PL061_POWER_KEY);
}

void machine_signals_serve(struct machine *m)
{
	int sig = __atomic_exchange_n(&m->signal, 0, __ATOMIC_SEQ_CST);

	if (!sig)
		return;
	if (!machine_leaving(m))
		machine_tick(false);
	if (sig == SIGHUP || m->ending || !m->conf.grace_s || !listens(m)) {
		machine_end(m, 0, 128 + (unsigned)sig); /* as a shell shows such an end */
		return;
	}
	m->ending = sig;
	m->grace_ns = m->env.ops->clock_ns(&m->env) + m->conf.grace_s * NS_PER_S;
	machine_press_key(m);
	if (machine_loop_start(m))
		machine_end(m, 0, 128 + (unsigned)sig);
	machine_wake(m);
}

void machine_signals_check(struct machine *m)
{
	if (!__atomic_load_n(&m->signal, __ATOMIC_SEQ_CST))
		return;
	lock_take(&m->lock);
	machine_signals_serve(m);
	lock_give(&m->lock);
}
