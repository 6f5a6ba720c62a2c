/* SPDX-License-Identifier: Apache-2.0 */
/* Running vCPUs: the port's side of guest snippets, and threads that can be parked. */
#include "vm.h"
#include "regs.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static uint64_t port_read(struct vcpu *c, uint64_t off)
{
	if (off == GUEST_PORT_PING)
		return atomic_load(&c->question);
	if (off == GUEST_PORT_ENTRY)
		return c->entry;
	if (off == GUEST_PORT_STACK)
		return VM_STACK_BASE + (c->index + 1) * VM_STACK_SIZE;
	if (off >= GUEST_PORT_ARG && off < GUEST_PORT_ARG + 8 * GUEST_ARGS)
		return c->arg[(off - GUEST_PORT_ARG) / 8];
	return 0;
}

/* True when the run is over. */
static bool port_write(struct vcpu *c, uint64_t off, uint64_t value, int *end)
{
	switch (off) {
	case GUEST_PORT_DONE:
		*end = GUEST_DONE;
		return true;
	case GUEST_PORT_TICK:
		atomic_store(&c->ticks, value);
		return false;
	case GUEST_PORT_PONG:
		atomic_store(&c->question, 0);
		atomic_store(&c->answer, value);
		return false;
	case GUEST_PORT_ESR:
		c->esr = value;
		return false;
	case GUEST_PORT_ELR:
		c->elr = value;
		return false;
	case GUEST_PORT_FAR:
		c->far = value;
		*end = GUEST_EXCEPTION;
		return true;
	default:
		if (off >= GUEST_PORT_RESULT && off < GUEST_PORT_RESULT + 8 * GUEST_RESULTS)
			c->result[(off - GUEST_PORT_RESULT) / 8] = value;
		return false;
	}
}

static int run_once(struct vcpu *c, bool *over)
{
	struct kvm_run *run = c->run;
	long r = sys_ioctl(c->fd, KVM_RUN, 0);
	uint64_t off, value = 0;
	int end = KVM_EXIT_MMIO;

	*over = true;
	if (r == -EINTR)
		return GUEST_PARKED;
	if (r < 0)
		return (int)r;
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr < GUEST_PORT ||
	    run->mmio.phys_addr >= GUEST_PORT + GUEST_PORT_SIZE)
		return (int)run->exit_reason;
	off = run->mmio.phys_addr - GUEST_PORT;
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, sizeof(value));
		*over = port_write(c, off, value, &end);
	} else {
		value = port_read(c, off);
		memcpy(run->mmio.data, &value, sizeof(value));
		*over = false;
	}
	return end;
}

int vcpu_run(struct vm *vm, unsigned int i)
{
	bool over = false;
	int end = 0;

	while (!over)
		end = run_once(vm->vcpu[i], &over);
	return end;
}

void vcpu_complete_one(struct vm *vm, unsigned int i)
{
	struct vcpu *c = vm->vcpu[i];
	int end;

	c->run->immediate_exit = 1;
	end = vcpu_run(vm, i);
	c->run->immediate_exit = 0;
	if (end != GUEST_PARKED)
		test_error("vCPU %u: KVM_RUN with immediate_exit gave %d, not EINTR", i, end);
}

static void end_text(const struct vcpu *c, int end, char *buf, size_t size)
{
	if (end < 0)
		snprintf(buf, size, "KVM_RUN: -1 %s (%d)", strerrorname_np(-end), -end);
	else if (end == GUEST_EXCEPTION)
		snprintf(buf, size, "an exception: ESR %#llx ELR %#llx FAR %#llx",
			 (unsigned long long)c->esr, (unsigned long long)c->elr,
			 (unsigned long long)c->far);
	else if (end == KVM_EXIT_MMIO)
		snprintf(buf, size, "KVM_EXIT_MMIO %s %#llx len %u",
			 c->run->mmio.is_write ? "write" : "read",
			 (unsigned long long)c->run->mmio.phys_addr, c->run->mmio.len);
	else if (end == KVM_EXIT_SYSTEM_EVENT)
		snprintf(buf, size, "KVM_EXIT_SYSTEM_EVENT %u", c->run->system_event.type);
	else if (end == GUEST_PARKED)
		snprintf(buf, size, "EINTR");
	else if (end == GUEST_DONE)
		snprintf(buf, size, "the snippet's end");
	else
		snprintf(buf, size, "KVM exit %d", end);
}

void vcpu_run_to_end(const char *file, int line, struct vm *vm, unsigned int i)
{
	int end = vcpu_run(vm, i);
	char got[160], what[64];

	if (end == GUEST_DONE) {
		test_held();
		return;
	}
	snprintf(what, sizeof(what), "run of vCPU %u", i);
	end_text(vm->vcpu[i], end, got, sizeof(got));
	test_differs(file, line, what, got, "the snippet's end");
	test_abandon();
}

