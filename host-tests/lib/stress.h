/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stress: rounds until a time is over, the same in all threads, with random numbers that are the
 * same for the same seed whatever other threads do. docs/writing-tests.md shows the idiom.
 */
#ifndef HOST_STRESS_H
#define HOST_STRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Opens the box: --time, else `ms`. Before the threads start. */
void stress_begin(unsigned int ms);
/*
 * In any thread: is another round due? `rounds` are those it has done. The first is always due, for
 * a slow host is no fault; no other is once the time is over or an expectation has failed.
 */
bool stress_more(uint64_t rounds);

/* Random numbers of one thread, or of one purpose: `stream` tells them apart. */
struct rng {
	uint64_t state;
};

struct rng rng_of(uint64_t stream);
uint64_t rng_next(struct rng *r);
/* 0 … n - 1 */
uint64_t rng_below(struct rng *r, uint64_t n);

#endif
