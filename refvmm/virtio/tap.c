/* SPDX-License-Identifier: Apache-2.0 */
/* Linux, Documentation/networking/tuntap.rst. The one ioctl beside KVM's. */
#include "virtio/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tap_open(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd, err;

	if (name && strlen(name) >= sizeof(r.ifr_name))
		return -ENAMETOOLONG;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (name)
		memcpy(r.ifr_name, name, strlen(name));
	if (!ioctl(fd, TUNSETIFF, &r))
		return fd;
	err = errno;
	close(fd);
	return -err;
}
