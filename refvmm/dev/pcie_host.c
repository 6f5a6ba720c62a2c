/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCIe host of the virt board: ECAM, the windows for memory, and the host bridge function.
 * Addresses on PCI are the CPU's own; the window for I/O ports starts at port 0, and holds none.
 */
#include "dev/pcie_host.h"

#include <errno.h>
#include <linux/pci_regs.h>

#include <assay/board.h>

#include "core/dt.h"
#include "core/err.h"
#include "dev/pcie.h"
#include "refuse.h"

struct pcie_host {
	struct dev dev;
	struct pcie_root root;
	struct pcie_conf conf; /* with a port for each endpoint */
};

/* ---- 00:00.0 */

static void bridge_setup(struct pcie_fn *f, const void *conf)
{
	static const struct pcie_ids ids = {.vendor = ASSAY_PCI_VENDOR,
					    .device = ASSAY_PCI_DEVICE_HOST_BRIDGE,
					    .class_code = 0x060000};

	(void)conf;
	pcie_config_init(&f->cfg, &ids);
	pcie_add_express(f, PCI_EXP_TYPE_RC_END);
}

const struct pcie_fn_ops pcie_host_bridge_ops = {
	.name = "host-bridge",
	.size = sizeof(struct pcie_fn),
	.setup = bridge_setup,
};

/* ---- windows */

static struct pcie_root *root_of(struct dev *d)
{
	return &((struct pcie_host *)d)->root;
}

/* An address in ECAM is bus, device, function, register (PCIe 6.0, 7.2.2). */
static uint64_t ecam_read(struct dev *d, uint64_t off, unsigned len)
{
	return pcie_config_cycle_read(root_of(d), (unsigned)(off >> 20), (off >> 12) & 0xff,
				      off & 0xfff, len);
}

static void ecam_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	pcie_config_cycle_write(root_of(d), (unsigned)(off >> 20), (off >> 12) & 0xff, off & 0xfff,
				len, (uint32_t)val);
}

static uint64_t mmio32_read(struct dev *d, uint64_t off, unsigned len)
{
	return pcie_memory_read(root_of(d), d->range[PCIE_WINDOW_MMIO32].base + off, len);
}

static void mmio32_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	pcie_memory_write(root_of(d), d->range[PCIE_WINDOW_MMIO32].base + off, len, val);
}

static uint64_t mmio64_read(struct dev *d, uint64_t off, unsigned len)
{
	return pcie_memory_read(root_of(d), d->range[PCIE_WINDOW_MMIO64].base + off, len);
}

static void mmio64_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	pcie_memory_write(root_of(d), d->range[PCIE_WINDOW_MMIO64].base + off, len, val);
}

/* No function here has I/O ports. */
static uint64_t pio_read(struct dev *d, uint64_t off, unsigned len)
{
	(void)d;
	(void)off;
	(void)len;
	return UINT64_MAX;
}

static void pio_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	(void)d;
	(void)off;
	(void)len;
	(void)val;
}

/* ---- the device */

static int refuse_exhausted(const struct pcie_conf *c, const struct pcie_budget *b)
{
	return refuse_limit(b->exhausted, "a machine with %u root ports and %u endpoints",
			    c->root_ports, c->nr_endpoints);
}

static int host_init(struct dev *d)
{
	struct pcie_host *h = (struct pcie_host *)d;
	struct pcie_budget b;
	struct pcie_fn *f;
	unsigned slot;

	h->conf = *(const struct pcie_conf *)d->conf;
	for (unsigned i = 0; i < h->conf.nr_endpoints; i++)
		if (h->conf.endpoint[i].port >= (int)h->conf.root_ports)
			return err_usage("%s,port=%d: there are %u root ports",
					 h->conf.endpoint[i].option, h->conf.endpoint[i].port,
					 h->conf.root_ports);
	pcie_budget(&h->conf, d->range, &b);
	if (b.exhausted)
		return refuse_exhausted(&h->conf, &b);
	h->root.dev = d;
	f = pcie_fn_new(&h->root, NULL, 0, &pcie_host_bridge_ops, NULL);
	for (slot = 1; f && slot <= h->conf.root_ports; slot++)
		f = pcie_fn_new(&h->root, NULL, slot, &pcie_root_port_ops, NULL);
	for (unsigned i = 0; f && i < h->conf.nr_endpoints; i++) {
		const struct pcie_endpoint_conf *e = &h->conf.endpoint[i];
		struct pcie_fn *port = e->port < 0 ? NULL : h->root.slot[1 + e->port];

		f = pcie_fn_new(&h->root, port, port ? 0 : slot++, e->ops ? e->ops : &pci_test_ops,
				e->ops ? e->conf : &e->test);
	}
	if (f)
		return 0;
	pcie_root_free(&h->root);
	return err_host(ENOMEM, "pcie: a function");
}

