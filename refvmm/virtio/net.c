/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network device (virtio 1.2, 5.1) without offloads, on a tap device or on a stream socket where
 * each frame stands behind its length in 4 bytes, big-endian (what QEMU's stream netdev and passt
 * speak). A stream that ends takes the link down.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/virtio.h"

#define BIT64(n)  (1ULL << (n))
#define FRAME_MAX 65535U
#define PREFIX	  4U /* of a frame in a stream */

enum { RX, TX };

struct net {
	struct virtio_dev v;
	bool up;
	bool blocked;	  /* TX waits until the stream takes more */
	uint64_t sent;	  /* bytes of the frame at the head of TX that are out already */
	uint64_t sending; /* the length that stands in front of it */
	/* Frames received, with their prefix, for which the driver had no buffer; the last in part. */
	uint8_t *in;
	size_t in_len;
	struct iovec part[VIRTQ_SIZE_MAX + 1];
};

static struct net *of(struct virtio_dev *v)
{
	return (struct net *)v;
}

static void init(struct virtio_dev *v)
{
	v->offered |= BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_STATUS);
	v->io.fd = v->conf->fd;
	of(v)->up = v->conf->fd >= 0;
}

static void config(const struct virtio_dev *v, void *buf)
{
	struct virtio_net_config c = {.status = ((const struct net *)v)->up ? VIRTIO_NET_S_LINK_UP
									    : 0};

	memcpy(c.mac, v->conf->mac, sizeof(c.mac));
	memcpy(buf, &c, v->class->config_size);
}

static void rearm(struct virtio_dev *v, bool want_input)
{
	const struct net *n = of(v);

	virtio_watch(v, n->up ? (want_input ? (uint32_t)POLLIN : 0U) |
					(n->blocked ? (uint32_t)POLLOUT : 0U)
			      : 0);
}

static void link_down(struct virtio_dev *v)
{
	struct net *n = of(v);

	if (!n->up)
		return;
	n->up = n->blocked = false;
	n->in_len = 0;
	virtio_config_changed(v);
}

/* ---- from the driver */

/* false: the stream takes no more now. */
static bool send_stream(struct virtio_dev *v, const struct virtq_chain *c, uint64_t off,
			uint32_t len)
{
	struct net *n = of(v);
	uint32_t prefix = htobe32(len);

	while (n->up && n->sent < PREFIX + len) {
		unsigned nr = 0;
		uint64_t at = n->sent < PREFIX ? 0 : n->sent - PREFIX;
		ssize_t done;

		if (n->sent < PREFIX)
			n->part[nr++] = (struct iovec){.iov_base = (uint8_t *)&prefix + n->sent,
						       .iov_len = PREFIX - n->sent};
		nr += virtq_out_slice(c, off + at, len - at, n->part + nr);
		done = writev(v->conf->fd, n->part, (int)nr);
		if (done < 0 && errno == EAGAIN) {
			n->blocked = true;
			return false;
		}
		if (done < 0 && errno != EINTR)
			link_down(v);
		n->sent += done > 0 ? (uint64_t)done : 0;
	}
	n->sent = 0;
	return true;
}

/* A tap device that cannot take a frame drops it, as a cable does. */
static void send_tap(struct virtio_dev *v, const struct virtq_chain *c, uint64_t off, uint32_t len)
{
	struct net *n = of(v);
	unsigned nr = virtq_out_slice(c, off, len, n->part);

	while (n->up && writev(v->conf->fd, n->part, (int)nr) < 0 && errno == EINTR)
		;
}

static bool transmit(struct virtio_dev *v, struct virtq_chain *c)
{
	uint64_t head = sizeof(struct virtio_net_hdr_v1);
	uint64_t len = c->out_len > head ? c->out_len - head : 0;

	bool frame = len && len <= FRAME_MAX; /* else there is nothing to send */

	/* A driver that changes a frame of which a part is out must not choose where the next one begins. */
	if (of(v)->sent && len != of(v)->sending) {
		dev_guest_error(v->dev,
				"virtio-net: the frame being sent has another length:", len);
		of(v)->sent = 0;
		link_down(v);
	}
	of(v)->sending = len;
	if (frame && v->conf->peer == PEER_TAP)
		send_tap(v, c, head, (uint32_t)len);
	else if (frame && !send_stream(v, c, head, (uint32_t)len))
		return false;
	virtq_push(&v->queue[TX], c->head, 0);
	return true;
}

/* ---- to the driver */

