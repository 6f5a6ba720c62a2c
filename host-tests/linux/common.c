/* SPDX-License-Identifier: Apache-2.0 */
#include "linux.h"
#include "file.h"
#include "pauth.h"
#include "refvmm.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LIMIT_MS 1500000 /* a backstop: the test's own limit, scaled by the cell, comes first */

struct proc run;

/* Debian's arm64 vmlinuz is a plain Image: "ARM\x64" at 56 (Documentation/arch/arm64/booting.rst). */
static bool is_image(const char *path)
{
	char head[64];

	return file_read(path, head, sizeof(head)) >= 60 && !memcmp(head + 56, "ARM\x64", 4);
}

static const char *own_kernel(char *path, size_t size)
{
	struct utsname u;

	if (is_image(bundle_path("linux/Image", path, size)))
		return path;
	uname(&u);
	snprintf(path, size, "/boot/vmlinuz-%.64s", u.release);
	if (is_image(path))
		return path;
	SKIP("no kernel for the guest: neither linux/Image in the bundle nor an uncompressed %s",
	     path);
}

static void append_file(int to, const char *from)
{
	int r = file_append(to, from);

	if (r && r != -ENOENT) /* no modules: the kernel has all built in */
		test_error("%s cannot be copied: %s", from, strerrorname_np(-r));
}

/* Archives may stand one behind the other (early-userspace/buffer-format.rst). */
static const char *make_initrd(char name[32], const char *modules)
{
	char base[512];
	int fd = file_in_memory();

	append_file(fd, bundle_path("linux/initrd.cpio", base, sizeof(base)));
	append_file(fd, modules);
	return file_name_of(fd, name);
}

void boot(const struct machine *m)
{
	char initrd[32], kernel[640], modules[640], name[640], append[256];
	struct refvmm vmm = {};

	/* the self-tests of the kernel's ciphers are a fifth of what it does until it is up */
	snprintf(append, sizeof(append), "console=ttyAMA0 quiet panic=-1 cryptomgr.notests %s",
		 m->append ? m->append : "");
	if (m->kernel) {
		snprintf(name, sizeof(name), "linux/guests/%.60s/Image", m->kernel);
		if (!is_image(bundle_path(name, kernel, sizeof(kernel))))
			SKIP("this host brings no guest kernel %s (lab/cells.toml: guests); one "
			     "built here needs `./assay lab fetch CELL` first",
			     m->kernel);
		snprintf(name, sizeof(name), "linux/guests/%.60s/modules.cpio", m->kernel);
	} else {
		own_kernel(kernel, sizeof(kernel));
		snprintf(name, sizeof(name), "linux/modules.cpio");
	}
	bundle_path(name, modules, sizeof(modules));
	if (!file_exists(bundle_path("linux/initrd.cpio", name, sizeof(name))))
		SKIP("the bundle lacks linux/initrd.cpio: build it whole");
	REFVMM_ADD(&vmm, "--memory", "512M,backing=thp", "--machine", m->machine);
	REFVMM_ADD(&vmm, "--smp", m->cpus, "--cpu", pauth_cpu(), "--kernel", kernel);
	REFVMM_ADD(&vmm, "--initrd", make_initrd(initrd, modules), "--append", append);
	refvmm_add(&vmm, m->devices);
	/* a guest that panics (panic=-1: it resets at once) ends here, and not at the test's limit */
	if (!m->append || !strstr(m->append, "reboot"))
		REFVMM_ADD(&vmm, "--no-reboot");
	refvmm_run(&run, &vmm, m->talk, LIMIT_MS);
}

const char *said(const char *key, char *buf, size_t size)
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

void note_end(void)
{
	size_t from = run.out_len > 1500 ? run.out_len - 1500 : 0;

	for (char *line = strtok(run.out + from, "\r\n"); line; line = strtok(NULL, "\r\n"))
		NOTE("console: %s", line);
	if (run.limit)
		NOTE("refvmm: still ran after %u s", LIMIT_MS / 1000);
	else if (run.signal)
		NOTE("refvmm: ended by signal %d", run.signal);
	NOTE("refvmm: exit status %d, %.*s", run.status, (int)strcspn(run.err, "\n"), run.err);
}

void expect_came_up(const char *cpus)
{
	char text[256];

	if (!EXPECT_STREQ(said("state", text, sizeof(text)), "user-space")) {
		note_end();
		test_abandon();
	}
	EXPECT_STREQ(said("pid", text, sizeof(text)), "1");
	EXPECT_STREQ(said("machine", text, sizeof(text)), "aarch64");
	EXPECT_STREQ(said("cpus", text, sizeof(text)), cpus);
	EXPECT_STREQ(said("module-failed", text, sizeof(text)), "");
	if (*said("trouble", text, sizeof(text)))
		NOTE("the guest's kernel logged: %s", text);
	/* The PL011's driver names its first port so (Documentation/admin-guide/serial-console.rst). */
	EXPECT_STREQ(said("console", text, sizeof(text)), "ttyAMA0");
	FACT("linux.console", "%s", text);
	/* Neither kvm-clock nor anything else: the architected timer alone keeps time. */
	EXPECT_STREQ(said("clocksource", text, sizeof(text)), "arch_sys_counter");
	FACT("linux.clocksource", "%s", text);
	FACT("linux.release", "%s", said("release", text, sizeof(text)));
	FACT("linux.page_size", "%s", said("page-size", text, sizeof(text)));
}

/* ---- disks */

static uint8_t pattern(size_t at, unsigned salt)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16 ^ (uint8_t)(salt * 37));
}

void disk_make(char path[64], unsigned salt)
{
	static uint8_t disk[DISK_SIZE];
	char name[24];
	int fd;

	snprintf(name, sizeof(name), "disk-%u", salt);
	fd = open(scratch_path(path, 64, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	for (size_t i = 0; i < sizeof(disk); i++)
		disk[i] = pattern(i, salt);
	if (fd < 0 || write(fd, disk, sizeof(disk)) != (ssize_t)sizeof(disk))
		test_error("no file of %u bytes in /tmp: %s", DISK_SIZE, strerrorname_np(errno));
	close(fd);
}

uint32_t disk_sum(unsigned salt)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < DISK_BLOCK; i++)
		sum = sum * 31 + pattern(i, salt);
	return sum;
}

static uint8_t wanted(size_t at, unsigned salt, bool written)
{
	size_t i = at - DISK_WRITE_AT;

	if (written && i < DISK_BLOCK)
		return (uint8_t)(i * 7 + i / 256);
	if (written && at - DISK_HOLE_AT < 2 * DISK_BLOCK)
		return 0;
	return pattern(at, salt);
}

void disk_check(const char *path, unsigned salt, bool written)
{
	static uint8_t disk[DISK_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;

	if (fd < 0 || read(fd, disk, sizeof(disk)) != (ssize_t)sizeof(disk))
		test_error("%s has gone", path);
	close(fd);
	while (at < sizeof(disk) && disk[at] == wanted(at, salt, written))
		at++;
	EXPECT_EQ(at,
		  sizeof(disk)); /* the first byte that is not what the guest was told to leave */
}
