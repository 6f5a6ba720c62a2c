/* SPDX-License-Identifier: Apache-2.0 */
/* The counters: frequency, direction, one view for all CPUs, and against the host's clock. */
#include "lock.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

SUITE(timer, .tags = "timer");

static void read_frequency(void *arg)
{
	*(uint64_t *)arg = counter_freq();
}

/* DDI 0487, CNTFRQ_EL0: software sets it on every PE to the one frequency of the system counter */
TEST(timer, frequency_is_the_same_on_all_cpus, RULE("TIMER-FREQ-1"), .vmm = "--smp 2")
{
	uint64_t other;

	EXPECT_NE(counter_freq(), 0);
	FACT("timer.frequency", "%lu", counter_freq());
	smp_need(2);
	for (unsigned n = 1; n < smp_count(); n++) {
		other = 0;
		smp_call(n, read_frequency, &other);
		EXPECT_EQ(other, counter_freq());
	}
}

static void never_goes_back(enum timer t)
{
	uint64_t first = timer_count(t), last = first;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t now = timer_count(t);

		if (!EXPECT_GE(now, last))
			return;
		last = now;
	}
	ASSERT_EVENTUALLY(timer_count(t) > first);
}

/* DDI 0487 D11.1.2: the system counter counts up; a later read never returns less */
TEST(timer, virtual_counter_never_goes_back, RULE("TIMER-MONO-1"))
{
	never_goes_back(TIMER_VIRT);
}

TEST(timer, physical_counter_never_goes_back, RULE("TIMER-MONO-1"))
{
	never_goes_back(TIMER_PHYS);
}

/* Handing over costs a time slice where CPUs are few: enough rounds, or enough time. */
#define PINGPONG_ROUNDS 1000U
#define PINGPONG_LEAST	20U
#define PINGPONG_MS	300U
#define PINGPONG_END	BIT(63)

static struct {
	enum timer timer;
	uint64_t turn;	/* even: CPU 0 reads next, odd: CPU 1 */
	uint64_t stamp; /* the last reading */
	uint64_t back;	/* worst step back, and where */
	uint64_t round;
	uint64_t rounds;
} pingpong;

/* this CPU's turn has come; false: the other said it is over, or never answered */
static bool my_turn(uint64_t round)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);
	uint64_t turn;

	while ((turn = __atomic_load_n(&pingpong.turn, __ATOMIC_ACQUIRE)) != round)
		if (turn == PINGPONG_END || !wait_more(&w))
			return __atomic_load_n(&pingpong.turn, __ATOMIC_ACQUIRE) == round;
	return true;
}

static void pingpong_cpu(void *arg)
{
	uint64_t begin = counter_virt();

	for (uint64_t round = cpu_index() != 0; my_turn(round); round += 2) {
		uint64_t now = timer_count(pingpong.timer), next = round + 1;

		if (now < pingpong.stamp && pingpong.stamp - now > pingpong.back) {
			pingpong.back = pingpong.stamp - now;
			pingpong.round = round;
		}
		pingpong.stamp = now;
		pingpong.rounds = round;
		if (round >= UINT64_C(2) * PINGPONG_ROUNDS ||
		    (round >= PINGPONG_LEAST && counter_virt() - begin > ticks_of_ms(PINGPONG_MS)))
			next = PINGPONG_END;
		/* the read is done before the other CPU may look (D11.2.1: as for any system register) */
		isb();
		__atomic_store_n(&pingpong.turn, next, __ATOMIC_RELEASE);
		sev();
	}
	(void)arg;
}

static void never_goes_back_across_cpus(enum timer t)
{
	smp_need(2);
	memset(&pingpong, 0, sizeof(pingpong));
	pingpong.timer = t;
	smp_run(1, pingpong_cpu, NULL);
	pingpong_cpu(NULL);
	smp_wait(1);
	EXPECT_EQ(pingpong.turn, PINGPONG_END);
	EXPECT_GE(pingpong.rounds, PINGPONG_LEAST);
	if (!EXPECT_EQ(pingpong.back, 0))
		NOTE("worst step back in round %lu, on CPU %lu", pingpong.round,
		     pingpong.round % 2);
}