/* false: the driver has no buffer. A frame that is larger than its buffer is dropped. */
static bool deliver(struct virtio_dev *v, const uint8_t *frame, size_t len)
{
	const struct virtio_net_hdr_v1 h = {.num_buffers = 1}; /* 5.1.6.4.1 */
	struct virtq *q = &v->queue[RX];
	struct virtq_chain c;

	if (!virtq_pop(q, &c))
		return false;
	if (c.in_len < sizeof(h) + len) {
		virtq_unpop(q);
		dev_guest_error(v->dev, "virtio-net: receive buffer too small for a frame of", len);
		return true;
	}
	virtq_write(&c, 0, &h, sizeof(h));
	virtq_write(&c, sizeof(h), frame, len);
	virtq_push(q, c.head, (uint32_t)(sizeof(h) + len));
	return true;
}

/* Delivers the whole frames that are here; true: all of them. */
static bool deliver_all(struct virtio_dev *v)
{
	struct net *n = of(v);
	size_t at = 0;
	bool fits = true;

	while (n->in_len - at >= PREFIX) {
		uint32_t len;

		memcpy(&len, n->in + at, PREFIX);
		len = be32toh(len);
		if (!len || len > FRAME_MAX) {
			link_down(v); /* no frame begins here, and none will be found */
			return true;
		}
		if (n->in_len - at < PREFIX + len)
			break;
		fits = deliver(v, n->in + at + PREFIX, len);
		if (!fits)
			break;
		at += PREFIX + len;
	}
	n->in_len -= at;
	memmove(n->in, n->in + at, n->in_len);
	return fits;
}

/* One read; a frame of a tap device gets the prefix that a stream has. */
static void receive(struct virtio_dev *v)
{
	struct net *n = of(v);
	bool tap = v->conf->peer == PEER_TAP;
	size_t at = n->in_len + (tap ? PREFIX : 0);
	ssize_t got;

	if (at >= PREFIX + FRAME_MAX)
		return;
	got = read(v->conf->fd, n->in + at, PREFIX + FRAME_MAX - at);
	if (got > 0 && tap) {
		uint32_t prefix = htobe32((uint32_t)got);

		memcpy(n->in + n->in_len, &prefix, PREFIX);
	}
	if (got > 0)
		n->in_len = at + (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		link_down(v);
}

/* Memory for frames comes into being with the first driver, and page by page. */
static bool have_memory(struct net *n)
{
	if (!n->in)
		n->in = malloc(PREFIX + FRAME_MAX);
	return n->in;
}

static void pump(struct virtio_dev *v, bool input)
{
	struct net *n = of(v);

	if (!have_memory(n) || !v->queue[RX].ready)
		return;
	if (deliver_all(v) && input && n->up) {
		/* a tap gives one frame a read: only where nothing waits */
		if (v->conf->peer != PEER_TAP || !n->in_len)
			receive(v);
		deliver_all(v);
	}
	virtio_flush(v, RX);
}

static void service(struct virtio_dev *v, unsigned q)
{
	if (q == TX && !of(v)->blocked)
		virtio_drain(v, TX, transmit);
	if (q == RX)
		pump(v, false);
	if (v->live)
		rearm(v, virtq_more(&v->queue[RX]));
}

static void ready(struct virtio_dev *v, uint32_t events)
{
	struct net *n = of(v);

	if (n->blocked && events & (uint32_t)(POLLOUT | POLLHUP | POLLERR)) {
		n->blocked = false;
		virtio_drain(v, TX, transmit);
		virtio_flush(v, TX);
	}
	pump(v, events & (uint32_t)(POLLIN | POLLHUP | POLLERR));
	if (!v->live)
		return;
	rearm(v, virtq_more(&v->queue[RX]));
	if (events & (uint32_t)(POLLHUP | POLLERR) && !(events & (uint32_t)POLLIN)) {
		link_down(v);
		virtio_watch(v, 0);
	}
}

static void start(struct virtio_dev *v)
{
	rearm(v, virtq_more(&v->queue[RX]));
}

static void reset(struct virtio_dev *v)
{
	struct net *n = of(v);

	/* After half a frame nobody would find where the next one begins. */
	n->blocked = false;
	if (n->sent)
		link_down(v);
	n->sent = 0;
}

static void fini(struct virtio_dev *v)
{
	free(of(v)->in);
}

const struct virtio_class virtio_net = {
	.name = "virtio-net",
	.id = 1,
	.pci_class = 0x020000,
	.size = sizeof(struct net),
	.queues = 2,
	.config_size = 8,
	.init = init,
	.start = start,
	.reset = reset,
	.fini = fini,
	.service = service,
	.ready = ready,
	.config = config,
};
