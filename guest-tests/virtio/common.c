/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

SUITE(virtio, .tags = "virtio", .device = "virtio,mmio");

#define VENDOR	    0x1af4U
#define DEVICE	    0x1040U /* 4.1.2.1: plus the type */
#define CAP_VENDOR  0x09U
#define MMIO_STATUS 0x070U

enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE };

static struct vdev the_device;
static struct pci_host the_host;

bool variant_is(const char *name)
{
	const char *at = test_now.id;

	while (*at && *at != '@')
		at++;
	return *at && strcmp(at + 1, name) == 0;
}

uint64_t ram_end(void)
{
	uint64_t base, size;

	ASSERT_TRUE(dt_memory(0, &base, &size));
	return base + size;
}

/* ---- where it is */

static bool find_mmio(struct vdev *v)
{
	for (unsigned int i = 0; dt_find("virtio,mmio", i) != DT_NONE; i++) {
		int node = dt_find("virtio,mmio", i);
		struct mmio m = dt_mmio_reg(node, 0);

		if (rd32(m, 0x008) != v->type)
			continue;
		v->mmio = m.base;
		v->intid = dt_irq_of(node, 0);
		return true;
	}
	return false;
}

/* 4.1.4: where the capability of this kind says its structure is */
static uint64_t structure(const struct vdev *v, unsigned int kind)
{
	unsigned int at = pci_rd8(v->host, v->fn->bdf, PCI_CAPABILITIES);

	for (unsigned int hops = 0; at && hops < 48; hops++) {
		if (pci_rd8(v->host, v->fn->bdf, at) == CAP_VENDOR &&
		    pci_rd8(v->host, v->fn->bdf, at + 3) == kind) {
			unsigned int bar = pci_rd8(v->host, v->fn->bdf, at + 4);

			ASSERT_LT(bar, PCI_BARS);
			ASSERT_NE(v->fn->bar[bar].cpu, 0);
			return v->fn->bar[bar].cpu + pci_rd32(v->host, v->fn->bdf, at + 8);
		}
		at = pci_rd8(v->host, v->fn->bdf, at + 1);
	}
	return 0;
}

static bool find_pci(struct vdev *v)
{
	const char *lacking;

	v->host = &the_host;
	if (!pci_host_find(v->host, 0))
		return false;
	pci_enumerate(v->host);
	v->fn = pci_function_find(v->host, VENDOR, (uint16_t)(DEVICE + v->type), 0);
	if (!v->fn)
		return false;
	ASSERT_TRUE(pci_place(v->host, &lacking));
	v->pci = true;
	v->common = structure(v, CAP_COMMON);
	v->notify = structure(v, CAP_NOTIFY);
	v->isr = structure(v, CAP_ISR);
	v->config = structure(v, CAP_DEVICE);
	ASSERT_TRUE(v->common && v->notify && v->isr);
	return true;
}

struct vdev *device(enum virtio_type type)
{
	struct vdev *v = &the_device;

	memset(v, 0, sizeof(*v));
	v->type = type;
	if (!find_mmio(v) && !find_pci(v)) {
		/* refvmm was asked for it: there it is a failure */
		if (port_present()) {
			test_fail(__FILE__, __LINE__, "device(type)", "got none, want type %u",
				  type);
			test_leave();
		}
		SKIP("this machine has no virtio device of type %u", type);
	}
	set_status(v, 0);
	ASSERT_EVENTUALLY(status(v) == 0);
	return v;
}

/* ---- registers */

uint8_t status(const struct vdev *v)
{
	return v->pci ? mmio_rd8(v->common + 20) : (uint8_t)mmio_rd32(v->mmio + MMIO_STATUS);
}

void set_status(const struct vdev *v, uint8_t s)
{
	if (v->pci)
		mmio_wr8(v->common + 20, s);
	else
		mmio_wr32(v->mmio + MMIO_STATUS, s);
}

uint64_t offered(const struct vdev *v)
{
	uint64_t f = 0;

	for (unsigned int i = 0; i < 2; i++) {
		mmio_wr32(v->pci ? v->common : v->mmio + 0x014, i);
		f |= (uint64_t)mmio_rd32(v->pci ? v->common + 4 : v->mmio + 0x010) << (32 * i);
	}
	return f;
}

void accept(const struct vdev *v, uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		mmio_wr32(v->pci ? v->common + 8 : v->mmio + 0x024, i);
		mmio_wr32(v->pci ? v->common + 12 : v->mmio + 0x020,
			  (uint32_t)(features >> (32 * i)));
	}
}

uint32_t generation(const struct vdev *v)
{
	return v->pci ? mmio_rd8(v->common + 21) : mmio_rd32(v->mmio + 0x0fc);
}

uint32_t config32(const struct vdev *v, unsigned int off)
{
	return mmio_rd32((v->pci ? v->config : v->mmio + 0x100) + off);
}

void notify(const struct vdev *v)
{
	__asm__ volatile("dsb sy" ::: "memory"); /* what was made available is there before */
	if (v->pci)
		mmio_wr16(v->notify, (uint16_t)v->q.n);
	else
		mmio_wr32(v->mmio + 0x050, v->q.n);
}

