/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a paused machine's devices do with the world: nothing. The guest is the payload `virtio`, which has a receive
 * buffer on a virtio console and waits; this program is at the other end of the console.
 */
#include "client.h"
#include "file.h"
#include "proc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_MS 100000 /* a backstop: the test's own limit comes first */

static int listen_at(char path[64])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, 64, "/tmp/assay-console-%d", getpid());
	unlink(path);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		test_error("socket %s: %s", path, strerrorname_np(errno));
	return fd;
}

/* Starts the payload; its stdout is `out`. */
static void start(struct machine *m, const char *console, int *out)
{
	char vmm[512], payload[512], word[128];
	char *argv[] = {vmm,
			(char *)"--kernel",
			payload,
			(char *)"--append",
			(char *)"test=virtio.console_leaves_buffers_alone_without_input time=60000",
			(char *)"--console",
			word,
			(char *)"--control",
			m->path,
			NULL};
	int pipes[2];

	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("guest-tests/virtio.elf", payload, sizeof(payload));
	if (!file_exists(vmm) || !file_exists(payload))
		SKIP("the bundle lacks refvmm or guest-tests/virtio.elf: build it whole");
	snprintf(word, sizeof(word), "virtio-mmio,socket=%s", console);
	snprintf(m->path, sizeof(m->path), "/tmp/assay-control-%d", getpid());
	unlink(m->path);
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
	*out = pipes[0];
}

/* Reads what the guest prints until `want` stands there; false: it ended before. */
static bool reads(int out, const char *want)
{
	static char text[8192];
	static size_t len;
	struct pollfd p = {.fd = out, .events = POLLIN};

	while (!strstr(text, want)) {
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
	return true;
}

static int unread(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -1 : n; /* unix(7): what the other side has not read */
}

TEST(control, a_paused_machines_devices_stand_still, RULE("VMM-CONTROL-10"))
{
	char console[64];
	int listener = listen_at(console), out, peer;
	struct machine m;

	start(&m, console, &out);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		test_error("accept: %s", strerrorname_np(errno));
	ASSERT_TRUE(reads(out, "listening"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
	ASSERT_EQ(write(peer, "wake up", 7), 7);
	test_pause_us(50000);
	EXPECT_GT(unread(peer), 0); /* refvmm has not even read it */
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"paused\""));
	EXPECT_GT(unread(peer), 0);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
	EXPECT_TRUE(reads(out, "received 7 bytes"));
	EXPECT_EQ(machine_end(&m), 0);
	unlink(console);
}
