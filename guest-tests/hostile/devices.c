/* SPDX-License-Identifier: Apache-2.0 */
/* Every device with registers, every offset, every width, random values: the machine must still be there. */
#include "dt.h"
#include "mmio.h"
#include "test.h"

/* One access of 1, 2, 4 or 8 bytes, aligned: Device memory takes no other (DDI 0487, B2.11). */
static void poke(struct mmio m, uint64_t off, unsigned width)
{
	switch (width) {
	case 1:
		(void)rd8(m, off);
		wr8(m, off, (uint8_t)rnd());
		break;
	case 2:
		(void)rd16(m, off);
		wr16(m, off, (uint16_t)rnd());
		break;
	case 4:
		(void)rd32(m, off);
		wr32(m, off, (uint32_t)rnd());
		break;
	default:
		(void)rd64(m, off);
		wr64(m, off, rnd());
		break;
	}
}

static unsigned poke_all(const char *compatible, uint64_t from, uint64_t to)
{
	struct mmio m = dt_mmio(compatible);
	unsigned accesses = 0;

	if (!m.size)
		return 0;
	for (unsigned width = 1; width <= 8; width *= 2)
		for (uint64_t off = from; off + width <= to;
		     off += width < 4 ? width * 7 : width, accesses++)
			poke(m, off & ~(uint64_t)(width - 1), width);
	return accesses;
}

/*
 * The PL011 from behind its data register (what is written there is output) to its end, the others
 * whole; the last registers of a frame are where an access could reach beyond it.
 */
TEST(hostile, devices_survive_every_width, RULE("BOARD-PORT-1"))
{
	unsigned accesses =
		poke_all("arm,pl011", 0x20, 0x100) + poke_all("arm,pl011", 0xf00, 0x1000);

	accesses += poke_all("arm,pl031", 0, 0x40) + poke_all("arm,pl031", 0xf00, 0x1000);
	accesses += poke_all("arm,pl061", 0, 0x480) + poke_all("arm,pl061", 0xf00, 0x1000);
	NEED("devices", accesses, "this machine has no PL011, PL031 or PL061");
	NOTE("%u accesses", accesses);
	EXPECT_TRUE(dt_mmio("arm,pl011").size == 0 ||
		    (rd32(dt_mmio("arm,pl011"), 0xfe0) & 0xff) == 0x11);
}
