/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's process: in a group of its own, with two pipes, and nothing of it left behind. */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/* The process group to kill when the agent itself has to go; 0: none. */
static volatile sig_atomic_t running_group;
static sigset_t inner_mask;

void process_kill(void)
{
	if (running_group > 0)
		(void)kill(-(pid_t)running_group, SIGKILL);
}

static void on_fatal(int sig)
{
	process_kill();
	_exit(128 + sig);
}

const sigset_t *process_mask(void)
{
	return &inner_mask;
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

void process_prepare(void)
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
	frame_on_gone = process_kill;
	set_oom_score("-1000");
}

int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static _Noreturn void child(char *const argv[], pid_t parent, int out, int err)
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
	(void)execv(argv[0], argv);
	(void)fprintf(stderr, "agent: cannot run %s: %s\n", argv[0], strerror(errno));
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
bool process_clear(pid_t group)
{
	int64_t give_up = now_ms() + AGENT_STUCK_MS;

	(void)kill(-group, SIGKILL);
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		const struct timespec pause = {.tv_nsec = 2000000};

		if (pid > 0 || (pid < 0 && errno == EINTR))
			continue;
		if (pid < 0)
			break;
		kill_children();
		if (now_ms() > give_up) {
			running_group = 0;
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	running_group = 0;
	return true;
}

static int open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* only our end: the unit's must block as a pipe does */
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

pid_t process_start(char *const argv[], int *out, int *err)
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
		child(argv, parent, o[1], e[1]);
	if (pid < 0)
		goto fail_err;
	/* in both processes: whoever comes first */
	(void)setpgid(pid, pid);
	running_group = pid;
	(void)close(o[1]);
	(void)close(e[1]);
	*out = o[0];
	*err = e[0];
	return pid;
fail_err:
	(void)close(e[0]);
	(void)close(e[1]);
fail_out:
	(void)close(o[0]);
	(void)close(o[1]);
	return -1;
}
