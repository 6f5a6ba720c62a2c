/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kvm: opening it and asking what it can do. Only this folder calls ioctl. */
#ifndef REFVMM_KVM_KVM_H
#define REFVMM_KVM_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm {
	int fd;
	size_t run_size; /* of struct kvm_run and what follows it */
};

/* 0 or a negative error, logged. */
int kvm_open(struct kvm *k);
void kvm_close(struct kvm *k);
/* What KVM_CHECK_EXTENSION answers; 0: not offered. */
int kvm_cap(const struct kvm *k, unsigned cap);
/* The largest IPA space a VM may have, in bits. */
unsigned kvm_ipa_limit(const struct kvm *k);

/* -errno instead of errno, repeated while interrupted. Prints nothing. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg);

/* Device attributes: KVM_HAS/SET_DEVICE_ATTR on a device's or a vCPU's fd. */
bool kvm_has_attr(int fd, uint32_t group, uint64_t attr);
int kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *val);
int kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *val);

#endif
