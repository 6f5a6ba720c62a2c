/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on the PL011, and somebody who types. */
#include "dev/pl011.h"
#include "tests/regs_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void type(struct fake_env *fe, struct dev *d, const struct regs_step *s)
{
	uint8_t text[64] = {(uint8_t)s->val, (uint8_t)(s->val >> 8)};

	fe->console_len = 0;
	if (s->op != 0xff)
		d->ops->input(d, text, s->where % sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct regs_target t = {&pl011_ops, 0x40, 0, type};

	regs_fuzz(&t, data, size);
	return 0;
}
