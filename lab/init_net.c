/* SPDX-License-Identifier: Apache-2.0 */
/* A lab host with a network: modules in their order, one address, no DHCP. */
#include "init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LIST "/lib/modules.assay"

static void load_modules(void)
{
	static char list[8192];
	char *save = NULL;

	/* no list: everything is built in */
	if (read_file(LIST, list, sizeof(list)) < 0)
		return;
	for (char *path = strtok_r(list, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			say("assay-init: module %s: %s", path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
}

static int set_flags(int s, const char *name, bool address, const char *text)
{
	struct ifreq r = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (address) {
		in->sin_family = AF_INET;
		if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
			return -EINVAL;
		if (ioctl(s, SIOCSIFADDR, &r) < 0)
			return -errno;
		(void)inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
		if (ioctl(s, SIOCSIFNETMASK, &r) < 0)
			return -errno;
	}
	memset(&r.ifr_ifru, 0, sizeof(r.ifr_ifru));
	if (ioctl(s, SIOCGIFFLAGS, &r) < 0)
		return -errno;
	r.ifr_flags |= IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

void network_up(const char *address)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int s;
	int err = -ENODEV;

	load_modules();
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0) {
		say("assay-init: no network: %s", strerror(errno));
		return;
	}
	(void)set_flags(s, "lo", false, NULL);
	/* the card is probed in the background: 5 s */
	for (int i = 0; i < 250 && err == -ENODEV; i++) {
		err = set_flags(s, "eth0", true, address);
		if (err == -ENODEV)
			(void)nanosleep(&pause, NULL);
	}
	if (err)
		say("assay-init: eth0 %s: %s", address, strerror(-err));
	(void)close(s);
}
