/* SPDX-License-Identifier: Apache-2.0 */
/* The other ends of the guest's network card and console. */
#include "linux.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 65535U

static const uint8_t my_mac[6] = {0x52, 0x55, 10, 0, 2, 2};
static const uint8_t my_ip[4] = {10, 0, 2, 2};

/* Offsets of Ethernet II, ARP (RFC 826), IPv4 (RFC 791), UDP (RFC 768). */
enum { ETH_TYPE = 12, ETH_END = 14 };
enum { ARP_OP = 20, ARP_SHA = 22, ARP_SPA = 28, ARP_THA = 32, ARP_TPA = 38, ARP_END = 42 };
enum {
	IP_LEN = 16,
	IP_PROTO = 23,
	IP_SUM = 24,
	IP_SRC = 26,
	IP_DST = 30,
	UDP_SRC = 34,
	UDP_DST = 36,
	UDP_SUM = 40,
	UDP_DATA = 42
};

static volatile struct peer_said *listen_at(char path[64], int *fd)
{
	volatile struct peer_said *p;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	static unsigned nr;

	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(path, 64, "/tmp/peer-%d-%u", getpid(), nr++);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p == MAP_FAILED || *fd < 0 || bind(*fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(*fd, 1))
		test_error("no socket at %s", path);
	return p;
}

/* In a process of its own that ends with the test. */
static bool fork_peer(int fd, int *conn)
{
	pid_t pid = fork();

	if (pid < 0)
		test_error("no process for a peer");
	if (pid) {
		close(fd);
		return false;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	*conn = accept(fd, NULL, NULL);
	return true;
}

static bool read_all(int fd, void *buf, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (uint8_t *)buf + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool to_me(const uint8_t *f)
{
	return !memcmp(f, my_mac, 6) || (f[0] & 1);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

static bool answer_arp(uint8_t *f, uint32_t len)
{
	if (len < ARP_END || get16(f + ARP_OP) != 1 || memcmp(f + ARP_TPA, my_ip, 4) != 0)
		return false;
	f[ARP_OP + 1] = 2;
	memcpy(f + ARP_THA, f + ARP_SHA, 6);
	swap(f + ARP_SPA, f + ARP_TPA, 4);
	memcpy(f + ARP_SHA, my_mac, 6);
	return true;
}

/* Addresses and ports change places, so the sums stay; "asks" becomes "gets". */
static bool answer_udp(uint8_t *f, uint32_t len)
{
	if (len < UDP_DATA || f[ETH_END] != 0x45 || f[IP_PROTO] != 17 || get16(f + UDP_DST) != 7 ||
	    memcmp(f + IP_DST, my_ip, 4) != 0)
		return false;
	swap(f + IP_SRC, f + IP_DST, 4);
	swap(f + UDP_SRC, f + UDP_DST, 2);
	f[UDP_SUM] = f[UDP_SUM + 1] = 0; /* none (RFC 768) */
	for (uint32_t i = UDP_DATA; i + 4 <= len; i++) {
		if (!memcmp(f + i, "asks", 4))
			memcpy(f + i, "gets", 4);
	}
	return true;
}

static void serve_net(int fd, volatile struct peer_said *p)
{
	static uint8_t f[4 + FRAME_MAX];
	uint32_t len;

	while (read_all(fd, f, 4)) {
		bool answer, udp;

		memcpy(&len, f, 4);
		len = ntohl(len);
		if (!len || len > FRAME_MAX || !read_all(fd, f + 4, len))
			return;
		p->frames++;
		udp = len > ETH_END && get16(f + 4 + ETH_TYPE) == 0x0800;
		if (len <= ETH_END || !to_me(f + 4))
			continue;
		answer = udp				     ? answer_udp(f + 4, len)
			 : get16(f + 4 + ETH_TYPE) == 0x0806 ? answer_arp(f + 4, len)
							     : false;
		if (!answer)
			continue;
		memcpy(f + 4, f + 10, 6);
		memcpy(f + 10, my_mac, 6);
		if (write(fd, f, 4 + len) != (ssize_t)len + 4)
			return;
		p->echoes += udp;
	}
}

volatile struct peer_said *peer_net(char path[64])
{
	int fd, conn;
	volatile struct peer_said *p = listen_at(path, &fd);

	if (fork_peer(fd, &conn)) {
		serve_net(conn, p);
		_exit(0);
	}
	return p;
}

volatile struct peer_said *peer_console(char path[64], const char *hello)
{
	int fd, conn;
	volatile struct peer_said *p = listen_at(path, &fd);

	if (fork_peer(fd, &conn)) {
		char c;
		size_t n = 0;

		while (n < sizeof(p->line) - 1 && read(conn, &c, 1) == 1 && c != '\n')
			p->line[n++] = c;
		if (write(conn, hello, strlen(hello)) > 0)
			read_all(conn, &c, 1); /* until the machine ends */
		_exit(0);
	}
	return p;
}
