/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "timer.h"

SUITE(timer, .tags = "timer");

/* DDI 0487, CNTFRQ_EL0: firmware sets it on every PE, to the frequency of the system counter */
TEST(timer, frequency_is_set, RULE("TIMER-FREQ-1"))
{
	EXPECT_NE(counter_freq(), 0);
	FACT("timer.frequency", "%lu", counter_freq());
}
