/* SPDX-License-Identifier: Apache-2.0 */
/* One at a time, and nobody sleeps for ever. */
#include <pthread.h>
#include <sched.h>

#include "core/lock.h"
#include "tests/unit.h"

#define THREADS 4
#define TURNS	5000

static struct lock lock;
static volatile unsigned inside, met, sum;

static void *turns(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < TURNS; i++) {
		lock_take(&lock);
		met += inside++ != 0;
		if (i % 16 == 0)
			sched_yield(); /* the others run into it */
		sum++;
		inside--;
		lock_give(&lock);
	}
	return NULL;
}

TEST(lock, is_held_by_one_at_a_time)
{
	pthread_t t[THREADS];

	inside = met = sum = 0;
	for (unsigned i = 0; i < THREADS; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, turns, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(met, 0);
	EXPECT_EQ(sum, THREADS * TURNS);
	EXPECT_EQ(lock.state, 0);
}
