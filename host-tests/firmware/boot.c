/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UEFI firmware (EDK2's build for the virt board, Debian's AAVMF) under refvmm: in flash, with its variables in a
 * file. What it offers is said by uefi-guest/main.c, which it gets as its kernel.
 */
#include "firmware.h"
#include "file.h"
#include "pauth.h"
#include "refvmm.h"
#include "scratch.h"
#include "test.h"
#include <assay/exit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

SUITE(firmware, .tags = "refvmm firmware", .limit_ms = 60000);

#define LIMIT_MS  280000 /* a backstop: the test's own limit, scaled by the cell, comes first */
#define FLASH_MIB 64

static struct proc run;
static const struct proc_talk *talk; /* with boot() */
static const char *const *more;	     /* further options of boot() */

const char *firmware_path(void)
{
	static const char *const installed[] = {
		"/usr/share/AAVMF/AAVMF_CODE.fd",
		"/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
		"/usr/share/edk2/aarch64/QEMU_EFI.fd",
	};
	static char path[640];

	if (file_exists(bundle_path("firmware/QEMU_EFI.fd", path, sizeof(path))))
		return path;
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++) {
		if (file_exists(installed[i]))
			return installed[i];
	}
	SKIP("no UEFI firmware for guests: install qemu-efi-aarch64 (Debian) or edk2-aarch64");
}

static const char *vars(void)
{
	static char path[64];

	return scratch_path(path, sizeof(path), "vars.fd");
}

/* Runs it to its end with these further options. */
static void boot(const char *machine, const char *vars_file, const char *kernel, const char *initrd,
		 const char *append)
{
	struct refvmm vmm = {};

	if (!file_exists(kernel))
		SKIP("the bundle lacks %s: build it whole", kernel);
	REFVMM_ADD(&vmm, "--firmware", firmware_path(), "--machine", machine);
	REFVMM_ADD(&vmm, "--memory", "512M,backing=thp", "--smp", "2", "--cpu", pauth_cpu());
	if (vars_file)
		REFVMM_ADD(&vmm, "--vars", vars_file);
	REFVMM_ADD(&vmm, "--kernel", kernel, "--append", append);
	if (initrd) /* Linux that panics ends here, and not at the limit */
		REFVMM_ADD(&vmm, "--initrd", initrd, "--no-reboot");
	if (more)
		refvmm_add(&vmm, more);
	refvmm_run(&run, &vmm, talk, LIMIT_MS);
}

static void probe(const char *machine, const char *vars_file, const char *append)
{
	char path[640];

	boot(machine, vars_file, bundle_path("firmware/probe.efi", path, sizeof(path)), NULL,
	     append);
}

static const char *said(const char *who, const char *key)
{
	return firmware_said(&run, who, key);
}

static bool ended(const char *who, const char *state)
{
	return firmware_ended(&run, who, state);
}

/* UEFI 2.10, 32.3: SecureBoot is 0, or there is none. PI, volume 4: no way into a management mode. */
TEST(firmware, offers_neither_secure_boot_nor_management_mode, RULE("FW-OFFERS-1"))
{
	const char *secure;

	probe("acpi=off", NULL, "");
	if (!ended("uefi-guest", "done"))
		return;
	secure = said("uefi-guest", "secure-boot");
	EXPECT_TRUE(!strcmp(secure, "0") || !strcmp(secure, "absent"));
	FACT("firmware.secure_boot", "%s", secure);
	FACT("firmware.setup_mode", "%s", said("uefi-guest", "setup-mode"));
	EXPECT_STREQ(said("uefi-guest", "mm-communication"), "absent");
	EXPECT_STREQ(said("uefi-guest", "mm-communication2"), "absent");
	EXPECT_STREQ(said("uefi-guest", "devicetree"), "present"); /* acpi=off */
	EXPECT_STREQ(said("uefi-guest", "acpi"), "absent");
	EXPECT_STREQ(said("uefi-guest", "smbios3"), "present");
}

