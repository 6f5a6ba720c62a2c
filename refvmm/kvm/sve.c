/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing SVE vector lengths one by one. KVM has one register for it,
 * KVM_REG_ARM64_SVE_VLS (api.rst, KVM_ARM_VCPU_FINALIZE): a bit a length, only
 * writable before finalisation. KVM can lower the maximum, but not hide a
 * length below it that the hardware has, nor show one it lacks.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/sve_set.h"
#include "kvm/vcpu.h"

#define BITS(vq) ((vq)*128U)

/* "128,256,512" */
static const char *list(uint32_t lengths, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < 16 && at < size; i++) {
		if (lengths & 1U << i)
			at += (size_t)snprintf(buf + at, size - at, "%s%u", at ? "," : "",
					       BITS(i + 1));
	}
	return buf;
}

int sve_choose(const struct vcpu *v, const struct cpu_conf *c)
{
	uint32_t lengths = c->sve_lengths;
	uint64_t host[KVM_ARM64_SVE_VLS_WORDS], want[KVM_ARM64_SVE_VLS_WORDS] = {0};
	uint32_t missing, hidden, below;
	char cap[32], have[96], asked[96], instead[96];
	int ret = vcpu_get_reg(v, KVM_REG_ARM64_SVE_VLS, host);

	if (ret)
		return err_host(-ret, "vCPU %u: KVM_REG_ARM64_SVE_VLS", v->id);
	if (!lengths)
		lengths = sve_set((uint32_t)host[0], c->sve_on, c->sve_off);
	if (!lengths)
		return err_usage("--cpu sve128=off: no vector length would remain; use sve=off");
	want[0] = lengths;
	list((uint32_t)host[0], have, sizeof(have));
	list(lengths, asked, sizeof(asked));
	missing = lengths & ~(uint32_t)host[0];
	if (missing) {
		snprintf(cap, sizeof(cap), "sve-%u", BITS((unsigned)__builtin_ctz(missing) + 1));
		return err_lacks(cap, "--sve %s: this host has the lengths %s", asked, have);
	}
	below = (2U << (31 - __builtin_clz(lengths))) - 1; /* up to the maximum asked for */
	hidden = (uint32_t)host[0] & below & ~lengths;
	if (hidden) {
		unsigned bits = BITS((unsigned)__builtin_ctz(hidden) + 1);

		snprintf(cap, sizeof(cap), "sve-hide-%u", bits);
		return err_lacks(cap,
				 "--sve %s: KVM cannot hide length %u below the maximum, only "
				 "lower the maximum; this host has %s; use --sve %s",
				 asked, bits, have,
				 list((uint32_t)host[0] & below, instead, sizeof(instead)));
	}
	ret = vcpu_set_reg(v, KVM_REG_ARM64_SVE_VLS, want);
	if (ret)
		return err_host(-ret, "vCPU %u: KVM_REG_ARM64_SVE_VLS set to %s", v->id, asked);
	if (vcpu_get_reg(v, KVM_REG_ARM64_SVE_VLS, host) || memcmp(host, want, sizeof(host)) != 0)
		return err_host(EPROTO, "vCPU %u: SVE lengths %s were taken but do not read back",
				v->id, asked);
	return 0;
}
