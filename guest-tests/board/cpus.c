/* SPDX-License-Identifier: Apache-2.0 */
/* As many CPUs as were asked for come up by PSCI (DEN 0022, 5.1.4), say who they are, and answer an SGI. */
#include "gic.h"
#include "irq.h"
#include "smp.h"
#include "test.h"

SUITE(board);

#define SGI 7U

/* "board.every_cpu_comes_up@123" asks for 123; 0: nothing said */
static unsigned asked_for(void)
{
	const char *p = test_now.id;
	unsigned n = 0;

	while (*p && *p != '@')
		p++;
	while (*p && (*p < '0' || *p > '9'))
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		n = 10 * n + (unsigned)(*p - '0');
	return n;
}

struct answer {
	uint64_t mpidr;
	uint32_t listening, go;
	struct irq_watch watch;
};

/*
 * On the CPU itself: takes SGIs, asleep between them, until it may go. Hundreds of CPUs that poll
 * would leave no time for anything else.
 */
static void answer(void *arg)
{
	struct answer *a = arg;

	a->mpidr = cpu_mpidr();
	a->watch = irq_watch(SGI);
	__atomic_store_n(&a->listening, 1, __ATOMIC_RELEASE);
	irq_mask(); /* so that no SGI is taken between the look and the sleep; a pending one ends WFI */
	while (!__atomic_load_n(&a->go, __ATOMIC_ACQUIRE)) {
		wfi();
		irq_unmask();
		isb();
		irq_mask();
	}
}

static bool comes_up(unsigned n, struct answer *a)
{
	smp_run(n, answer, a);
	if (!EXPECT_EVENTUALLY(__atomic_load_n(&a->listening, __ATOMIC_ACQUIRE)))
		return false;
	gic_sgi(SGI, n);
	return EXPECT_EQ(a->mpidr, smp_mpidr(n)) && EXPECT_EVENTUALLY(irq_count_on(n, SGI) == 1);
}

static void goes(unsigned n, struct answer *a)
{
	__atomic_store_n(&a->go, 1, __ATOMIC_RELEASE);
	gic_sgi(SGI, n);
	EXPECT_TRUE(smp_off(n));
}

/* All at once, each with the others asleep beside it. */
static void all_come_up(void)
{
	unsigned cpus = smp_count(), up = 1;
	struct answer *a = mem_alloc(cpus * sizeof(*a), 64);

	gic_need_any();
	FACT("board.cpus", "%u", cpus);
	if (asked_for())
		EXPECT_EQ(cpus, asked_for());
	while (up < cpus && comes_up(up, &a[up]))
		up++;
	EXPECT_EQ(up, cpus);
	for (unsigned n = 1; n < up; n++)
		goes(n, &a[n]);
}

TEST(board, every_cpu_comes_up_and_answers, RULE("BOARD-CPU-1"),
     .variants = "1: --smp 1 | 2: --smp 2 | 8: --smp 8 | 9: --smp 9 | "
		 "gicv-8: --machine gic-version=2 --smp 8")
{
	all_come_up();
}

TEST(board, hundreds_of_cpus_come_up_and_answer, RULE("BOARD-CPU-1"), .variants = "123: --smp 123",
     .limit_ms = 60000)
{
	all_come_up();
}

/* As many as KVM has: seconds where it is emulated. */
TEST(board, as_many_cpus_as_kvm_has_come_up_and_answer, RULE("BOARD-CPU-1"),
     .variants = "512: --smp 512", .limit_ms = 60000, .tags = "slow")
{
	all_come_up();
}
