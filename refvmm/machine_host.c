/* SPDX-License-Identifier: Apache-2.0 */
/* On an ARM64 host: run the machine, or ask KVM how it would be. */
#include <linux/kvm.h>
#include <unistd.h>

#include "core/err.h"
#include "core/trace.h"
#include "host.h"
#include "machine.h"

int host_run(const struct machine_conf *c, unsigned *status)
{
	struct machine m;
	int ret = machine_init(&m, c);

	if (!ret)
		ret = machine_run(&m, status);
	machine_show_trace(ret, *status);
	machine_free(&m);
	trace_close();
	return ret;
}

static int resolve_pmu(struct machine_conf *c, const struct kvm *k)
{
	bool offered = kvm_cap(k, KVM_CAP_ARM_PMU_V3);

	if (c->cpu.pmu == ON && !offered)
		return err_lacks("pmu", "--cpu pmu=on: this host's KVM offers no PMU to guests");
	if (c->cpu.pmu == AUTO)
		c->cpu.pmu = offered ? ON : OFF;
	return 0;
}

int host_resolve(struct machine_conf *c)
{
	struct kvm k;
	struct vm vm = {.fd = -1, .stats_fd = -1};
	int ret;

	if (access("/dev/kvm", R_OK | W_OK)) {
		describe_assume(c);
		return 0;
	}
	ret = kvm_open(&k);
	if (ret)
		return ret;
	ret = vm_create(&vm, &k, machine_ipa_bits(c));
	if (!ret)
		ret = machine_resolve_gic(c, &vm);
	if (!ret)
		ret = resolve_pmu(c, &k);
	vm_destroy(&vm);
	kvm_close(&k);
	return ret;
}
