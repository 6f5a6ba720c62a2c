/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/regs_bench.h"

#include <stdlib.h>
#include <string.h>

#define BASE 0x09000000ULL
#define PAGE 0x1000ULL
#define SPI  7U

static void take(const struct regs_target *t, struct fake_env *fe, struct dev *d,
		 const struct regs_step *s)
{
	unsigned len = 1U << (s->len & 3);
	uint64_t off = s->where & (PAGE - 1);

	if (!(s->len & 0x80))
		off = t->hot + 4ULL * (s->where % 20);
	switch (s->op & 7) {
	case 0:
	case 1:
		fake_write(fe, BASE + off, len, s->val);
		break;
	case 2:
		fake_read(fe, BASE + off, len);
		break;
	case 3:
		if (s->len & 0x40)
			d->ops->reset(d);
		else /* to the second, and years */
			fake_advance(fe, (uint64_t)s->val * (s->len & 4 ? 1000000000U : 1U));
		break;
	default:
		if (t->happens)
			t->happens(fe, d, s);
		break;
	}
}

static void check_line(const struct regs_target *t, struct fake_env *fe)
{
	if (fe->level[SPI] != (fake_read(fe, BASE + t->mis, 4) != 0))
		abort();
	for (unsigned i = 0; i < FAKE_SPIS; i++)
		if (fe->level[i] && i != SPI)
			abort();
}

static void check_new(const struct regs_target *t, struct fake_env *used)
{
	struct fake_env *fresh = fake_env_new();

	fresh->now_ns = used->now_ns;
	fake_dev(fresh, t->ops, BASE, PAGE, SPI, 1, NULL);
	if (used->level[SPI] || used->deadline_ns != fresh->deadline_ns)
		abort();
	for (uint64_t off = 0; off < PAGE; off += 4)
		if (fake_read(used, BASE + off, 4) != fake_read(fresh, BASE + off, 4))
			abort();
	fake_env_free(fresh);
}

void regs_fuzz(const struct regs_target *t, const uint8_t *data, size_t size)
{
	struct fake_env *fe = fake_env_new();
	struct dev *d = fake_dev(fe, t->ops, BASE, PAGE, SPI, 1, NULL);
	struct regs_step s;

	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		take(t, fe, d, &s);
		check_line(t, fe);
	}
	if (t->happens) { /* what the outside did ends before the reset */
		s = (struct regs_step){.op = 0xff};
		t->happens(fe, d, &s);
	}
	d->ops->reset(d);
	check_new(t, fe);
	fake_env_free(fe);
}
