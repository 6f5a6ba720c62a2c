/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four vCPUs on what CPUs the host has, each at lengths of its own, while their threads are moved,
 * paused and preempted: no register of any is ever another's (arch/arm64/kvm/fpsimd.c).
 */
#include "stress.h"
#include "common.h"
#include "lock.h"
#include "smp.h"
#include "timer.h"

#define CPUS 4U

static struct {
	struct sve_state in[CPUS], out[CPUS];
	uint64_t rounds[CPUS], moves[CPUS], lengths[CPUS];
	uint64_t host_cpus;
	uint32_t *reg;
} s;

static void fill(struct sve_state *state, struct rng *r, unsigned int vq)
{
	uint64_t *word = (uint64_t *)state;
	unsigned int ones = (unsigned int)rng_below(r, vq * 16 + 1);

	for (size_t i = 0; i < sizeof(*state) / sizeof(*word); i++)
		word[i] = rng_next(r);
	for (unsigned int i = 0; i < vq * 2; i++) {
		unsigned int here = ones > i * 8 ? ones - i * 8 : 0;

		state->ffr[i] = (uint8_t)(here >= 8 ? 0xff : (1U << here) - 1);
	}
}

/* what happens between load and store; no compiled code touches a vector register */
static const char *disturb(struct rng *r, unsigned int me)
{
	struct assay_action a = {0};

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
	case 2:
		for (uint64_t n = 1 + rng_below(r, 4); n; n--)
			mmio_wr32((uint64_t)s.reg, (uint32_t)n);
		return "after exits to user space";
	case 3:
		a.op = ASSAY_ACT_PAUSE;
		a.arg[0] = rng_below(r, 2);
		port_action(&a);
		return "after a pause of the thread";
	case 4:
	case 5:
		a.op = ASSAY_ACT_PIN;
		a.arg[0] = rng_below(r, s.host_cpus);
		port_action(&a);
		s.moves[me]++;
		return "after a move to another host CPU";
	case 6:
		delay_ms(1 + rng_below(r, 4));
		return "over ticks of the host";
	default:
		for (uint64_t n = rng_below(r, 32); n; n--)
			wfe();
		return "after waiting";
	}
}

static void mixed_cpu(void *arg)
{
	unsigned int me = cpu_index();
	struct rng r = rng_of(me);
	uint64_t rounds = 0;

	cpacr(CPACR_OPEN);
	for (; stress_more(rounds); rounds++) {
		unsigned int vq = sve_ask(1 + (unsigned int)rng_below(&r, SVE_VQ_MAX));
		const char *how;

		s.lengths[me] |= BIT(vq - 1);
		fill(&s.in[me], &r, vq);
		sve_load(&s.in[me]);
		how = disturb(&r, me);
		sve_store(&s.out[me]);
		EXPECT_EQ(sve_bytes(), vq * 16);
		sve_expect_same(&s.out[me], &s.in[me], vq, how);
	}
	s.rounds[me] = rounds;
	(void)arg;
}

TEST(sve, registers_survive_mixed_lengths_moves_and_preemption, RULE("SVE-STATE-4"),
     .vmm = "--smp 4", .tags = "stress")
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};
	uint64_t rounds = 0, moves = 0;

	sve_need();
	smp_need(CPUS);
	memset(&s, 0, sizeof(s));
	s.reg = sve_exit_register();
	ASSERT_EQ(port_action(&pin), 0);
	s.host_cpus = MAX(pin.ret[0], 1UL);
	stress_begin(2000);
	smp_call_all(CPUS, mixed_cpu, NULL);
	for (unsigned int n = 0; n < CPUS; n++) {
		EXPECT_GT(s.rounds[n], 0);
		rounds += s.rounds[n];
		moves += s.moves[n];
	}
	FACT("stress.sve_rounds", "%lu", rounds);
	FACT("stress.sve_moves", "%lu", moves);
}

/* ---- the same for FP and SIMD alone: short, for it is no stress */

static struct fp_state fp_in[CPUS], fp_out[CPUS];

static void fp_cpu(void *arg)
{
	unsigned int me = cpu_index();
	struct rng r = rng_of(me);

	cpacr(CPACR_OPEN);
	for (unsigned int round = 0; round < 25; round++) {
		const char *how;

		for (size_t i = 0; i < sizeof(fp_in[me].q); i++)
			fp_in[me].q[i / 16][i % 16] = (uint8_t)rng_next(&r);
		fp_in[me].fpcr = (uint32_t)rng_below(&r, 4) << 22;
		fp_in[me].fpsr = (uint32_t)rng_below(&r, 32);
		fp_load(&fp_in[me]);
		how = disturb(&r, me);
		fp_store(&fp_out[me]);
		if (!EXPECT_EQ(memcmp(fp_out[me].q, fp_in[me].q, sizeof(fp_in[me].q)), 0) ||
		    !EXPECT_EQ(fp_out[me].fpcr, fp_in[me].fpcr) ||
		    !EXPECT_EQ(fp_out[me].fpsr & 0x9f, fp_in[me].fpsr)) {
			NOTE("CPU %u %s", me, how);
			break;
		}
	}
	fp_in[me] = (struct fp_state){0};
	fp_load(&fp_in[me]);
	(void)arg;
}

TEST(sve, v_registers_survive_moves_and_preemption, RULE("SVE-STATE-7"), .vmm = "--smp 4",
     .variants = "sve: | fp_only: --sve off")
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};

	smp_need(CPUS);
	memset(&s, 0, sizeof(s));
	s.reg = sve_exit_register();
	ASSERT_EQ(port_action(&pin), 0);
	s.host_cpus = MAX(pin.ret[0], 1UL);
	smp_call_all(CPUS, fp_cpu, NULL);
}
