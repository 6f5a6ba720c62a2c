/* SPDX-License-Identifier: Apache-2.0 */
/* What refvmm's control socket does when it is asked. */
#include "client.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINES                                                           \
	VARIANTS("gicv3: options=--machine_gic-version=3,its=off smp=1 | " \
		 "gicv2: options=--machine_gic-version=2 smp=1 | "         \
		 "smp: options=--machine_its=off_--smp_4 smp=4")

/* The variant's options, whose blanks are underscores. */
static const char *options(void)
{
	static char text[128];
	const char *o = test_param("options");

	ASSERT_TRUE(o);
	snprintf(text, sizeof(text), "%s", o);
	for (char *p = text; *p; p++)
		if (*p == '_')
			*p = ' ';
	return text;
}

TEST(control, status_says_what_runs, RULE("VMM-CONTROL-1"), MACHINES)
{
	struct machine m;
	struct stat st;
	const char *a;

	machine_start(&m, options());
	ASSERT_OK(stat(m.path, &st));
	EXPECT_EQ(st.st_mode & 07777, 0600U);
	a = ask(&m, "{\"command\":\"status\",\"id\":42}");
	EXPECT_TRUE(strstr(a, "\"ok\": true"));
	EXPECT_TRUE(strstr(a, "\"state\": \"running\""));
	EXPECT_EQ(answer_u64(a, "id"), 42U);
	EXPECT_EQ(answer_u64(a, "vcpus"), test_param_u64("smp", 0));
	EXPECT_EQ(answer_u64(a, "memory"), 256U << 20);
}

TEST(control, pause_stops_the_guest_and_resume_lets_it_go_on, RULE("VMM-CONTROL-2"), MACHINES)
{
	static const char dump[] = "{\"command\":\"dump-regs\"}";
	struct machine m;
	uint64_t x5;

	machine_start(&m, options());
	expect_counting(&m);
	for (int round = 0; round < 3; round++) {
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"paused\""));
		x5 = answer_u64(ask(&m, dump), "x5");
		test_pause_us(20000);
		EXPECT_EQ(answer_u64(ask(&m, dump), "x5"), x5);
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"running\""));
		expect_counting(&m);
	}
}

TEST(control, quit_ends_the_machine_and_takes_the_socket_away, RULE("VMM-CONTROL-3"),
     VARIANTS("running: pause=0 | paused: pause=1"))
{
	struct machine m;

	machine_start(&m, "--smp 2");
	if (test_param_u64("pause", 0))
		EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"quit\"}"), "\"ok\": true"));
	EXPECT_EQ(machine_end(&m), 0);
	EXPECT_TRUE(access(m.path, F_OK) != 0);
}

TEST(control, signals_take_the_socket_away, RULE("VMM-CONTROL-3"),
     VARIANTS("term: signal=15 | int: signal=2 | hup: signal=1"))
{
	struct machine m;
	int sig = (int)test_param_u64("signal", SIGTERM);

	machine_start(&m, "");
	kill(m.pid, sig);
	EXPECT_EQ(machine_end(&m), 128 + sig);
	EXPECT_TRUE(access(m.path, F_OK) != 0);
}

/* The guest starts anew: its counter begins at 0. A paused machine stays paused over it. */
TEST(control, reset_starts_the_guest_anew, RULE("VMM-CONTROL-9"), MACHINES)
{
	static const char dump[] = "{\"command\":\"dump-regs\"}";
	struct machine m;
	uint64_t before;

	machine_start(&m, options());
	for (uint64_t n = 0; n < 300; n = answer_u64(ask(&m, dump), "x5"))
		test_pause_us(10000);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
	before = answer_u64(ask(&m, dump), "x5");
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"reset\"}"), "\"ok\": true"));
	EXPECT_EVENTUALLY(answer_u64(ask(&m, dump), "x5") < before);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"paused\""));
	before = answer_u64(ask(&m, dump), "x5");
	test_pause_us(20000);
	EXPECT_EQ(answer_u64(ask(&m, dump), "x5"), before);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
	expect_counting(&m);
}

/* GICD_ISPENDR1 shows a line that is high: IHI 0048, 4.3.7; IHI 0069, 12.9.11 */
TEST(control, irq_drives_a_line_that_the_guest_sees, RULE("VMM-CONTROL-4"), MACHINES)
{
	static const char dump[] = "{\"command\":\"dump-regs\",\"vcpu\":0}";
	struct machine m;

	machine_start(&m, options());
	expect_counting(&m);
	EXPECT_EQ(answer_u64(ask(&m, dump), "x3") >> 13 & 1, 0U);
	EXPECT_TRUE(
		strstr(ask(&m, "{\"command\":\"irq\",\"spi\":13,\"level\":1}"), "\"ok\": true"));
	EXPECT_EVENTUALLY(answer_u64(ask(&m, dump), "x3") >> 13 & 1);
	EXPECT_TRUE(
		strstr(ask(&m, "{\"command\":\"irq\",\"spi\":13,\"level\":0}"), "\"ok\": true"));
	EXPECT_EVENTUALLY(!(answer_u64(ask(&m, dump), "x3") >> 13 & 1));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"irq\",\"spi\":256,\"level\":0}"), "usage"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"irq\",\"spi\":1,\"level\":2}"), "usage"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"irq\"}"), "usage"));
	expect_counting(&m);
}

/* Every vCPU, running or not, and none that is not there. */
TEST(control, dump_regs_shows_each_vcpu, RULE("VMM-CONTROL-5"))
{
	struct machine m;
	char line[64];
	const char *a;

	machine_start(&m, "--smp 3");
	expect_counting(&m);
	a = ask(&m, "{\"command\":\"dump-regs\"}");
	EXPECT_GE(answer_u64(a, "pc"), 0x40200000U);
	EXPECT_LT(answer_u64(a, "pc"), 0x40201000U);
	EXPECT_EQ(answer_u64(a, "x1"), 0x09000000U);
	EXPECT_EQ(answer_u64(a, "pstate") & 0xf, 5U); /* EL1h: Arm ARM, C5.2.19 */
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "{\"command\":\"dump-regs\",\"vcpu\":%u}", i);
		a = ask(&m, line);
		EXPECT_EQ(answer_u64(a, "vcpu"), i);
		EXPECT_EQ(answer_u64(a, "mpidr_el1") & 0xffffff, i);
	}
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"dump-regs\",\"vcpu\":3}"), "usage"));
}

TEST(control, dump_vgic_shows_the_distributor, RULE("VMM-CONTROL-5"), MACHINES)
{
	struct machine m;
	const char *a;

	machine_start(&m, options());
	a = ask(&m, "{\"command\":\"dump-vgic\"}");
	EXPECT_TRUE(strstr(a, "\"ok\": true"));
	EXPECT_EQ(answer_u64(a, "GICD_TYPER") & 0x1f, 8U); /* 288 INTIDs */
	/* the CPU interface is that of the version; where none was asked for, it is the host's */
	EXPECT_NE(strstr(a, "GICC_CTLR") != NULL, strstr(a, "ICC_CTLR_EL1") != NULL);
	if (strstr(options(), "gic-version"))
		EXPECT_TRUE(strstr(a, strstr(options(), "=2") ? "GICC_CTLR" : "ICC_CTLR_EL1"));
	expect_counting(&m);
}
