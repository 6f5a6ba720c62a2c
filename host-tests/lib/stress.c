/* SPDX-License-Identifier: Apache-2.0 */
#include "stress.h"
#include "test.h"
#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t until_ms;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void stress_begin(unsigned int ms)
{
	unsigned int box = test_time_ms(ms);

	FACT("stress.ms", "%u", box);
	atomic_store(&until_ms, now_ms() + box);
}

bool stress_more(uint64_t rounds)
{
	if (test_has_failed())
		return false;
	return rounds == 0 || now_ms() < atomic_load(&until_ms);
}

/* splitmix64 (Steele, Lea, Flood 2014): any state is good, so that streams need no warming up */
struct rng rng_of(uint64_t stream)
{
	struct rng r = {.state = test_seed() + stream * 0xd1342543de82ef95ULL};

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
