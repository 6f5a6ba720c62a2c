/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block device (virtio 1.2, 5.2) on a file or a block device of the host, by its page cache: what
 * was written is safe once the driver has flushed (5.2.6.2).
 *
 * A read of what the page cache holds is served at once, between the file and the guest's memory. All else may take
 * long and is done elsewhere (env_ops.work), one request at a time and in order, by way of a buffer: should the
 * driver reset the device meanwhile, the request is forgotten, and nothing waits for the file.
 */
#include <stdlib.h>
#include <string.h>

#include "virtio/blk_file.h"
#include "virtio/virtio.h"

#define BIT64(n)	(1ULL << (n))
#define SEGMENTS	(VIRTQ_SIZE_MAX - 2U) /* beside request header and status */
#define DISCARD_SECTORS 8U		      /* what a hole's ends are aligned to: 4 KiB */
#define HEADER		sizeof(struct virtio_blk_outhdr)
#define AT_ONCE_MAX	65536U /* bytes of a read that is worth trying at once: others wait for it */
#define LATER		0xff   /* no status yet */

struct blk {
	struct virtio_dev v;
	uint64_t sectors;
	bool never_at_once; /* the file knows no reads that do not wait */
	/* The request that is being done elsewhere, if v.busy. Until done() `job` is not ours to touch. */
	struct env_work work;
	struct blk_job job;
	uint32_t epoch;		  /* of the queue it came from */
	uint64_t at, len;	  /* bytes of its data that are transferred, and of all */
	struct virtq_chain chain; /* where they go to or come from */
	struct iovec part[VIRTQ_SIZE_MAX];
};

static struct blk *of(struct virtio_dev *v)
{
	return (struct blk *)v;
}

static void done(struct env_work *w);

static void work(struct env_work *w)
{
	blk_file_work(&((struct blk *)w->arg)->job);
}

static void init(struct virtio_dev *v)
{
	struct blk *b = of(v);

	b->sectors = v->conf->size / BLK_SECTOR;
	b->work = (struct env_work){.work = work, .done = done, .arg = b};
	v->offered |= BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_BLK_SIZE) |
		      BIT64(VIRTIO_BLK_F_FLUSH);
	if (v->conf->readonly)
		v->offered |= BIT64(VIRTIO_BLK_F_RO);
	else
		v->offered |= BIT64(VIRTIO_BLK_F_DISCARD) | BIT64(VIRTIO_BLK_F_WRITE_ZEROES);
}

static void fini(struct virtio_dev *v)
{
	free(of(v)->job.buf);
}

static void config(const struct virtio_dev *v, void *buf)
{
	struct virtio_blk_config c = {.capacity = v->conf->size / BLK_SECTOR,
				      .seg_max = SEGMENTS,
				      .blk_size = BLK_SECTOR};

	if (!v->conf->readonly) {
		c.max_discard_sectors = c.max_write_zeroes_sectors = BLK_RANGE_SECTORS;
		c.max_discard_seg = c.max_write_zeroes_seg = BLK_RANGES_MAX;
		c.discard_sector_alignment = DISCARD_SECTORS;
		c.write_zeroes_may_unmap = 1;
	}
	memcpy(buf, &c, v->class->config_size);
}

/* ---- what a request asks for: a status at once, or LATER and the job */

static bool inside(const struct blk *b, uint64_t sector, uint64_t nr)
{
	return sector <= b->sectors && nr <= b->sectors - sector;
}

static uint8_t read_write(struct blk *b, const struct virtq_chain *c, uint64_t sector, bool in)
{
	struct virtio_dev *v = &b->v;
	uint64_t len = in ? c->in_len - 1 : c->out_len - HEADER;
	unsigned nr;

	if (len % BLK_SECTOR || !inside(b, sector, len / BLK_SECTOR) || (!in && v->conf->readonly))
		return VIRTIO_BLK_S_IOERR;
	if (!len)
		return VIRTIO_BLK_S_OK;
	b->len = len;
	b->job.off = sector * BLK_SECTOR;
	if (!in || len > AT_ONCE_MAX || b->never_at_once)
		return LATER;
	nr = virtq_in_slice(c, 0, len, b->part);
	return blk_file_read_now(v->conf->fd, b->part, nr, len, b->job.off, &b->never_at_once)
		       ? VIRTIO_BLK_S_OK
		       : LATER;
}