/* Flash bank 1: over a reset in the same machine, and over a new one. */
TEST(firmware, variables_survive_reset_and_restart, RULE("FW-VARS-1"))
{
	const char *file = vars();
	char journal[64];
	struct stat st;

	probe("virt-1", file, "count reset");
	if (ended("uefi-guest", "done")) {
		EXPECT_TRUE(strstr(run.out, "uefi-guest count=1"));
		EXPECT_STREQ(said("uefi-guest", "count"), "2");
		EXPECT_STREQ(said("uefi-guest", "acpi"), "present");
		probe("virt-1", file, "count");
		ended("uefi-guest", "done");
		EXPECT_STREQ(said("uefi-guest", "count"), "3");
	}
	EXPECT_EQ(stat(file, &st), 0);
	EXPECT_EQ(st.st_size, FLASH_MIB << 20);
	EXPECT_EQ(stat(scratch_path(journal, sizeof(journal), "vars.fd.journal"), &st), -1);
}

/* Without a kernel the firmware comes to its shell; what is typed there resets the machine for good. */
static void to_the_shell(const char *const *devices)
{
	static const struct proc_talk type[] = {{"seconds to skip", "\x1b", NULL},
						{"Shell>", "reset -s\r", NULL},
						{NULL, NULL, NULL}};
	struct refvmm vmm = {};

	REFVMM_ADD(&vmm, "--firmware", firmware_path(), "--memory", "256M,backing=thp");
	REFVMM_ADD(&vmm, "--console", "stdio", "--cpu", pauth_cpu());
	if (devices)
		refvmm_add(&vmm, devices);
	refvmm_run(&run, &vmm, type, LIMIT_MS);
}

TEST(firmware, comes_to_its_shell, RULE("FW-SHELL-1"), .tags = "slow")
{
	to_the_shell(NULL);
	EXPECT_TRUE(strstr(run.out, "UEFI Interactive Shell"));
	if (!EXPECT_EQ(run.status, ASSAY_EXIT_OK))
		NOTE("refvmm: %.*s", (int)strcspn(run.err, "\n"), run.err);
}

/* A disk in memory of which nothing can be started, as a value of --drive. */
static void blank_disk(char drive[80], const char *place)
{
	char name[32];
	int fd = file_in_memory();

	if (ftruncate(fd, 1 << 20))
		test_error("ftruncate: %s", strerrorname_np(errno));
	snprintf(drive, 80, "file=%s,%s", file_name_of(fd, name), place);
}

/*
 * Nothing can be started from either disk, so each is tried, and said to have failed by its device path (UEFI 2.10,
 * 3.1.1; EDK2's BDS). Without an order the first slot comes first.
 */
TEST(firmware, starts_from_the_lowest_bootindex_first, RULE("FW-ORDER-1"), .tags = "slow")
{
	char drive[2][80];
	const char *first, *second;

	blank_disk(drive[0], "port=0,bootindex=2");
	blank_disk(drive[1], "port=none,bootindex=1");
	to_the_shell((const char *const[]){"--drive", drive[0], "--drive", drive[1], "--root-ports",
					   "1", NULL});
	first = strstr(run.out, "from PciRoot(0x0)/Pci(0x2,0x0)");
	second = strstr(run.out, "from PciRoot(0x0)/Pci(0x1,0x0)/Pci(0x0,0x0)");
	EXPECT_TRUE(first && second && first < second);
	if (!EXPECT_EQ(run.status, ASSAY_EXIT_OK) || test_has_failed())
		for (char *line = strtok(run.out, "\r\n"); line; line = strtok(NULL, "\r\n"))
			NOTE("console: %s", line);
}

/* A kernel with a stub for EFI is a PE file, and an Image as well (Documentation/arch/arm64/booting.rst: "MZ"). */
static const char *need_efi_stub(const char *path)
{
	char head[3] = "";

	if (file_read(path, head, sizeof(head)) < 2 || memcmp(head, "MZ", 2) != 0)
		SKIP("the guest's kernel, %s, is built without CONFIG_EFI_STUB: firmware cannot "
		     "start it",
		     path);
	return path;
}

