/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the devices, opened before the machine exists: errors are the user's, by name. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/err.h"
#include "virtio/conf.h"
#include "virtio/tap.h"

#define SECTOR	 512U
#define PATH_LEN 4096U
#define NAME_LEN 160U

#define WRITE_PROTECTED "it cannot be written to; use readonly=on"

static int no(const struct virtio_conf_dev *d, const char *why)
{
	char name[NAME_LEN];

	return err_usage("%s: %s", virtio_conf_name(d, name, sizeof(name)), why);
}

static int path_of(const struct virtio_conf_dev *d, char *path, size_t size)
{
	if ((size_t)snprintf(path, size, "%.*s", d->path_len, d->path) >= size)
		return no(d, "the name is too long");
	return 0;
}

/* Another machine on the same disk would destroy its file system: writers are alone (fcntl(2), OFD). */
static int lock(const struct virtio_conf_dev *d)
{
	struct flock l = {.l_type = d->readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (!fcntl(d->fd, F_OFD_SETLK, &l) || errno != EAGAIN)
		return 0; /* a file system or kernel without locks (EACCES) has none to respect */
	return no(d, d->readonly ? "somebody else has it open for writing"
				 : "somebody else has it open; readonly=on shares it");
}

/* A block device that is read-only opens for writing all the same, and fails later (ABI/stable/sysfs-block: ro). */
static bool block_readonly(const struct stat *st)
{
	char path[64], ro = '0';
	int fd;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/ro", major(st->st_rdev),
		 minor(st->st_rdev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* no sysfs: the guest will see errors */
	if (read(fd, &ro, 1) != 1)
		ro = '0';
	close(fd);
	return ro == '1';
}

static int open_drive(struct virtio_conf_dev *d)
{
	char path[PATH_LEN];
	struct stat st;
	off_t size;
	int ret = path_of(d, path, sizeof(path));

	if (ret)
		return ret;
	d->fd = open(path, (d->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC |
				   O_NONBLOCK); /* a FIFO is not waited for */
	if (d->fd < 0)
		return no(d, (errno == EACCES || errno == EROFS) && !d->readonly ? WRITE_PROTECTED
										 : strerror(errno));
	if (fstat(d->fd, &st))
		return no(d, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return no(d, "neither a file nor a block device");
	if (!d->readonly && S_ISBLK(st.st_mode) && block_readonly(&st))
		return no(d, WRITE_PROTECTED);
	size = lseek(d->fd, 0, SEEK_END); /* of a block device, too */
	if (size <= 0 || size % SECTOR)
		return no(d, "its size is no multiple of 512 bytes, or 0");
	d->size = (uint64_t)size;
	return lock(d);
}

static int connect_to(struct virtio_conf_dev *d)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int ret = path_of(d, a.sun_path, sizeof(a.sun_path));

	if (ret)
		return ret;
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd < 0)
		return err_host(errno, "socket");
	if (connect(d->fd, (const struct sockaddr *)&a, sizeof(a)))
		return no(d, errno == ENOENT || errno == ECONNREFUSED
				     ? "nobody listens there; start passt, or whatever it is, first"
				     : strerror(errno));
	return 0;
}

static int nonblocking(const struct virtio_conf_dev *d)
{
	int flags = fcntl(d->fd, F_GETFL);

	if (flags < 0 || fcntl(d->fd, F_SETFL, flags | O_NONBLOCK))
		return no(d, strerror(errno));
	return 0;
}

/* A number that is not what it is said to be may be a disk of this very machine. */
static int take_descriptor(struct virtio_conf_dev *d)
{
	struct stat st;
	bool right;

	if (fstat(d->fd, &st))
		return no(d, "no such descriptor is open; open it in the program that starts "
			     "refvmm");
	right = d->peer == PEER_TAP ? S_ISCHR(st.st_mode) : S_ISSOCK(st.st_mode);
	if (!right)
		return no(d, d->peer == PEER_TAP ? "this descriptor is no tap device"
						 : "this descriptor is no socket");
	return nonblocking(d);
}

static int open_net(struct virtio_conf_dev *d)
{
	char name[PATH_LEN];
	int ret;

	if (d->by_number)
		return take_descriptor(d);
	if (d->peer == PEER_STREAM) {
		ret = connect_to(d);
		return ret ? ret : nonblocking(d);
	}
	ret = d->path ? path_of(d, name, sizeof(name)) : 0;
	if (ret)
		return ret;
	d->fd = tap_open(d->path ? name : NULL);
	if (d->fd >= 0)
		return 0;
	ret = -d->fd;
	d->fd = -1;
	if (ret == EPERM)
		return no(d, "the tap device cannot be opened without CAP_NET_ADMIN: ip tuntap add "
			     "dev NAME mode tap user USER");
	if (ret == ENAMETOOLONG)
		return no(d, "a device's name has at most 15 characters");
	if (ret == ENOENT)
		return no(d, "this host has no /dev/net/tun; load it: modprobe tun");
	if (ret == EINVAL)
		return no(d, "no tap device: ip tuntap add dev NAME mode tap user USER");
	return no(d, strerror(ret));
}

static int open_console(struct virtio_conf_dev *d)
{
	char path[PATH_LEN];
	int ret;

	switch (d->peer) {
	case PEER_STREAM:
		ret = connect_to(d);
		return ret ? ret : nonblocking(d);
	case PEER_FILE:
		ret = path_of(d, path, sizeof(path));
		if (ret)
			return ret;
		d->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
		return d->fd < 0 ? no(d, strerror(errno)) : 0;
	case PEER_STDIO:
		d->fd = STDIN_FILENO;
		return 0;
	default:
		return 0; /* what is written goes nowhere */
	}
}

int virtio_conf_open(struct virtio_conf *c)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < c->nr; i++) {
		struct virtio_conf_dev *d = &c->dev[i];

		if (d->kind == VIRTIO_BLK)
			ret = open_drive(d);
		else if (d->kind == VIRTIO_NET)
			ret = open_net(d);
		else if (d->kind == VIRTIO_CONSOLE)
			ret = open_console(d);
	}
	return ret;
}

void virtio_conf_close(struct virtio_conf *c)
{
	for (unsigned i = 0; i < c->nr; i++) {
		struct virtio_conf_dev *d = &c->dev[i];

		if (d->fd > STDERR_FILENO)
			close(d->fd);
		d->fd = -1;
	}
}
