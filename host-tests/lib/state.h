/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Refused cleanly" as one contract:
 *
 *	vm_start(vm, 0, 1);
 *	struct vm_state *before = vm_capture(vm);
 *	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY);
 *	EXPECT_SAME_STATE(vm, before);
 *	EXPECT_STILL_RUNNING(vm);
 *
 * vm_capture() parks the running vCPUs and records everything that a refused
 * call must leave alone: each vCPU's registers (without the counters that run
 * by themselves), its events and run state; the vGIC's and the ITS's registers
 * as read back by device attributes; the content of every memory slot; what
 * KVM answers about its capabilities on this VM; open descriptors, mappings
 * and resident memory of this process; the position in the kernel log.
 * EXPECT_SAME_STATE() prints every difference with before and after.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "vm.h"

struct vm_state;

struct vm_state *vm_capture(struct vm *vm);
bool vm_expect_same(const char *file, int line, struct vm *vm, struct vm_state *before);
#define EXPECT_SAME_STATE(vm, before) vm_expect_same(__FILE__, __LINE__, vm, before)

/*
 * The parts, for tests that look at one of them, or that compare two VMs.
 * A capture is a list of named values.
 */
enum state_part {
	STATE_REGS = 1,
	STATE_GIC = 2,
	STATE_MEMORY = 4,
	STATE_PROCESS = 8,
	STATE_CAPS = 16,
	STATE_ALL = 31,
};
struct vm_state *vm_capture_parts(struct vm *vm, unsigned int parts);
bool state_expect_equal(const char *file, int line, const struct vm_state *before,
			const struct vm_state *after);
#define EXPECT_EQUAL_STATE(before, after) state_expect_equal(__FILE__, __LINE__, before, after)

/* For state_*.c: adds one named value (a little of it is kept to be printed, the rest as a hash). */
void state_add(struct vm_state *s, const char *kind, unsigned int index, uint64_t key,
	       const void *value, size_t size);
void state_add_u64(struct vm_state *s, const char *kind, unsigned int index, uint64_t key,
		   uint64_t value);
void state_gic(struct vm_state *s, struct vm *vm);
void state_process(struct vm_state *s);
bool state_expect_log(const char *file, int line, struct vm_state *s);

#endif
