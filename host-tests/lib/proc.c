/* SPDX-License-Identifier: Apache-2.0 */
#include "proc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static _Noreturn void become(char *const argv[], int in, int out, int err, int failed)
{
	int e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in < 0)
		in = open("/dev/null", O_RDONLY);
	if (in >= 0)
		dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execv(argv[0], argv);
	e = errno;
	if (write(failed, &e, sizeof(e)) < 0)
		_exit(126);
	_exit(127);
}

/* False at the end of the stream. What does not fit is read and dropped. */
static bool take(int fd, char *buf, size_t *len)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n > 0 && *len < PROC_TEXT_MAX - 1) {
		size_t room = PROC_TEXT_MAX - 1 - *len, use = (size_t)n < room ? (size_t)n : room;

		memcpy(buf + *len, chunk, use);
		*len += use;
	}
	return n > 0;
}

/* Says what the newest output waits for. */
static void answer(const struct proc *p, const struct proc_talk **talk, size_t *seen, int in,
		   pid_t pid)
{
	const char *found;

	if (!*talk || !(*talk)->wait_for)
		return;
	found = strstr(p->out + *seen, (*talk)->wait_for);
	if (!found)
		return;
	*seen = (size_t)(found - p->out) + strlen((*talk)->wait_for);
	if ((*talk)->act)
		(*talk)->act(pid);
	if ((*talk)->say && write(in, (*talk)->say, strlen((*talk)->say)) < 0)
		return; /* it has ended, which the test will see */
	(*talk)++;
}

static void collect(struct proc *p, const struct proc_talk *talk, int in, int out, int err,
		    pid_t pid, long deadline)
{
	size_t seen = 0;

	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		long left = deadline - now_ms();

		if (left <= 0) {
			p->limit = true;
			kill(pid, SIGKILL);
			return;
		}
		if (poll(fds, 2, (int)left) <= 0)
			continue;
		if (fds[0].revents && !take(out, p->out, &p->out_len))
			fds[0].fd = -1;
		if (fds[1].revents && !take(err, p->err, &p->err_len))
			fds[1].fd = -1;
		answer(p, &talk, &seen, in, pid);
	}
}

int proc_run(struct proc *p, char *const argv[], unsigned int limit_ms)
{
	return proc_converse(p, argv, NULL, limit_ms);
}

int proc_converse(struct proc *p, char *const argv[], const struct proc_talk *talk,
		  unsigned int limit_ms)
{
	int in[2] = {-1, -1}, out[2], err[2], failed[2], status = 0, e = 0;
	long deadline = now_ms() + (long)limit_ms;
	ssize_t n;
	pid_t pid;

	memset(p, 0, sizeof(*p));
	p->status = -1;
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return -errno; /* the process ends soon, and the pipes with it */
	if (talk && pipe2(in, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		become(argv, in[0], out[1], err[1], failed[1]);
	close(out[1]);
	close(err[1]);
	close(failed[1]);
	n = read(failed[0], &e, sizeof(e));
	close(failed[0]);
	if (n != sizeof(e))
		collect(p, talk, in[1], out[0], err[0], pid, deadline);
	if (talk) {
		close(in[0]);
		close(in[1]);
	}
	close(out[0]);
	close(err[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n == sizeof(e))
		return -e;
	if (WIFEXITED(status))
		p->status = WEXITSTATUS(status);
	else
		p->signal = WTERMSIG(status);
	return 0;
}

size_t proc_words(char *line, char **argv, size_t max)
{
	size_t n = 0;

	for (char *save, *w = strtok_r(line, " ", &save); w && n + 1 < max;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	return n;
}

const char *bundle_path(const char *name, char *buf, size_t size)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) { /* bin/host-tests/NAME: two steps up */
		char *slash = strrchr(self, '/');

		if (slash)
			*slash = '\0';
	}
	snprintf(buf, size, "%s/%s", self, name);
	return buf;
}
