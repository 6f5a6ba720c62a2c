/* SPDX-License-Identifier: Apache-2.0 */
/* Which resource of PCIe runs out first: known before the guest starts. */
#include <string.h>

#include "dev/pcie.h"
#include "dev/pcie_host.h"

#define MIB	     0x100000ULL
#define BUS_ECAM     MIB /* configuration space of one bus */
#define RANGES_MAX   (2 * PCIE_ENDPOINTS_MAX)
#define BRIDGE_ALIGN MIB /* a bridge's windows come in steps of 1 MiB */

/* Addresses to be placed in one window of the host. */
struct request {
	uint64_t size, align, base;
};

struct requests {
	struct request r[RANGES_MAX];
	unsigned nr;
};

static uint64_t round_up(uint64_t x, uint64_t to)
{
	return (x + to - 1) & ~(to - 1);
}

/* Largest alignment first; of equals, who asked first. */
static void ask(struct requests *q, uint64_t size, uint64_t align)
{
	unsigned at = q->nr++;

	while (at && q->r[at - 1].align < align) {
		q->r[at] = q->r[at - 1];
		at--;
	}
	q->r[at] = (struct request){.size = size, .align = align};
}

/* A BAR on the root bus stands for itself; behind a port it needs a window of the port. */
static void ask_for(struct requests *q, uint64_t size, uint64_t largest, bool behind_port)
{
	uint64_t align = largest;

	if (!size)
		return;
	if (behind_port) {
		size = round_up(size, BRIDGE_ALIGN);
		align = largest > BRIDGE_ALIGN ? largest : BRIDGE_ALIGN;
	}
	ask(q, size, align);
}

/* The lowest address at or above `base` that overlaps none of the first n requests. */
static uint64_t lowest(const struct requests *q, unsigned n, uint64_t base, uint64_t size,
		       uint64_t align)
{
	uint64_t at = round_up(base, align);

	for (unsigned i = 0; i < n; i++) {
		const struct request *r = &q->r[i];

		if (at < r->base + r->size && r->base < at + size) {
			at = round_up(r->base + r->size, align);
			i = UINT32_MAX; /* from the beginning */
		}
	}
	return at;
}

/* Bytes from the start of the window to the end of the highest range; more than fits: false. */
static bool place(struct requests *q, const struct dev_range *window, uint64_t *used)
{
	bool fits = true;

	*used = 0;
	for (unsigned i = 0; i < q->nr; i++) {
		struct request *r = &q->r[i];
		uint64_t end;

		r->base = lowest(q, i, window->base, r->size, r->align);
		end = r->base + r->size - window->base;
		if (end > *used)
			*used = end;
		fits = fits && end <= window->size;
	}
	return fits;
}

/*
 * Endpoints without a port: the last of them goes behind the last port that is free, the one
 * before behind the port before, and those for whom no port is left onto the root bus.
 */
static bool choose_ports(struct pcie_conf *conf)
{
	bool taken[PCIE_SLOTS] = {false};

	for (unsigned i = 0; i < conf->nr_endpoints; i++) {
		int port = conf->endpoint[i].port;

		if (port < 0)
			continue;
		if ((unsigned)port >= conf->root_ports || taken[port])
			return false;
		taken[port] = true;
	}
	for (unsigned i = conf->nr_endpoints; i-- > 0;) {
		unsigned port = conf->root_ports;

		if (conf->endpoint[i].port != PCIE_PORT_ANY)
			continue;
		while (port && taken[port - 1])
			port--;
		conf->endpoint[i].port = port ? (int)port - 1 : PCIE_PORT_NONE;
		if (port)
			taken[port - 1] = true;
	}
	return true;
}

static void address_space(const struct pcie_conf *conf, const struct dev_range *range,
			  struct pcie_budget *b)
{
	const struct dev_range *mmio32 = &range[PCIE_WINDOW_MMIO32];
	const struct dev_range *mmio64 = &range[PCIE_WINDOW_MMIO64];
	struct requests low = {.nr = 0}, high = {.nr = 0};
	bool low_fits, low_fits_alone;

	for (unsigned i = 0; i < conf->nr_endpoints; i++) {
		const struct pcie_endpoint_conf *e = &conf->endpoint[i];

		if (e->port >= 0) {
			ask_for(&low, e->bar32 + e->msix, e->bar32 > e->msix ? e->bar32 : e->msix,
				true);
		} else {
			ask_for(&low, e->bar32, e->bar32, false);
			ask_for(&low, e->msix, e->msix, false);
		}
	}
	low_fits_alone = place(&low, mmio32, &b->mmio32);
	for (unsigned i = 0; i < conf->nr_endpoints; i++) {
		const struct pcie_endpoint_conf *e = &conf->endpoint[i];

		ask_for(mmio64->size ? &high : &low, e->bar64, e->bar64, e->port >= 0);
	}
	low_fits = place(&low, mmio32, &b->mmio32);
	if (!low_fits_alone)
		b->exhausted = "pcie-mmio32";
	else if (!low_fits)
		b->exhausted = "pcie-mmio64-lowmem";
	else if (!place(&high, mmio64, &b->mmio64))
		b->exhausted = "pcie-mmio64";
}

void pcie_budget(struct pcie_conf *conf, const struct dev_range range[DEV_WINDOWS_MAX],
		 struct pcie_budget *b)
{
	unsigned on_root = 0;
	bool ports_ok;

	memset(b, 0, sizeof(*b));
	b->buses = 1 + conf->root_ports;
	b->buses_max = (unsigned)(range[PCIE_WINDOW_ECAM].size / BUS_ECAM);
	b->slots_max = PCIE_SLOTS - 1;
	b->mmio32_max = range[PCIE_WINDOW_MMIO32].size;
	b->mmio64_max = range[PCIE_WINDOW_MMIO64].size;
	b->slots = conf->root_ports;
	if (b->slots > b->slots_max) {
		b->exhausted = "pcie-slots";
		return;
	}
	ports_ok = choose_ports(conf);
	for (unsigned i = 0; i < conf->nr_endpoints; i++)
		on_root += conf->endpoint[i].port < 0;
	b->slots += on_root;
	if (b->buses > b->buses_max)
		b->exhausted = "pcie-buses";
	else if (!ports_ok)
		b->exhausted = "pcie-port";
	else if (b->slots > b->slots_max)
		b->exhausted = "pcie-slots";
	else
		address_space(conf, range, b);
}
