/* SPDX-License-Identifier: Apache-2.0 */
/* The ITS's registers, command queue and the LPI tables: IHI 0069H 5.2, 6.1, 12.11, 12.18, 12.19. */
#include "itstest.h"
#include "regs.h"

#define CTLR_QUIESCENT BIT(31)

/* 12.19: GITS_CTLR, IIDR, TYPER, CREADR, and the unimplemented GITS_BASER */
TEST(gic, its_register_file, RULE("GIC-ITSREG-1"), WITH_ITS)
{
	static const struct reg fixed[] = {
		{"GITS_IIDR", GITS_IIDR, 0, 0},
		{"GITS_TYPER", GITS_TYPER, 0, 0},
		{"GITS_TYPER high", GITS_TYPER + 4, 0, 0},
		{"GITS_CREADR", GITS_CREADR, 0, 0xfff0001f},
		{"GITS_CREADR high", GITS_CREADR + 4, 0, ~0U},
		{"GITS_PIDR4", 0xffd0, 0, ~0xffU},
		{"GITS_PIDR0", 0xffe0, 0, ~0xffU},
		{"GITS_PIDR1", 0xffe4, 0, ~0xffU},
		{"GITS_PIDR2", GITS_PIDR2, 0, ~0xffU},
		{"GITS_CIDR0", 0xfff0, 0, ~0xffU},
		{"GITS_CIDR1", 0xfff4, 0, ~0xffU},
		{"GITS_CIDR2", 0xfff8, 0, ~0xffU},
		{"GITS_CIDR3", 0xfffc, 0, ~0xffU},
	};
	struct mmio m;
	uint64_t typer;

	(void)its_begin();
	m = its_frame();
	typer = rd64(m, GITS_TYPER);
	EXPECT_EQ(rd32(m, GITS_TYPER), (uint32_t)typer);
	EXPECT_EQ(rd32(m, GITS_TYPER + 4), typer >> 32);
	regs_check(m, fixed, ARRAY_SIZE(fixed));
	/* 12.20: component identification, for any GIC */
	EXPECT_EQ(rd32(m, 0xfff0), 0x0d);
	EXPECT_EQ(rd32(m, 0xfff4), 0xf0);
	EXPECT_EQ(rd32(m, 0xfff8), 0x05);
	EXPECT_EQ(rd32(m, 0xfffc), 0xb1);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t baser = rd64(m, GITS_BASER + 8 * i);

		EXPECT_EQ(rd32(m, GITS_BASER + 8 * i), (uint32_t)baser);
		EXPECT_EQ(rd32(m, GITS_BASER + 8 * i + 4), baser >> 32);
		if (BITS(baser, 58, 56) == 0) {
			reg_raz_wi(m, "GITS_BASER", GITS_BASER + 8 * i);
			reg_raz_wi(m, "GITS_BASER", GITS_BASER + 8 * i + 4);
		}
	}
	reg_raz_wi(m, "reserved word", 0x10);
	reg_raz_wi(m, "reserved word", 0x98);
	reg_raz_wi(m, "reserved word", 0x140);
	reg_raz_wi(m, "reserved word", 0x7ffc);
	if (!gic_is_kvm())
		return;
	reg_has_only_32_bits(m, "GITS_CTLR", GITS_CTLR);
	reg_has_only_32_bits(m, "GITS_IIDR", GITS_IIDR);
	reg_has_only_32_bits(m, "GITS_PIDR2", GITS_PIDR2);
	/* 12.19: writes while the ITS is on are UNPREDICTABLE; KVM ignores them */
	typer = rd64(m, GITS_CBASER);
	wr64(m, GITS_CBASER, 0);
	EXPECT_EQ(rd64(m, GITS_CBASER), typer);
	typer = rd64(m, GITS_BASER);
	wr64(m, GITS_BASER, 0);
	EXPECT_EQ(rd64(m, GITS_BASER), typer);
	/* beyond the queue: ignored too */
	wr64(m, GITS_CWRITER, 0x10000);
	EXPECT_EQ(rd64(m, GITS_CWRITER), its_written());
}

