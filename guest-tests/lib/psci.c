/* SPDX-License-Identifier: Apache-2.0 */
#include "psci.h"
#include "dt.h"

enum conduit { CONDUIT_UNKNOWN, CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC };

static enum conduit find_conduit(void)
{
	static const char *const bindings[] = {"arm,psci-1.0", "arm,psci-0.2", "arm,psci"};
	const char *method = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bindings) && !method; i++)
		method = dt_str(dt_find(bindings[i], 0), "method");
	if (!method)
		return CONDUIT_NONE;
	return strcmp(method, "smc") == 0 ? CONDUIT_SMC : CONDUIT_HVC;
}

struct smccc_result smccc(const struct smccc_args *args)
{
	static enum conduit conduit;
	struct smccc_result r = {.x = {(uint64_t)PSCI_NOT_SUPPORTED}};

	if (conduit == CONDUIT_UNKNOWN)
		conduit = find_conduit();
	if (conduit == CONDUIT_HVC)
		smccc_call_hvc(args, &r);
	else if (conduit == CONDUIT_SMC)
		smccc_call_smc(args, &r);
	return r;
}

int psci_call(uint32_t fn, uint64_t a, uint64_t b, uint64_t c)
{
	struct smccc_args args = {.x = {fn, a, b, c}};

	return (int)smccc(&args).x[0];
}

int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
	return psci_call(PSCI_CPU_ON64, mpidr, entry, context);
}

int psci_affinity_info(uint64_t mpidr)
{
	return psci_call(PSCI_AFFINITY_INFO64, mpidr, 0, 0);
}

void psci_cpu_off(void)
{
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
}

void psci_system_off(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
}
