/* SPDX-License-Identifier: Apache-2.0 */
/* CPU_ON and CPU_OFF (DEN 0022, 5.1.3, 5.1.4) and the state a CPU starts in (6.4). */
#include "record.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

/* SCTLR_EL1: MMU, data and unified caches, instruction cache (not looked at: it may be on), endianness */
#define SCTLR_M	  BIT(0)
#define SCTLR_C	  BIT(2)
#define SCTLR_WXN BIT(19)
#define SCTLR_EE  BIT(25)

static int cpu_on(unsigned int n, uint64_t entry, uint64_t context)
{
	return psci_cpu_on(smp_mpidr(n), entry, context);
}

#define ENTRY ((uint64_t)(uintptr_t)record_entry)

/* 5.1.4: x0 holds context_id */
TEST(psci, cpu_on_delivers_the_context, RULE("PSCI-CPU_ON-2"), .vmm = "--smp 2")
{
	const uint64_t contexts[] = {0, 1, ~0ULL, rnd(), BIT(63), 0x00000001ffffffffULL};

	psci_need(2);
	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		const struct entry_record *r = psci_record(1, 0, contexts[i]);

		if (!r || !EXPECT_EQ(r->x[0], contexts[i]))
			return;
	}
}

/* DEN 0028, 3.1: SMC32 takes 32 bits of each argument */
TEST(psci, the_32_bit_cpu_on_delivers_32_bits, RULE("SMCCC-32-1"), .vmm = "--smp 2")
{
	psci_need(2);
	if (ENTRY >> 32)
		SKIP("the payload lies above 4 GiB: a 32-bit entry point does not reach it");
	record_prepare(0);
	EXPECT_EQ(psci_call(PSCI_CPU_ON32, smp_mpidr(1) | 7ULL << 32, ENTRY | 9ULL << 32,
			    0x5eed5eed | 5ULL << 32),
		  PSCI_SUCCESS);
	if (EXPECT_EVENTUALLY(record_look() != NULL))
		EXPECT_EQ(record_look()->x[0], 0x5eed5eed);
	psci_goes_off(1);
}

/* 6.4.1 to 6.4.3: the highest Exception level there is, MMU and caches off, DAIF masked, AArch64, SP_ELx */
TEST(psci, cpu_on_enters_at_el1_with_the_mmu_off, RULE("PSCI-ENTRY-1"), .vmm = "--smp 2")
{
	const struct entry_record *r;

	psci_need(2);
	r = psci_record(1, 0, 0);
	if (!r)
		return;
	EXPECT_EQ(r->currentel, read_sysreg(CurrentEL));
	EXPECT_EQ(r->sctlr & (SCTLR_M | SCTLR_C | SCTLR_WXN), 0);
	EXPECT_EQ(r->sctlr & SCTLR_EE, read_sysreg(sctlr_el1) & SCTLR_EE);
	EXPECT_EQ(r->daif, 0x3c0);
	EXPECT_EQ(r->spsel, 1);
	EXPECT_EQ(r->mpidr & 0xff00ffffffULL, smp_mpidr(1));
	EXPECT_EQ(r->off, ~0ULL); /* CPU_OFF does not return (5.1.3) */
}

uint64_t call_big_endian(uint64_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t smc);

/* 6.4.3: the endianness is that of the caller (kvm_psci_vcpu_on, "propagate caller endianness") */
TEST(psci, cpu_on_passes_on_the_callers_endianness, RULE("PSCI-ENTRY-3"), .vmm = "--smp 2")
{
	psci_need(2);
	NEED("mixed-endian", BITS(read_sysreg(id_aa64mmfr0_el1), 11, 8) == 1,
	     "ID_AA64MMFR0_EL1.BigEnd is 0");
	if (!port_present())
		SKIP("needs refvmm: by HVC, and with interrupts masked for as long as the call "
		     "takes");
	for (unsigned int round = 0; round < 2; round++) {
		record_prepare(0);
		EXPECT_EQ((int)call_big_endian(PSCI_CPU_ON64, smp_mpidr(1), ENTRY, 0x77, 0),
			  PSCI_SUCCESS);
		if (!EXPECT_EVENTUALLY(record_look() != NULL))
			return;
		EXPECT_EQ(record_look()->sctlr & SCTLR_EE, SCTLR_EE);
		EXPECT_EQ(record_look()->x[0], 0x77);
		if (!psci_goes_off(1) || !psci_record(1, 0, 0))
			return;
		EXPECT_EQ(record_look()->sctlr & SCTLR_EE,
			  0); /* and from here it is little-endian again */
	}
}

/*
 * KVM resets a CPU that is switched on: nothing of its life before is left (kvm_reset_vcpu, for
 * general, FP and system registers; kvm_timer_vcpu_reset).
 */
TEST(psci, a_cpu_that_was_off_starts_from_reset, RULE("PSCI-ENTRY-2"), .vmm = "--smp 2")
{
	const struct entry_record *r = NULL;

	psci_need(2);
	if (!port_present())
		SKIP("needs refvmm, whose CPUs are reset by KVM: PSCI leaves most registers "
		     "unknown");
	for (unsigned int round = 0; round < 3; round++) {
		/* the second and third time around they have been written in the life before */
		r = psci_record(1, MODE_DIRTY, 0);
		if (!r)
			return;
		for (unsigned int n = 1; n < 31; n++)
			if (!EXPECT_EQ(r->x[n], 0))
				NOTE("x%u in round %u", n, round);
		for (unsigned int n = 0; n < 32; n++)
			for (unsigned int i = 0; i < 16; i++)
				if (r->q[n][i] && !EXPECT_EQ(r->q[n][i], 0)) {
					NOTE("V%u byte %u in round %u", n, i, round);
					break;
				}
		EXPECT_EQ(r->cntv_ctl & (TIMER_ENABLE | TIMER_IMASK), 0);
		EXPECT_EQ(r->cntp_ctl & (TIMER_ENABLE | TIMER_IMASK), 0);
		EXPECT_EQ(r->cpacr, 0);
		EXPECT_EQ(r->cntkctl, 0);
		EXPECT_EQ(r->mdscr, 0);
		EXPECT_EQ(r->contextidr, 0);
		EXPECT_EQ(r->vbar, 0);
		EXPECT_EQ(r->fpcr, 0);
		EXPECT_EQ(r->fpsr, 0);
	}
}

