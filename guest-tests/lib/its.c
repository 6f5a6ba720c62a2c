/* SPDX-License-Identifier: Apache-2.0 */
#include "its.h"
#include "gic.h"
#include "smp.h"
#include "test.h"

#define QUEUE_SIZE    SZ_64K
#define DEVICE_BITS   16U /* requester ids of PCIe */
#define COLLECTIONS   16U
#define BASER_VALID   BIT(63)
#define CACHEABLE(at) (UINT64_C(7) << (at)) /* read- and write-allocate, write-back */
#define SHAREABLE     BIT(10)		    /* inner */

/* command numbers: IHI 0069H 5.3 */
enum {
	CMD_MOVI = 0x01,
	CMD_INT = 0x03,
	CMD_CLEAR = 0x04,
	CMD_SYNC = 0x05,
	CMD_MAPD = 0x08,
	CMD_MAPC = 0x09,
	CMD_MAPTI = 0x0a,
	CMD_MAPI = 0x0b,
	CMD_INV = 0x0c,
	CMD_INVALL = 0x0d,
	CMD_MOVALL = 0x0e,
	CMD_DISCARD = 0x0f,
};

static struct mmio its;
static uint64_t *queue;
static uint64_t queue_size = QUEUE_SIZE;
static uint64_t written;      /* GITS_CWRITER as a byte offset */
static unsigned device_baser; /* which GITS_BASER is the device table's, and what it held */
static uint64_t device_table;
static uint8_t *config; /* LPI configuration table: one byte for each LPI from LPI_FIRST */
static unsigned next_lpi = LPI_FIRST;
static uint64_t cpus_used; /* bit n: CPU n < 64 has LPIs, and collection n */

static void wait_read(void)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);
	uint64_t read;

	/* CREADR (12.19): offset in 19:5, bit 0 Stalled */
	while ((read = rd64(its, GITS_CREADR)) != written)
		if ((read & 1) || (!wait_more(&w) && rd64(its, GITS_CREADR) != written))
			test_error("the ITS stopped at command offset 0x%lx of 0x%lx", read,
				   written);
}

void its_put(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
	uint64_t *slot = queue + written / 8;

	slot[0] = d0;
	slot[1] = d1;
	slot[2] = d2;
	slot[3] = d3;
	dsb(sy);
	written = (written + 32) % queue_size;
}

void its_go(void)
{
	wr64(its, GITS_CWRITER, written);
	if (rd32(its, GITS_CTLR) & 1)
		wait_read();
}

static void put(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
	its_put(d0, d1, d2, d3);
	wr64(its, GITS_CWRITER, written);
	wait_read();
}

/* RDbase of commands: with GITS_TYPER.PTA the frame's address, else the processor number (5.3) */
uint64_t its_rdbase(unsigned cpu)
{
	struct mmio r = gic_redist(cpu);

	if (rd64(its, GITS_TYPER) & BIT(19))
		return r.base;
	return BITS(rd64(r, GICR_TYPER), 23, 8) << 16;
}

void its_command(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
	put(d0, d1, d2, d3);
	for (unsigned n = 0; n < 64; n++)
		if (cpus_used & BIT(n))
			put(CMD_SYNC, 0, its_rdbase(n), 0);
}

/* GITS_BASER<n> (12.19): the tables that the ITS says it needs, flat, in 64 KiB pages */
static void give_tables(void)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t baser = rd64(its, GITS_BASER + 8 * i), type = BITS(baser, 58, 56), bytes;

		if (type != 1 && type != 4) /* devices, collections */
			continue;
		bytes = (BITS(baser, 52, 48) + 1) * (type == 1 ? BIT(DEVICE_BITS) : COLLECTIONS);
		bytes = ALIGN_UP(bytes, SZ_64K);
		baser = BASER_VALID | CACHEABLE(59) | SHAREABLE | UINT64_C(2) << 8 |
			(uint64_t)mem_alloc_forever(bytes, SZ_64K) | (bytes / SZ_64K - 1);
		wr64(its, GITS_BASER + 8 * i, baser);
		if (type == 1) {
			device_baser = i;
			device_table = baser;
		}
	}
}

static void init(void)
{
	queue = mem_alloc_forever(QUEUE_SIZE, SZ_64K);
	config = mem_alloc_forever(BIT(LPI_BITS) - LPI_FIRST, SZ_64K);
	give_tables();
	wr64(its, GITS_CBASER,
	     BASER_VALID | CACHEABLE(59) | SHAREABLE | (uint64_t)queue | (QUEUE_SIZE / SZ_4K - 1));
	wr64(its, GITS_CWRITER, 0);
	wr32(its, GITS_CTLR, 1);
}

void its_need(void)
{
	gic_need_any();
	if (!its.size) {
		struct mmio m = dt_mmio("arm,gic-v3-its");

		NEED("its", m.size, "the device tree of this machine has no arm,gic-v3-its");
		its = m;
		init();
	}
	its_use_cpu(0);
}

struct mmio its_frame(void)
{
	return its;
}

uint64_t its_doorbell(void)
{
	return its.base + 0x10040;
}

