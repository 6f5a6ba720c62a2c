/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to refvmm, with and without a guest that listens to its power key. There is no control socket here. */
#include "client.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_LIMIT_MS 100000 /* a backstop: the test's own limit comes first */

/*
 * Says `a` once it stands, `p` when the power key is down: line 3 of the PL061 (DDI 0190, 3.3), both of whose edges
 * interrupt. Encodings: Arm ARM (DDI 0487), C6.2.
 */
enum { ARM_KEY = 4, WAIT = 9, ACT = 15, CODE_WORDS = 21 };
static const uint32_t listener[CODE_WORDS] = {
	0xd2a12001,		/* mov x1, #0x09000000, the UART */
	0xd2a12064,		/* mov x4, #0x09030000, the GPIO */
	0x52800100,		/* mov w0, #8 */
	0xb9040880,		/* str w0, [x4, #0x408]: GPIOIBE */
	[ARM_KEY] = 0xb9041080, /* str w0, [x4, #0x410]: GPIOIE */
	0x52800c22,
	0xb9000022, /* 'a' */
	0x52800142,
	0xb9000022,	     /* newline */
	[WAIT] = 0xb9441483, /* ldr w3, [x4, #0x414]: GPIORIS */
	0x361fffe3,	     /* tbz w3, #3, back */
	0x52800e02,
	0xb9000022, /* 'p' */
	0x52800142,
	0xb9000022,	    /* newline */
	[ACT] = 0xd2800008, /* mov x8, #0 */
	0xd2800100,
	0xf2b08000, /* mov x0, #0x84000008: SYSTEM_OFF (DEN 0022, 5.1.9) */
	0xd4000002, /* hvc #0 */
	0x14000000, /* b . */
};

#define NOP    0xd503201f
#define WFI    0xd503207f
#define BACK   0x17ffffff /* to the word before */
#define BACK_4 0x17fffffc
#define STAY   0x14000000

enum guest { POWERS_OFF, DEAF, NOT_LISTENING, TALKER };

struct vmm {
	pid_t pid;
	int out, err;
	int pipe; /* bytes that `out` holds: a page of the host, so that it is soon full */
};

/* Lines that wait for a reader, all but the last few. */
static void nearly_fill(int pipe, int size)
{
	char lines[1024];

	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = i % 2 ? '\n' : 'x';
	for (int left = size - 64; left > 0;) {
		ssize_t n = write(pipe, lines,
				  left < (int)sizeof(lines) ? (size_t)left : sizeof(lines));

		if (n <= 0)
			test_error("write to a pipe: %s", strerrorname_np(errno));
		left -= (int)n;
	}
}

