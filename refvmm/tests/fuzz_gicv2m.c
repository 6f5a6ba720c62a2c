/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on the GICv2m frame: any access; it pulses the frame's own interrupts and no other. */
#include <assay/board.h>
#include <stdlib.h>
#include <string.h>

#include "dev/gicv2m.h"
#include "tests/fake_env.h"

#define BASE  0x08020000ULL
#define FIRST 80U
#define COUNT 64U

struct step {
	uint8_t op, len;
	uint16_t where;
	uint32_t val;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether it should pulse SPI `n`: 64 bits are two accesses of 32, the lower first. */
static bool means(const struct step *s, uint64_t off, unsigned len, unsigned n)
{
	return s->op & 1 && off == 0x40 && len >= 4 && (s->val & 0x3ff) == ASSAY_SPI_TO_INTID(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_env *fe = fake_env_new();
	struct step s;

	fake_dev(fe, &gicv2m_ops, BASE, 0x1000, FIRST, COUNT, NULL);
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		unsigned before[FAKE_SPIS], len;
		uint64_t off;

		memcpy(&s, data, sizeof(s));
		memcpy(before, fe->rises, sizeof(before));
		if (!(s.len & 0x40)) /* near the frame's interrupts */
			s.val = ASSAY_SPI_TO_INTID(FIRST) - 4 + s.val % (COUNT + 8);
		len = 1U << (s.len & 3);
		off = s.len & 0x80 ? s.where & 0xfffU : 0x40;
		if (s.op & 1)
			fake_write(fe, BASE + off, len, s.val);
		else
			fake_read(fe, BASE + off, len);
		for (unsigned n = 0; n < FAKE_SPIS; n++) {
			bool ours = n >= FIRST && n < FIRST + COUNT;

			if (fe->level[n] ||
			    fe->rises[n] - before[n] != (ours && means(&s, off, len, n)))
				abort();
		}
	}
	fake_env_free(fe);
	return 0;
}
