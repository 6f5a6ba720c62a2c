/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

SUITE(sve, .tags = "sve");

static void call(void *arg)
{
	(*(void (**)(void))arg)();
}

struct exception try_function(void (*fn)(void))
{
	return catch_exception(call, &fn);
}

bool sve_in_ids(void)
{
	/* ID_AA64PFR0_EL1.SVE, bits 35:32 */
	return BITS(read_sysreg(id_aa64pfr0_el1), 35, 32) != 0;
}

void sve_need(void)
{
	NEED("sve", sve_in_ids(), "ID_AA64PFR0_EL1.SVE is 0: this VM has no SVE");
	cpacr(CPACR_OPEN);
}

unsigned int sve_ask(unsigned int vq)
{
	write_sysreg(ZCR_EL1, vq - 1);
	isb();
	return (unsigned int)(sve_bytes() / 16);
}

uint64_t sve_lengths(void)
{
	uint64_t set = 0;

	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++)
		set |= BIT(sve_ask(vq) - 1);
	return set;
}

const char *sve_lengths_text(uint64_t set, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX && n < size; vq++)
		if (set & BIT(vq - 1))
			n += (size_t)snprintf(text + n, size - n, "%s%u", n ? "," : "", vq * 128);
	return text;
}

void sve_fill(struct sve_state *s, unsigned int vq)
{
	uint64_t *word = (uint64_t *)s;
	unsigned int ones;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*word); i++)
		word[i] = rnd();
	ones = (unsigned int)rnd_below(vq * 16 + 1);
	for (unsigned int i = 0; i < vq * 2; i++) {
		unsigned int here = ones > i * 8 ? ones - i * 8 : 0;

		s->ffr[i] = (uint8_t)(here >= 8 ? 0xff : (1U << here) - 1);
	}
}

static void expect_register(const uint8_t *got, const uint8_t *want, size_t bytes, const char *kind,
			    unsigned int n, unsigned int vq, const char *when)
{
	char name[80];

	for (unsigned int i = 0; i < bytes; i++) {
		if (got[i] == want[i])
			continue;
		snprintf(name, sizeof(name), "%s%u byte %u at %u bits %s", kind, n, i, vq * 128,
			 when);
		test_fail(__FILE__, __LINE__, name, "got 0x%x, want 0x%x", got[i], want[i]);
		return;
	}
}

void sve_expect_same(const struct sve_state *got, const struct sve_state *want, unsigned int vq,
		     const char *when)
{
	size_t bytes = (size_t)vq * 16;

	for (unsigned int n = 0; n < SVE_Z_COUNT; n++)
		expect_register(got->z + n * bytes, want->z + n * bytes, bytes, "Z", n, vq, when);
	bytes = (size_t)vq * 2;
	for (unsigned int n = 0; n < SVE_P_COUNT; n++)
		expect_register(got->p + n * bytes, want->p + n * bytes, bytes, "P", n, vq, when);
	expect_register(got->ffr, want->ffr, bytes, "FFR", 0, vq, when);
}

void *sve_exit_register(void)
{
	struct mmio port = dt_mmio("assay,test-port");

	NEED("test-port", port_present(), "this VMM has no assay,test-port to make exits with");
	return (void *)(port.base + ASSAY_PORT_PING);
}
