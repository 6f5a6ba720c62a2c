/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host has behind its guests' devices: a block device (loop over a file), a tap device with the host's own
 * network stack at its other end.
 */
#include "elf_image.h"
#include "file.h"
#include "linux.h"
#include "refvmm.h"
#include <arpa/inet.h>
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ECHO_PORT 7

void host_modules(void)
{
	char names[1024], path[640], *save = NULL;

	if (file_read(bundle_path("linux/host/list", path, sizeof(path)), names, sizeof(names)) < 0)
		return;
	for (char *name = strtok_r(names, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		char file[160];
		int fd;

		snprintf(file, sizeof(file), "linux/host/%.120s", name);
		fd = open(bundle_path(file, path, sizeof(path)), O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			test_error("module %s: %s", name, strerrorname_np(errno));
		close(fd);
	}
}

/* ---- a block device */

/* A loop device over the file (loop(4)); gone with its last user. */
static int loop_over(const char *file, bool readonly, char path[32])
{
	struct loop_config c = {.info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
	int control, back, fd, nr;

	host_modules();
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0 && errno == EACCES)
		SKIP("a loop device needs root");
	if (control < 0)
		SKIP("this host's kernel has no loop devices (/dev/loop-control: %s): modprobe "
		     "loop",
		     strerrorname_np(errno));
	back = open(file, O_RDWR | O_CLOEXEC);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	if (back < 0 || nr < 0)
		test_error("no loop device: %s", strerrorname_np(errno));
	close(control);
	snprintf(path, 32, "/dev/loop%d", nr);
	fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	c.fd = (uint32_t)back;
	if (readonly)
		c.info.lo_flags |= LO_FLAGS_READ_ONLY;
	if (fd < 0 || ioctl(fd, LOOP_CONFIGURE, &c))
		test_error("LOOP_CONFIGURE of %s: %s", path, strerrorname_np(errno));
	close(back);
	return fd;
}

/* Blocks of 512 bytes that the file really takes (stat(2)). */
static uint64_t blocks_of(const char *file)
{
	struct stat st;

	return stat(file, &st) ? 0 : (uint64_t)st.st_blocks;
}

/* What the guest wrote, discarded and zeroed (linux-guest/devices.c) is so in the file under the block device. */
TEST(linux, uses_a_block_device_of_the_host, RULE("VMM-HOST-1"), .tags = "slow",
     VARIANTS("writable: readonly=0 | readonly: readonly=1"))
{
	bool readonly = test_param_u64("readonly", 0);
	char disk[64], loop[32], word[128], text[128], want[128];
	struct machine m = {.machine = "virt-1", .cpus = "2", .devices = {"--drive", word}};
	uint64_t before;
	int fd;

	disk_make(disk, 0);
	before = blocks_of(disk);
	fd = loop_over(disk, readonly, loop);
	snprintf(word, sizeof(word), "file=%s,serial=block%s", loop,
		 readonly ? ",readonly=on" : "");
	boot(&m);
	expect_came_up("2");
	snprintf(want, sizeof(want), "pci sectors=%u ro=%u sum=%08x wrote=%s", DISK_SIZE / 512,
		 readonly, disk_sum(0), readonly ? "no" : "ok");
	EXPECT_STREQ(said("disk-block", text, sizeof(text)), want);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	close(fd);
	/* discarded: no longer stored; the zeroes after it may take room */
	if (readonly)
		EXPECT_EQ(blocks_of(disk), before);
	else
		EXPECT_LE(blocks_of(disk), before - DISK_BLOCK / 512);
	disk_check(disk, 0, !readonly);
	if (test_has_failed())
		note_end();
}

/* Told by name before anything of KVM exists, with what to do: 2 is a usage error. */
TEST(linux, a_readonly_block_device_is_not_written_to, RULE("VMM-HOST-1"))
{
	char disk[64], loop[32], word[128], kernel[32];
	struct refvmm vmm = {};
	const uint32_t code = 0x14000000; /* b . */
	int fd;

	disk_make(disk, 0);
	fd = loop_over(disk, true, loop);
	unlink(disk);
	snprintf(word, sizeof(word), "file=%s", loop);
	REFVMM_ADD(&vmm, "--drive", word, "--kernel",
		   file_name_of(elf_image(&code, sizeof(code)), kernel));
	refvmm_run(&run, &vmm, NULL, 60000);
	EXPECT_EQ(run.status, ASSAY_EXIT_USAGE);
	EXPECT_TRUE(strstr(run.err, loop) && strstr(run.err, "readonly=on"));
	close(fd);
}

/* ---- a tap device */

int tap_make(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP("this host's kernel has no tap devices (/dev/net/tun: %s): modprobe tun",
		     strerrorname_np(errno));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) || ioctl(fd, TUNSETPERSIST, 1))
		test_error("tap device %s: %s", name, strerrorname_np(errno));
	return fd;
}

void interface_up(const char *name, const char *address)
{
	struct ifreq r = {0};
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bad;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	inet_pton(AF_INET, address, &a.sin_addr);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	bad = ioctl(fd, SIOCSIFADDR, &r);
	inet_pton(AF_INET, "255.255.255.0", &a.sin_addr);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	bad |= ioctl(fd, SIOCSIFNETMASK, &r);
	bad |= ioctl(fd, SIOCGIFFLAGS, &r);
	r.ifr_flags |= IFF_UP;
	bad |= ioctl(fd, SIOCSIFFLAGS, &r);
	close(fd);
	if (bad)
		test_error("interface %s: %s", name, strerrorname_np(errno));
}

void serve_echo(const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &a.sin_addr);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		test_error("echo port of %s: %s", address, strerrorname_np(errno));
	if (fork()) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char data[64];
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n == 10 && !memcmp(data, "guest asks", 10))
			(void)!sendto(fd, "guest gets", 10, 0, (struct sockaddr *)&from, len);
	}
}

void own_network(void)
{
	host_modules();
	if (!unshare(CLONE_NEWNET))
		return;
	if (errno == EINVAL)
		SKIP("this host's kernel has no network namespaces: use one with CONFIG_NET_NS");
	SKIP("a network namespace cannot be made (%s): run as root", strerrorname_np(errno));
}

/* ARP and UDP, both ways, between the guest's network stack and the host's. */
TEST(linux, uses_a_tap_device, RULE("VMM-HOST-2"), .tags = "slow",
     VARIANTS("pci: if=virtio | mmio: if=virtio-mmio"))
{
	char word[128], text[128], want[128];
	struct machine m = {.machine = "virt-1", .cpus = "2", .devices = {"--net", word}};

	own_network();
	close(tap_make("assay0"));
	interface_up("assay0", "10.0.2.2");
	serve_echo("10.0.2.2");
	snprintf(word, sizeof(word), "tap,ifname=assay0,if=%s", test_param("if"));
	boot(&m);
	expect_came_up("2");
	snprintf(want, sizeof(want), "%s 52:54:00:12:34:56 up guest gets",
		 strstr(word, "mmio") ? "mmio" : "pci");
	EXPECT_STREQ(said("eth0", text, sizeof(text)), want);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}
