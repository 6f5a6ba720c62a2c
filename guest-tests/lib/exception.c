/* SPDX-License-Identifier: Apache-2.0 */
/* What happens after the vectors: expected exceptions go to who expects them, all others end the test. */
#include "cpu.h"
#include "exception.h"
#include "irq.h"
#include "report.h"
#include "sysreg.h"

NORETURN void el0_enter(uint64_t entry, uint64_t arg, uint64_t sp, uint64_t spsr);
void el0_return(void);
void exception_entry(struct frame *f, unsigned vector);

static uint8_t el0_stacks[4][8192] __attribute__((section(".el0_data"), aligned(16)));

const char *ec_name(uint32_t ec)
{
	switch (ec) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_WFX:
		return "trapped WFI or WFE";
	case EC_FP:
		return "trapped FP or SIMD";
	case EC_SVC64:
		return "SVC";
	case EC_SYSREG:
		return "trapped system register";
	case EC_SVE:
		return "trapped SVE";
	case EC_IABT_EL0:
	case EC_IABT:
		return "instruction abort";
	case EC_PC_ALIGN:
		return "misaligned PC";
	case EC_DABT_EL0:
	case EC_DABT:
		return "data abort";
	case EC_SP_ALIGN:
		return "misaligned SP";
	case EC_BRK64:
		return "BRK";
	default:
		return "exception";
	}
}

static struct exception decode(const struct frame *f)
{
	return (struct exception){
		.taken = true,
		.esr = f->esr,
		.elr = f->elr,
		.far = f->far,
		.spsr = f->spsr,
		.ec = (uint32_t)BITS(f->esr, 31, 26),
		.iss = (uint32_t)BITS(f->esr, 24, 0),
	};
}

static void sync_exception(struct cpu *c, struct frame *f)
{
	struct ctx *to = c->catch_ctx;

	c->caught = decode(f);
	if (c->skip_armed) {
		c->skip_armed = false;
		f->elr += 4;
		return;
	}
	if (to) {
		c->catch_ctx = NULL;
		c->depth--;
		if (c->caught.ec == EC_SVC64 && c->caught.iss == 0 &&
		    f->elr == (uint64_t)(uintptr_t)el0_return + 4) {
			c->caught.taken = false;
			c->caught.far = f->x[0]; /* the value that the EL0 function returned */
		}
		ctx_restore(to, 1);
	}
	test_exception(&c->caught, "");
}

void exception_entry(struct frame *f, unsigned vector)
{
	static const char *const kinds[] = {"", "IRQ ", "FIQ ", "SError "};
	struct cpu *c = this_cpu();
	unsigned kind = vector % 4;

	if (++c->depth > 4)
		report_die("exceptions within exceptions: ESR 0x%lx ELR 0x%lx FAR 0x%lx", f->esr,
			   f->elr, f->far);
	if (kind == 0 && vector >= 4 && vector < 12) {
		sync_exception(c, f);
	} else if (kind == 1 && vector >= 4 && vector < 12) {
		irq_entry(f);
	} else if (kind == 2 && vector >= 4 && vector < 12 && fiq_entry()) {
		/* a test asked for FIQs */
	} else {
		c->caught = decode(f);
		test_exception(&c->caught, kinds[kind]);
	}
	c->depth--;
}

struct exception catch_exception(void (*fn)(void *arg), void *arg)
{
	struct cpu *c = this_cpu();
	struct ctx here;

	c->caught = (struct exception){0};
	if (ctx_save(&here) == 0) {
		c->catch_ctx = &here;
		fn(arg);
	}
	c->catch_ctx = NULL;
	return c->caught;
}

void probe_arm(void)
{
	struct cpu *c = this_cpu();

	c->caught = (struct exception){0};
	c->skip_armed = true;
	__asm__ volatile("" : : : "memory");
}

struct exception probe_result(void)
{
	struct cpu *c = this_cpu();

	isb(); /* a fault that the instruction causes late is taken here at the latest */
	c->skip_armed = false;
	return c->caught;
}

uint64_t el0_call(uint64_t (*fn)(uint64_t arg), uint64_t arg, uint64_t daif, struct exception *e)
{
	struct cpu *c = this_cpu();
	struct ctx here;

	if (c->index >= ARRAY_SIZE(el0_stacks))
		test_error("el0_call: CPU %u has no EL0 stack", c->index);
	c->caught = (struct exception){0};
	if (ctx_save(&here) == 0) {
		c->catch_ctx = &here;
		el0_enter((uint64_t)(uintptr_t)fn, arg,
			  (uint64_t)(uintptr_t)(el0_stacks[c->index] + sizeof(el0_stacks[0])),
			  daif & 0x3c0);
	}
	*e = c->caught;
	return c->caught.far;
}
