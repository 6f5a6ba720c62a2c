/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "elf_image.h"
#include "file.h"
#include "proc.h"
#include "scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

SUITE(control, .tags = "refvmm control", .limit_ms = 30000);

#define ANSWER_LIMIT_MS 100000 /* a backstop: the test's own limit comes first */

/* Arm ARM (DDI 0487), C6.2: encodings of what stands behind each word */
static const uint32_t code[] = {
	0xd2800005, /* mov x5, #0 */
	0xd2a12001, /* mov x1, #0x09000000, the UART */
	0xd2a10004, /* mov x4, #0x08000000, GICD */
	0xb90c089f, /* str wzr, [x4, #0xc08]: GICD_ICFGR2, SPIs 0 to 15 are level-sensitive */
	0xb9401822, /* loop: ldr w2, [x1, #0x18] */
	0xb9420483, /* ldr w3, [x4, #0x204] */
	0x910004a5, /* add x5, x5, #1 */
	0x17fffffd, /* b loop */
};

static _Noreturn void become(char *const argv[], int out, int err)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(out < 0 ? null : out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

static pid_t running; /* the machine that nobody has waited for */

/* A test need not end its machine: it is asked to, and killed with this process if it does not. */
static void end_running(void)
{
	for (int i = 0; running > 0 && i < 5000; i++) {
		if (!i)
			kill(running, SIGTERM);
		if (waitpid(running, NULL, WNOHANG))
			return;
		test_pause_us(1000);
	}
}

/* What it said on stderr, for the message of a test that cannot go on. */
static const char *said(const struct machine *m)
{
	static char text[256];
	ssize_t n = read(m->err, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int try_connect(const struct machine *m)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", m->path);
	if (fd < 0)
		test_error("socket: %s", strerrorname_np(errno));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

int machine_connect(const struct machine *m)
{
	int fd = try_connect(m);

	if (fd < 0)
		test_error("connect to refvmm's control socket: %s", strerrorname_np(errno));
	return fd;
}

void vmm_words(struct vmm_words *w, const uint32_t *guest, size_t size, const char *options,
	       const char *control)
{
	size_t n;

	bundle_path("refvmm", w->vmm, sizeof(w->vmm));
	if (access(w->vmm, X_OK))
		SKIP("no refvmm beside this program: build the bundle");
	snprintf(w->kernel, sizeof(w->kernel), "/proc/self/fd/%d", elf_image(guest, size));
	snprintf(w->options, sizeof(w->options), "%s", options);
	w->argv[0] = w->vmm;
	n = 1 + proc_words(w->options, w->argv + 1, ARRAY_SIZE(w->argv) - 6);
	w->argv[n++] = (char *)"--kernel";
	w->argv[n++] = w->kernel;
	if (control) {
		w->argv[n++] = (char *)"--control";
		w->argv[n++] = (char *)control;
	}
	w->argv[n] = NULL;
}

void machine_start(struct machine *m, const char *options)
{
	machine_start_guest(m, code, sizeof(code), options, -1);
}

void machine_start_guest(struct machine *m, const uint32_t *guest, size_t size, const char *options,
			 int out)
{
	int err[2], fd = -1, status;
	static unsigned int nr;
	char name[24];
	struct vmm_words w;

	snprintf(name, sizeof(name), "control-%u", nr++);
	scratch_path(m->path, sizeof(m->path), name);
	vmm_words(&w, guest, size, options, m->path);
	if (pipe2(err, O_CLOEXEC | O_NONBLOCK))
		test_error("pipe: %s", strerrorname_np(errno));
	m->err = err[0];
	m->pid = fork();
	if (m->pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!m->pid)
		become(w.argv, out, err[1]);
	close(err[1]);
	running = m->pid;
	test_at_end(end_running);
	while ((fd = try_connect(m)) < 0) {
		if (waitpid(m->pid, &status, WNOHANG) == m->pid) {
			const char *why = said(m);

			running = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
				SKIP("%s", why); /* begins with needs=CAP: */
			test_error("refvmm ended with wait status 0x%x: %s", status, why);
		}
		test_pause_us(1000);
	}
	close(fd);
}

int machine_end(struct machine *m)
{
	int status;

	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	running = m->pid == running ? 0 : running;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* What follows the line stays in the socket: another answer, for whoever asked twice. */
const char *read_answer(int fd)
{
	static char answer[ANSWER_MAX + 1];
	size_t len = 0;
	bool whole = false;

	while (len < ANSWER_MAX && !whole) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const char *end;
		ssize_t n;

		if (poll(&p, 1, ANSWER_LIMIT_MS) <= 0)
			test_error("no answer on the control socket");
		n = recv(fd, answer + len, ANSWER_MAX - len, MSG_PEEK);
		if (n <= 0)
			test_error("the control socket was closed before an answer");
		end = memchr(answer + len, '\n', (size_t)n);
		whole = end;
		if (end)
			n = end + 1 - (answer + len);
		if (recv(fd, answer + len, (size_t)n, 0) != n)
			test_error("the control socket lost %zd bytes that it had", n);
		len += (size_t)n;
	}
	answer[whole ? len - 1 : len] = '\0';
	return answer;
}

const char *request(int fd, const char *line)
{
	if (!send_all(fd, line, strlen(line)) || (!strchr(line, '\n') && !send_all(fd, "\n", 1)))
		test_error("the control socket was closed before a request");
	return read_answer(fd);
}

const char *ask(const struct machine *m, const char *line)
{
	int fd = machine_connect(m);
	const char *answer = request(fd, line);

	close(fd);
	return answer;
}

uint64_t answer_u64(const char *answer, const char *name)
{
	char quoted[64];
	const char *p;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
	p = strstr(answer, quoted);
	if (!p)
		test_error("no %s in the answer %.200s", name, answer);
	p += strlen(quoted);
	return strtoull(p + (*p == '"'), NULL, 0);
}

void expect_counting(const struct machine *m)
{
	static const char dump[] = "{\"command\":\"dump-regs\"}";
	uint64_t before = answer_u64(ask(m, dump), "x5");

	EXPECT_EVENTUALLY(answer_u64(ask(m, dump), "x5") > before);
}

unsigned int machine_fds(const struct machine *m)
{
	char path[64];
	unsigned int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)m->pid);
	d = opendir(path);
	if (!d)
		test_error("%s: %s", path, strerrorname_np(errno));
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

unsigned int machine_rss(const struct machine *m)
{
	char path[64], text[4096];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)m->pid);
	if (file_read(path, text, sizeof(text)) <= 0)
		test_error("%s cannot be read", path);
	p = strstr(text, "VmRSS:");
	return p ? (unsigned int)strtoul(p + 6, NULL, 10) : 0;
}
