/* SPDX-License-Identifier: Apache-2.0 */
/* The other ends of the guest's network card and console. */
#include "cable.h"
#include "linux.h"
#include "scratch.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct cable_end me = {{0x52, 0x55, 10, 0, 2, 2}, {10, 0, 2, 2}};

static volatile struct peer_said *listen_at(char path[64], int *fd)
{
	volatile struct peer_said *p;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	static unsigned nr;
	char name[16];

	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(name, sizeof(name), "peer-%u", nr++);
	scratch_path(path, 64, name);
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

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* Addresses and ports change places, so the sums stay; "asks" becomes "gets". */
static bool answer_udp(uint8_t *f, size_t len)
{
	if (len < UDP_DATA || get16be(f + ETH_TYPE) != ETH_TYPE_IP || f[IP_HEAD] != 0x45 ||
	    f[IP_PROTO] != IP_PROTO_UDP || get16be(f + UDP_DST) != 7 ||
	    memcmp(f + IP_DST, me.ip, 4) != 0)
		return false;
	memcpy(f + ETH_TO, f + ETH_FROM, 6);
	memcpy(f + ETH_FROM, me.mac, 6);
	swap(f + IP_SRC, f + IP_DST, 4);
	swap(f + UDP_SRC, f + UDP_DST, 2);
	put16be(f + UDP_SUM, 0); /* none (RFC 768) */
	for (size_t i = UDP_DATA; i + 4 <= len; i++) {
		if (!memcmp(f + i, "asks", 4))
			memcpy(f + i, "gets", 4);
	}
	return true;
}

static void serve_net(int fd, volatile struct peer_said *p)
{
	static uint8_t f[CABLE_FRAME_MAX];
	size_t len;

	while ((len = cable_read(fd, f))) {
		bool udp;

		p->frames++;
		if (len <= ETH_END || !cable_for(&me, f))
			continue;
		udp = answer_udp(f, len);
		if (!udp && !cable_answer_arp(&me, f, len))
			continue;
		if (!cable_write(fd, f, len))
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
			(void)!read(conn, &c, 1); /* until the machine ends */
		_exit(0);
	}
	return p;
}