uint32_t interrupt_status(const struct vdev *v)
{
	uint32_t s;

	if (v->pci)
		return mmio_rd8(v->isr);
	s = mmio_rd32(v->mmio + 0x060);
	mmio_wr32(v->mmio + 0x064, s);
	return s;
}

bool queue_ready(const struct vdev *v)
{
	if (v->pci)
		mmio_wr16(v->common + 22, (uint16_t)v->q.n);
	else
		mmio_wr32(v->mmio + 0x030, v->q.n);
	return v->pci ? mmio_rd16(v->common + 28) == 1 : mmio_rd32(v->mmio + 0x044) == 1;
}

static void address(const struct vdev *v, unsigned int pci, unsigned int mmio, uint64_t a)
{
	uint64_t at = v->pci ? v->common + pci : v->mmio + mmio;

	mmio_wr32(at, (uint32_t)a);
	mmio_wr32(at + 4, (uint32_t)(a >> 32));
}

void queue_place(const struct vdev *v, uint32_t size, uint64_t desc, uint64_t avail, uint64_t used)
{
	if (v->pci) {
		mmio_wr16(v->common + 22, (uint16_t)v->q.n);
		mmio_wr16(v->common + 24, (uint16_t)size);
	} else {
		mmio_wr32(v->mmio + 0x030, v->q.n);
		mmio_wr32(v->mmio + 0x038, size);
	}
	address(v, 32, 0x080, desc);
	address(v, 40, 0x090, avail);
	address(v, 48, 0x0a0, used);
	if (v->pci)
		mmio_wr16(v->common + 28, 1);
	else
		mmio_wr32(v->mmio + 0x044, 1);
}

void queue_reset(const struct vdev *v)
{
	if (v->pci) {
		mmio_wr16(v->common + 22, (uint16_t)v->q.n);
		mmio_wr16(v->common + 58, 1);
		ASSERT_EVENTUALLY(mmio_rd16(v->common + 58) == 0);
	} else {
		mmio_wr32(v->mmio + 0x030, v->q.n);
		mmio_wr32(v->mmio + 0x0c0, 1);
		ASSERT_EVENTUALLY(mmio_rd32(v->mmio + 0x0c0) == 0);
	}
}

/* ---- a driver */

void queue_fresh(struct vdev *v, unsigned int n)
{
	v->q = (struct queue){.n = n,
			      .desc = mem_alloc(QUEUE * sizeof(struct desc), 16),
			      .avail = mem_alloc(6 + 2 * QUEUE, 16),
			      .used = mem_alloc(6 + 8 * QUEUE, 16)};
	queue_place(v, QUEUE, (uint64_t)v->q.desc, (uint64_t)v->q.avail, (uint64_t)v->q.used);
}

void start_features(struct vdev *v, uint64_t features)
{
	set_status(v, 0);
	ASSERT_EVENTUALLY(status(v) == 0);
	set_status(v, S_ACKNOWLEDGE);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER);
	accept(v, features & offered(v));
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	ASSERT_TRUE(status(v) & S_FEATURES_OK);
}

void start(struct vdev *v, uint64_t features)
{
	start_features(v, features);
	queue_fresh(v, 0);
	set_status(v, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

void put(struct vdev *v, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	v->q.desc[i].addr = addr;
	v->q.desc[i].len = len;
	v->q.desc[i].flags = flags;
	v->q.desc[i].next = next;
}

void offer(struct vdev *v, uint16_t head)
{
	v->q.avail[2 + v->q.next % QUEUE] = head;
	__asm__ volatile("dmb ish" ::: "memory");
	v->q.avail[1] = ++v->q.next;
	notify(v);
}

uint16_t used_idx(const struct vdev *v)
{
	uint16_t idx = v->q.used[1];

	__asm__ volatile("dmb ish" ::: "memory");
	return idx;
}

static volatile uint32_t *last_used(const struct vdev *v)
{
	return (volatile uint32_t *)(v->q.used + 2) + 2UL * ((uint16_t)(used_idx(v) - 1) % QUEUE);
}

uint32_t used_id(const struct vdev *v)
{
	return last_used(v)[0];
}

uint32_t used_len(const struct vdev *v)
{
	return last_used(v)[1];
}

bool serve(struct vdev *v, uint16_t head)
{
	uint16_t want = (uint16_t)(used_idx(v) + 1);

	offer(v, head);
	return EXPECT_EVENTUALLY(used_idx(v) == want);
}

void expect_works(struct vdev *v)
{
	uint8_t *buf = mem_alloc(512, 16);

	start(v, F_USUAL);
	put(v, 0, (uint64_t)buf, 32, v->type == VIRTIO_RNG ? D_WRITE : D_NEXT, 1);
	put(v, 1, (uint64_t)buf + 32, 32, D_WRITE, 0);
	if (serve(v, 0))
		EXPECT_EQ(status(v) & S_NEEDS_RESET, 0);
	set_status(v, 0);
}
