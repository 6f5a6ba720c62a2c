/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on the PL061, while its lines are driven from outside. */
#include "dev/pl061.h"
#include "tests/regs_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drive(struct fake_env *fe, struct dev *d, const struct regs_step *s)
{
	(void)fe;
	for (unsigned line = 0; line < PL061_LINES; line++)
		if (s->op == 0xff)
			pl061_drive(d, line, false);
		else if (s->where >> line & 1)
			pl061_drive(d, line, s->val >> line & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct regs_target t = {&pl061_ops, 0x418, 0x3f0, drive};

	regs_fuzz(&t, data, size);
	return 0;
}
