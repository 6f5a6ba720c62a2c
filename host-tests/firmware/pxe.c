/* SPDX-License-Identifier: Apache-2.0 */
/* What the firmware of a guest does with a network card that it could boot over. */
#include "firmware.h"
#include "pauth.h"
#include "refvmm.h"
#include "test.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 280000 /* a backstop: the test's own limit, scaled by the cell, comes first */

static struct proc run;
static int cable; /* the other end of the card */
static char sent[16384];
static size_t sent_len;

/* RFC 2132, 9.13: who asks, by DHCP, says what it is. */
static bool asked(void)
{
	static const char client[] =
		"PXEClient:Arch:00011"; /* RFC 4578, 2.1, and IANA: ARM 64-bit UEFI */

	return memmem(sent, sent_len, client, strlen(client));
}

static void read_and_end(int pid)
{
	struct pollfd p = {.fd = cable, .events = POLLIN};

	for (unsigned int n = 0; n < 8 && !asked() && poll(&p, 1, 60000) > 0; n++) {
		ssize_t got = read(cable, sent + sent_len, sizeof(sent) - sent_len);

		if (got <= 0)
			break;
		sent_len += (size_t)got;
	}
	kill(pid, SIGTERM);
}

/*
 * The boot option is the firmware's own, of its own driver for the card: there is no option ROM. Nobody answers, so the
 * machine is ended when the firmware asked by DHCP who is there; UEFI 2.10, 24.3.1, EFI_PXE_BASE_CODE_PROTOCOL.
 */
TEST(firmware, tries_to_boot_over_virtio_net, RULE("FW-PXE-1"), .tags = "slow")
{
	static const struct proc_talk wait[] = {{"Start PXE over IPv4", NULL, read_and_end},
						{NULL, NULL, NULL}};
	struct refvmm vmm = {};
	char net[64];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		test_error("socketpair: %s", strerrorname_np(errno));
	cable = pair[1];
	snprintf(net, sizeof(net), "stream,fd=%d,mac=52:54:00:0a:0b:0c", pair[0]);
	REFVMM_ADD(&vmm, "--firmware", firmware_path(), "--memory", "256M,backing=thp");
	REFVMM_ADD(&vmm, "--console", "stdio", "--cpu", pauth_cpu(), "--net", net);
	refvmm_run(&run, &vmm, wait, LIMIT_MS);
	close(pair[0]);
	close(pair[1]);
	EXPECT_TRUE(asked());
	EXPECT_TRUE(memmem(sent, sent_len, "\x52\x54\x00\x0a\x0b\x0c", 6));
	if (!EXPECT_TRUE(strstr(run.out, "Start PXE over IPv4")) ||
	    !EXPECT_EQ(run.status, 128 + SIGTERM))
		NOTE("refvmm: exit status %d, signal %d, %.*s", run.status, run.signal,
		     (int)strcspn(run.err, "\n"), run.err);
}
