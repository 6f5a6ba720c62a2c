/* SPDX-License-Identifier: Apache-2.0 */
#include "stress.h"
#include "cpu.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

static uint64_t stress_until;

void stress_begin(uint64_t ms)
{
	uint64_t box = stress_ms(ms);

	FACT("stress.ms", "%lu", box);
	__atomic_store_n(&stress_until, counter_virt() + ticks_of_ms(box), __ATOMIC_RELEASE);
}

bool stress_more(uint64_t rounds)
{
	if (cpu_index() != 0 && smp_stopping())
		return false;
	if (__atomic_load_n(&test_now.verdict, __ATOMIC_RELAXED) != VERDICT_PASS)
		return false;
	return rounds == 0 || counter_virt() < __atomic_load_n(&stress_until, __ATOMIC_ACQUIRE);
}

/* splitmix64 (Steele, Lea, Flood 2014): any state is good, so that streams need no warming up */
struct rng rng_of(uint64_t stream)
{
	struct rng r = {.state = test_seed + stream * 0xd1342543de82ef95ULL};

	rng_next(&r);
	return r;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	return rng_next(r) % n;
}
