/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unit: its processes, its limit, its frames. A unit of several tests, a series, has one process for all of them,
 * which writes one KTAP document a test; a test ends where the next document begins, and has the limit for itself.
 * What a process leaves untouched because it ended early runs in another.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <assay/exit.h>

#define GRACE_MS 500 /* from SIGTERM at the limit to SIGKILL, before scaling */

static const char document[] = "KTAP version 1";

enum phase { RUNNING, TERMINATED, KILLED };

/* What runs. The test is ids[at]; those before it are done. */
struct running {
	const struct unit *unit;
	size_t at;
	int64_t limit; /* scaled */
	int64_t grace;
	int64_t since;		  /* when the test began */
	unsigned long long taint; /* before it */
	bool spoke;		  /* its document has begun */
	enum phase phase;
	int64_t until; /* when the phase is over */
	struct kmsg *log;
	struct stream out, err;
};

static unsigned long long read_taint(void)
{
	char buf[32] = {0};
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = '\0';
	(void)close(fd);
	return strtoull(buf, NULL, 10);
}

static const char *id_of(const struct running *r)
{
	return r->unit->ids[r->at];
}

static void begin_test(struct running *r)
{
	r->taint = read_taint();
	r->spoke = false;
	stream_charge(&r->out, id_of(r));
	stream_charge(&r->err, id_of(r));
	kmsg_drain(r->log, "-");
	kmsg_flush(r->log, "-");
	frame("start %s", id_of(r));
	r->since = now_ms();
	r->phase = RUNNING;
	r->until = r->since + r->limit;
}

static void end_test(struct running *r, const char *how)
{
	int64_t ms = now_ms() - r->since;

	stream_settle(&r->out);
	stream_settle(&r->err);
	kmsg_drain(r->log, id_of(r));
	kmsg_flush(r->log, id_of(r));
	frame("end %s %s ms=%lld taint=0x%llx", id_of(r), how, (long long)ms,
	      read_taint() & ~r->taint);
}

/* Before a line of stdout is framed: does another test begin with it? */
static void on_line(void *ctx, const char *line, size_t len)
{
	struct running *r = ctx;

	if (len != sizeof(document) - 1 || memcmp(line, document, len) != 0)
		return;
	if (r->spoke && r->at + 1 < r->unit->nr && r->phase == RUNNING) {
		(void)stream_read(&r->err); /* what it said before */
		end_test(r, "next=1");
		r->at++;
		begin_test(r);
	}
	r->spoke = true;
}

/* One round: wait until something happens or `until`, and take in what has come. */
static void serve(struct running *r, int64_t until)
{
	struct pollfd fds[] = {
		{.fd = r->out.fd, .events = POLLIN},
		{.fd = r->err.fd, .events = POLLIN},
		{.fd = r->log->fd, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* POLLERR: nobody reads the frames any more */
	};
	int64_t left = until - now_ms();
	struct timespec ts = {.tv_sec = left > 0 ? left / 1000 : 0,
			      .tv_nsec = left > 0 ? left % 1000 * 1000000 : 0};

	if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), &ts, process_mask()) < 0)
		return;
	if (fds[3].revents & (POLLERR | POLLHUP)) {
		process_kill();
		_exit(ASSAY_EXIT_HOST);
	}
	if (fds[0].revents)
		(void)stream_read(&r->out);
	if (fds[1].revents)
		(void)stream_read(&r->err);
	if (fds[2].revents)
		kmsg_drain(r->log, id_of(r));
}

/* Returns whether the limit ended it. */
static bool watch(struct running *r, pid_t pid, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return r->phase != RUNNING;
		if (now_ms() >= r->until && r->phase == RUNNING) {
			(void)kill(-pid, SIGTERM);
			r->phase = TERMINATED;
			r->until += r->grace;
		} else if (now_ms() >= r->until && r->phase == TERMINATED) {
			(void)kill(-pid, SIGKILL);
			r->phase = KILLED;
			r->until = now_ms() + AGENT_STUCK_MS;
		} else if (now_ms() >= r->until) {
			return true;
		}
		serve(r, r->until);
	}
}

/* The arguments for the tests from `at` on: of a series the last one is completed; the caller frees what is made. */
static char *complete(const struct unit *unit, size_t at, char **last)
{
	size_t room = strlen(*last) + 1;
	char *text;
	char *to;

	for (size_t i = at; i < unit->nr; i++)
		room += strlen(" test=") + strlen(unit->ids[i]);
	text = malloc(room);
	if (!text)
		return NULL;
	to = stpcpy(text, *last);
	for (size_t i = at; i < unit->nr; i++)
		to = stpcpy(stpcpy(to, " test="), unit->ids[i]);
	*last = text;
	return text;
}

static pid_t start(struct running *r)
{
	char **last = r->unit->argv;
	char *given;
	char *made = NULL;
	int out;
	int err;
	pid_t pid;

	while (last[1])
		last++;
	given = *last;
	if (r->unit->series)
		made = complete(r->unit, r->at, last);
	pid = r->unit->series && !made ? -1 : process_start(r->unit->argv, &out, &err);
	*last = given;
	free(made);
	if (pid < 0)
		return -1;
	stream_open(&r->out, "out", id_of(r), out);
	stream_open(&r->err, "err", id_of(r), err);
	if (r->unit->series) {
		r->out.on_line = on_line;
		r->out.ctx = r;
	}
	return pid;
}

/* One process, for the test at hand and as many after it as it comes to. */
static void run_process(struct running *r)
{
	bool limited;
	bool stuck;
	char how[48];
	int status = 0;
	int64_t give_up;
	pid_t pid;

	begin_test(r);
	pid = start(r);
	if (pid < 0) {
		frame("err %s agent: cannot start a process: %s", id_of(r), strerror(errno));
		(void)snprintf(how, sizeof(how), "exit=%d", ASSAY_EXIT_HOST);
		end_test(r, how);
		return;
	}
	limited = watch(r, pid, &status);
	stuck = !process_clear(pid);

	/* what is still in the pipes; they end, for nobody holds them any more, unless one is stuck */
	give_up = now_ms() + (stuck ? 0 : AGENT_STUCK_MS);
	while ((r->out.fd >= 0 || r->err.fd >= 0) && now_ms() <= give_up)
		serve(r, give_up);
	stream_close(&r->out);
	stream_close(&r->err);
	if (stuck)
		frame("err %s agent: a process of this unit does not die: it hangs in the kernel",
		      id_of(r));
	if (limited)
		(void)snprintf(how, sizeof(how), "limit=%lld", (long long)r->limit);
	else if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof(how), "signal=%d", WTERMSIG(status));
	else
		(void)snprintf(how, sizeof(how), "exit=%d", WEXITSTATUS(status));
	end_test(r, how);
}

void unit_run(const struct unit *unit, double scale, struct kmsg *log)
{
	static struct running r; /* of some KiB */

	r = (struct running){
		.unit = unit,
		.limit = (int64_t)(unit->limit_ms * scale),
		.grace = (int64_t)(GRACE_MS * scale),
		.log = log,
		.out.fd = -1,
		.err.fd = -1,
	};
	for (r.at = 0; r.at < unit->nr; r.at++)
		run_process(&r);
}
