/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"
#include "smp.h"
#include "test.h"

extern struct entry_record the_record;
_Alignas(64) struct entry_record the_record;

void psci_need(unsigned int cpus)
{
	smp_need(cpus);
	NEED("psci", psci_call(PSCI_VERSION, 0, 0, 0) >= 0x10000,
	     "PSCI_VERSION is below 1.0 or there is no PSCI");
}

static bool by_smc(void)
{
	const char *method = dt_str(dt_find("arm,psci-1.0", 0), "method");

	return method && strcmp(method, "smc") == 0;
}

void record_prepare(uint64_t mode)
{
	the_record = (struct entry_record){.mode = mode, .smc = by_smc()};
	the_record.off = ~0ULL;
	cache_flush(&the_record, sizeof(the_record));
}

const struct entry_record *record_look(void)
{
	cache_flush(&the_record, sizeof(the_record)); /* nothing of it is dirty here */
	return *(volatile uint64_t *)&the_record.done ? &the_record : NULL;
}

void record_release(void)
{
	record_look();
	*(volatile uint64_t *)&the_record.go = 1;
	cache_flush(&the_record, sizeof(the_record));
}

bool psci_goes_off(unsigned int n)
{
	return EXPECT_EVENTUALLY(psci_affinity_info(smp_mpidr(n)) == AFFINITY_OFF);
}

const struct entry_record *psci_record(unsigned int n, uint64_t mode, uint64_t context)
{
	record_prepare(mode);
	if (!EXPECT_EQ(psci_cpu_on(smp_mpidr(n), (uint64_t)(uintptr_t)record_entry, context),
		       PSCI_SUCCESS) ||
	    !EXPECT_EVENTUALLY(record_look() != NULL))
		return NULL;
	if (!(mode & MODE_STAY) && !psci_goes_off(n))
		return NULL;
	return record_look();
}
