/* SPDX-License-Identifier: Apache-2.0 */
#include "fdt.h"

#include <assay/board.h>

#define PPI(intid)  1 /* PPI */, (intid)-16
#define REDIST_SIZE 0x20000ULL
#define STDOUT_PATH "/pl011@9000000"

uint64_t fdt_mpidr(unsigned id)
{
	/* 16 CPUs at affinity 0, as many as an SGI's target list reaches; 256 at affinity 1. */
	return (id & 0xfU) | (uint64_t)(id >> 4 & 0xffU) << 8 | (uint64_t)(id >> 12 & 0xffU) << 16;
}

/* The third cell of a PPI: level, and in GICv2 the mask of the CPUs it is wired to. */
static uint32_t ppi_flags(const struct machine_conf *c)
{
	uint32_t mask = c->gic == GIC_V2 ? (1U << c->smp) - 1 : 0;

	return mask << 8 | DT_IRQ_LEVEL;
}

static void cpus(struct fdt *f, const struct machine_conf *c)
{
	dt_begin(f, "cpus");
	dt_u32(f, "#address-cells", 1);
	dt_u32(f, "#size-cells", 0);
	for (unsigned i = 0; i < c->smp; i++) {
		uint32_t mpidr = (uint32_t)fdt_mpidr(i);

		dt_begin_at(f, "cpu", mpidr);
		dt_str(f, "device_type", "cpu");
		dt_str(f, "compatible", "arm,armv8");
		dt_u32(f, "reg", mpidr);
		dt_str(f, "enable-method", "psci");
		dt_end(f);
	}
	dt_end(f);
}

static void psci(struct fdt *f)
{
	dt_begin(f, "psci");
	dt_strs(f, "compatible", "arm,psci-1.0", "arm,psci-0.2");
	dt_str(f, "method", "hvc");
	dt_end(f);
}

static void memory(struct fdt *f, const struct machine_conf *c)
{
	dt_begin_at(f, "memory", ASSAY_RAM_BASE);
	dt_str(f, "device_type", "memory");
	dt_reg(f, ASSAY_RAM_BASE, c->ram.size);
	dt_end(f);
}

static void timer(struct fdt *f, const struct machine_conf *c)
{
	uint32_t flags = ppi_flags(c);

	dt_begin(f, "timer");
	dt_str(f, "compatible", "arm,armv8-timer");
	dt_cells(f, "interrupts", PPI(ASSAY_PPI_TIMER_EL3), flags, PPI(ASSAY_PPI_TIMER_PHYS), flags,
		 PPI(ASSAY_PPI_TIMER_VIRT), flags, PPI(ASSAY_PPI_TIMER_EL2), flags);
	dt_empty(f, "always-on");
	dt_end(f);
}

static void pmu(struct fdt *f, const struct machine_conf *c)
{
	if (c->cpu.pmu != ON)
		return;
	dt_begin(f, "pmu");
	dt_str(f, "compatible", "arm,armv8-pmuv3");
	dt_cells(f, "interrupts", PPI(ASSAY_PPI_PMU), ppi_flags(c));
	dt_end(f);
}

static void gic_node(struct fdt *f, const char *compatible)
{
	dt_begin_at(f, "interrupt-controller", ASSAY_GIC_DIST_BASE + 0U);
	dt_str(f, "compatible", compatible);
	dt_u32(f, "#interrupt-cells", 3);
	dt_empty(f, "interrupt-controller");
	dt_u32(f, "#address-cells", 2);
	dt_u32(f, "#size-cells", 2);
	dt_empty(f, "ranges");
	dt_phandle(f, DT_PHANDLE_GIC);
}

/* The GICv2m frame is a device of the board and describes itself. */
static void gic_v2(struct fdt *f)
{
	gic_node(f, "arm,cortex-a15-gic");
	dt_cells(f, "reg", DT_U64(ASSAY_GIC_DIST_BASE), DT_U64(ASSAY_GIC_DIST_SIZE),
		 DT_U64(ASSAY_GIC_CPU_BASE), DT_U64(ASSAY_GIC_CPU_SIZE));
	dt_end(f);
}

static void gic_v3(struct fdt *f, const struct machine_conf *c)
{
	unsigned low = board_redists_low(c->smp);
	uint32_t reg[] = {DT_U64(ASSAY_GIC_DIST_BASE),	      DT_U64(ASSAY_GIC_DIST_SIZE),
			  DT_U64(ASSAY_GIC_REDIST_BASE),      DT_U64(low * REDIST_SIZE),
			  DT_U64(ASSAY_GIC_REDIST_HIGH_BASE), DT_U64((c->smp - low) * REDIST_SIZE)};
	bool high = c->smp > low;

	gic_node(f, "arm,gic-v3");
	dt_u32(f, "#redistributor-regions", high ? 2 : 1);
	dt_cellv(f, "reg", reg, high ? 12 : 8);
	if (c->its == ON) {
		dt_begin_at(f, "msi-controller", ASSAY_GIC_ITS_BASE + 0U);
		dt_str(f, "compatible", "arm,gic-v3-its");
		dt_empty(f, "msi-controller");
		dt_u32(f, "#msi-cells", 1);
		dt_reg(f, ASSAY_GIC_ITS_BASE, ASSAY_GIC_ITS_SIZE);
		dt_phandle(f, DT_PHANDLE_MSI);
		dt_end(f);
	}
	dt_end(f);
}

static void chosen(struct fdt *f, const struct machine_conf *c, const struct boot *boot)
{
	dt_begin(f, "chosen");
	if (c->append)
		dt_str(f, "bootargs", c->append);
	dt_str(f, "stdout-path", STDOUT_PATH);
	if (boot && boot->initrd_size) {
		dt_u64(f, "linux,initrd-start", boot->initrd);
		dt_u64(f, "linux,initrd-end", boot->initrd + boot->initrd_size);
	}
	dt_end(f);
}

int fdt_build(struct fdt *f, const struct machine_conf *c, const struct board *b,
	      const struct boot *boot, void *place)
{
	int ret = 0;

	if (place)
		dt_new_at(f, place);
	else
		ret = dt_new(f);
	if (ret)
		return ret;
	dt_strs(f, "compatible", "assay,virt-1", "linux,dummy-virt");
	dt_str(f, "model", "assay,virt-1");
	dt_u32(f, "#address-cells", 2);
	dt_u32(f, "#size-cells", 2);
	dt_u32(f, "interrupt-parent", DT_PHANDLE_GIC);
	dt_empty(f, "dma-coherent");
	chosen(f, c, boot);
	memory(f, c);
	cpus(f, c);
	psci(f);
	timer(f, c);
	pmu(f, c);
	if (c->gic == GIC_V2)
		gic_v2(f);
	else
		gic_v3(f, c);
	for (unsigned i = 0; !ret && i < b->nr; i++) {
		if (b->dev[i]->ops->describe)
			ret = b->dev[i]->ops->describe(b->dev[i], f);
	}
	return ret ? ret : dt_finish(f);
}
