/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on the PL031, whose time passes in steps of any size. */
#include "dev/pl031.h"
#include "tests/regs_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct regs_target t = {&pl031_ops, 0x18, 0, NULL};

	regs_fuzz(&t, data, size);
	return 0;
}
