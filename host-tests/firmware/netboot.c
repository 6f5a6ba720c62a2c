/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of a guest boots over its network card by PXE, with its own driver: the card has no option ROM. */
#include "bootserver.h"
#include "file.h"
#include "firmware.h"
#include "pauth.h"
#include "refvmm.h"
#include "test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 280000 /* a backstop: the test's own limit, scaled by the cell, comes first */

static struct proc run;
static char file[65536];

#define CARD "52:54:00:0a:0b:0c"

/* The firmware with a card, and options besides; the cable's other end is left open, for who serves it. */
static void run_with_card(const int cable[2], const char *card_options, const char *const *more)
{
	/* where it ends up when it cannot boot */
	static const struct proc_talk talk[] = {{"Shell>", "reset -s\r", NULL}, {NULL, NULL, NULL}};
	struct refvmm vmm = {};
	char net[80];

	snprintf(net, sizeof(net), "stream,fd=%d,mac=" CARD "%s", cable[0], card_options);
	REFVMM_ADD(&vmm, "--firmware", firmware_path(), "--memory", "256M,backing=thp");
	REFVMM_ADD(&vmm, "--console", "stdio", "--cpu", pauth_cpu(), "--net", net);
	refvmm_add(&vmm, more);
	refvmm_run(&run, &vmm, talk, LIMIT_MS);
	close(cable[0]);
}

static void make_cable(int cable[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, cable))
		test_error("socketpair: %s", strerrorname_np(errno));
}

static const char *probe(void)
{
	static char path[640];

	if (!file_exists(bundle_path("firmware/probe.efi", path, sizeof(path))))
		SKIP("the bundle lacks %s: build it whole", path);
	return path;
}

/*
 * Of each card with EFI_PXE_BASE_CODE_PROTOCOL (UEFI 2.10, 24.3.1) firmware makes a choice of where to boot from. That this
 * one boots, boots_over_virtio_net shows, which takes longer.
 */
TEST(firmware, can_boot_over_virtio_net, RULE("FW-PXE-1"))
{
	int cable[2];

	make_cable(cable);
	run_with_card(cable, "",
		      (const char *const[]){"--kernel", probe(), "--append", "connect", NULL});
	if (firmware_ended(&run, "uefi-guest", "done"))
		EXPECT_STREQ(firmware_said(&run, "uefi-guest", "pxe"), "5254000a0b0c");
}

/* From the address to the program that was fetched, which says by its own device path that it came over this card. */
TEST(firmware, boots_over_virtio_net, RULE("FW-PXE-2"), .tags = "slow")
{
	struct bootserver server = {.file = file};
	int cable[2];
	ssize_t n = file_read(probe(), file, sizeof(file));

	if (n <= 0 || n == sizeof(file) - 1)
		test_error("%s does not fit into %zu bytes", probe(), sizeof(file));
	server.size = (size_t)n;
	make_cable(cable);
	server.cable = cable[1];
	bootserver_start(&server);
	run_with_card(cable, ",bootindex=1", (const char *const[]){NULL});
	bootserver_join(&server);

	/* IANA, Processor Architecture Types: 11 is ARM 64-bit UEFI; RFC 4578, 2.1. */
	EXPECT_TRUE(!strncmp(server.client, "PXEClient:Arch:00011:", 21));
	EXPECT_TRUE(!memcmp(server.mac, "\x52\x54\x00\x0a\x0b\x0c", 6));
	EXPECT_GE(server.asked, 1);
	EXPECT_GE(server.taken, 1);
	EXPECT_GE(server.opened, 1);
	EXPECT_EQ(server.whole, 1);
	EXPECT_STREQ(firmware_said(&run, "uefi-guest", "loaded-from"), "5254000a0b0c");
	firmware_ended(&run, "uefi-guest", "done");
}