/* DDI 0487 D11.1.2: all PEs see one counter; what is read after a message is not less than what was sent */
TEST(timer, virtual_counter_never_goes_back_across_cpus, RULE("TIMER-MONO-2"), .vmm = "--smp 2")
{
	never_goes_back_across_cpus(TIMER_VIRT);
}

TEST(timer, physical_counter_never_goes_back_across_cpus, RULE("TIMER-MONO-2"), .vmm = "--smp 2")
{
	never_goes_back_across_cpus(TIMER_PHYS);
}

/* what the readings so far allow CNTPCT - CNTVCT to be; biased, for it may be negative */
#define BIAS BIT(63)

struct offset {
	uint64_t least, most;
};

static void narrow_offset(void *arg)
{
	struct offset *o = arg;

	for (unsigned i = 0; i < 500; i++) {
		uint64_t v1 = counter_virt(), p = counter_phys(), v2 = counter_virt();

		o->least = MAX(o->least, p - v2 + BIAS);
		o->most = MIN(o->most, p - v1 + BIAS);
	}
}

/* DDI 0487 D11.1.2.1: CNTVCT = CNTPCT - CNTVOFF; no reading may contradict one constant offset */
TEST(timer, virtual_offset_is_one_constant, RULE("TIMER-OFFSET-1"), .vmm = "--smp 2")
{
	struct offset o = {.least = 0, .most = ~0ULL};

	narrow_offset(&o);
	EXPECT_LE(o.least, o.most);
	for (unsigned n = 1; n < smp_count(); n++)
		smp_call(n, narrow_offset, &o);
	EXPECT_LE(o.least, o.most);
	FACT("timer.virtual_offset", "0x%lx", o.least - BIAS);
}

/* ticks to nanoseconds without overflow for the seconds a test takes */
static uint64_t ns_of_ticks(uint64_t ticks)
{
	uint64_t f = counter_freq();

	return ticks / f * 1000000000ULL + ticks % f * 1000000000ULL / f;
}

/*
 * CLOCK_MONOTONIC_RAW of the host counts the same system counter. No claim
 * about real time: host readings lie between two guest readings each, so the
 * intervals must contain each other. 0.1 % covers the host's clock conversion.
 */
TEST(timer, counter_runs_as_the_host_clock_does, RULE("TIMER-FREQ-2"))
{
	struct assay_action a = {.op = ASSAY_ACT_HOST_CLOCK}, b = {.op = ASSAY_ACT_HOST_CLOCK};
	uint64_t v0, v1, v2, v3, host;

	if (!port_present())
		SKIP("needs the test port of refvmm to read the host's clock");
	v0 = counter_virt();
	ASSERT_EQ(port_action(&a), 0);
	v1 = counter_virt();
	delay_ms(200);
	v2 = counter_virt();
	ASSERT_EQ(port_action(&b), 0);
	v3 = counter_virt();
	host = b.ret[1] - a.ret[1];
	FACT("timer.host_ns", "%lu", host);
	FACT("timer.guest_ns", "%lu", ns_of_ticks((v2 + v3) / 2 - (v0 + v1) / 2));
	EXPECT_LE(ns_of_ticks(v2 - v1), host + host / 1000 + 1000);
	EXPECT_GE(ns_of_ticks(v3 - v0), host - host / 1000 - 1000);
}

/* DDI 0487, ID_AA64MMFR0_EL1.ECV: from 1 on CNTVCTSS_EL0 and CNTPCTSS_EL0 exist and are in order by themselves */
TEST(timer, self_synchronised_counters_work_where_offered, RULE("TIMER-ECV-1"))
{
	uint64_t ecv = BITS(read_sysreg(id_aa64mmfr0_el1), 63, 60), last = 0;

	FACT("timer.ecv", "%lu", ecv);
	NEED("ecv", ecv >= 1, "ID_AA64MMFR0_EL1.ECV is 0");
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = read_sysreg(S3_3_C14_C0_6); /* CNTVCTSS_EL0 */

		if (!EXPECT_GE(now, last))
			break;
		last = now;
	}
	EXPECT_LE(last, counter_virt());
	EXPECT_NO_EXCEPTION("mrs x0, S3_3_C14_C0_5" : : : "x0"); /* CNTPCTSS_EL0 */
}