void vcpu_run_to_tick(struct vm *vm, unsigned int i, uint64_t n)
{
	struct vcpu *c = vm->vcpu[i];

	while (atomic_load(&c->ticks) < n) {
		bool over;
		int end = run_once(c, &over);
		char got[160];

		if (!over)
			continue;
		end_text(c, end, got, sizeof(got));
		test_error("vCPU %u stopped at tick %llu, before %llu: %s", i,
			   (unsigned long long)c->ticks, (unsigned long long)n, got);
	}
}

/* ---- threads */

static void wake(int sig)
{
	(void)sig; /* its arrival makes KVM_RUN return EINTR */
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *c = arg;

	for (;;) {
		bool over;
		int end = run_once(c, &over);

		if (!over)
			continue;
		if (end != GUEST_PARKED) {
			c->end = end;
			break;
		}
		/* The exit is complete and the registers are whole; stay here. */
		if (atomic_load(&c->vm->park)) {
			atomic_store(&c->parked, 1);
			while (atomic_load(&c->vm->park) == 1)
				test_pause_us(500);
			atomic_store(&c->parked, 0);
			if (atomic_load(&c->vm->park) == 2)
				break;
		}
		c->run->immediate_exit = 0;
	}
	atomic_store(&c->parked, 2);
	return NULL;
}

void vm_start(struct vm *vm, unsigned int first, unsigned int count)
{
	struct sigaction sa = {.sa_handler = wake};

	sigaction(SIGUSR1, &sa, NULL);
	for (unsigned int i = first; i < first + count; i++) {
		struct vcpu *c = vm->vcpu[i];

		c->run->immediate_exit = 0;
		c->has_thread = true;
		if (pthread_create(&c->thread, NULL, vcpu_thread, c))
			test_error("no thread for vCPU %u", i);
	}
}

static void stop(struct vm *vm, int how)
{
	atomic_store(&vm->park, how);
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		struct vcpu *c = vm->vcpu[i];

		if (!c || !c->has_thread)
			continue;
		c->run->immediate_exit = 1;
		for (int n = 0; how == 1 && !atomic_load(&c->parked); n++) {
			if (n % 16 == 0)
				pthread_kill(c->thread, SIGUSR1);
			test_pause_us(500);
			if (n > 20000)
				test_error("vCPU %u does not leave KVM_RUN", i);
		}
	}
}

void vm_park(struct vm *vm)
{
	stop(vm, 1);
}

void vm_resume(struct vm *vm)
{
	atomic_store(&vm->park, 0);
	for (unsigned int i = 0; i < vm->vcpus; i++)
		while (vm->vcpu[i] && vm->vcpu[i]->has_thread &&
		       atomic_load(&vm->vcpu[i]->parked) == 1)
			test_pause_us(200);
}

void vm_join(struct vm *vm)
{
	bool any = false;

	for (unsigned int i = 0; i < vm->vcpus; i++)
		any |= vm->vcpu[i] && vm->vcpu[i]->has_thread;
	if (!any)
		return;
	stop(vm, 1);
	atomic_store(&vm->park, 2);
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		if (!vm->vcpu[i] || !vm->vcpu[i]->has_thread)
			continue;
		pthread_join(vm->vcpu[i]->thread, NULL);
		vm->vcpu[i]->has_thread = false;
		vm->vcpu[i]->run->immediate_exit = 0;
		atomic_store(&vm->vcpu[i]->parked, 0);
	}
	atomic_store(&vm->park, 0);
}

/* Polls with a generous limit: an emulated guest is slow, not wrong. */
static bool moves(_Atomic uint64_t *value, uint64_t from)
{
	for (int n = 0; n < 16000; n++) {
		if (atomic_load(value) != from)
			return true;
		test_pause_us(500);
	}
	return false;
}

void vm_expect_running(const char *file, int line, struct vm *vm)
{
	unsigned int asked = 0;

	vm_resume(vm);
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		struct vcpu *c = vm->vcpu[i];
		uint64_t ticks, question = 0x1000 + i;
		char what[64], got[160];

		if (!c || !c->has_thread)
			continue;
		asked++;
		ticks = atomic_load(&c->ticks);
		atomic_store(&c->answer, 0);
		atomic_store(&c->question, question);
		snprintf(what, sizeof(what), "vCPU %u still runs", i);
		if (!moves(&c->ticks, ticks) || !moves(&c->answer, 0)) {
			if (atomic_load(&c->parked) == 2)
				end_text(c, c->end, got, sizeof(got));
			else
				snprintf(got, sizeof(got), "a counter that stays at %llu",
					 (unsigned long long)ticks);
			test_differs(file, line, what, got, "a counter that goes on");
		} else if (atomic_load(&c->answer) != GUEST_ANSWER(question)) {
			snprintf(got, sizeof(got), "answer %#llx",
				 (unsigned long long)atomic_load(&c->answer));
			test_differs(file, line, what, got, "the answer to its question");
		} else {
			test_held();
		}
	}
	if (!asked)
		test_error("EXPECT_STILL_RUNNING without a started vCPU: call vm_start first");
}
