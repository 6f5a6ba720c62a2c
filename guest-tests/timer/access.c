/* SPDX-License-Identifier: Apache-2.0 */
/* CNTKCTL_EL1: what EL0 may reach of the timer. */
#include "test.h"
#include "timer.h"

#define EL0PCTEN BIT(0)
#define EL0VCTEN BIT(1)
#define EL0VTEN	 BIT(8)
#define EL0PTEN	 BIT(9)
#define ALL	 (EL0PCTEN | EL0VCTEN | EL0VTEN | EL0PTEN)

/* each runs at EL0: registers only */
#define EL0_READ(name, reg)                \
	static uint64_t name(uint64_t arg) \
	{                                  \
		(void)arg;                 \
		return read_sysreg(reg);   \
	}

EL0_READ(read_cntpct, cntpct_el0)
EL0_READ(read_cntvct, cntvct_el0)
EL0_READ(read_cntfrq, cntfrq_el0)
EL0_READ(read_cntv_ctl, cntv_ctl_el0)
EL0_READ(read_cntv_cval, cntv_cval_el0)
EL0_READ(read_cntv_tval, cntv_tval_el0)
EL0_READ(read_cntp_ctl, cntp_ctl_el0)
EL0_READ(read_cntp_cval, cntp_cval_el0)
EL0_READ(read_cntp_tval, cntp_tval_el0)

static const struct {
	const char *name;
	uint64_t (*read)(uint64_t arg);
	uint64_t any_of;   /* bits of CNTKCTL_EL1, one of which lets it through */
	unsigned op2, crm; /* S3_3_C14_<crm>_<op2> */
} registers[] = {
	{"CNTPCT_EL0", read_cntpct, EL0PCTEN, 1, 0},
	{"CNTVCT_EL0", read_cntvct, EL0VCTEN, 2, 0},
	{"CNTFRQ_EL0", read_cntfrq, EL0PCTEN | EL0VCTEN, 0, 0},
	{"CNTV_CTL_EL0", read_cntv_ctl, EL0VTEN, 1, 3},
	{"CNTV_CVAL_EL0", read_cntv_cval, EL0VTEN, 2, 3},
	{"CNTV_TVAL_EL0", read_cntv_tval, EL0VTEN, 0, 3},
	{"CNTP_CTL_EL0", read_cntp_ctl, EL0PTEN, 1, 2},
	{"CNTP_CVAL_EL0", read_cntp_cval, EL0PTEN, 2, 2},
	{"CNTP_TVAL_EL0", read_cntp_tval, EL0PTEN, 0, 2},
};

/* ISS of a trapped MRS (DDI 0487, ESR_EL1): Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, CRm 4:1, read 0; Rt left out */
static uint64_t iss_of(unsigned i)
{
	return 3U << 20 | registers[i].op2 << 17 | 3U << 14 | 14U << 10 | registers[i].crm << 1 | 1;
}

static void check_all(uint64_t allow)
{
	uint64_t before = read_sysreg(cntkctl_el1);

	write_sysreg(cntkctl_el1, allow);
	isb();
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		bool open = (allow & registers[i].any_of) != 0, ok;
		struct exception e;

		el0_call(registers[i].read, 0, 0x80, &e);
		ok = open ? EXPECT_EQ(e.taken, false) : EXPECT_EQ(e.taken, true);
		if (!open && e.taken) {
			ok = EXPECT_EQ(e.ec, EC_SYSREG) && ok;
			ok = EXPECT_EQ(e.iss & ~(0x1fU << 5), iss_of(i)) && ok;
		}
		if (!ok)
			NOTE("%s read at EL0 with CNTKCTL_EL1 0x%lx: %s, ESR 0x%lx",
			     registers[i].name, allow, e.taken ? ec_name(e.ec) : "no exception",
			     e.esr);
	}
	write_sysreg(cntkctl_el1, before);
	isb();
}

/* DDI 0487, CNTKCTL_EL1: a cleared bit traps EL0's access to EL1 with EC 0x18 */
TEST(timer, el0_access_traps_when_disabled, RULE("TIMER-EL0-1"))
{
	check_all(0);
}

TEST(timer, el0_access_works_when_enabled, RULE("TIMER-EL0-2"))
{
	check_all(ALL);
}

TEST(timer, each_el0_enable_opens_its_own_registers, RULE("TIMER-EL0-3"))
{
	for (unsigned bits = 0; bits < 16; bits++)
		check_all((bits & 3) | (uint64_t)(bits & 12) << 6);
}

/* what EL0 reads is what EL1 reads */
TEST(timer, el0_reads_the_same_counter, RULE("TIMER-EL0-4"))
{
	uint64_t before, value, saved = read_sysreg(cntkctl_el1);
	struct exception e;

	write_sysreg(cntkctl_el1, ALL);
	before = counter_virt();
	value = el0_call(read_cntvct, 0, 0x80, &e);
	EXPECT_EQ(e.taken, false);
	EXPECT_GE(value, before);
	EXPECT_LE(value, counter_virt());
	before = counter_phys();
	value = el0_call(read_cntpct, 0, 0x80, &e);
	EXPECT_EQ(e.taken, false);
	EXPECT_GE(value, before);
	EXPECT_LE(value, counter_phys());
	EXPECT_EQ(el0_call(read_cntfrq, 0, 0x80, &e), counter_freq());
	timer_set_cval(TIMER_VIRT, 0x123456789abcdef0ULL);
	EXPECT_EQ(el0_call(read_cntv_cval, 0, 0x80, &e), 0x123456789abcdef0ULL);
	timer_set_cval(TIMER_PHYS, 0x0fedcba987654321ULL);
	EXPECT_EQ(el0_call(read_cntp_cval, 0, 0x80, &e), 0x0fedcba987654321ULL);
	write_sysreg(cntkctl_el1, saved);
}