void its_use_cpu(unsigned cpu)
{
	struct mmio r = gic_redist(cpu);

	if (cpus_used & BIT(cpu))
		return;
	/* GICR_PROPBASER, GICR_PENDBASER (12.11, 12.11), then GICR_CTLR.EnableLPIs */
	if (!(rd32(r, GICR_CTLR) & 1)) {
		wr64(r, GICR_PROPBASER,
		     (uint64_t)config | CACHEABLE(7) | SHAREABLE | (LPI_BITS - 1));
		wr64(r, GICR_PENDBASER,
		     (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K) | BIT(62) | CACHEABLE(7) |
			     SHAREABLE);
		dsb(sy);
		wr32(r, GICR_CTLR, 1);
	}
	cpus_used |= BIT(cpu);
	its_mapc(cpu, cpu);
}

void lpi_configure(unsigned lpi, uint8_t priority, bool enable)
{
	/* 6.1.1: priority 7:2, bit 1 RES1, enable bit 0 */
	config[lpi - LPI_FIRST] = (uint8_t)((priority & 0xfc) | 2 | enable);
	dsb(sy);
}

unsigned its_new_lpi(void)
{
	unsigned lpi = next_lpi++;

	if (lpi >= BIT(LPI_BITS))
		test_error("the payload used up its %lu LPIs", BIT(LPI_BITS) - LPI_FIRST);
	lpi_configure(lpi, GIC_PRIORITY, true);
	return lpi;
}

static uint64_t device_id(uint64_t cmd, uint32_t device)
{
	return cmd | (uint64_t)device << 32;
}

void its_mapd(uint32_t device, unsigned event_bits)
{
	/* an entry needs at most 16 bytes in any implementation met so far; TYPER.ITT_entry_size says */
	uint64_t entry = BITS(rd64(its, GITS_TYPER), 7, 4) + 1;
	uint64_t table = (uint64_t)mem_alloc_forever(ALIGN_UP(entry << event_bits, 256UL), 256);

	its_command(device_id(CMD_MAPD, device), event_bits - 1, BIT(63) | table, 0);
}

void its_unmapd(uint32_t device)
{
	its_command(device_id(CMD_MAPD, device), 0, 0, 0);
}

void its_mapc(unsigned collection, unsigned cpu)
{
	its_command(CMD_MAPC, 0, BIT(63) | its_rdbase(cpu) | collection, 0);
}

void its_unmapc(unsigned collection)
{
	its_command(CMD_MAPC, 0, collection, 0);
}

uint64_t its_written(void)
{
	return written;
}

void its_switch(bool on)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);

	wr32(its, GITS_CTLR, on);
	/* GITS_CTLR.Quiescent (12.19), bit 31; with commands that wait it stays 0 */
	while (!on && !(rd32(its, GITS_CTLR) & BIT(31)) && wait_more(&w))
		;
}

void its_new_queue(unsigned pages)
{
	its_switch(false);
	wr64(its, GITS_CBASER,
	     BASER_VALID | CACHEABLE(59) | SHAREABLE | (uint64_t)queue | (pages - 1));
	wr64(its, GITS_CWRITER, 0);
	written = 0;
	queue_size = pages * SZ_4K;
	its_switch(true);
}

void its_device_table(uint64_t baser)
{
	its_switch(false);
	wr64(its, GITS_BASER + 8 * device_baser, device_table & ~BASER_VALID);
	wr64(its, GITS_BASER + 8 * device_baser,
	     baser ? baser | BASER_VALID | CACHEABLE(59) | SHAREABLE | UINT64_C(2) << 8
		   : device_table);
	its_switch(true);
}

void its_mapti(uint32_t device, uint32_t event, unsigned lpi, unsigned collection)
{
	its_command(device_id(CMD_MAPTI, device), (uint64_t)lpi << 32 | event, collection, 0);
}

void its_mapi(uint32_t device, unsigned lpi, unsigned collection)
{
	its_command(device_id(CMD_MAPI, device), lpi, collection, 0);
}

void its_movi(uint32_t device, uint32_t event, unsigned collection)
{
	its_command(device_id(CMD_MOVI, device), event, collection, 0);
}

void its_movall(unsigned from_cpu, unsigned to_cpu)
{
	its_command(CMD_MOVALL, 0, its_rdbase(from_cpu), its_rdbase(to_cpu));
}

void its_discard(uint32_t device, uint32_t event)
{
	its_command(device_id(CMD_DISCARD, device), event, 0, 0);
}

void its_inv(uint32_t device, uint32_t event)
{
	its_command(device_id(CMD_INV, device), event, 0, 0);
}

void its_invall(unsigned collection)
{
	its_command(CMD_INVALL, 0, collection, 0);
}

void its_int(uint32_t device, uint32_t event)
{
	its_command(device_id(CMD_INT, device), event, 0, 0);
}

void its_clear(uint32_t device, uint32_t event)
{
	its_command(device_id(CMD_CLEAR, device), event, 0, 0);
}

void its_reset(void)
{
	if (its.size && queue && !(rd32(its, GITS_CTLR) & 1))
		its_switch(true); /* a test that left it off */
	if (!its.size || !queue || written != rd64(its, GITS_CREADR))
		return;
	memset(config, 0, BIT(LPI_BITS) - LPI_FIRST);
	dsb(sy);
	for (unsigned n = 0; n < 64; n++)
		if (cpus_used & BIT(n))
			its_invall(n);
}
