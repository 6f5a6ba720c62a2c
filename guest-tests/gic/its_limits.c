/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ITS refuses: identifiers beyond its limits, and commands for what is not mapped. Such a
 * command has no effect and the next one is read (IHI 0069H 5.3 and 5.5; KVM has no stall).
 */
#include "itstest.h"

unsigned its_begin(void)
{
	unsigned lpi;

	gic_begin();
	its_need();
	its_mapd(DEVICE, 5);
	lpi = its_one_more(EVENT, 0);
	return lpi;
}

unsigned its_one_more(uint32_t event, unsigned collection)
{
	unsigned lpi = its_new_lpi();

	its_mapti(DEVICE, event, lpi, collection);
	its_inv(DEVICE, event);
	return lpi;
}

int64_t msi_from(uint32_t device, uint32_t event)
{
	struct assay_action a = {.op = ASSAY_ACT_MSI, .arg = {its_doorbell(), event, device}};

	if (!port_present())
		SKIP("needs the test port of refvmm to send an MSI");
	(void)port_action(&a);
	return (int64_t)a.ret[0];
}

void event_gives(uint32_t device, uint32_t event, unsigned lpi)
{
	its_int(device, event);
	EXPECT_EQ(take_soon(), lpi);
	if (port_present()) {
		(void)msi_from(device, event);
		EXPECT_EQ(take_soon(), lpi);
	}
	EXPECT_EQ(take(), GIC_SPURIOUS);
}

void event_gives_nothing(uint32_t device, uint32_t event)
{
	its_int(device, event);
	if (port_present())
		(void)msi_from(device, event);
	EXPECT_EQ(signalled_now(), 0);
	EXPECT_EQ(take(), GIC_SPURIOUS);
}

/* 5.3 MAPD: Size is the number of event id bits minus one; an event beyond has no entry */
TEST(gic, its_device_has_as_many_events_as_mapped, RULE("GIC-ITS-13"), WITH_ITS)
{
	(void)its_begin();
	for (unsigned bits = 1; bits <= 6; bits += 5) {
		unsigned last = its_new_lpi(), beyond = its_new_lpi();

		its_mapd(DEVICE, bits);
		its_mapti(DEVICE, (1U << bits) - 1, last, 0);
		its_mapti(DEVICE, 1U << bits, beyond, 0);
		its_mapti(DEVICE, 0x10000, beyond, 0);
		its_inv(DEVICE, (1U << bits) - 1);
		event_gives(DEVICE, (1U << bits) - 1, last);
		event_gives_nothing(DEVICE, 1U << bits);
		event_gives_nothing(DEVICE, 0x10000);
	}
}

/* 12.19 GITS_TYPER.Devbits: ids to 2^(Devbits+1) - 1; the flat table has room for so many */
TEST(gic, its_takes_devices_to_its_limit, RULE("GIC-ITS-14"), WITH_ITS)
{
	unsigned lpi = its_begin(),
		 bits = (unsigned)BITS(rd64(its_frame(), GITS_TYPER), 17, 13) + 1;
	uint32_t last = (uint32_t)BIT(MIN(bits, 16U)) - 1;
	unsigned far = its_new_lpi();

	FACT("its.device_bits", "%u", bits);
	its_mapd(last, 5);
	its_mapti(last, EVENT, far, 0);
	its_inv(last, EVENT);
	event_gives(last, EVENT, far);
	its_mapd(last + 1, 5);
	its_mapti(last + 1, EVENT, its_new_lpi(), 0);
	event_gives_nothing(last + 1, EVENT);
	event_gives(DEVICE, EVENT, lpi);
	its_unmapd(last);
	event_gives_nothing(last, EVENT);
}

/* 5.3 MAPD: more event id bits than GITS_TYPER.ID_bits has are an error; the device stays as it was */
TEST(gic, its_refuses_too_many_event_bits, RULE("GIC-ITS-13"), WITH_ITS)
{
	unsigned lpi = its_begin(), bits = (unsigned)BITS(rd64(its_frame(), GITS_TYPER), 12, 8) + 1;

	FACT("its.event_bits", "%u", bits);
	if (bits >= 32)
		SKIP("this ITS takes events of 32 bits");
	its_command(CMD_DEVICE(8, DEVICE + 1), bits,
		    BIT(63) | (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K), 0);
	its_mapti(DEVICE + 1, EVENT, its_new_lpi(), 0);
	event_gives_nothing(DEVICE + 1, EVENT);
	its_command(CMD_DEVICE(8, DEVICE), bits,
		    BIT(63) | (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K), 0);
	event_gives(DEVICE, EVENT, lpi);
}

/* 5.3 MAPTI, MAPI: the interrupt is an LPI, below 2^(GICR_PROPBASER.IDbits + 1) */
TEST(gic, its_maps_lpis_alone, RULE("GIC-ITS-15"), WITH_ITS)
{
	unsigned lpi = its_begin(), last = BIT(LPI_BITS) - 1;

	lpi_configure(last, GIC_PRIORITY, true);
	its_mapti(DEVICE, 4, last, 0);
	its_inv(DEVICE, 4);
	event_gives(DEVICE, 4, last);
	its_mapti(DEVICE, 5, last + 1, 0);
	event_gives_nothing(DEVICE, 5);
	its_mapti(DEVICE, 6, LPI_FIRST - 1, 0);
	event_gives_nothing(DEVICE, 6);
	its_mapti(DEVICE, 7, TEST_SPI(0), 0);
	spi_setup(TEST_SPI(0), true, GIC_PRIORITY);
	event_gives_nothing(DEVICE, 7);
	/* MAPI: the event's own number, which is none of an LPI */
	its_mapi(DEVICE, 8, 0);
	event_gives_nothing(DEVICE, 8);
	event_gives(DEVICE, EVENT, lpi);
	/* those refused can be mapped rightly */
	its_mapti(DEVICE, 5, its_new_lpi(), 0);
	its_inv(DEVICE, 5);
	its_int(DEVICE, 5);
	EXPECT_NE(take_soon(), GIC_SPURIOUS);
}