/* 12.19 GITS_BASER, GITS_CBASER: type and entry size are read-only; addresses hold, whole and by halves */
TEST(gic, its_table_registers_hold_addresses, RULE("GIC-ITSREG-2"), WITH_ITS)
{
	struct mmio m;
	uint64_t old, kept_tables[8];

	(void)its_begin();
	m = its_frame();
	its_switch(false);
	for (unsigned i = 0; i < 8; i++)
		kept_tables[i] = rd64(m, GITS_BASER + 8 * i);
	EXPECT_EQ(rd32(m, GITS_CTLR) & 1, 0);
	for (unsigned i = 0; i < 8; i++) {
		unsigned at = GITS_BASER + 8 * i;
		const uint64_t kept = UINT64_C(7) << 56 | UINT64_C(0x1f) << 48;

		old = rd64(m, at);
		if (!(old & kept))
			continue;
		for (unsigned n = 0; n < 4; n++) {
			/* page size 64 KiB: address bits 47:16 */
			uint64_t v = (rnd() & 0x0000ffffffff00ffULL) | UINT64_C(2) << 8;

			wr64(m, at, v);
			reg_is("GITS_BASER", at, "type and size", rd64(m, at) & kept, old & kept);
			reg_is("GITS_BASER", at, "address and pages",
			       rd64(m, at) & 0xffffffff00ffULL, v & 0xffffffff00ffULL);
			EXPECT_EQ(BITS(rd64(m, at), 9, 8), 2);
		}
		wr64(m, at, UINT64_C(2) << 8);
		wr32(m, at, 0x40000203);
		reg_is("GITS_BASER", at, "low half", rd64(m, at) & 0xffffffff00ffULL, 0x40000003);
		wr32(m, at + 4, 0x5);
		reg_is("GITS_BASER", at, "high half", rd64(m, at) & 0xffffffff00ffULL, 0x540000003);
		if (BITS(old, 58, 56) == 4) {
			wr64(m, at, GITS_BASER_INDIRECT);
			FACT("its.collections_indirect", "%d",
			     (rd64(m, at) & GITS_BASER_INDIRECT) != 0);
		}
	}
	for (unsigned n = 0; n < 4; n++) {
		uint64_t v = rnd() & 0x0000ffffffff00ffULL;

		wr64(m, GITS_CBASER, v | BIT(63));
		reg_is("GITS_CBASER", GITS_CBASER, "", rd64(m, GITS_CBASER) & 0x8000ffffffff00ffULL,
		       v | BIT(63));
		EXPECT_EQ(rd64(m, GITS_CREADR), 0);
	}
	wr64(m, GITS_CBASER, 0);
	wr32(m, GITS_CBASER, 0x40010001);
	wr32(m, GITS_CBASER + 4, 0x3);
	EXPECT_EQ(rd64(m, GITS_CBASER) & 0xffffffff00ffULL, 0x340010001);
	/* 12.19 GITS_CTLR: tables that are not valid; KVM stays off then */
	if (gic_is_kvm()) {
		wr32(m, GITS_CTLR, 1);
		EXPECT_EQ(rd32(m, GITS_CTLR) & 1, 0);
	}
	/* as the library had it, for the tests that follow in the same machine */
	for (unsigned i = 0; i < 8; i++)
		wr64(m, GITS_BASER + 8 * i, kept_tables[i]);
	its_new_queue(16);
	its_mapc(0, 0);
}

/* 5.2, 12.19: commands wait while the ITS is off, and are read when it goes on; Quiescent tells */
TEST(gic, its_reads_commands_when_it_is_on, RULE("GIC-ITSREG-3"), WITH_ITS)
{
	unsigned lpi = its_begin();
	struct mmio m = its_frame();
	uint64_t read = rd64(m, GITS_CREADR);

	EXPECT_EQ(rd32(m, GITS_CTLR) & (CTLR_QUIESCENT | 1),
		  gic_is_kvm() ? CTLR_QUIESCENT | 1 : rd32(m, GITS_CTLR) & (CTLR_QUIESCENT | 1));
	its_switch(false);
	EXPECT_EQ(rd32(m, GITS_CTLR) & (CTLR_QUIESCENT | 1), CTLR_QUIESCENT);
	its_put(CMD_DEVICE(3, DEVICE), EVENT, 0, 0);
	its_go();
	EXPECT_EQ(rd64(m, GITS_CREADR), read);
	EXPECT_EQ(rd64(m, GITS_CWRITER), its_written());
	EXPECT_EQ(signalled_now(), 0);
	its_switch(true);
	EXPECT_EVENTUALLY(rd64(m, GITS_CREADR) == its_written());
	EXPECT_EQ(take_soon(), lpi);
	EXPECT_QUIET();
}

