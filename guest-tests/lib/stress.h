/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stress: rounds until a time is over, the same on all CPUs, with random numbers that are the same
 * for the same seed whatever the other CPUs do. docs/writing-tests.md shows the idiom.
 */
#ifndef LIB_STRESS_H
#define LIB_STRESS_H

#include "types.h"

/* Open the box: time= of the command line, else `ms`. On the CPU that runs the test, before the others start. */
void stress_begin(uint64_t ms);
/*
 * On any CPU: is another round due? `rounds` are those it has done. The first is always due, for a
 * slow machine is no fault; no other is once the time is over or the test has failed on any CPU.
 */
bool stress_more(uint64_t rounds);

/* Random numbers of one CPU, or of one purpose: `stream` tells them apart. */
struct rng {
	uint64_t state;
};

struct rng rng_of(uint64_t stream);
uint64_t rng_next(struct rng *r);
/* 0 … n - 1 */
uint64_t rng_below(struct rng *r, uint64_t n);

#endif