/* 5.1.4: ALREADY_ON, of oneself and of another */
TEST(psci, a_cpu_that_is_on_is_not_started_again, RULE("PSCI-CPU_ON-3"), .vmm = "--smp 2")
{
	psci_need(2);
	EXPECT_EQ(cpu_on(0, ENTRY, 0), PSCI_ALREADY_ON);
	if (!psci_record(1, MODE_STAY, 0x1111))
		return;
	for (unsigned int i = 0; i < 20; i++)
		EXPECT_EQ(cpu_on(1, ENTRY, 0x2222), PSCI_ALREADY_ON);
	EXPECT_EQ(psci_call(PSCI_CPU_ON32, smp_mpidr(1), ENTRY, 0), PSCI_ALREADY_ON);
	/* and it has not been restarted behind our back */
	EXPECT_EQ(record_look()->x[0], 0x1111);
	record_release();
	psci_goes_off(1);
}

static struct {
	int result[3];
	struct barrier start;
} race;

static void race_cpu(void *arg)
{
	unsigned int me = cpu_index();

	barrier_wait(&race.start, 3);
	race.result[me] = cpu_on(3, ENTRY, me);
	(void)arg;
}

/* 5.1.4: while one CPU switches it on, another is told ALREADY_ON or ON_PENDING */
TEST(psci, of_several_that_start_a_cpu_one_succeeds, RULE("PSCI-CPU_ON-4"), .vmm = "--smp 4")
{
	psci_need(4);
	for (unsigned int round = 0; round < 10; round++) {
		unsigned int won = 0, who = 0;

		race.start = (struct barrier){0};
		record_prepare(MODE_STAY);
		smp_call_all(3, race_cpu, NULL);
		for (unsigned int n = 0; n < 3; n++) {
			if (race.result[n] == PSCI_SUCCESS) {
				won++;
				who = n;
			} else {
				EXPECT_TRUE(race.result[n] == PSCI_ALREADY_ON ||
					    race.result[n] == PSCI_ON_PENDING);
			}
		}
		if (!EXPECT_EQ(won, 1) || !EXPECT_EVENTUALLY(record_look() != NULL))
			return;
		EXPECT_EQ(record_look()->x[0], who);
		record_release();
		if (!psci_goes_off(3))
			return;
	}
}

/* 5.1.4: INVALID_PARAMETERS for a target that is no CPU; nothing is started */
TEST(psci, cpu_on_refuses_what_is_no_cpu, RULE("PSCI-CPU_ON-1"), .vmm = "--smp 2")
{
	static const uint64_t bad[] = {BIT(24), BIT(30),	 BIT(31), BIT(40),
				       BIT(63), 0xff00ffffffULL, 0x100,	  0xff};

	psci_need(2);
	record_prepare(0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!EXPECT_EQ(psci_cpu_on(bad[i], ENTRY, 0), PSCI_INVALID_PARAMETERS))
			NOTE("target 0x%lx", bad[i]);
		/* a bit that is no affinity beside a CPU that is there */
		if (bad[i] > 0xffff && bad[i] != 0xff00ffffffULL)
			EXPECT_EQ(psci_cpu_on(bad[i] | smp_mpidr(1), ENTRY, 0),
				  PSCI_INVALID_PARAMETERS);
	}
	EXPECT_EQ(psci_affinity_info(smp_mpidr(1)), AFFINITY_OFF);
	EXPECT_TRUE(record_look() == NULL);
}

/* 5.1.4: INVALID_ADDRESS is allowed, not demanded. KVM looks at no address: the CPU is on, and lost. */
TEST(psci, an_entry_without_memory_is_refused_or_starts_nothing_else, RULE("PSCI-CPU_ON-5"),
     .vmm = "--smp 2")
{
	int answer;

	psci_need(2);
	record_prepare(0);
	answer = cpu_on(1, BIT(38) - SZ_4K, 0);
	EXPECT_TRUE(answer == PSCI_SUCCESS || answer == PSCI_INVALID_ADDRESS);
	EXPECT_EQ(psci_affinity_info(smp_mpidr(1)),
		  answer == PSCI_SUCCESS ? AFFINITY_ON : AFFINITY_OFF);
	FACT("psci.entry_without_memory", "%d", answer);
	delay_ms(5);
	EXPECT_TRUE(record_look() == NULL);
	EXPECT_EQ(cpu_on(0, ENTRY, 0), PSCI_ALREADY_ON); /* this CPU is none the worse */
}

/* CPU_OFF and CPU_ON, again and again, of all CPUs at once: each start is a whole one */
TEST(psci, cpus_go_off_and_on_many_times, RULE("PSCI-CPU_OFF-1"), .vmm = "--smp 4")
{
	psci_need(4);
	for (uint64_t round = 0; round < 15; round++) {
		for (unsigned int n = 1; n < 4; n++) {
			const struct entry_record *r = psci_record(n, 0, round << 8 | n);

			if (!r || !EXPECT_EQ(r->x[0], round << 8 | n) ||
			    !EXPECT_EQ(r->mpidr & 0xff00ffffffULL, smp_mpidr(n)))
				return;
		}
	}
}
