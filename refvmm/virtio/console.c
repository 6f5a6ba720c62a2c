/* SPDX-License-Identifier: Apache-2.0 */
/* Console (virtio 1.2, 5.3): one port, to a file, a socket, or standard input and output. */
#include <errno.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>

#include "virtio/virtio.h"

enum { RX, TX };

struct console {
	struct virtio_dev v;
	uint64_t sent; /* bytes of the chain at the head of TX that are out already */
	bool eof;
	bool blocked; /* TX waits until the descriptor takes more */
	struct iovec part[VIRTQ_SIZE_MAX];
};

static struct console *of(struct virtio_dev *v)
{
	return (struct console *)v;
}

static void init(struct virtio_dev *v)
{
	v->io.fd = v->conf->fd;
	of(v)->eof = v->conf->peer == PEER_FILE; /* output only */
}

static int out_fd(const struct virtio_dev *v)
{
	return v->conf->peer == PEER_STDIO ? STDOUT_FILENO : v->conf->fd;
}

/* What to wait for. Without a buffer of the driver's, input stays where it is. */
static void rearm(struct virtio_dev *v, bool want_input)
{
	struct console *c = of(v);

	virtio_watch(v, (want_input && !c->eof ? (uint32_t)POLLIN : 0U) |
				(c->blocked ? (uint32_t)POLLOUT : 0U));
}

/* What nobody listens to any more is dropped, as on a line without a plug. */
static bool transmit(struct virtio_dev *v, struct virtq_chain *c)
{
	struct console *con = of(v);

	while (con->sent < c->out_len) {
		unsigned nr = virtq_out_slice(c, con->sent, c->out_len - con->sent, con->part);
		ssize_t n = out_fd(v) < 0 ? -1 : writev(out_fd(v), con->part, (int)nr);

		if (n < 0 && out_fd(v) >= 0 && errno == EINTR)
			continue;
		if (n < 0 && out_fd(v) >= 0 && errno == EAGAIN) {
			con->blocked = true;
			return false;
		}
		if (n < 0)
			break;
		con->sent += (uint64_t)n;
	}
	con->sent = 0;
	virtq_push(&v->queue[TX], c->head, 0);
	return true;
}

static void receive(struct virtio_dev *v)
{
	struct console *con = of(v);
	struct virtq *q = &v->queue[RX];
	struct virtq_chain c;
	ssize_t n;

	while (!con->eof && virtq_pop(q, &c)) {
		unsigned nr = virtq_in_slice(&c, 0, c.in_len, con->part);

		if (!nr) { /* a buffer of no bytes: back */
			virtq_push(q, c.head, 0);
			continue;
		}
		n = readv(v->conf->fd, con->part, (int)nr);
		if (n <= 0) {
			virtq_unpop(q);
			con->eof = n == 0 || (errno != EAGAIN && errno != EINTR);
			break;
		}
		virtq_push(q, c.head, (uint32_t)n);
		if (v->conf->peer == PEER_STDIO) /* it may block */
			break;
	}
}

static void service(struct virtio_dev *v, unsigned n)
{
	if (n == TX && !of(v)->blocked)
		virtio_drain(v, TX, transmit);
	rearm(v, virtq_more(&v->queue[RX]));
}

static void ready(struct virtio_dev *v, uint32_t events)
{
	struct console *c = of(v);

	if (events & (uint32_t)(POLLIN | POLLHUP | POLLERR)) {
		receive(v);
		virtio_flush(v, RX);
	}
	if (events & (uint32_t)(POLLOUT | POLLHUP | POLLERR) && c->blocked) {
		c->blocked = false;
		virtio_drain(v, TX, transmit);
		virtio_flush(v, TX);
	}
	if (v->live)
		rearm(v, virtq_more(&v->queue[RX]));
	if (events & (uint32_t)(POLLHUP | POLLERR) && c->eof)
		virtio_watch(v, 0); /* nobody can switch these events off */
}

static void start(struct virtio_dev *v)
{
	rearm(v, virtq_more(&v->queue[RX]));
}

static void reset(struct virtio_dev *v)
{
	of(v)->sent = 0;
	of(v)->blocked = false;
}

const struct virtio_class virtio_console = {
	.name = "virtio-console",
	.id = 3,
	.pci_class = 0x078000,
	.size = sizeof(struct console),
	.queues = 2,
	.init = init,
	.start = start,
	.reset = reset,
	.service = service,
	.ready = ready,
};