static const char *linux_image(void)
{
	static char path[640];
	struct utsname u;

	if (file_exists(bundle_path("linux/Image", path, sizeof(path))))
		return need_efi_stub(path);
	uname(&u);
	snprintf(path, sizeof(path), "/boot/vmlinuz-%.64s", u.release);
	if (!file_exists(path))
		SKIP("no kernel for the guest: neither linux/Image in the bundle nor %s", path);
	return need_efi_stub(path);
}

/* The firmware starts Linux's EFI stub; the machine is described by ACPI tables, or the device tree. */
TEST(firmware, starts_linux_to_user_space, RULE("FW-LINUX-1"),
     VARIANTS("acpi: machine=acpi=on | dt: machine=acpi=off"), .tags = "slow")
{
	char initrd[640], machine[64];

	snprintf(machine, sizeof(machine), "%s", test_param("machine"));
	boot(machine, NULL, linux_image(), bundle_path("linux/initrd.cpio", initrd, sizeof(initrd)),
	     "console=ttyAMA0 quiet panic=-1");
	if (!ended("linux-guest", "user-space"))
		return;
	EXPECT_STREQ(said("linux-guest", "console"), "ttyAMA0");
	EXPECT_STREQ(said("linux-guest", "cpus"), "2");
	/* With ACPI there is no device tree but the stub's, which has no compatible. */
	if (strstr(machine, "off"))
		EXPECT_TRUE(strstr(said("linux-guest", "model"), "virt"));
	else
		EXPECT_TRUE(!strstr(said("linux-guest", "model"), "virt"));
}

static void press(int pid)
{
	kill(pid, SIGTERM); /* docs/refvmm.md, Signals and the power key */
}

/* Linux by firmware and ACPI, with modules; to user space, or it is said why not. */
static bool boot_linux(const char *append)
{
	char path[640], initrd[32];
	const char *kernel = linux_image();
	int fd = file_in_memory();

	if (file_append(fd, bundle_path("linux/initrd.cpio", path, sizeof(path))))
		test_error("%s cannot be copied", path);
	(void)file_append(fd, bundle_path("linux/modules.cpio", path, sizeof(path)));
	boot("acpi=on", NULL, kernel, file_name_of(fd, initrd), append);
	return ended("linux-guest", "user-space");
}

/* ACPI 6.4, 4.8.2.2.1.2 and 5.6.5: a line of the GPIO controller signals the event, whose method notifies the button. */
TEST(firmware, linux_powers_off_by_its_acpi_power_button, RULE("VMM-LINUX-4"), .tags = "slow")
{
	const struct proc_talk wait[] = {{"linux-guest key=", NULL, press}, {NULL, NULL, NULL}};

	talk = wait;
	if (!boot_linux("console=ttyAMA0 quiet panic=-1 assay.end=key"))
		return;
	EXPECT_STREQ(said("linux-guest", "key"), "input Power Button");
	EXPECT_STREQ(said("linux-guest", "pressed"), "power key");
}

/* Devices of the DSDT (LNRO0005), and one package of all CPUs (PPTT). */
TEST(firmware, linux_finds_the_devices_of_the_acpi_tables, RULE("FW-LINUX-2"), .tags = "slow")
{
	static const char *const devices[] = {"--rng", "virtio-mmio", NULL};

	more = devices;
	if (!boot_linux("console=ttyAMA0 quiet panic=-1"))
		return;
	EXPECT_STREQ(said("linux-guest", "rng"), "virtio_rng.0 32");
	EXPECT_STREQ(said("linux-guest", "virtio0"), "4:mmio");
	EXPECT_STREQ(said("linux-guest", "pptt"), "present");
	EXPECT_STREQ(said("linux-guest", "packages"), "1");
}
