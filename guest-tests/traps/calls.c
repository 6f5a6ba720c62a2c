/* SPDX-License-Identifier: Apache-2.0 */
/* Calls out of the guest, waiting, and what EL0 may not do: DDI 0487 D1.3 and HCR_EL2 (D24.2), SMCCC DEN 0028. */
#include "irq.h"
#include "psci.h"
#include "test.h"
#include "timer.h"

/* ---- HCR_EL2.TSC: a guest's SMC is answered by KVM or UNDEFINED; the host's firmware never sees it */

/* an UNDEFINED call is skipped, and the function's id comes back */
#define SMC(imm, fn, answer)                                                                     \
	PROBE("mov x0, %1\n\tsmc #" #imm "\n\tmov %0, x0"                                        \
	      : "=r"(answer)                                                                     \
	      : "r"((uint64_t)(fn))                                                              \
	      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
		"x13", "x14", "x15", "x16", "x17", "memory")

/* DEN 0028, 5.2: -1 for what is unknown; a version must be the one that HVC gives (KVM takes SMC too since 6.4) */
TEST(traps, secure_monitor_call_never_reaches_firmware, RULE("TRAP-SMC-1"))
{
	int version = psci_call(PSCI_VERSION, 0, 0, 0);
	uint64_t answer = 0;
	struct exception e;

	if (!port_present())
		SKIP("needs refvmm, whose VMs have no EL3: others may offer PSCI by SMC");
	e = SMC(0, PSCI_VERSION, answer);
	if (e.taken)
		EXPECT_EQ(e.ec, EC_UNKNOWN);
	else if ((int32_t)answer != -1)
		EXPECT_EQ((int32_t)answer, version);
	e = SMC(0, 0xc600ffff, answer);
	if (e.taken)
		EXPECT_EQ(e.ec, EC_UNKNOWN);
	else
		EXPECT_EQ((int32_t)answer, -1);
	/* an immediate other than 0 is no SMCCC call */
	e = SMC(1, PSCI_VERSION, answer);
	if (e.taken)
		EXPECT_EQ(e.ec, EC_UNKNOWN);
	else
		EXPECT_EQ((int32_t)answer, -1);
}

/* ---- HCR_EL2.TWI, TWE: waiting is the host's affair; the guest sees that it ended, and why */

TEST(traps, wait_for_interrupt_ends_with_one, RULE("TRAP-WFI-1"))
{
	struct irq_watch w = irq_watch(timer_intid(TIMER_VIRT));

	/* with PSTATE.I set it is pending and not taken, which ends WFI all the same (D1.6) */
	irq_mask();
	for (unsigned int n = 0; n < 3; n++) {
		timer_set_cval(TIMER_VIRT, counter_virt() + ticks_of_ms(2));
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		while (!(timer_ctl(TIMER_VIRT) & TIMER_ISTATUS))
			EXPECT_NO_EXCEPTION("wfi");
		EXPECT_NO_EXCEPTION("wfi");
		EXPECT_NO_EXCEPTION("wfe");
		EXPECT_GE(counter_virt(), timer_cval(TIMER_VIRT));
		timer_set_ctl(TIMER_VIRT, 0);
	}
	EXPECT_EQ(irq_seen(&w), 0);
}

/* ---- EL0 ("USR mode"): what only EL1 may do ends at EL1, as UNDEFINED or a trapped register (FEAT_IDST) */

#define EL0(name, insn)                             \
	static uint64_t name(uint64_t arg)          \
	{                                           \
		__asm__ volatile(insn : "+r"(arg)); \
		return arg;                         \
	}
EL0(el0_midr, "mrs %0, midr_el1")
EL0(el0_sctlr, "mrs %0, sctlr_el1")
EL0(el0_set_sctlr, "msr sctlr_el1, %0")
EL0(el0_cisw, "dc cisw, %0")
EL0(el0_tlbi, "tlbi vmalle1")
EL0(el0_hvc, "hvc #0")
EL0(el0_smc, "smc #0")
EL0(el0_imp, "mrs %0, S3_0_C15_C1_0")
EL0(el0_dbgbvr, "mrs %0, dbgbvr0_el1")
EL0(el0_actlr, "mrs %0, actlr_el1")

TEST(traps, privileged_operations_of_el0_end_at_el1, RULE("TRAP-EL0-1"))
{
	static const struct {
		const char *name;
		uint64_t (*run)(uint64_t arg);
	} list[] = {
		{"MRS MIDR_EL1", el0_midr},
		{"MRS SCTLR_EL1", el0_sctlr},
		{"MSR SCTLR_EL1", el0_set_sctlr},
		{"DC CISW", el0_cisw},
		{"TLBI VMALLE1", el0_tlbi},
		{"HVC", el0_hvc},
		{"SMC", el0_smc},
		{"MRS S3_0_C15_C1_0", el0_imp},
		{"MRS DBGBVR0_EL1", el0_dbgbvr},
		{"MRS ACTLR_EL1", el0_actlr},
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct exception e;
		uint64_t value = el0_call(list[i].run, 0, 0x3c0, &e);

		if (!e.taken)
			test_fail(__FILE__, __LINE__, list[i].name,
				  "got 0x%lx and no exception, want one at EL1", value);
		else if (e.ec != EC_UNKNOWN && e.ec != EC_SYSREG)
			test_fail(__FILE__, __LINE__, list[i].name,
				  "got EC 0x%x (ESR 0x%lx), want EC 0x0 or 0x18", e.ec, e.esr);
	}
}