/* 5.3 MAPC: RDbase of a CPU that does not exist; 12.19: a collection beyond the table */
TEST(gic, its_refuses_collections_beyond_its_limits, RULE("GIC-ITS-16"), WITH_ITS)
{
	unsigned lpi = its_begin(), entry = 0, table = 0;
	unsigned far = its_new_lpi();

	for (unsigned i = 0; i < 8; i++) {
		uint64_t baser = rd64(its_frame(), GITS_BASER + 8 * i);

		if (BITS(baser, 58, 56) == 4) {
			entry = (unsigned)BITS(baser, 52, 48) + 1;
			table = ((unsigned)BITS(baser, 7, 0) + 1) * (unsigned)SZ_64K / entry;
		}
	}
	if (rd64(its_frame(), GITS_TYPER) & BIT(19))
		SKIP("RDbase is an address here");
	its_command(9, 0, BIT(63) | UINT64_C(7) << 16 | 5, 0);
	its_mapti(DEVICE, 4, its_new_lpi(), 5);
	event_gives_nothing(DEVICE, 4);
	its_mapc(5, 0);
	event_gives(DEVICE, EVENT, lpi);
	if (!table)
		return;
	FACT("its.collections", "%u", table);
	its_mapc(table - 1, 0);
	its_mapti(DEVICE, 6, far, table - 1);
	its_inv(DEVICE, 6);
	event_gives(DEVICE, 6, far);
	if (table < 0x10000) {
		its_mapc(table, 0);
		its_mapti(DEVICE, 7, its_new_lpi(), table);
		event_gives_nothing(DEVICE, 7);
	}
}

/* 5.3: every command for a device, an event or a collection that is not mapped, and numbers that are no command */
TEST(gic, its_goes_on_after_commands_in_error, RULE("GIC-ITS-17"), WITH_ITS)
{
	unsigned lpi = its_begin();

	for (unsigned unknown = 0; unknown < 2; unknown++) {
		uint32_t device = unknown ? DEVICE + 0x100 : DEVICE, event = EVENT + 1;

		its_int(device, event);
		its_clear(device, event);
		its_inv(device, event);
		its_discard(device, event);
		its_movi(device, event, 0);
		its_unmapd(DEVICE + 0x101);
	}
	its_mapti(DEVICE + 0x100, EVENT, its_new_lpi(), 0);
	its_invall(9);
	its_unmapc(9);
	its_movi(DEVICE, EVENT, 9);
	for (unsigned n = 0; n < 4; n++) {
		static const uint8_t none[] = {0x00, 0x02, 0x10, 0xff};

		its_command(CMD_DEVICE(none[n], DEVICE), EVENT, BIT(63), ~0ULL);
	}
	if (gic_is_kvm())
		its_command(0x0e, 0, UINT64_C(9) << 16,
			    UINT64_C(8) << 16); /* MOVALL, CPUs that do not exist */
	EXPECT_EQ(rd64(its_frame(), GITS_CREADR), its_written());
	event_gives(DEVICE, EVENT, lpi);
}

/* 12.19 GITS_BASER.Indirect: devices of a first-level entry that is not valid are refused, others work */
TEST(gic, its_two_level_device_table, RULE("GIC-ITS-18"), WITH_ITS)
{
	uint64_t baser, *first;
	unsigned lpi[3], a_page;
	uint32_t device[3];

	(void)its_begin();
	baser = rd64(its_frame(), GITS_BASER);
	if (BITS(baser, 58, 56) != 1)
		SKIP("GITS_BASER0 is not the device table's");
	a_page = (unsigned)SZ_64K / ((unsigned)BITS(baser, 52, 48) + 1);
	first = mem_alloc_forever(SZ_64K, SZ_64K);
	its_device_table((uint64_t)first | GITS_BASER_INDIRECT);
	if (!(rd64(its_frame(), GITS_BASER) & GITS_BASER_INDIRECT)) {
		its_device_table(0);
		SKIP("this ITS has flat device tables alone");
	}
	first[0] = BIT(63) | (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K);
	first[1] = (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K); /* not valid */
	first[2] = BIT(63) | (uint64_t)mem_alloc_forever(SZ_64K, SZ_64K);
	dsb(sy);
	device[0] = a_page - 1;	    /* the last of the first page */
	device[1] = a_page;	    /* the first of the page that is missing */
	device[2] = 2 * a_page + 5; /* behind it */
	for (unsigned i = 0; i < 3; i++) {
		lpi[i] = its_new_lpi();
		its_mapd(device[i], 5);
		its_mapti(device[i], EVENT, lpi[i], 0);
		its_inv(device[i], EVENT);
	}
	event_gives(device[0], EVENT, lpi[0]);
	event_gives_nothing(device[1], EVENT);
	event_gives(device[2], EVENT, lpi[2]);
	first[1] |= BIT(63);
	dsb(sy);
	its_mapd(device[1], 5);
	its_mapti(device[1], EVENT, lpi[1], 0);
	its_inv(device[1], EVENT);
	event_gives(device[1], EVENT, lpi[1]);
	/* devices that the library's table held are gone with it, and these are gone with theirs */
	event_gives_nothing(DEVICE, EVENT);
	its_device_table(0);
	event_gives_nothing(device[0], EVENT);
}
