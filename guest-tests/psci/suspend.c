/* SPDX-License-Identifier: Apache-2.0 */
/* CPU_SUSPEND to stand-by (DEN 0022, 5.4.1): returns where it was called, when an interrupt is pending. */
#include "gic.h"
#include "irq.h"
#include "record.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

#define SGI 5U

void call_noting(const uint64_t in[4], uint64_t out[31], uint64_t smc);

static uint64_t by_smc(void)
{
	const char *method = dt_str(dt_find("arm,psci-1.0", 0), "method");

	return method && strcmp(method, "smc") == 0;
}

static void standby(uint64_t fn)
{
	const uint64_t in[4] = {fn, 0, 0xbad, 0xbad}; /* power_state 0: stand-by of this core */
	uint64_t out[31];

	psci_need(1);
	gic_need_any();
	gic_enable(timer_intid(TIMER_VIRT));
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t cval = counter_virt() + ticks_of_ms(5);

		timer_set_ctl(TIMER_VIRT, 0);
		timer_set_cval(TIMER_VIRT, cval);
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		/* it may come back early, as WFI may; a lost wake-up ends the test at its time limit */
		do
			call_noting(in, out, by_smc());
		while ((int)out[0] == PSCI_SUCCESS && !(timer_ctl(TIMER_VIRT) & TIMER_ISTATUS));
		EXPECT_EQ((int)out[0], PSCI_SUCCESS);
		EXPECT_GE(counter_virt(), cval);
		for (unsigned int n = 4; n < 31; n++)
			EXPECT_EQ(out[n], 0x1000 + n);
	}
}

TEST(psci, suspend_to_standby_ends_with_an_interrupt, RULE("PSCI-SUSPEND-1"))
{
	standby(PSCI_CPU_SUSPEND64);
}

TEST(psci, the_32_bit_suspend_does_the_same, RULE("PSCI-SUSPEND-1"))
{
	standby(PSCI_CPU_SUSPEND32);
}

static struct {
	uint64_t suspended, woken;
	uint64_t stop;
	struct irq_watch watch;
} sleeper;

static void sleep_by_psci(void *arg)
{
	sleeper.watch = irq_watch(SGI);
	irq_mask();
	while (!__atomic_load_n(&sleeper.stop, __ATOMIC_ACQUIRE)) {
		__atomic_add_fetch(&sleeper.suspended, 1, __ATOMIC_RELEASE);
		if ((int)psci_call(PSCI_CPU_SUSPEND64, 0, 0, 0) != PSCI_SUCCESS)
			break;
		__atomic_add_fetch(&sleeper.woken, 1, __ATOMIC_RELEASE);
		irq_unmask();
		isb();
		irq_mask();
	}
	(void)arg;
}

/* a CPU in stand-by is on, and an SGI from another CPU wakes it */
TEST(psci, a_cpu_in_standby_is_woken_by_another, RULE("PSCI-SUSPEND-2"), .vmm = "--smp 2")
{
	psci_need(2);
	gic_need_any();
	sleeper.suspended = sleeper.woken = sleeper.stop = 0;
	smp_run(1, sleep_by_psci, NULL);
	for (uint64_t i = 1; i <= 20; i++) {
		uint64_t woken = __atomic_load_n(&sleeper.woken, __ATOMIC_ACQUIRE);

		ASSERT_EVENTUALLY(__atomic_load_n(&sleeper.suspended, __ATOMIC_ACQUIRE) > woken);
		EXPECT_EQ(psci_affinity_info(smp_mpidr(1)), AFFINITY_ON);
		gic_sgi(SGI, 1);
		ASSERT_EVENTUALLY(irq_count_on(1, SGI) == i);
	}
	__atomic_store_n(&sleeper.stop, 1, __ATOMIC_RELEASE);
	gic_sgi(SGI, 1);
	smp_wait(1);
	EXPECT_GE(sleeper.woken, 20);
}
