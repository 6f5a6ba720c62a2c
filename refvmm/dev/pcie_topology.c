/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers a request: routing by bus number, by address, and of interrupts. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pcie.h"

static bool is_port(const struct pcie_fn *f)
{
	return f->ops == &pcie_root_port_ops;
}

static bool command(const struct pcie_fn *f, uint16_t bits)
{
	return (pcie_get16(&f->cfg, PCI_COMMAND) & bits) == bits;
}

/* ---- functions come and go */

struct pcie_fn *pcie_fn_new(struct pcie_root *root, struct pcie_fn *port, unsigned slot,
			    const struct pcie_fn_ops *ops, const void *conf)
{
	struct pcie_fn **place = port ? &port->behind : &root->slot[slot];
	struct pcie_fn *f;

	if (slot >= PCIE_SLOTS || *place || (port && slot))
		abort(); /* ours: the budget allows one function a place */
	f = calloc(1, ops->size);
	if (!f)
		return NULL;
	f->ops = ops;
	f->conf = conf;
	f->root = root;
	f->port = port;
	f->slot = (uint8_t)slot;
	if (ops->create) {
		f->priv = ops->create(f);
		if (!f->priv) {
			free(f);
			return NULL;
		}
	}
	*place = f;
	ops->setup(f, conf);
	if (port)
		pcie_fn_reset(port); /* its slot is no longer empty */
	return f;
}

void pcie_fn_reset(struct pcie_fn *f)
{
	struct pcie_fn keep = {.ops = f->ops,
			       .conf = f->conf,
			       .priv = f->priv,
			       .root = f->root,
			       .port = f->port,
			       .behind = f->behind,
			       .slot = f->slot};

	pcie_intx(f, false);
	memset(f, 0, f->ops->size);
	*f = keep;
	f->ops->setup(f, f->conf);
	if (f->behind)
		pcie_fn_reset(f->behind);
}

/* Windows, decoding or numbers of a function are others now: who is reached by them looks. */
static void moved(struct pcie_root *root)
{
	for (unsigned i = 0; i < PCIE_SLOTS; i++) {
		struct pcie_fn *f = root->slot[i];

		if (f && f->ops->moved)
			f->ops->moved(f);
		if (f && f->behind && f->behind->ops->moved)
			f->behind->ops->moved(f->behind);
	}
}

void pcie_root_reset(struct pcie_root *root)
{
	for (unsigned i = 0; i < PCIE_SLOTS; i++)
		if (root->slot[i])
			pcie_fn_reset(root->slot[i]);
	moved(root);
}

static void fn_free(struct pcie_fn *f)
{
	if (f && f->ops->destroy)
		f->ops->destroy(f);
	free(f);
}

void pcie_root_free(struct pcie_root *root)
{
	for (unsigned i = 0; i < PCIE_SLOTS; i++) {
		if (root->slot[i])
			fn_free(root->slot[i]->behind);
		fn_free(root->slot[i]);
		root->slot[i] = NULL;
	}
}

/* ---- configuration requests */

/*
 * Bus 0 is the root bus. A request for another bus goes to the port whose range of numbers holds
 * it; the port makes it a Type 0 request for its secondary bus, where only device 0 exists (PCIe
 * 6.0, 7.3.1), and nothing is behind that.
 */
struct pcie_fn *pcie_route_config(struct pcie_root *root, unsigned bus, unsigned devfn)
{
	unsigned slot = devfn >> 3;

	if (bus == 0)
		return devfn & 7 ? NULL : root->slot[slot];
	for (unsigned i = 0; i < PCIE_SLOTS; i++) {
		struct pcie_fn *port = root->slot[i];

		if (!port || !is_port(port) || !pcie_port_has_bus(port, bus))
			continue;
		if (bus == port->cfg.val[PCI_SECONDARY_BUS] && devfn == 0 && port->behind &&
		    !pcie_port_in_reset(port))
			return port->behind;
		pcie_port_unsupported(port);
		return NULL;
	}
	return NULL;
}

uint32_t pcie_config_cycle_read(struct pcie_root *root, unsigned bus, unsigned devfn, unsigned off,
				unsigned len)
{
	struct pcie_fn *f = pcie_route_config(root, bus, devfn);

	if (f && f->ops->reading)
		f->ops->reading(f, off, len);
	return f ? pcie_config_read(&f->cfg, off, len) : UINT32_MAX >> (32 - 8 * len);
}

void pcie_config_cycle_write(struct pcie_root *root, unsigned bus, unsigned devfn, unsigned off,
			     unsigned len, uint32_t val)
{
	struct pcie_fn *f = pcie_route_config(root, bus, devfn);

	if (!f)
		return;
	pcie_config_write(&f->cfg, off, len, val);
	if (f->ops->configured)
		f->ops->configured(f, off, len);
	pcie_intx(f, f->intx); /* Interrupt Disable may have changed */
	moved(root);
}

/* ---- memory requests */

