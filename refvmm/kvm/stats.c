/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's own counters by name: Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/vm.h"

static bool read_at(int fd, void *buf, size_t len, uint64_t at)
{
	return pread(fd, buf, len, (off_t)at) == (ssize_t)len;
}

int stats_open(int fd, int *stats_fd)
{
	int ret = *stats_fd >= 0 ? *stats_fd : kvm_ioctl_num(fd, KVM_GET_STATS_FD, 0);

	if (ret == -ENOTTY)
		return 0;
	if (ret < 0)
		return ret;
	*stats_fd = ret;
	return 0;
}

int stats_add(int stats_fd, const char *name, uint64_t *sum)
{
	struct kvm_stats_header h;
	struct kvm_stats_desc *desc;
	size_t stride;
	int ret = -ENOENT;

	if (stats_fd < 0)
		return -ENOENT;
	if (!read_at(stats_fd, &h, sizeof(h), 0) || h.name_size > 256)
		return -EIO;
	stride = sizeof(*desc) + h.name_size;
	desc = malloc(stride);
	if (!desc)
		return -ENOMEM;
	for (uint32_t i = 0; i < h.num_desc; i++) {
		uint64_t val;

		if (!read_at(stats_fd, desc, stride, h.desc_offset + i * stride)) {
			ret = -EIO;
			break;
		}
		if (strncmp(desc->name, name, h.name_size) != 0)
			continue;
		if (!read_at(stats_fd, &val, sizeof(val), h.data_offset + desc->offset)) {
			ret = -EIO;
			break;
		}
		*sum += val;
		ret = 0;
		break;
	}
	free(desc);
	return ret;
}
