/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of KVM's numbers that refvmm meets, linux/kvm.h; kvm/kvm.c checks them against it. */
#ifndef REFVMM_CORE_TRACE_NAMES_H
#define REFVMM_CORE_TRACE_NAMES_H

#define TRACE_IOCTLS(X)                     \
	X(KVM_GET_API_VERSION, 0x00)        \
	X(KVM_CREATE_VM, 0x01)              \
	X(KVM_CHECK_EXTENSION, 0x03)        \
	X(KVM_GET_VCPU_MMAP_SIZE, 0x04)     \
	X(KVM_CREATE_VCPU, 0x41)            \
	X(KVM_GET_DIRTY_LOG, 0x42)          \
	X(KVM_SET_USER_MEMORY_REGION, 0x46) \
	X(KVM_IRQ_LINE, 0x61)               \
	X(KVM_SET_GSI_ROUTING, 0x6a)        \
	X(KVM_IRQFD, 0x76)                  \
	X(KVM_IOEVENTFD, 0x79)              \
	X(KVM_RUN, 0x80)                    \
	X(KVM_SET_VCPU_EVENTS, 0xa0)        \
	X(KVM_SIGNAL_MSI, 0xa5)             \
	X(KVM_ENABLE_CAP, 0xa3)             \
	X(KVM_GET_ONE_REG, 0xab)            \
	X(KVM_SET_ONE_REG, 0xac)            \
	X(KVM_ARM_VCPU_INIT, 0xae)          \
	X(KVM_ARM_PREFERRED_TARGET, 0xaf)   \
	X(KVM_GET_REG_LIST, 0xb0)           \
	X(KVM_ARM_VCPU_FINALIZE, 0xc2)      \
	X(KVM_GET_STATS_FD, 0xce)           \
	X(KVM_CREATE_DEVICE, 0xe0)          \
	X(KVM_SET_DEVICE_ATTR, 0xe1)        \
	X(KVM_GET_DEVICE_ATTR, 0xe2)        \
	X(KVM_HAS_DEVICE_ATTR, 0xe3)

#define TRACE_EXITS(X)                 \
	X(KVM_EXIT_UNKNOWN, 0)         \
	X(KVM_EXIT_EXCEPTION, 1)       \
	X(KVM_EXIT_HYPERCALL, 3)       \
	X(KVM_EXIT_DEBUG, 4)           \
	X(KVM_EXIT_MMIO, 6)            \
	X(KVM_EXIT_SHUTDOWN, 8)        \
	X(KVM_EXIT_FAIL_ENTRY, 9)      \
	X(KVM_EXIT_INTR, 10)           \
	X(KVM_EXIT_INTERNAL_ERROR, 17) \
	X(KVM_EXIT_SYSTEM_EVENT, 24)   \
	X(KVM_EXIT_ARM_NISV, 28)

#endif
