/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"
#include "file.h"
#include "proc.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LIMIT_MS 100000 /* a backstop: the test's own limit comes first */

static int out;

void payload_start(struct machine *m, const char *append, const char *const *options)
{
	char vmm[512], payload[512], words[128];
	char *argv[24] = {vmm,	 (char *)"--kernel",  payload, (char *)"--append",
			  words, (char *)"--control", m->path};
	static unsigned int nr;
	char name[24];
	int pipes[2];

	for (size_t i = 0; options[i]; i++)
		argv[7 + i] = (char *)(uintptr_t)options[i];
	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("guest-tests/virtio.elf", payload, sizeof(payload));
	if (!file_exists(vmm) || !file_exists(payload))
		SKIP("the bundle lacks refvmm or guest-tests/virtio.elf: build it whole");
	snprintf(words, sizeof(words), "%s", append);
	snprintf(name, sizeof(name), "control-%u", nr++);
	scratch_path(m->path, sizeof(m->path), name);
	if (pipe2(pipes, O_CLOEXEC))
		test_error("pipe: %s", strerrorname_np(errno));
	m->pid = fork();
	if (m->pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!m->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipes[1], STDOUT_FILENO);
		execv(vmm, argv);
		_exit(127);
	}
	close(pipes[1]);
	out = pipes[0];
}

bool payload_says(const char *want)
{
	static char text[16384];
	static size_t len, from;
	struct pollfd p = {.fd = out, .events = POLLIN};
	const char *at;

	while (!(at = strstr(text + from, want))) {
		ssize_t n;

		if (len == sizeof(text) - 1 || poll(&p, 1, LIMIT_MS) <= 0)
			return false;
		n = read(out, text + len, sizeof(text) - 1 - len);
		if (n <= 0) {
			NOTE("the guest ended: %s", text + (len > 200 ? len - 200 : 0));
			return false;
		}
		len += (size_t)n;
		text[len] = '\0';
	}
	from = (size_t)(at - text) + strlen(want);
	return true;
}
