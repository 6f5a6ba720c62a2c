/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of every host program: chooses tests, runs each in a child process
 * under a time limit, prints KTAP (docs/design.md, contract 2).
 *
 * The child gets no process group of its own: whoever runs the program ends
 * the whole group when the unit's limit passes, and PR_SET_PDEATHSIG ends the
 * child when only this process is killed.
 */
#include "harness.h"
#include "scratch.h"
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RUNS 1024

/* A backstop for runs by hand on any host; a runner has limits of its own, and they come first. */
#define DEFAULT_SCALE 20

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for the verdict or for the end of the pipe; false: the limit passed. */
static bool await_verdict(int fd, struct verdict *v, int64_t deadline)
{
	size_t have = 0;

	while (have < sizeof(*v)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, left > 60000 ? 60000 : (int)left) <= 0)
			continue;
		n = read(fd, (char *)v + have, sizeof(*v) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (have < sizeof(*v))
		v->kind = VERDICT_NONE;
	return true;
}

/* The process must be gone too: closing a VM is part of the test. */
static bool await_end(pid_t pid, int *status, int64_t deadline)
{
	struct timespec pause = {.tv_nsec = 200000};

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return true;
		if (now_ms() > deadline)
			return false;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 5000000)
			pause.tv_nsec *= 2;
	}
}

static void set_error(struct verdict *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void set_error(struct verdict *v, const char *fmt, ...)
{
	va_list ap;

	v->kind = VERDICT_ERROR;
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
}

static void run_one(const struct test_run *run, const struct test_options *opt, struct verdict *v)
{
	int64_t limit = (int64_t)test_limit_ms(run->test) * opt->scale;
	int64_t deadline;
	int fds[2], status = 0;
	bool ended;
	pid_t pid, parent = getpid();

	memset(v, 0, sizeof(*v));
	if (opt->time_ms)
		limit += (int64_t)opt->time_ms * 2;
	if (pipe2(fds, O_CLOEXEC)) {
		set_error(v, "pipe: %s", strerror(errno));
		return;
	}
	deadline = now_ms() + limit;
	pid = fork();
	if (pid < 0) {
		set_error(v, "fork: %s", strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(fds[0]);
		test_child(run, opt, fds[1]);
	}
	close(fds[1]);
	ended = await_verdict(fds[0], v, deadline) && await_end(pid, &status, deadline);
	close(fds[0]);
	if (!ended) {
		kill(pid, SIGKILL);
		if (!await_end(pid, &status, now_ms() + 5000))
			set_error(v,
				  "time limit of %" PRId64
				  " ms, and SIGKILL does not end process %d",
				  limit, (int)pid);
		else
			set_error(v, "time limit of %" PRId64 " ms", limit);
	} else if (WIFSIGNALED(status)) {
		set_error(v, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	} else if (v->kind == VERDICT_NONE) {
		set_error(v, "ended without a verdict, exit status %d", WEXITSTATUS(status));
	}
}

static bool report(size_t n, const struct test_run *run, const struct test_options *opt,
		   const struct verdict *v, int64_t ms)
{
	char words[160] = "";
	size_t len = 0;

	switch (v->kind) {
	case VERDICT_SKIP:
		test_line("ok %zu %s # SKIP %s", n, run->id, v->text);
		return true;
	case VERDICT_ERROR:
		test_line("not ok %zu %s # ERROR %s", n, run->id, v->text);
		return false;
	default:
		break;
	}
	if (run->test->rule)
		len += (size_t)snprintf(words, sizeof(words), "rule=%s ", run->test->rule);
	if (v->seeded)
		len += (size_t)snprintf(words + len, sizeof(words) - len, "seed=0x%" PRIx64 " ",
					opt->seed);
	snprintf(words + len, sizeof(words) - len, "ms=%" PRId64, ms);
	test_line("%sok %zu %s # %s", v->kind == VERDICT_PASS ? "" : "not ", n, run->id, words);
	return v->kind == VERDICT_PASS;
}

static const char *program;

static _Noreturn void usage(const char *what, const char *arg)
{
	fprintf(stderr,
		"%s: %s%s; usage: %s [--list] [--test ID]... [--seed N] [--time MS] [--scale N]\n",
		program, what, arg, program);
	exit(ASSAY_EXIT_USAGE);
}

static uint64_t number(const char *option, const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	if (!text || *text < '0' || *text > '9')
		usage(option, " wants a number");
	n = strtoull(text, &end, 0);
	if (*end || errno)
		usage(option, " wants a number");
	return n;
}

static struct test_run all[MAX_RUNS], chosen[MAX_RUNS];

static size_t choose(const char *id, size_t total, size_t n)
{
	size_t before = n;

	for (size_t i = 0; i < total && n < MAX_RUNS; i++) {
		size_t len = strcspn(all[i].id, "@");

		/* a bare name chooses all its variants */
		if (!strcmp(all[i].id, id) || (strlen(id) == len && !strncmp(all[i].id, id, len)))
			chosen[n++] = all[i];
	}
	if (n == before) {
		fprintf(stderr, "%s: no test '%s' in this program; --list names them\n", program,
			id);
		exit(ASSAY_EXIT_USAGE);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct test_options opt = {.seed = 0x5eed, .scale = DEFAULT_SCALE};
	size_t total = test_expand_all(all, MAX_RUNS), n = 0;
	bool good = true, list = false;

	program = argv[0];
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(a, "--list")) {
			list = true;
			continue;
		}
		if (!strcmp(a, "--test") && value)
			n = choose(value, total, n);
		else if (!strcmp(a, "--seed"))
			opt.seed = number(a, value);
		else if (!strcmp(a, "--time"))
			opt.time_ms = (unsigned int)number(a, value);
		else if (!strcmp(a, "--scale"))
			opt.scale = (unsigned int)number(a, value);
		else
			usage("what is ", a);
		i++;
	}
	if (!opt.scale)
		opt.scale = 1;
	if (!n) {
		memcpy(chosen, all, total * sizeof(all[0]));
		n = total;
	}
	if (list) {
		for (size_t i = 0; i < n; i++)
			test_line("%s", chosen[i].id);
		return ASSAY_EXIT_OK;
	}
	scratch_prepare();
	test_line("KTAP version 1");
	test_line("1..%zu", n);
	for (size_t i = 0; i < n; i++) {
		struct verdict v;
		int64_t start = now_ms();

		test_line("# begin %s", chosen[i].id);
		run_one(&chosen[i], &opt, &v);
		scratch_clear();
		good &= report(i + 1, &chosen[i], &opt, &v, now_ms() - start);
	}
	return good ? ASSAY_EXIT_OK : ASSAY_EXIT_FAILED;
}
