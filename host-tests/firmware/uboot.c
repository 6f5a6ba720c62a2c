/* SPDX-License-Identifier: Apache-2.0 */
/*
 * U-Boot's build for QEMU's virt board (Debian's u-boot-qemu), unmodified, in flash: a program for the board that this
 * project did not write. What it says is compared with what it says on QEMU.
 */
#include "file.h"
#include "proc.h"
#include "test.h"
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 280000 /* a backstop: the test's own limit, scaled by the cell, comes first */
#define PROMPT	 "=> "

static struct proc run;

static const char *u_boot(void)
{
	static const char installed[] = "/usr/lib/u-boot/qemu_arm64/u-boot.bin";
	static char path[640];

	if (file_exists(bundle_path("firmware/u-boot.bin", path, sizeof(path))))
		return path;
	if (file_exists(installed))
		return installed;
	SKIP("no U-Boot for guests: install u-boot-qemu (Debian), which has %s", installed);
}

/* A file in the current folder, of some MiB, that begins with this. */
static void make_file(char *path, const char *begin, unsigned int mib)
{
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0 || write(fd, begin, strlen(begin)) != (ssize_t)strlen(begin) ||
	    ftruncate(fd, (off_t)mib << 20))
		test_error("no file in the current folder: %s", strerrorname_np(errno));
	close(fd);
}

/* What stands on the console between this command and the next prompt; "" if it was never typed. */
static const char *answer(const char *command)
{
	static char buf[2048];
	char typed[128];
	const char *at, *end;

	snprintf(typed, sizeof(typed), PROMPT "%s\r\n", command);
	at = strstr(run.out, typed);
	at = at ? at + strlen(typed) : "";
	end = strstr(at, PROMPT);
	snprintf(buf, sizeof(buf), "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
	return buf;
}

static void expect_answer(const char *command, const char *part)
{
	if (!EXPECT_TRUE(strstr(answer(command), part)))
		NOTE("%s: `%s` is not in the answer `%.200s`", command, part, answer(command));
}

TEST(firmware, u_boot_comes_to_its_prompt_and_finds_the_board, RULE("BARE-UBOOT-1"), .tags = "slow")
{
	static const struct proc_talk talk[] = {
		{"stop autoboot", "\r", NULL},
		{PROMPT, "bdinfo\r", NULL},
		{PROMPT, "virtio scan\r", NULL},
		{PROMPT, "virtio info\r", NULL},
		{PROMPT, "virtio read 50000000 0 1\r", NULL},
		{PROMPT, "md.b 50000000 10\r", NULL},
		{PROMPT, "virtio dev 1\r", NULL},
		{PROMPT, "virtio read 50000000 0 1\r", NULL},
		{PROMPT, "md.b 50000000 11\r", NULL},
		{PROMPT, "pci\r", NULL},
		{PROMPT, "qfw cpus\r", NULL},
		{PROMPT, "setenv assay kept\r", NULL},
		{PROMPT, "saveenv\r", NULL},
		{PROMPT, "reset\r", NULL},
		{"stop autoboot", "\r", NULL},
		{PROMPT, "printenv assay\r", NULL},
		{PROMPT, "poweroff\r", NULL},
		{NULL, NULL, NULL},
	};
	char vmm[512], by_pci[] = "disk-XXXXXX", by_mmio[] = "disk-XXXXXX", drive[2][64];
	char *argv[] = {vmm,
			(char *)"--firmware",
			(char *)u_boot(),
			(char *)"--memory",
			(char *)"512M,backing=thp",
			(char *)"--smp",
			(char *)"2",
			(char *)"--console",
			(char *)"stdio",
			(char *)"--drive",
			drive[0],
			(char *)"--drive",
			drive[1],
			NULL};
	int r;

	make_file(by_pci, "a disk on PCIe..", 1);
	make_file(by_mmio, "a disk on MMIO..", 3);
	snprintf(drive[0], sizeof(drive[0]), "file=%s,readonly=on", by_pci);
	snprintf(drive[1], sizeof(drive[1]), "file=%s,readonly=on,if=virtio-mmio", by_mmio);
	bundle_path("refvmm", vmm, sizeof(vmm));
	r = proc_converse(&run, argv, talk, LIMIT_MS);
	unlink(by_pci);
	unlink(by_mmio);
	if (r < 0)
		test_error("%s: %s", vmm, strerrorname_np(-r));
	if (run.status == ASSAY_EXIT_LACKS)
		SKIP("%.*s", (int)strcspn(run.err, "\n"), run.err);
	EXPECT_TRUE(strstr(run.out, "\r\nDRAM:  512 MiB\r\n"));
	EXPECT_TRUE(strstr(run.out, "\r\nFlash: 64 MiB\r\n"));
	EXPECT_TRUE(strstr(run.out, "bad CRC, using default environment"));
	expect_answer("bdinfo", "-> start    = 0x0000000040000000");
	expect_answer("bdinfo", "-> size     = 0x0000000020000000");
	expect_answer("virtio info", "(2048 x 512)");
	expect_answer("virtio info", "(6144 x 512)");
	expect_answer("virtio read 50000000 0 1", "1 blocks read: OK");
	expect_answer("md.b 50000000 10", "a disk on ");
	expect_answer("md.b 50000000 11", "a disk on ");
	EXPECT_TRUE(strstr(run.out, "a disk on PCIe..") && strstr(run.out, "a disk on MMIO.."));
	expect_answer("pci", "00.00.00");
	expect_answer("pci", "0x1af4     0x1042     Mass storage controller");
	expect_answer("qfw cpus", "2 cpu(s) online");
	expect_answer("saveenv", "Writing to Flash... done");
	EXPECT_TRUE(strstr(run.out, "Loading Environment from Flash... OK"));
	expect_answer("printenv assay", "assay=kept");
	expect_answer("poweroff", "poweroff ...");
	if (!EXPECT_EQ(run.status, ASSAY_EXIT_OK))
		NOTE("refvmm: exit status %d, %.*s", run.status, (int)strcspn(run.err, "\n"),
		     run.err);
}
