/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stock 64-bit Linux under refvmm, to user space. The initramfs of the bundle says on its console what it found
 * (linux-guest/init.c); the kernel is the bundle's linux/Image or, on a distribution, the host's own.
 */
#include "file.h"
#include "proc.h"
#include "test.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

SUITE(linux, .tags = "refvmm linux", .limit_ms = 60000);

#define LIMIT_MS 280000 /* a backstop: the test's own limit, scaled by the cell, comes first */

static struct proc run;

/* Debian's arm64 vmlinuz is a plain Image: "ARM\x64" at 56 (Documentation/arch/arm64/booting.rst). */
static bool is_image(const char *path)
{
	char head[64];

	return file_read(path, head, sizeof(head)) >= 60 && !memcmp(head + 56, "ARM\x64", 4);
}

static const char *kernel(void)
{
	static char path[640];
	struct utsname u;

	if (is_image(bundle_path("linux/Image", path, sizeof(path))))
		return path;
	uname(&u);
	snprintf(path, sizeof(path), "/boot/vmlinuz-%.64s", u.release);
	if (is_image(path))
		return path;
	SKIP("no kernel for the guest: neither linux/Image in the bundle nor an uncompressed %s",
	     path);
}

static void boot(const char *machine)
{
	char vmm[512], initrd[512];
	char *argv[] = {vmm,
			(char *)"--machine",
			(char *)machine,
			(char *)"--memory",
			(char *)"512M",
			(char *)"--smp",
			(char *)"2",
			(char *)"--kernel",
			(char *)kernel(),
			(char *)"--initrd",
			initrd,
			(char *)"--append",
			(char *)"console=ttyAMA0 quiet panic=-1",
			NULL};
	int r;

	bundle_path("refvmm", vmm, sizeof(vmm));
	bundle_path("linux/initrd.cpio", initrd, sizeof(initrd));
	if (!file_exists(vmm) || !file_exists(initrd))
		SKIP("the bundle lacks refvmm or linux/initrd.cpio: build it whole");
	r = proc_run(&run, argv, LIMIT_MS);
	if (r < 0)
		test_error("%s: %s", vmm, strerrorname_np(-r));
	if (run.status == ASSAY_EXIT_LACKS)
		SKIP("%.*s", (int)strcspn(run.err, "\n"), run.err);
}

/* Value of `linux-guest KEY=VALUE` on the console, "" without. */
static const char *said(const char *key, char *buf, size_t size)
{
	char want[64];
	const char *p;

	snprintf(want, sizeof(want), "linux-guest %s=", key);
	p = strstr(run.out, want);
	buf[0] = '\0';
	if (p) {
		p += strlen(want);
		snprintf(buf, size, "%.*s", (int)strcspn(p, "\r\n"), p);
	}
	return buf;
}

/* What a reader wants when the guest did not come up: the end of what it said. */
static void note_end(void)
{
	size_t from = run.out_len > 600 ? run.out_len - 600 : 0;

	for (char *line = strtok(run.out + from, "\r\n"); line; line = strtok(NULL, "\r\n"))
		NOTE("console: %s", line);
	NOTE("refvmm: exit status %d, %.*s", run.status, (int)strcspn(run.err, "\n"), run.err);
}

TEST(linux, boots_to_user_space, RULE("VMM-LINUX-1"),
     VARIANTS("v2: machine=gic-version=2 | v3: machine=gic-version=3"))
{
	char text[256], machine[64];

	snprintf(machine, sizeof(machine), "%s", test_param("machine"));
	boot(machine);
	if (!EXPECT_STREQ(said("state", text, sizeof(text)), "user-space")) {
		note_end();
		return;
	}
	EXPECT_STREQ(said("pid", text, sizeof(text)), "1");
	EXPECT_STREQ(said("machine", text, sizeof(text)), "aarch64");
	EXPECT_STREQ(said("cpus", text, sizeof(text)), "2");
	/* The PL011's driver names its first port so (Documentation/admin-guide/serial-console.rst). */
	EXPECT_STREQ(said("console", text, sizeof(text)), "ttyAMA0");
	FACT("linux.console", "%s", text);
	/* Neither kvm-clock nor anything else: the architected timer alone keeps time. */
	EXPECT_STREQ(said("clocksource", text, sizeof(text)), "arch_sys_counter");
	FACT("linux.clocksource", "%s", text);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	FACT("linux.release", "%s", said("release", text, sizeof(text)));
}
