/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest's kernel made of the virtio devices, and whether they work: one line each.
 *
 *	linux-guest virtio0=2:pci
 *	linux-guest blocks=none			a kernel without a block layer
 *	linux-guest disk-SERIAL=pci sectors=8192 ro=0 sum=… wrote=ok
 *	linux-guest rng=pci virtio_rng.0 32
 *	linux-guest hvc0=what the other side sent
 *	linux-guest eth0=MAC what the other side answered
 *	linux-guest eth0-lease=ADDRESS		by DHCP, if assay.net=dhcp
 */
#include "guest.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define MODULES	     "/lib/modules.assay"
#define BLOCK	     65536U
#define WRITE_AT     (1 << 20) /* the test knows it, too */
#define NO_DATA_AT   (2 << 20)
#define MARK_AT	     (3 << 20)
#define TRIES	     40
#define TRY_MS	     250
#define PEER_ADDRESS "10.0.2.2"

/* In the order of the list, which is one that works. */
void load_modules(void)
{
	char path[256];
	FILE *list = fopen(MODULES, "re");

	while (list && fgets(path, sizeof(path), list)) {
		int fd;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			say("module-failed", "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (list)
		fclose(list);
}

/* "pci" or "mmio" (also by ACPI): by the real path of something in sysfs. */
static const char *bus_of(const char *path)
{
	char real[4096];

	if (!realpath(path, real))
		return "none";
	return strstr(real, "/pci")					 ? "pci"
	       : strstr(real, "virtio_mmio") || strstr(real, "LNRO0005") ? "mmio"
									 : "other";
}

static void each(const char *folder, const char *prefix, void (*fn)(const char *name))
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			fn(e->d_name);
	}
	if (d)
		closedir(d);
}

static void say_device(const char *name)
{
	char path[300], id[32];

	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/device", name);
	first_line(path, id, sizeof(id));
	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s", name);
	say(name, "%ld:%s", strtol(id, NULL, 16), bus_of(path));
}

/* ---- disks */

static uint32_t sum(const uint8_t *p, size_t n)
{
	uint32_t s = 1;

	for (size_t i = 0; i < n; i++)
		s = s * 31 + p[i];
	return s;
}

/* Write, flush, forget, read again; then discard and write zeroes. */
static const char *write_test(int fd)
{
	static uint8_t out[BLOCK], in[BLOCK];
	uint64_t range[2] = {NO_DATA_AT, BLOCK};

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	if (pwrite(fd, out, sizeof(out), WRITE_AT) != (ssize_t)sizeof(out))
		return "write-failed";
	if (fsync(fd))
		return "flush-failed";
	if (ioctl(fd, BLKFLSBUF, 0))
		return "forget-failed";
	if (pread(fd, in, sizeof(in), WRITE_AT) != (ssize_t)sizeof(in) ||
	    memcmp(in, out, sizeof(in)) != 0)
		return "read-back-failed";
	if (ioctl(fd, BLKDISCARD, range))
		return "discard-failed";
	range[0] += BLOCK;
	if (ioctl(fd, BLKZEROOUT, range) || fsync(fd) || ioctl(fd, BLKFLSBUF, 0))
		return "zero-failed";
	memset(out, 0, sizeof(out));
	if (pread(fd, in, sizeof(in), (off_t)range[0]) != (ssize_t)sizeof(in) ||
	    memcmp(in, out, sizeof(in)) != 0)
		return "zeroes-are-none";
	return "ok";
}

static void say_disk(const char *name)
{
	static uint8_t block[BLOCK];
	char path[300], key[64], serial[32], ro[8], sectors[32];
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
	snprintf(key, sizeof(key), "disk-%s", first_line(path, serial, sizeof(serial)));
	snprintf(path, sizeof(path), "/sys/block/%s/ro", name);
	first_line(path, ro, sizeof(ro));
	snprintf(path, sizeof(path), "/sys/block/%s/size", name);
	first_line(path, sectors, sizeof(sectors));
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, (ro[0] == '1' ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0 || read(fd, block, sizeof(block)) != (ssize_t)sizeof(block)) {
		say(key, "%s: %s", path, strerror(errno));
		return;
	}
	snprintf(path, sizeof(path), "/sys/block/%s", name);
	say(key, "%s sectors=%s ro=%s sum=%08x wrote=%s", bus_of(path), sectors, ro,
	    sum(block, sizeof(block)), ro[0] == '1' ? "no" : write_test(fd));
	close(fd);
}

/* The last MiB is nobody's. A mark is taken back the second time, so that nothing of it stays. */
bool mark_disk(void)
{
	int fd = open("/dev/vda", O_RDWR | O_CLOEXEC);
	uint8_t block[512];
	bool first;

	if (fd < 0 || pread(fd, block, sizeof(block), MARK_AT) != (ssize_t)sizeof(block))
		return false;
	first = (block[255] ^ block[0]) == 0xff; /* as in the pattern that the test made */
	block[0] ^= 0xff;
	if (pwrite(fd, block, sizeof(block), MARK_AT) != (ssize_t)sizeof(block) || fsync(fd))
		first = false;
	close(fd);
	return first;
}

