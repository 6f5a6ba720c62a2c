/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/err.h"
#include "core/trace.h"
#include "core/trace_names.h"

#define CHECK(name, number) _Static_assert(_IOC_NR(name) == (number), #name);
TRACE_IOCTLS(CHECK)
#undef CHECK
#define CHECK(name, number) _Static_assert((name) == (number), #name);
TRACE_EXITS(CHECK)
#undef CHECK

/* The number that is the argument, or the first two words of what it points to. */
static void record(int fd, unsigned long request, const void *arg, int ret)
{
	uint64_t word[2] = {(uint64_t)(uintptr_t)arg, 0};
	size_t size = _IOC_SIZE(request);

	if (size) {
		word[0] = 0;
		memcpy(word, arg, size < sizeof(word) ? size : sizeof(word));
		if ((request == KVM_GET_ONE_REG || request == KVM_SET_ONE_REG) &&
		    (word[0] & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U64)
			memcpy(&word[1], (const void *)(uintptr_t)word[1], sizeof(word[1]));
	}
	trace_add(TRACE_IOCTL, _IOC_NR(request), (unsigned)fd, ret, word[0], word[1]);
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	ret = ret < 0 ? -errno : ret;
	record(fd, request, arg, ret);
	return ret;
}

int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	return kvm_ioctl(fd, request, (void *)arg);
}

int kvm_open(struct kvm *k)
{
	int ret;

	*k = (struct kvm){.fd = open("/dev/kvm", O_RDWR | O_CLOEXEC)};
	if (k->fd < 0) {
		int err = errno;

		if (err == ENOENT || err == ENXIO || err == ENODEV)
			return err_lacks("kvm",
					 "/dev/kvm: this host offers no KVM; boot its kernel "
					 "at EL2 with CONFIG_KVM");
		return err_host(err, "/dev/kvm: open");
	}
	ret = kvm_ioctl_num(k->fd, KVM_GET_API_VERSION, 0);
	if (ret != KVM_API_VERSION) {
		kvm_close(k);
		return err_host(EPROTO, "/dev/kvm: API version %d, want %d", ret, KVM_API_VERSION);
	}
	ret = kvm_ioctl_num(k->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < (int)sizeof(struct kvm_run)) {
		kvm_close(k);
		return err_host(EPROTO, "KVM_GET_VCPU_MMAP_SIZE: %d", ret);
	}
	k->run_size = (size_t)ret;
	return 0;
}

void kvm_close(struct kvm *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

int kvm_cap(const struct kvm *k, unsigned cap)
{
	int ret = kvm_ioctl_num(k->fd, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

unsigned kvm_ipa_limit(const struct kvm *k)
{
	int bits = kvm_cap(k, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits ? (unsigned)bits : 40; /* before Linux 4.20 every VM had 40 bits */
}

bool kvm_has_attr(int fd, uint32_t group, uint64_t attr)
{
	struct kvm_device_attr a = {.group = group, .attr = attr};

	return !kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &a);
}

int kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *val)
{
	struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)val};

	return kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

int kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = {.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)val};

	return kvm_ioctl(fd, KVM_GET_DEVICE_ATTR, &a);
}
