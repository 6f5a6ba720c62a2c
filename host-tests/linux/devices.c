/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio devices as a stock Linux finds and uses them: disks, network card, consoles and random numbers, through
 * virtio-pci (behind root ports, on the root bus) and virtio-mmio, with a peer at the other end of each.
 */
#include "linux.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>

struct world {
	char disk[3][64], net[2][64], con[2][64];
	char word[10][200];
	volatile struct peer_said *card[2], *console[2];
};

/*
 * Disks: one over PCI and one over MMIO that are written to, a third that is read-only. Two cards, two consoles, two
 * sources of random numbers: one of each over PCI and one over MMIO.
 */
static void furnish(struct world *w, struct machine *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 3; i++)
		disk_make(w->disk[i], i);
	w->card[0] = peer_net(w->net[0]);
	w->card[1] = peer_net(w->net[1]);
	w->console[0] = peer_console(w->con[0], "host says hello\n");
	w->console[1] = peer_console(w->con[1], "host says hello\n");
	snprintf(w->word[0], 200, "file=%s,if=virtio,serial=over-pci", w->disk[0]);
	snprintf(w->word[1], 200, "file=%s,if=virtio-mmio,serial=over-mmio", w->disk[1]);
	snprintf(w->word[2], 200, "file=%s,readonly=on,port=none,serial=read-only", w->disk[2]);
	snprintf(w->word[3], 200, "stream,path=%s,mac=52:54:00:00:00:01", w->net[0]);
	snprintf(w->word[4], 200, "stream,path=%s,mac=52:54:00:00:00:02,if=virtio-mmio", w->net[1]);
	snprintf(w->word[5], 200, "virtio,socket=%s", w->con[0]);
	snprintf(w->word[6], 200, "virtio-mmio,socket=%s", w->con[1]);
	for (unsigned i = 0; i < 7; i++) {
		m->devices[n++] = i < 3 ? "--drive" : i < 5 ? "--net" : "--console";
		m->devices[n++] = w->word[i];
	}
	m->devices[n++] = "--rng";
	m->devices[n++] = "virtio";
	m->devices[n++] = "--rng";
	m->devices[n++] = "virtio-mmio";
	m->devices[n++] = "--root-ports";
	m->devices[n] = "4";
}

static unsigned count(const char *value)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 32; i++) {
		char key[16], text[64];

		snprintf(key, sizeof(key), "virtio%u", i);
		n += strcmp(said(key, text, sizeof(text)), value) == 0;
	}
	return n;
}

/* virtio 1.2, chapter 5: 1 network, 2 block, 3 console, 4 entropy */
static void expect_all_found(void)
{
	EXPECT_EQ(count("1:pci"), 1U);
	EXPECT_EQ(count("1:mmio"), 1U);
	EXPECT_EQ(count("2:pci"), 2U);
	EXPECT_EQ(count("2:mmio"), 1U);
	EXPECT_EQ(count("3:pci"), 1U);
	EXPECT_EQ(count("3:mmio"), 1U);
	EXPECT_EQ(count("4:pci"), 1U);
	EXPECT_EQ(count("4:mmio"), 1U);
}

static void expect_disks_work(const struct world *w)
{
	static const char *const serial[] = {"over-pci", "over-mmio", "read-only"};
	static const char *const bus[] = {"pci", "mmio", "pci"};

	for (unsigned i = 0; i < 3; i++) {
		char key[32], text[128], want[128];

		snprintf(key, sizeof(key), "disk-%s", serial[i]);
		snprintf(want, sizeof(want), "%s sectors=%u ro=%u sum=%08x wrote=%s", bus[i],
			 DISK_SIZE / 512, i == 2, disk_sum(i), i == 2 ? "no" : "ok");
		EXPECT_STREQ(said(key, text, sizeof(text)), want);
		disk_check(w->disk[i], i, i != 2);
	}
}

/* Which of the two is eth0 is the guest's affair. */
static void expect_cards_work(const struct world *w)
{
	char text[128];

	for (unsigned i = 0; i < 2; i++) {
		said(i ? "eth1" : "eth0", text, sizeof(text));
		EXPECT_TRUE(!strcmp(text, "pci 52:54:00:00:00:01 up guest gets") ||
			    !strcmp(text, "mmio 52:54:00:00:00:02 up guest gets"));
		NOTE("eth%u: %s", i, text);
		EXPECT_GT(w->card[i]->echoes, 0U);
	}
}

static void expect_consoles_work(const struct world *w)
{
	char text[128];

	for (unsigned i = 0; i < 2; i++) {
		EXPECT_STREQ((const char *)(uintptr_t)w->console[i]->line, "guest says hello");
		EXPECT_STREQ(said(i ? "hvc1" : "hvc0", text, sizeof(text)), "host says hello");
	}
}

TEST(linux, uses_every_virtio_device, RULE("VIRTIO-DEV-1"), .tags = "slow")
{
	struct machine m = {.machine = "virt-1", .cpus = "2"};
	struct world w;
	char text[128];

	furnish(&w, &m);
	boot(&m);
	expect_came_up("2");
	if (*said("blocks", text, sizeof(text)))
		SKIP_NEEDS("guest-blocks", "the guest's kernel is built without CONFIG_BLOCK");
	expect_all_found();
	expect_disks_work(&w);
	expect_cards_work(&w);
	expect_consoles_work(&w);
	said("rngs", text, sizeof(text));
	EXPECT_TRUE(strstr(text, "virtio_rng.0") && strstr(text, "virtio_rng.1"));
	EXPECT_STREQ(said("rng", text, sizeof(text)), "virtio_rng.0 32");
	FACT("linux.virtio_messages", "%s", said("virtio-messages", text, sizeof(text)));
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}