/* ---- the rest */

static void say_rng(void)
{
	char current[64], available[128];
	uint8_t byte[32];
	int fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, byte, sizeof(byte));
	first_line("/sys/class/misc/hw_random/rng_current", current, sizeof(current));
	first_line("/sys/class/misc/hw_random/rng_available", available, sizeof(available));
	say("rng", "%s %zd", current, n);
	say("rngs", "%s", available);
	say("rng-sum", "%08x", n > 0 ? sum(byte, (size_t)n) : 0);
	close(fd);
}

/* One line out, one line in. */
static void say_console(const char *name)
{
	static const char hello[] = "guest says hello\n";
	char path[300], line[128];
	size_t n = 0;
	struct termios t;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return; /* /sys lists hvc0 to hvc7, whether there or not */
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	if (write(fd, hello, sizeof(hello) - 1) != (ssize_t)sizeof(hello) - 1)
		say(name, "write failed: %s", strerror(errno));
	while (n < sizeof(line) - 1) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, TRIES * TRY_MS) <= 0 || read(fd, line + n, 1) != 1)
			break;
		if (line[n++] == '\n')
			break;
	}
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	say(name, "%s", line);
	close(fd);
}

static bool set_up(int fd, const char *name)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &r))
		return false;
	r.ifr_flags |= IFF_UP;
	return !ioctl(fd, SIOCSIFFLAGS, &r);
}

static bool set_address(int fd, const char *name, uint32_t address, uint32_t mask)
{
	struct ifreq r = {0};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = address};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(fd, SIOCSIFADDR, &r))
		return false;
	a.sin_addr.s_addr = mask;
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	return !ioctl(fd, SIOCSIFNETMASK, &r);
}

/* With assay.net=dhcp the address is whatever the network gives. */
static bool configure(int fd, const char *name, const char *mac)
{
	uint32_t address = inet_addr("10.0.2.15"), mask = inet_addr("255.255.255.0");
	char key[64], cmdline[1024], text[INET_ADDRSTRLEN];
	uint8_t byte[6];

	if (!set_up(fd, name))
		return false;
	first_line("/proc/cmdline", cmdline, sizeof(cmdline));
	if (strstr(cmdline, "assay.net=dhcp")) {
		for (int i = 0; i < 6; i++)
			byte[i] = (uint8_t)strtoul(mac + 3 * (size_t)i, NULL, 16);
		if (!dhcp(name, byte, &address, &mask)) {
			errno = ETIMEDOUT;
			return false;
		}
		snprintf(key, sizeof(key), "%s-lease", name);
		say(key, "%s", inet_ntop(AF_INET, &address, text, sizeof(text)));
	}
	return set_address(fd, name, address, mask);
}

/* A datagram to the echo port, until it comes back: neighbours are found on the way. */
static void exchange(int fd, char *answer, size_t size)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(7)};
	ssize_t n = 0;

	inet_pton(AF_INET, PEER_ADDRESS, &peer.sin_addr);
	for (int i = 0; i < TRIES && n <= 0; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		sendto(fd, "guest asks", 10, 0, (struct sockaddr *)&peer, sizeof(peer));
		if (poll(&p, 1, TRY_MS) > 0)
			n = recv(fd, answer, size - 1, 0);
	}
	answer[n > 0 ? n : 0] = '\0';
}

static void say_card(const char *name)
{
	char path[300], mac[32], state[32], answer[128];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	first_line(path, mac, sizeof(mac));
	/* all cards are on networks of the same address */
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
	if (!configure(fd, name, mac)) {
		say(name, "%s not configured: %s", mac, strerror(errno));
		return;
	}
	exchange(fd, answer, sizeof(answer));
	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", name);
	/* the kernel notes it some time after the first frame */
	for (int i = 0; i < TRIES && strcmp(first_line(path, state, sizeof(state)), "up") != 0; i++)
		usleep(TRY_MS * 1000);
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	say(name, "%s %s %s %s", bus_of(path), mac, state, answer);
	close(fd);
}

/* How many of the virtio devices' interrupts are messages. */
static void say_messages(void)
{
	char line[1024];
	unsigned n = 0;
	FILE *f = fopen("/proc/interrupts", "re");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "MSI") && strstr(line, "virtio");
	if (f)
		fclose(f);
	say("virtio-messages", "%u", n);
}

void say_virtio(void)
{
	each("/sys/bus/virtio/devices", "virtio", say_device);
	if (access("/sys/block", F_OK))
		say("blocks", "none"); /* a kernel without CONFIG_BLOCK */
	each("/sys/block", "vd", say_disk);
	say_rng();
	each("/sys/class/tty", "hvc", say_console);
	each("/sys/class/net", "eth", say_card);
	say_messages();
}