static bool claims(struct pcie_fn *f, uint64_t addr, unsigned len, struct pcie_target *t)
{
	if (!command(f, PCI_COMMAND_MEMORY))
		return false;
	for (unsigned i = 0; i < PCIE_BARS; i++) {
		uint64_t off = addr - pcie_bar_address(&f->cfg, i);

		if (!f->bar_size[i] || off >= f->bar_size[i] || len > f->bar_size[i] - off)
			continue;
		*t = (struct pcie_target){.fn = f, .bar = i, .off = off};
		return true;
	}
	return false;
}

/* `request`: somebody asks, and errors are recorded; else it is only looked who would answer. */
static struct pcie_target route(struct pcie_root *root, uint64_t addr, unsigned len, bool request)
{
	struct pcie_target t = {.fn = NULL};
	bool answered;

	for (unsigned i = 0; i < PCIE_SLOTS; i++) {
		struct pcie_fn *f = root->slot[i];

		if (!f)
			continue;
		if (!is_port(f)) {
			if (claims(f, addr, len, &t))
				return t;
			continue;
		}
		if (!command(f, PCI_COMMAND_MEMORY) || !pcie_port_passes(f, addr, len))
			continue;
		answered = f->behind && !pcie_port_in_reset(f) && claims(f->behind, addr, len, &t);
		if (!answered && request)
			pcie_port_unsupported(f);
		return t;
	}
	return t;
}

struct pcie_target pcie_route_memory(struct pcie_root *root, uint64_t addr, unsigned len)
{
	return route(root, addr, len, true);
}

/* The windows of the host are its device's; a function may be given addresses outside of them. */
uint64_t pcie_reachable(struct pcie_fn *f, unsigned bar, uint64_t off, unsigned len)
{
	const struct dev *d = f->root->dev;
	uint64_t addr = pcie_bar_address(&f->cfg, bar) + off;
	struct pcie_target t = route(f->root, addr, len, false);

	if (t.fn != f || t.bar != bar || t.off != off)
		return 0;
	for (unsigned i = 0; i < DEV_WINDOWS_MAX; i++) {
		if (d->ops->window[i].max_len >= 8 && addr >= d->range[i].base &&
		    addr - d->range[i].base < d->range[i].size)
			return addr;
	}
	return 0;
}

uint64_t pcie_memory_read(struct pcie_root *root, uint64_t addr, unsigned len)
{
	struct pcie_target t = pcie_route_memory(root, addr, len);

	return t.fn ? t.fn->ops->read(t.fn, t.bar, t.off, len) : UINT64_MAX;
}

void pcie_memory_write(struct pcie_root *root, uint64_t addr, unsigned len, uint64_t val)
{
	struct pcie_target t = pcie_route_memory(root, addr, len);

	if (t.fn)
		t.fn->ops->write(t.fn, t.bar, t.off, len, val);
}

/* ---- interrupts */

uint16_t pcie_requester_id(const struct pcie_fn *f)
{
	unsigned bus = f->port ? f->port->cfg.val[PCI_SECONDARY_BUS] : 0;

	return (uint16_t)(bus << 8 | (unsigned)f->slot << 3);
}

static bool asserts(const struct pcie_fn *f)
{
	return f->intx && !command(f, PCI_COMMAND_INTX_DISABLE);
}

/*
 * Each bridge turns pin P of device D on its secondary side into its own pin (P + D) mod 4 (PCIe
 * 6.0, 2.2.8.1, table 2-21), and the root bus does the same towards the four lines. All functions
 * use INTA, and behind a port D is 0: what remains is the slot on the root bus.
 */
void pcie_intx(struct pcie_fn *f, bool level)
{
	struct pcie_root *root = f->root;
	bool want[PCIE_PINS] = {false};
	uint16_t status = pcie_get16(&f->cfg, PCI_STATUS);

	f->intx = level;
	pcie_set16(
		&f->cfg, PCI_STATUS,
		(uint16_t)(level ? status | PCI_STATUS_INTERRUPT : status & ~PCI_STATUS_INTERRUPT));
	for (unsigned i = 0; i < PCIE_SLOTS; i++) {
		const struct pcie_fn *top = root->slot[i];

		if (top && (asserts(top) || (top->behind && asserts(top->behind))))
			want[i % PCIE_PINS] = true;
	}
	for (unsigned i = 0; i < PCIE_PINS; i++) {
		if (root->line[i] == want[i])
			continue;
		root->line[i] = want[i];
		dev_irq(root->dev, i, want[i]);
	}
}

int pcie_message(struct pcie_fn *f, uint64_t addr, uint32_t data, bool often)
{
	struct env *env = f->root->dev->env;

	if (!command(f, PCI_COMMAND_MASTER) || (f->port && !command(f->port, PCI_COMMAND_MASTER)))
		return -EACCES;
	return (often ? env->ops->message : env->ops->msi)(env, addr, data, pcie_requester_id(f));
}