static uint8_t check_range(const struct blk *b, const struct virtio_blk_discard_write_zeroes *r,
			   bool discard)
{
	if (r->flags & ~(discard ? 0U : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP))
		return VIRTIO_BLK_S_UNSUPP;
	if (!inside(b, r->sector, r->num_sectors) || r->num_sectors > BLK_RANGE_SECTORS)
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static uint8_t ranges(struct blk *b, const struct virtq_chain *c, bool discard)
{
	struct blk_job *j = &b->job;
	uint64_t len = c->out_len - HEADER;
	uint8_t status = VIRTIO_BLK_S_OK;

	if (!virtio_has(&b->v, discard ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES))
		return VIRTIO_BLK_S_UNSUPP;
	if (!len || len % sizeof(j->range[0]) || len > sizeof(j->range))
		return VIRTIO_BLK_S_IOERR;
	virtq_read(c, HEADER, j->range, len);
	j->ranges = (unsigned)(len / sizeof(j->range[0]));
	for (unsigned i = 0; !status && i < j->ranges; i++)
		status = check_range(b, &j->range[i], discard);
	return status ? status : LATER;
}

static uint8_t get_id(const struct virtio_dev *v, const struct virtq_chain *c)
{
	if (c->in_len - 1 < VIRTIO_BLK_ID_BYTES)
		return VIRTIO_BLK_S_IOERR;
	virtq_write(c, 0, v->conf->serial, VIRTIO_BLK_ID_BYTES);
	return VIRTIO_BLK_S_OK;
}

static uint8_t request(struct blk *b, const struct virtq_chain *c,
		       const struct virtio_blk_outhdr *h)
{
	b->len = 0;
	switch (h->type) {
	case VIRTIO_BLK_T_IN:
		return read_write(b, c, h->sector, true);
	case VIRTIO_BLK_T_OUT:
		return read_write(b, c, h->sector, false);
	case VIRTIO_BLK_T_FLUSH:
		return b->v.conf->readonly ? VIRTIO_BLK_S_OK : LATER;
	case VIRTIO_BLK_T_GET_ID:
		return get_id(&b->v, c);
	case VIRTIO_BLK_T_DISCARD:
		return ranges(b, c, true);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return ranges(b, c, false);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* The status is the last byte that the device may write. */
static void finish(struct virtio_dev *v, const struct virtq_chain *c, uint8_t status)
{
	uint64_t written;

	virtq_write(c, c->in_len - 1, &status, 1);
	/* only what was written without a gap counts (2.7.8.2) */
	written = status && c->in_len > 1 ? 0 : c->in_len;
	virtq_push(&v->queue[0], c->head, written > UINT32_MAX ? UINT32_MAX : (uint32_t)written);
}

/* ---- portions of a request */

/* The next one; data to be written is copied, once. */
static void prepare(struct blk *b)
{
	struct blk_job *j = &b->job;
	uint64_t left = b->len - b->at;

	j->len = left < BLK_PORTION ? (uint32_t)left : BLK_PORTION;
	if (j->type == VIRTIO_BLK_T_OUT)
		virtq_read(&b->chain, HEADER + b->at, j->buf, j->len);
}

/* Takes over what was done; true: that was all. */
static bool complete(struct blk *b)
{
	struct blk_job *j = &b->job;

	if (j->status)
		return true;
	if (j->type == VIRTIO_BLK_T_IN)
		virtq_write(&b->chain, b->at, j->buf, j->len);
	b->at += j->len;
	j->off += j->len;
	if (b->at == b->len)
		return true;
	prepare(b);
	return false;
}

/* Is it a request of a driver or a queue that is no more? */
static bool forgotten(const struct blk *b)
{
	const struct virtq *q = &b->v.queue[0];

	return !b->v.live || !q->ready || q->epoch != b->epoch;
}

static bool hand_over(struct blk *b)
{
	struct env *e = b->v.dev->env;

	return !e->ops->work(e, &b->work);
}

static void done(struct env_work *w)
{
	struct blk *b = w->arg;

	if (!forgotten(b)) {
		while (!complete(b)) {
			if (hand_over(b))
				return;
			blk_file_work(&b->job);
		}
		finish(&b->v, &b->chain, b->job.status);
	}
	b->v.busy = false;
	virtio_service(&b->v, 0); /* what came meanwhile, of whatever driver */
}

/* Has the request done; where nobody else can, here. */
static void begin(struct blk *b, const struct virtq_chain *c, uint32_t type)
{
	struct blk_job *j = &b->job;

	if (!j->buf)
		j->buf = malloc(BLK_PORTION);
	if (!j->buf) {
		finish(&b->v, c, VIRTIO_BLK_S_IOERR);
		return;
	}
	j->fd = b->v.conf->fd;
	j->readonly = b->v.conf->readonly;
	j->type = type;
	b->chain = *c;
	b->at = 0;
	b->epoch = b->v.queue[0].epoch;
	prepare(b);
	b->v.busy = hand_over(b);
	if (b->v.busy)
		return;
	do
		blk_file_work(j);
	while (!complete(b));
	finish(&b->v, c, j->status);
}

static bool one(struct virtio_dev *v, struct virtq_chain *c)
{
	struct blk *b = of(v);
	struct virtio_blk_outhdr h;
	uint8_t status;

	if (virtq_read(c, 0, &h, sizeof(h)) != sizeof(h) || !c->in_len) {
		virtio_needs_reset(v, "a block request without header or status, of device type");
		return false;
	}
	status = request(b, c, &h);
	if (status == LATER)
		begin(b, c, h.type);
	else
		finish(v, c, status);
	return true;
}

static void service(struct virtio_dev *v, unsigned n)
{
	virtio_drain(v, n, one);
}

const struct virtio_class virtio_blk = {
	.name = "virtio-blk",
	.id = 2,
	.pci_class = 0x010000,
	.size = sizeof(struct blk),
	.queues = 1,
	.config_size = 60,
	.init = init,
	.fini = fini,
	.service = service,
	.config = config,
};
_Static_assert(sizeof(struct virtio_blk_config) >= 60, "5.2.4");
