/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a paused machine's devices do with the world: nothing. The guest is the payload `virtio`, which has a receive
 * buffer on a virtio console and waits; this program is at the other end of the console.
 */
#include "payload.h"
#include "scratch.h"
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(char path[64])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	scratch_path(path, 64, "console");
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		test_error("socket %s: %s", path, strerrorname_np(errno));
	return fd;
}

static int unread(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -1 : n; /* unix(7): what the other side has not read */
}

TEST(control, a_paused_machines_devices_stand_still, RULE("VMM-CONTROL-10"))
{
	char console[64], word[128];
	int listener = listen_at(console), peer;
	struct machine m;

	snprintf(word, sizeof(word), "virtio-mmio,socket=%s", console);
	payload_start(&m, "test=virtio.console_leaves_buffers_alone_without_input time=60000",
		      (const char *const[]){"--console", word, NULL});
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		test_error("accept: %s", strerrorname_np(errno));
	ASSERT_TRUE(payload_says("listening"));
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"pause\"}"), "\"ok\": true"));
	ASSERT_EQ(write(peer, "wake up", 7), 7);
	test_pause_us(50000);
	EXPECT_GT(unread(peer), 0); /* refvmm has not even read it */
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"status\"}"), "\"state\": \"paused\""));
	EXPECT_GT(unread(peer), 0);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
	EXPECT_TRUE(payload_says("received 7 bytes"));
	EXPECT_EQ(machine_end(&m), 0);
}
