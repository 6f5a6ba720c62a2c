/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing still and going on. A vCPU's thread parks only behind a run that came back empty-handed
 * (VCPU_AGAIN): then KVM has finished the last MMIO access, and the registers are those of the
 * guest. The kick makes the next run come back so. What the guest printed need not be written yet.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "machine.h"

bool machine_pausing(struct machine *m)
{
	return __atomic_load_n(&m->pause.wanted, __ATOMIC_SEQ_CST);
}

void machine_park(struct cpu_thread *t)
{
	struct machine *m = t->m;

	pthread_mutex_lock(&m->pause.lock);
	m->pause.still++;
	pthread_cond_broadcast(&m->pause.changed);
	while (m->pause.wanted && !machine_leaving(m))
		pthread_cond_wait(&m->pause.changed, &m->pause.lock);
	m->pause.still--;
	/* Under the lock, as the kick of a pause is, so that none is lost. */
	if (!machine_leaving(m))
		vcpu_unkick(&t->vcpu);
	pthread_mutex_unlock(&m->pause.lock);
}

void machine_unkick(struct cpu_thread *t)
{
	struct machine *m = t->m;

	pthread_mutex_lock(&m->pause.lock);
	if (!m->pause.wanted && !machine_leaving(m))
		vcpu_unkick(&t->vcpu);
	pthread_mutex_unlock(&m->pause.lock);
}

/* A thread that has ended stands still for good. */
void machine_park_ended(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	m->pause.still++;
	pthread_cond_broadcast(&m->pause.changed);
	pthread_mutex_unlock(&m->pause.lock);
}

/* New threads: none of them stands still. */
void machine_park_begin(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	m->pause.still = 0;
	pthread_mutex_unlock(&m->pause.lock);
}

void machine_wake_parked(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	pthread_cond_broadcast(&m->pause.changed);
	pthread_mutex_unlock(&m->pause.lock);
}

struct timespec machine_in_ms(uint64_t ms)
{
	struct timespec t;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &t);
	ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000;
	t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	t.tv_nsec = (long)(ns % 1000000000);
	return t;
}

int machine_pause(struct machine *m, bool devices, uint64_t limit_ms)
{
	struct timespec end = machine_in_ms(limit_ms);
	int ret = 0;

	pthread_mutex_lock(&m->pause.lock);
	__atomic_store_n(&m->pause.wanted, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < m->cpus; i++) {
		vcpu_kick(&m->cpu[i].vcpu);
		if (m->cpu[i].started)
			pthread_kill(m->cpu[i].thread, MACHINE_KICK_SIGNAL);
	}
	machine_tick(true); /* who blocks just then in a write or a nap */
	while (!ret && (m->pause.still < m->cpus || (devices && m->pause.busy)))
		ret = -pthread_cond_timedwait(&m->pause.changed, &m->pause.lock, &end);
	if (ret && m->pause.still == m->cpus)
		ret = -EBUSY;
	pthread_mutex_unlock(&m->pause.lock);
	machine_tick(false); /* a signal's tick, too: this thread serves it next */
	if (ret)
		machine_resume(m);
	return ret;
}

void machine_resume(struct machine *m)
{
	pthread_mutex_lock(&m->pause.lock);
	__atomic_store_n(&m->pause.wanted, false, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&m->pause.changed);
	pthread_mutex_unlock(&m->pause.lock);
}
