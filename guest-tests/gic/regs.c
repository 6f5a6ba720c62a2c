/* SPDX-License-Identifier: Apache-2.0 */
#include "regs.h"

#define HERE __FILE__, __LINE__

bool reg_is(const char *name, unsigned offset, const char *when, uint64_t got, uint64_t want)
{
	char text[96];

	if (got == want)
		return true;
	snprintf(text, sizeof(text), "%s (0x%x) %s", name, offset, when);
	test_fail(HERE, text, "got 0x%lx, want 0x%lx", got, want);
	return false;
}

static void look(struct mmio m, const struct reg *r, uint32_t old, uint32_t put, const char *when)
{
	uint32_t kept = ~(r->writable | r->zero), got;

	wr32(m, r->offset, put);
	got = rd32(m, r->offset);
	reg_is(r->name, r->offset, when, got, (put & r->writable) | (old & kept));
}

void regs_check(struct mmio m, const struct reg *regs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct reg *r = &regs[i];
		uint32_t old = rd32(m, r->offset), any = (uint32_t)rnd();

		reg_is(r->name, r->offset, "as found, bits that read zero", old & r->zero, 0);
		look(m, r, old, ~0U, "after a write of ones");
		look(m, r, old, 0, "after a write of zeros");
		look(m, r, old, any, "after a write of random bits");
		look(m, r, old, ~any, "after a write of the other bits");
		wr32(m, r->offset, old);
	}
}

void reg_raz_wi(struct mmio m, const char *name, unsigned offset)
{
	const struct reg r = {name, offset, 0, ~0U};

	regs_check(m, &r, 1);
}

static uint32_t some_bits(unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint32_t)BIT(rnd_below(32));
	return v;
}

void bit_pair_check(const char *name, unsigned set, unsigned clear, unsigned bits_a_word)
{
	struct mmio d = gic_dist();
	unsigned words = MIN(32U, gic_intids() / 32);
	uint32_t want[32] = {0};

	for (unsigned w = 1; w < words; w++)
		wr32(d, clear + 4 * w, ~0U);
	for (unsigned w = 1; w < words; w++) {
		want[w] = some_bits(bits_a_word);
		wr32(d, set + 4 * w, want[w]);
		wr32(d, set + 4 * w, 0);
		wr32(d, clear + 4 * w, 0);
	}
	for (unsigned w = 1; w < words; w++) {
		reg_is(name, set + 4 * w, "after bits were set", rd32(d, set + 4 * w), want[w]);
		reg_is(name, clear + 4 * w, "after bits were set", rd32(d, clear + 4 * w), want[w]);
	}
	for (unsigned w = 1; w < words; w++) {
		uint32_t gone = some_bits(1) | (want[w] & (uint32_t)rnd());

		wr32(d, clear + 4 * w, gone);
		want[w] &= ~gone;
	}
	for (unsigned w = 1; w < words; w++) {
		reg_is(name, set + 4 * w, "after bits were cleared", rd32(d, set + 4 * w), want[w]);
		reg_is(name, clear + 4 * w, "after bits were cleared", rd32(d, clear + 4 * w),
		       want[w]);
		wr32(d, clear + 4 * w, ~0U);
		reg_is(name, set + 4 * w, "after all were cleared", rd32(d, set + 4 * w), 0);
	}
}

void reg_has_only_32_bits(struct mmio m, const char *name, unsigned offset)
{
	uint32_t before = rd32(m, offset);

	for (unsigned i = 0; i < 4; i++) {
		reg_is(name, offset + i, "read as a byte", rd8(m, offset + i), 0);
		wr8(m, offset + i, 0xff);
	}
	for (unsigned i = 0; i < 4; i += 2) {
		reg_is(name, offset + i, "read as a half-word", rd16(m, offset + i), 0);
		wr16(m, offset + i, 0xffff);
	}
	if (offset % 8 == 0) {
		reg_is(name, offset, "read as a double word", rd64(m, offset), 0);
		wr64(m, offset, ~0ULL);
	}
	reg_is(name, offset, "after writes of other widths", rd32(m, offset), before);
}
