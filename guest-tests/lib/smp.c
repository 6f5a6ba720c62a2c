/* SPDX-License-Identifier: Apache-2.0 */
#include "smp.h"
#include "gic.h"
#include "mem.h"
#include "psci.h"
#include "test.h"
#include "timer.h"

enum { CPU_OFF, CPU_STARTING, CPU_IDLE, CPU_BUSY, CPU_LEAVE };

#define SMP_LIMIT_MS 20000U

void cpu_entry(void);

static struct cpu boot_cpu;
static struct cpu *cpus[CPUS_MAX] = {&boot_cpu};
static uint64_t mpidrs[CPUS_MAX];
static unsigned count;
static bool stopping;

static int state_of(const struct cpu *c)
{
	return __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct cpu *c, int state)
{
	__atomic_store_n(&c->state, state, __ATOMIC_RELEASE);
	sev();
}

/* CPU 0 is the one that runs this; the others follow in the order of the device tree */
void smp_init(void)
{
	uint64_t self = cpu_mpidr(), size;

	boot_cpu.mpidr = self;
	boot_cpu.state = CPU_BUSY;
	write_sysreg(tpidr_el1, (uint64_t)(uintptr_t)&boot_cpu);
	mpidrs[0] = self;
	count = 1;
	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node)) {
		const char *type = dt_str(node, "device_type");
		uint64_t mpidr;

		if (type && strcmp(type, "cpu") == 0 && dt_reg(node, 0, &mpidr, &size) &&
		    mpidr != self && count < CPUS_MAX)
			mpidrs[count++] = mpidr;
	}
}

unsigned smp_count(void)
{
	return count;
}

uint64_t smp_mpidr(unsigned n)
{
	return mpidrs[n];
}

void smp_need(unsigned need)
{
	if (count < need)
		SKIP("needs %u CPUs, this machine has %u", need, count);
}

static bool wait_state(struct cpu *c, int state, uint64_t ms)
{
	struct wait w = wait_begin(ms);

	while (state_of(c) != state)
		if (!wait_more(&w))
			return state_of(c) == state;
	return true;
}

static struct cpu *power_on(unsigned n)
{
	struct cpu *c = cpus[n];
	int err;

	if (n == 0 || n >= count)
		test_error("there is no CPU %u to start (%u CPUs)", n, count);
	if (!c) {
		c = mem_alloc_forever(sizeof(*c), 64);
		c->stack_top =
			(uint64_t)(uintptr_t)mem_alloc_forever(CPU_STACK_SIZE, 64) + CPU_STACK_SIZE;
		c->index = n;
		c->mpidr = mpidrs[n];
		cpus[n] = c;
	}
	if (state_of(c) != CPU_OFF)
		return c;
	c->state = CPU_STARTING;
	/* The CPU starts with its MMU and caches off. Its stack it uses only with both on (start.S). */
	cache_flush(c, sizeof(*c));
	err = psci_cpu_on(mpidrs[n], (uint64_t)(uintptr_t)cpu_entry, (uint64_t)(uintptr_t)c);
	if (err) {
		c->state = CPU_OFF;
		test_error("PSCI CPU_ON of CPU %u (MPIDR 0x%lx): got %d, want 0", n, mpidrs[n],
			   err);
	}
	return c;
}

/* a secondary's life, entered from start.S on its own stack */
void cpu_main(struct cpu *c)
{
	struct ctx here;

	write_sysreg(tpidr_el1, (uint64_t)(uintptr_t)c);
	event_stream_init();
	gic_cpu_init();
	set_state(c, CPU_IDLE);
	for (;;) {
		int state = state_of(c);

		if (state == CPU_LEAVE)
			break;
		if (state == CPU_BUSY) {
			if (ctx_save(&here) == 0) {
				c->leave_ctx = &here;
				c->job(c->job_arg);
			}
			c->leave_ctx = NULL;
			irq_mask();
			set_state(c, CPU_IDLE);
		} else {
			wfe();
		}
	}
	/* the last thing done with the cached view of this memory: power_on() waits for PSCI to say off */
	set_state(c, CPU_OFF);
	psci_cpu_off();
	for (;;)
		wfi();
}

void smp_run(unsigned n, void (*fn)(void *arg), void *arg)
{
	struct cpu *c = power_on(n);

	if (!wait_state(c, CPU_IDLE, SMP_LIMIT_MS))
		test_error("CPU %u did not become idle within %u ms", n, SMP_LIMIT_MS);
	c->job = fn;
	c->job_arg = arg;
	set_state(c, CPU_BUSY);
}

bool smp_done(unsigned n)
{
	return !cpus[n] || state_of(cpus[n]) != CPU_BUSY;
}

void smp_wait(unsigned n)
{
	uint64_t limit = SMP_LIMIT_MS + test_time_ms; /* --time lengthens what a CPU may be at */

	if (cpus[n] && !wait_state(cpus[n], CPU_IDLE, limit))
		test_error("CPU %u did not finish within %lu ms", n, limit);
	if (test_now.verdict == VERDICT_ERROR)
		test_leave();
}

void smp_wait_all(void)
{
	for (unsigned n = 1; n < count; n++)
		if (cpus[n] && state_of(cpus[n]) == CPU_BUSY)
			smp_wait(n);
}

void smp_call(unsigned n, void (*fn)(void *arg), void *arg)
{
	if (n == cpu_index()) {
		fn(arg);
		return;
	}
	smp_run(n, fn, arg);
	smp_wait(n);
}

void smp_call_all(unsigned n, void (*fn)(void *arg), void *arg)
{
	for (unsigned i = 1; i < n; i++)
		power_on(i);
	for (unsigned i = 1; i < n; i++)
		smp_run(i, fn, arg);
	fn(arg);
	smp_wait_all();
}

void barrier_wait(struct barrier *b, unsigned n)
{
	uint32_t round = __atomic_load_n(&b->round, __ATOMIC_ACQUIRE);
	struct wait w = wait_begin(SMP_LIMIT_MS);

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == n) {
		__atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
		if (!wait_more(&w) && __atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
			test_error("CPU %u waited %u ms for the others", cpu_index(), SMP_LIMIT_MS);
}

bool smp_stopping(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}

bool smp_off(unsigned n)
{
	struct cpu *c = cpus[n];
	struct wait w = wait_begin(SMP_LIMIT_MS);

	if (!c || state_of(c) == CPU_OFF)
		return true;
	if (!wait_state(c, CPU_IDLE, SMP_LIMIT_MS))
		return false;
	set_state(c, CPU_LEAVE);
	/* The question to PSCI costs more with every CPU there is: it comes when the answer is near. */
	if (!wait_state(c, CPU_OFF, SMP_LIMIT_MS))
		return false;
	while (psci_affinity_info(mpidrs[n]) != 1)
		if (!wait_more(&w))
			return psci_affinity_info(mpidrs[n]) == 1;
	return true;
}

bool smp_release(void)
{
	bool all = true;

	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	for (unsigned n = 1; n < count; n++)
		all &= smp_off(n);
	__atomic_store_n(&stopping, false, __ATOMIC_RELEASE);
	return all;
}

bool smp_all_off(void)
{
	for (unsigned n = 1; n < count; n++)
		if (psci_affinity_info(mpidrs[n]) == 0)
			return false;
	return true;
}

struct cpu *smp_cpu(unsigned n)
{
	return n < count ? cpus[n] : NULL;
}
