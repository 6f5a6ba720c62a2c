/* SPDX-License-Identifier: Apache-2.0 */
/* One unit: its own process group, two pipes, a limit, and nothing of it left behind. */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <assay/exit.h>

#define GRACE_MS 500  /* from SIGTERM at the limit to SIGKILL, before scaling */
#define STUCK_MS 5000 /* a killed process that is not gone by then hangs in the kernel */

enum phase { RUNNING, TERMINATED, KILLED };

/* The process group to kill when the agent itself has to go; 0: none. */
static volatile sig_atomic_t running_group;
static sigset_t inner_mask; /* while waiting: SIGCHLD gets through */

static void kill_running(void)
{
	if (running_group > 0)
		(void)kill(-(pid_t)running_group, SIGKILL);
}

static void on_fatal(int sig)
{
	kill_running();
	_exit(128 + sig);
}

static void on_child(int sig)
{
	(void)sig; /* only to interrupt ppoll */
}

/* When memory runs out, the unit goes, not the agent (Documentation/filesystems/proc.rst, 3.1). */
static void set_oom_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, score, strlen(score)); /* less than before needs root: then it stays */
	(void)close(fd);
}

void unit_prepare(void)
{
	static const int fatal[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction sa = {.sa_handler = on_fatal};
	sigset_t child;

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		(void)sigaction(fatal[i], &sa, NULL);
	sa.sa_handler = on_child;
	(void)sigaction(SIGCHLD, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &inner_mask);
	(void)sigdelset(&inner_mask, SIGCHLD);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	frame_on_gone = kill_running;
	set_oom_score("-1000");
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

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

static _Noreturn void child(const struct unit *unit, pid_t parent, int out, int err)
{
	const struct rlimit none = {0, 0};
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t empty;
	int nothing = open("/dev/null", O_RDONLY);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(ASSAY_EXIT_HOST);
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigemptyset(&empty);
	(void)sigprocmask(SIG_SETMASK, &empty, NULL);
	(void)setrlimit(RLIMIT_CORE, &none);
	set_oom_score("500");
	if (nothing >= 0)
		(void)dup2(nothing, STDIN_FILENO);
	else
		(void)close(STDIN_FILENO);
	if (nothing > STDERR_FILENO)
		(void)close(nothing);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)execv(unit->argv[0], unit->argv);
	(void)fprintf(stderr, "agent: cannot run %s: %s\n", unit->argv[0], strerror(errno));
	(void)fflush(stderr);
	_exit(ASSAY_EXIT_HOST);
}

/* Kills the children of ours that are left: a daemon that left its group came to us. */
static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[64];
		char stat[512] = {0};
		const char *at;
		long ppid = 0;
		int fd;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, stat, sizeof(stat) - 1) < 0)
			stat[0] = '\0';
		(void)close(fd);
		/* "pid (name) state ppid": the name may hold anything, the last `)` ends it */
		at = strrchr(stat, ')');
		if (at && strlen(at) > 4)
			ppid = strtol(at + 4, NULL, 10);
		if (ppid == getpid())
			(void)kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	}
	if (proc)
		(void)closedir(proc);
}

/* Leaves no child of ours alive; false when one does not go. */
static bool clear_away(pid_t group)
{
	int64_t give_up = now_ms() + STUCK_MS;

	(void)kill(-group, SIGKILL);
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		const struct timespec pause = {.tv_nsec = 2000000};

		if (pid > 0 || (pid < 0 && errno == EINTR))
			continue;
		if (pid < 0)
			return true;
		kill_children();
		if (now_ms() > give_up)
			return false;
		(void)nanosleep(&pause, NULL);
	}
}

/* One round: wait until something happens or `until`, and take in what has come. */
static void serve(struct stream *out, struct stream *err, struct kmsg *log, const char *id,
		  int64_t until)
{
	struct pollfd fds[] = {
		{.fd = out->fd, .events = POLLIN},
		{.fd = err->fd, .events = POLLIN},
		{.fd = log->fd, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* POLLERR: nobody reads the frames any more */
	};
	int64_t left = until - now_ms();
	struct timespec ts = {.tv_sec = left > 0 ? left / 1000 : 0,
			      .tv_nsec = left > 0 ? left % 1000 * 1000000 : 0};

	if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), &ts, &inner_mask) < 0)
		return;
	if (fds[3].revents & (POLLERR | POLLHUP)) {
		kill_running();
		_exit(ASSAY_EXIT_HOST);
	}
	if (fds[0].revents)
		(void)stream_read(out);
	if (fds[1].revents)
		(void)stream_read(err);
	if (fds[2].revents)
		kmsg_drain(log, id);
}

