/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who works for devices outside the machine's lock: a thread for each env_work, made when it is first wanted. A file
 * that does not answer keeps this thread waiting and nobody else.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "core/err.h"
#include "machine.h"

#define END_LIMIT_MS 1000

/* All but `work` is pause.lock's. */
struct worker {
	struct machine *m;
	struct env_work *work;
	pthread_t thread;
	bool wanted, leave, ended;
};

/* At rest while the machine is, which waits for that. False: it is time to leave. */
static bool rest(struct worker *k)
{
	struct machine *m = k->m;

	if (m->pause.wanted) {
		m->pause.busy--;
		pthread_cond_broadcast(&m->pause.changed);
		while (m->pause.wanted && !k->leave)
			pthread_cond_wait(&m->pause.changed, &m->pause.lock);
		m->pause.busy++;
	}
	return !k->leave;
}

static void work_once(struct worker *k)
{
	struct machine *m = k->m;
	bool goes_on;

	k->work->work(k->work);
	pthread_mutex_lock(&m->pause.lock);
	goes_on = rest(k);
	pthread_mutex_unlock(&m->pause.lock);
	if (!goes_on)
		return;
	lock_take(&m->lock);
	if (!machine_stopped(m))
		k->work->done(k->work);
	lock_give(&m->lock);
}

static void *worker_main(void *arg)
{
	struct worker *k = arg;
	struct machine *m = k->m;

	pthread_mutex_lock(&m->pause.lock);
	while (!k->leave) {
		if (!k->wanted || m->pause.wanted) {
			pthread_cond_wait(&m->pause.changed, &m->pause.lock);
			continue;
		}
		k->wanted = false;
		m->pause.busy++;
		pthread_mutex_unlock(&m->pause.lock);
		work_once(k);
		pthread_mutex_lock(&m->pause.lock);
		m->pause.busy--;
		pthread_cond_broadcast(&m->pause.changed);
	}
	k->ended = true;
	pthread_cond_broadcast(&m->pause.changed);
	pthread_mutex_unlock(&m->pause.lock);
	return NULL;
}

static int engage(struct machine *m, struct env_work *w)
{
	struct worker *k = m->workers < VIRTIO_DEVS_MAX ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return -ENOMEM;
	k->m = m;
	k->work = w;
	if (machine_thread(&k->thread, worker_main, k)) {
		free(k);
		return -EAGAIN;
	}
	m->worker[m->workers++] = k;
	w->host = k;
	return 0;
}

int machine_work(struct machine *m, struct env_work *w)
{
	int ret = w->host ? 0 : engage(m, w);
	struct worker *k = w->host;

	if (ret)
		return ret;
	pthread_mutex_lock(&m->pause.lock);
	k->wanted = true;
	pthread_cond_broadcast(&m->pause.changed);
	pthread_mutex_unlock(&m->pause.lock);
	return 0;
}

/* Nobody waits for long: what the host's file does not do within the limit it may do when we are gone. */
void machine_work_end(struct machine *m)
{
	struct timespec end = machine_in_ms(END_LIMIT_MS);

	pthread_mutex_lock(&m->pause.lock);
	for (unsigned i = 0; i < m->workers; i++)
		m->worker[i]->leave = true;
	pthread_cond_broadcast(&m->pause.changed);
	for (unsigned i = 0; i < m->workers; i++) {
		while (!m->worker[i]->ended &&
		       pthread_cond_timedwait(&m->pause.changed, &m->pause.lock, &end) != ETIMEDOUT)
			;
		m->abandoned |= !m->worker[i]->ended;
	}
	pthread_mutex_unlock(&m->pause.lock);
	if (m->abandoned) {
		err_note("a disk's file does not answer: what it was last asked for may be done or "
			 "not");
		return;
	}
	while (m->workers) {
		struct worker *k = m->worker[--m->workers];

		pthread_join(k->thread, NULL);
		free(k);
	}
}