/* 5.2: behind the last command of the queue comes the first */
TEST(gic, its_command_queue_wraps, RULE("GIC-ITSREG-4"), WITH_ITS)
{
	unsigned lpi = its_begin(), behind = its_one_more(EVENT + 1, 0);
	struct mmio m = its_frame();
	uint64_t *end;

	event_gives(DEVICE, EVENT + 1, behind);
	its_new_queue(16);
	/* commands behind the end of the next queue: INT of another event */
	end = (uint64_t *)((rd64(m, GITS_CBASER) & 0x000ffffffffff000ULL) + SZ_4K);
	for (unsigned i = 0; i < 15 * SZ_4K / 32; i++) {
		end[0] = CMD_DEVICE(3, DEVICE);
		end[1] = EVENT + 1;
		end[2] = end[3] = 0;
		end += 4;
	}
	dsb(sy);
	its_new_queue(1);
	EXPECT_EQ(rd64(m, GITS_CREADR), 0);
	for (unsigned round = 0; round < 4; round++) {
		/* 127 of 128: full but for one */
		for (unsigned i = 0; i < 126; i++)
			its_put(5, 0, its_rdbase(0), 0);
		its_put(CMD_DEVICE(3, DEVICE), EVENT, 0, 0);
		its_go();
		EXPECT_EQ(rd64(m, GITS_CREADR), (round + 1) * 127ULL * 32 % SZ_4K);
		EXPECT_EQ(take_soon(), lpi);
		EXPECT_QUIET();
	}
	its_new_queue(16);
	event_gives(DEVICE, EVENT, lpi);
}

/* 12.11, 6.1.2: the pending table is read when LPIs go on, unless PTZ says that it is zero */
TEST(gic, lpi_pending_table_is_read_at_enable, RULE("GIC-LPI-4"), WITH_ITS)
{
	unsigned lpi = its_begin(), other = its_one_more(EVENT + 1, 0);
	struct mmio r = gic_redist(0);
	uint8_t *table = mem_alloc_forever(SZ_64K, SZ_64K);

	if (!(rd32(r, GICR_CTLR) & BIT(1)))
		SKIP("GICR_CTLR.CES is 0: LPIs cannot be switched off here");
	for (unsigned zero = 0; zero < 2; zero++) {
		wr32(r, GICR_CTLR, 0);
		EXPECT_EVENTUALLY(!(rd32(r, GICR_CTLR) & (BIT(3) | 1)));
		/* off: an event is lost */
		its_int(DEVICE, EVENT + 1);
		EXPECT_EQ(signalled_now(), 0);
		memset(table, 0, SZ_64K);
		table[lpi / 8] = (uint8_t)BIT(lpi % 8);
		dsb(sy);
		wr64(r, GICR_PENDBASER,
		     (uint64_t)table | (zero ? BIT(62) : 0) | UINT64_C(7) << 7 | BIT(10));
		wr32(r, GICR_CTLR, 1);
		if (!zero)
			EXPECT_EQ(take_soon(), lpi);
		EXPECT_QUIET();
		event_gives(DEVICE, EVENT, lpi);
		event_gives(DEVICE, EVENT + 1, other);
	}
}

/* 12.11 GICR_INVLPIR, GICR_INVALLR, GICR_SYNCR: with GICR_CTLR.IR the configuration is read without a command */
TEST(gic, lpi_configuration_is_read_by_the_redistributor, RULE("GIC-LPI-5"), WITH_ITS)
{
	unsigned lpi = its_begin(), other = its_one_more(EVENT + 1, 0);
	struct mmio r = gic_redist(0);

	if (!(rd32(r, GICR_CTLR) & BIT(2)))
		SKIP("GICR_CTLR.IR is 0: there are no such registers");
	for (unsigned all = 0; all < 2; all++) {
		lpi_configure(lpi, GIC_PRIORITY, false);
		lpi_configure(other, GIC_PRIORITY, false);
		if (all)
			wr64(r, GICR_INVALLR, 0);
		else
			wr64(r, GICR_INVLPIR, lpi);
		EXPECT_EVENTUALLY(!(rd32(r, GICR_SYNCR) & 1));
		its_int(DEVICE, EVENT);
		EXPECT_QUIET();
		if (all)
			its_int(DEVICE, EVENT + 1);
		EXPECT_QUIET();
		lpi_configure(lpi, GIC_PRIORITY, true);
		lpi_configure(other, GIC_PRIORITY, true);
		/* a write of the upper half alone is none; nor is a number that is no LPI's */
		wr32(r, GICR_INVLPIR + 4, lpi);
		wr64(r, GICR_INVLPIR, 5);
		if (all)
			wr32(r, GICR_INVALLR, 0);
		else
			wr32(r, GICR_INVLPIR, lpi);
		EXPECT_EVENTUALLY(!(rd32(r, GICR_SYNCR) & 1));
		EXPECT_EQ(take_soon(), lpi);
		if (all)
			EXPECT_EQ(take_soon(), other);
		EXPECT_QUIET();
	}
}
