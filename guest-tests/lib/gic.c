/* SPDX-License-Identifier: Apache-2.0 */
/* The part that GICv2 and GICv3 share, and the choice between them. */
#include "gic.h"
#include "gic_impl.h"
#include "smp.h"
#include "test.h"

static const struct gic_impl *impl;
static bool looked;
static bool used;    /* tests ran before the first that wanted the GIC */
static bool touched; /* this test wanted it */
static struct mmio dist;

static const struct gic_impl *find(void)
{
	static const char *const v2[] = {"arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a9-gic"};
	int node = dt_find("arm,gic-v3", 0);

	if (node != DT_NONE) {
		dist = dt_mmio_reg(node, 0);
		return gicv3_init(node, dist) ? &gicv3_impl : NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(v2); i++) {
		node = dt_find(v2[i], 0);
		if (node != DT_NONE) {
			dist = dt_mmio_reg(node, 0);
			gicv2_init(node, dist);
			return &gicv2_impl;
		}
	}
	return NULL;
}

unsigned gic_version(void)
{
	touched = true;
	if (!looked) {
		looked = true;
		impl = find();
		if (impl && used)
			gic_reset(); /* a device may have left an edge behind */
		else if (impl)
			gic_cpu_init();
	}
	return impl ? impl->version : 0;
}

void gic_need(unsigned version)
{
	unsigned have = gic_version();

	if (have != version)
		SKIP("needs a GICv%u, this machine has %s%u", version,
		     have ? "a GICv" : "none: ", have);
}

void gic_need_any(void)
{
	if (!gic_version())
		SKIP("needs an interrupt controller, the device tree has none");
}

static const struct gic_impl *gic(void)
{
	gic_need_any();
	return impl;
}

struct mmio gic_dist(void)
{
	gic();
	return dist;
}

void gic_cpu_init(void)
{
	if (!impl)
		return;
	for (unsigned i = 0; i < 32; i += 4) /* by words: each access is an exit */
		wr32(gic_frame(i), GICD_IPRIORITYR + i, 0x01010101U * GIC_PRIORITY);
	impl->cpu_init();
}

/* SGIs and PPIs are banked: in the distributor (v2) or the redistributor (v3) */
struct mmio gic_frame(unsigned intid)
{
	gic();
	return intid < GIC_SPI_FIRST && impl->private_frame ? impl->private_frame() : dist;
}

static void set_bit(unsigned reg, unsigned intid)
{
	wr32(gic_frame(intid), reg + intid / 32 * 4, (uint32_t)BIT(intid % 32));
	impl->wait_rwp(intid);
}

static bool get_bit(unsigned reg, unsigned intid)
{
	return rd32(gic_frame(intid), reg + intid / 32 * 4) & BIT(intid % 32);
}

void gic_enable(unsigned intid)
{
	set_bit(GICD_ISENABLER, intid);
}

void gic_disable(unsigned intid)
{
	set_bit(GICD_ICENABLER, intid);
}

bool gic_is_enabled(unsigned intid)
{
	return get_bit(GICD_ISENABLER, intid);
}

void gic_set_priority(unsigned intid, uint8_t priority)
{
	wr8(gic_frame(intid), GICD_IPRIORITYR + intid, priority);
}

uint8_t gic_get_priority(unsigned intid)
{
	return rd8(gic_frame(intid), GICD_IPRIORITYR + intid);
}

void gic_set_pending(unsigned intid, bool pending)
{
	gic();
	if (intid < 16 && impl->sgi_set_pending)
		impl->sgi_set_pending(intid, pending);
	else
		set_bit(pending ? GICD_ISPENDR : GICD_ICPENDR, intid);
}

bool gic_is_pending(unsigned intid)
{
	return get_bit(GICD_ISPENDR, intid);
}

void gic_set_active(unsigned intid, bool active)
{
	set_bit(active ? GICD_ISACTIVER : GICD_ICACTIVER, intid);
}

bool gic_is_active(unsigned intid)
{
	return get_bit(GICD_ISACTIVER, intid);
}

void gic_set_edge(unsigned intid, bool edge)
{
	struct mmio f = gic_frame(intid);
	unsigned off = GICD_ICFGR + intid / 16 * 4, bit = intid % 16 * 2 + 1;
	uint32_t v = rd32(f, off) & ~(uint32_t)BIT(bit);

	wr32(f, off, edge ? v | (uint32_t)BIT(bit) : v);
}

void gic_set_group(unsigned intid, bool group1)
{
	struct mmio f = gic_frame(intid);
	unsigned off = GICD_IGROUPR + intid / 32 * 4;
	uint32_t v = rd32(f, off) & ~(uint32_t)BIT(intid % 32);

	wr32(f, off, group1 ? v | (uint32_t)BIT(intid % 32) : v);
}

bool gic_get_group(unsigned intid)
{
	return get_bit(GICD_IGROUPR, intid);
}

bool gic_is_kvm(void)
{
	uint32_t iidr = rd32(gic_dist(), GICD_IIDR);

	return iidr >> 24 == 'K' && (iidr & 0xfff) == 0x43b;
}

unsigned gic_intids(void)
{
	static unsigned intids;

	if (!intids)
		intids = MIN(1020U, 32 * ((rd32(gic_dist(), GICD_TYPER) & 0x1f) + 1));
	return intids;
}

void gic_route(unsigned intid, unsigned cpu)
{
	gic()->route(intid, cpu);
}

uint32_t gic_ack(void)
{
	return gic()->ack();
}

void gic_eoi(uint32_t iar)
{
	gic()->eoi(iar);
}

void gic_deactivate(uint32_t iar)
{
	gic()->deactivate(iar);
}

unsigned gic_highest_pending(void)
{
	return gic()->highest_pending();
}

void gic_set_pmr(uint8_t mask)
{
	gic()->set_pmr(mask);
}

uint8_t gic_get_pmr(void)
{
	return gic()->get_pmr();
}

uint8_t gic_running_priority(void)
{
	return gic()->running_priority();
}

void gic_set_eoimode(bool split)
{
	gic()->set_eoimode(split);
}

bool gic_get_eoimode(void)
{
	return gic()->get_eoimode();
}

void gic_sgi(unsigned intid, unsigned cpu)
{
	dsb(sy); /* what the target is to see is visible before the interrupt */
	gic()->sgi(intid, cpu);
}

void gic_sgi_list(unsigned intid, uint64_t cpus)
{
	dsb(sy);
	gic()->sgi_list(intid, cpus);
}

void gic_sgi_others(unsigned intid)
{
	dsb(sy);
	gic()->sgi_others(intid);
}

/* CPU 0, after a test: nothing enabled, pending or active, and the CPU interface as at the start */
void gic_reset(void)
{
	used = true;
	if (!impl || !touched)
		return;
	if (impl->running_priority() != 0xff)
		impl->drop_active();
	for (unsigned i = 0; i < gic_intids(); i += 32) {
		struct mmio f = gic_frame(i);

		wr32(f, GICD_ICENABLER + i / 8, ~0U);
		wr32(f, GICD_ICPENDR + i / 8, ~0U);
		wr32(f, GICD_ICACTIVER + i / 8, ~0U);
		wr32(f, GICD_IGROUPR + i / 8, impl->version == 2 ? 0 : ~0U);
	}
	impl->dist_on();
	for (unsigned i = 0; i < 16 && impl->sgi_set_pending; i++)
		impl->sgi_set_pending(i, false);
	gic_cpu_init();
	touched = false;
}