static void host_reset(struct dev *d)
{
	pcie_root_reset(root_of(d));
}

static void host_fini(struct dev *d)
{
	pcie_root_free(root_of(d));
}

/* ---- device tree: Documentation/devicetree/bindings/pci/host-generic-pci.yaml */

enum { PCI_ADDR_IO = 0x01000000, PCI_ADDR_MEM32 = 0x02000000, PCI_ADDR_MEM64 = 0x03000000 };

static void describe_ranges(const struct dev *d, struct fdt *f)
{
	const struct dev_range *pio = &d->range[PCIE_WINDOW_PIO];
	const struct dev_range *low = &d->range[PCIE_WINDOW_MMIO32];
	const struct dev_range *high = &d->range[PCIE_WINDOW_MMIO64];
	const uint32_t cells[] = {
		PCI_ADDR_IO,	DT_U64(0),	    DT_U64(pio->base),	DT_U64(pio->size),
		PCI_ADDR_MEM32, DT_U64(low->base),  DT_U64(low->base),	DT_U64(low->size),
		PCI_ADDR_MEM64, DT_U64(high->base), DT_U64(high->base), DT_U64(high->size),
	};

	dt_cellv(f, "ranges", cells, high->size ? 21 : 14);
}

/*
 * The lines of the root bus by slot and pin; four slots show the pattern, as the mask keeps only
 * two bits of the device number. The GIC's node has two address cells, which are 0.
 */
static void describe_intx(const struct dev *d, struct fdt *f)
{
	uint32_t cells[PCIE_PINS * PCIE_PINS * 10], n = 0;

	for (uint32_t slot = 0; slot < PCIE_PINS; slot++) {
		for (uint32_t pin = 0; pin < PCIE_PINS; pin++) {
			const uint32_t entry[10] = {slot << 11,
						    0,
						    0,
						    pin + 1,
						    DT_PHANDLE_GIC,
						    0,
						    0,
						    0,
						    d->spi + (slot + pin) % PCIE_PINS,
						    DT_IRQ_LEVEL};

			for (unsigned i = 0; i < 10; i++)
				cells[n++] = entry[i];
		}
	}
	dt_u32(f, "#interrupt-cells", 1);
	dt_cellv(f, "interrupt-map", cells, n);
	dt_cells(f, "interrupt-map-mask", (PCIE_PINS - 1) << 11, 0, 0, 7);
}

static int host_describe(const struct dev *d, struct fdt *f)
{
	const struct dev_range *ecam = &d->range[PCIE_WINDOW_ECAM];

	dt_begin_at(f, "pcie", d->range[PCIE_WINDOW_MMIO32].base);
	dt_strs(f, "compatible", "pci-host-ecam-generic");
	dt_str(f, "device_type", "pci");
	dt_u32(f, "#address-cells", 3);
	dt_u32(f, "#size-cells", 2);
	dt_reg(f, ecam->base, ecam->size);
	dt_cells(f, "bus-range", 0, (uint32_t)(ecam->size >> 20) - 1);
	dt_u32(f, "linux,pci-domain", 0);
	dt_empty(f, "dma-coherent");
	describe_ranges(d, f);
	if (d->env->msi != ENV_MSI_NONE)
		dt_cells(f, "msi-map", 0, DT_PHANDLE_MSI, 0, 0x10000);
	describe_intx(d, f);
	dt_end(f);
	return 0;
}

void pcie_where(struct dev *host, const void *conf, int *port, int *slot)
{
	struct pcie_root *root = root_of(host);

	*port = *slot = -1;
	for (int i = 0; i < (int)PCIE_SLOTS; i++) {
		const struct pcie_fn *f = root->slot[i];

		if (f && f->conf == conf) {
			*slot = i;
		} else if (f && f->behind && f->behind->conf == conf) {
			*port = i;
			*slot = 0;
		}
	}
}

const struct dev_ops pcie_host_ops = {
	.name = "pcie",
	.compatible = "pci-host-ecam-generic",
	.size = sizeof(struct pcie_host),
	.conf_size = sizeof(struct pcie_conf),
	.options = pcie_options,
	.window = {[PCIE_WINDOW_ECAM] = {"ecam", 1, 4, ecam_read, ecam_write},
		   [PCIE_WINDOW_MMIO32] = {"pcie-mmio", 1, 8, mmio32_read, mmio32_write},
		   [PCIE_WINDOW_PIO] = {"pcie-pio", 1, 4, pio_read, pio_write},
		   [PCIE_WINDOW_MMIO64] = {"pcie-mmio-high", 1, 8, mmio64_read, mmio64_write}},
	.init = host_init,
	.reset = host_reset,
	.fini = host_fini,
	.describe = host_describe,
};