static void start(struct vmm *v, enum guest guest, const char *options, int ignored)
{
	uint32_t code[CODE_WORDS];
	struct vmm_words w;
	int out[2], err[2];

	memcpy(code, listener, sizeof(code));
	if (guest == DEAF)
		code[ACT] = STAY;
	if (guest == NOT_LISTENING || guest == TALKER)
		code[ARM_KEY] = NOP;
	if (guest == TALKER)
		code[WAIT] = BACK_4;
	if (guest == NOT_LISTENING) {
		code[WAIT] = WFI;
		code[WAIT + 1] = BACK;
	}
	vmm_words(&w, code, sizeof(code), options, NULL);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	v->pipe = fcntl(out[1], F_SETPIPE_SZ, 1);
	if (v->pipe <= 0)
		test_error("F_SETPIPE_SZ: %s", strerrorname_np(errno));
	if (guest == TALKER)
		nearly_fill(out[1], v->pipe);
	v->pid = fork();
	if (v->pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!v->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ignored)
			signal(ignored, SIG_IGN);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execv(w.vmm, w.argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	v->out = out[0];
	v->err = err[0];
}

/* The next line of what it prints must be this letter. */
static void expect_letter(const struct vmm *v, char want)
{
	struct pollfd p = {.fd = v->out, .events = POLLIN};
	char line[2] = {0};

	for (int i = 0; i < 2; i++) {
		if (poll(&p, 1, LINE_LIMIT_MS) <= 0 || read(v->out, line + i, 1) != 1) {
			char why[256] = "";

			(void)!read(v->err, why, sizeof(why) - 1);
			why[strcspn(why, "\n")] = '\0';
			if (!strncmp(why, "refvmm: needs=", 14))
				SKIP("%s", why + 8);
			NOTE("instead of %c; refvmm: %s", want, why);
			break;
		}
	}
	EXPECT_EQ(line[0], want);
	EXPECT_EQ(line[1], '\n');
}

/* Waits for its end. The exit status, or 1000 + the signal. */
static int status(const struct vmm *v)
{
	int s;

	while (waitpid(v->pid, &s, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(s) ? WEXITSTATUS(s) : 1000 + WTERMSIG(s);
}

#define SIGNALS VARIANTS("term: signal=15 | int: signal=2")

TEST(control, a_signal_lets_a_guest_that_listens_power_off, RULE("VMM-SIGNAL-1"), SIGNALS)
{
	struct vmm v;

	start(&v, POWERS_OFF, "--smp 2", 0);
	expect_letter(&v, 'a');
	kill(v.pid, (int)test_param_u64("signal", 0));
	expect_letter(&v, 'p');
	EXPECT_EQ(status(&v), 0);
}

/* Inside KVM in WFI, with one thread in the process and with four. */
TEST(control, a_signal_ends_a_guest_that_does_not_listen, RULE("VMM-SIGNAL-2"),
     VARIANTS("term: signal=15 smp=1 | int: signal=2 smp=1 | hup: signal=1 smp=1 | smp: signal=15 "
	      "smp=4"))
{
	int sig = (int)test_param_u64("signal", 0);
	char options[32];
	struct vmm v;

	snprintf(options, sizeof(options), "--smp %u", (unsigned)test_param_u64("smp", 1));
	start(&v, NOT_LISTENING, options, 0);
	expect_letter(&v, 'a');
	kill(v.pid, sig);
	EXPECT_EQ(status(&v), 128 + sig);
}

TEST(control, a_second_signal_ends_the_machine, RULE("VMM-SIGNAL-2"), SIGNALS)
{
	int sig = (int)test_param_u64("signal", 0);
	struct vmm v;

	start(&v, DEAF, "", 0);
	expect_letter(&v, 'a');
	kill(v.pid, sig);
	expect_letter(&v, 'p'); /* it lives, and its key is down */
	kill(v.pid, sig);
	EXPECT_EQ(status(&v), 128 + sig);
}

TEST(control, a_guest_that_does_not_power_off_is_ended, RULE("VMM-SIGNAL-2"),
     VARIANTS("grace: grace=1 letters=1 | none: grace=0 letters=0"))
{
	bool pressed = test_param_u64("letters", 0);
	char options[32], text[256] = "";
	struct vmm v;

	snprintf(options, sizeof(options), "--grace %u", (unsigned)test_param_u64("grace", 0));
	start(&v, DEAF, options, 0);
	expect_letter(&v, 'a');
	kill(v.pid, SIGTERM);
	if (pressed)
		expect_letter(&v, 'p');
	EXPECT_EQ(status(&v), 128 + SIGTERM);
	(void)!read(v.err, text, sizeof(text) - 1);
	EXPECT_EQ(strstr(text, "did not power off within 1 s of SIGTERM") != NULL, pressed);
}

TEST(control, hup_ends_a_guest_that_listens, RULE("VMM-SIGNAL-2"))
{
	struct vmm v;

	start(&v, DEAF, "", 0);
	expect_letter(&v, 'a');
	kill(v.pid, SIGHUP);
	EXPECT_EQ(status(&v), 128 + SIGHUP);
}

/* nohup(1), and POSIX 2.11 (signals of asynchronous lists): what was ignored at the start stays ignored. */
TEST(control, a_signal_ignored_at_the_start_stays_ignored, RULE("VMM-SIGNAL-3"),
     VARIANTS("int: signal=2 | hup: signal=1"))
{
	int sig = (int)test_param_u64("signal", 0);
	struct vmm v;

	start(&v, POWERS_OFF, "", sig);
	expect_letter(&v, 'a');
	kill(v.pid, sig);
	kill(v.pid, SIGTERM);
	expect_letter(&v, 'p');
	EXPECT_EQ(status(&v), 0);
}

/* Nobody reads what a talkative guest prints: the write blocks, and the signal still ends the machine. */
TEST(control, a_signal_ends_a_machine_whose_output_nobody_reads, RULE("VMM-SIGNAL-2"))
{
	struct vmm v;
	int waiting = 0;

	start(&v, TALKER, "", 0);
	EXPECT_EVENTUALLY(!ioctl(v.out, FIONREAD, &waiting) && waiting == v.pipe);
	kill(v.pid, SIGTERM);
	EXPECT_EQ(status(&v), 128 + SIGTERM);
}