/* Returns whether the limit ended it. */
static bool watch(pid_t pid, int64_t limit_at, int64_t grace, struct stream *out,
		  struct stream *err, struct kmsg *log, const char *id, int *status)
{
	enum phase phase = RUNNING;
	int64_t until = limit_at;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return phase != RUNNING;
		if (now_ms() >= until && phase == RUNNING) {
			(void)kill(-pid, SIGTERM);
			phase = TERMINATED;
			until += grace;
		} else if (now_ms() >= until && phase == TERMINATED) {
			(void)kill(-pid, SIGKILL);
			phase = KILLED;
			until = now_ms() + STUCK_MS;
		} else if (now_ms() >= until) {
			return true;
		}
		serve(out, err, log, id, until);
	}
}

static int open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* only our end: the unit's must block as a pipe does */
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static pid_t spawn(const struct unit *unit, struct stream *out, struct stream *err)
{
	int o[2];
	int e[2];
	pid_t parent = getpid();
	pid_t pid = -1;

	if (open_pipe(o) < 0)
		return -1;
	if (open_pipe(e) < 0)
		goto fail_out;
	pid = fork();
	if (pid == 0)
		child(unit, parent, o[1], e[1]);
	if (pid < 0)
		goto fail_err;
	/* in both processes: whoever comes first */
	(void)setpgid(pid, pid);
	running_group = pid;
	(void)close(o[1]);
	(void)close(e[1]);
	stream_open(out, "out", unit->id, o[0]);
	stream_open(err, "err", unit->id, e[0]);
	return pid;
fail_err:
	(void)close(e[0]);
	(void)close(e[1]);
fail_out:
	(void)close(o[0]);
	(void)close(o[1]);
	return -1;
}

void unit_run(const struct unit *unit, double scale, struct kmsg *log)
{
	static struct stream out;
	static struct stream err;
	unsigned long long taint = read_taint();
	int64_t limit = (int64_t)(unit->limit_ms * scale);
	int64_t start;
	int64_t ms;
	int status = 0;
	bool limited;
	bool stuck;
	char how[48];
	pid_t pid;

	kmsg_drain(log, "-");
	kmsg_flush(log, "-");
	frame("start %s", unit->id);
	start = now_ms();
	pid = spawn(unit, &out, &err);
	if (pid < 0) {
		frame("err %s agent: cannot start a process: %s", unit->id, strerror(errno));
		frame("end %s exit=%d ms=0 taint=0x0", unit->id, ASSAY_EXIT_HOST);
		return;
	}
	limited = watch(pid, start + limit, (int64_t)(GRACE_MS * scale), &out, &err, log, unit->id,
			&status);
	ms = now_ms() - start;
	stuck = !clear_away(pid);
	running_group = 0;

	/* what is still in the pipes; they end, for nobody holds them any more, unless one is stuck */
	start = now_ms() + (stuck ? 0 : STUCK_MS);
	while ((out.fd >= 0 || err.fd >= 0) && now_ms() <= start)
		serve(&out, &err, log, unit->id, start);
	stream_close(&out);
	stream_close(&err);
	kmsg_drain(log, unit->id);
	kmsg_flush(log, unit->id);
	if (stuck)
		frame("err %s agent: a process of this unit does not die: it hangs in the kernel",
		      unit->id);

	if (limited)
		(void)snprintf(how, sizeof(how), "limit=%lld", (long long)limit);
	else if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof(how), "signal=%d", WTERMSIG(status));
	else
		(void)snprintf(how, sizeof(how), "exit=%d", WEXITSTATUS(status));
	frame("end %s %s ms=%lld taint=0x%llx", unit->id, how, (long long)ms,
	      read_taint() & ~taint);
}
