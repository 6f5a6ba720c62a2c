/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that the event loop looks after for devices. The table is the lock's. */
#include <errno.h>
#include <poll.h>

#include "machine.h"

int machine_watch(struct machine *m, struct env_watch *w)
{
	unsigned at = 0;

	while (at < m->watches && m->watch[at] != w)
		at++;
	if (w->events && at == m->watches) {
		if (at == MACHINE_WATCHES_MAX)
			return -ENOSPC;
		m->watch[m->watches++] = w;
	} else if (!w->events && at < m->watches) {
		m->watch[at] = m->watch[--m->watches];
	}
	if (!m->serving)
		machine_wake(m); /* the event loop polls for something else now */
	return m->watches ? machine_loop_start(m) : 0;
}

/* While the machine stands still, so do its devices: nothing is read, written or told to the guest. */
unsigned machine_watch_prepare(struct machine *m, struct pollfd fd[MACHINE_WATCHES_MAX])
{
	if (machine_pausing(m))
		return 0;
	for (unsigned i = 0; i < m->watches; i++)
		fd[i] = (struct pollfd){.fd = m->watch[i]->fd,
					.events = (short)m->watch[i]->events};
	return m->watches;
}

/* By descriptor, not by place: whoever was served before may have changed the table. */
static struct env_watch *watch_of(const struct machine *m, int fd)
{
	for (unsigned i = 0; i < m->watches; i++) {
		if (m->watch[i]->fd == fd)
			return m->watch[i];
	}
	return NULL;
}

void machine_watch_serve(struct machine *m, const struct pollfd *fd, unsigned nr)
{
	if (machine_pausing(m))
		return; /* since poll(): what waits is found again */
	lock_take(&m->lock);
	m->serving = true;
	for (unsigned i = 0; i < nr; i++) {
		struct env_watch *w = fd[i].revents ? watch_of(m, fd[i].fd) : NULL;
		uint32_t events = (uint32_t)fd[i].revents & 0xffffU;

		if (w && events & (w->events | POLLERR | POLLHUP | POLLNVAL))
			w->ready(w, events);
	}
	m->serving = false;
	lock_give(&m->lock);
}
