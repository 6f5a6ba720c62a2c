/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test port: one MMIO page ("assay,test-port" in the DTB) through which a
 * payload reports lines, asks the VMM to do things to it, and ends the machine.
 * Every register is little-endian and has the width given; other widths and
 * offsets read 0, are ignored on write, and are counted as guest errors.
 *
 * Reporting: the guest stores the GPA of a text (no NUL, at most
 * ASSAY_PORT_LINE_MAX bytes, inside RAM) in LINE_ADDR, then its length in
 * LINE_LEN; the store to LINE_LEN emits the text and '\n' on refvmm's stdout.
 *
 * Actions: the guest stores the GPA of a `struct assay_action` in ACTION; when
 * the store completes, `status` and `ret` are filled in.
 *
 * Where there is no test port (QEMU, other VMMs) the payload writes the same
 * lines to the PL011 and powers off by PSCI; tests that need actions skip.
 */
#ifndef ASSAY_PORT_H
#define ASSAY_PORT_H

#include <stdint.h>

#define ASSAY_PORT_ABI	    1U
#define ASSAY_PORT_MAGIC    0x59535341U /* "ASSY" */
#define ASSAY_PORT_LINE_MAX 1024U

enum assay_port_register {
	ASSAY_PORT_ID = 0x00,	     /* RO 32: ASSAY_PORT_MAGIC */
	ASSAY_PORT_VERSION = 0x04,   /* RO 32: ASSAY_PORT_ABI */
	ASSAY_PORT_LINE_ADDR = 0x08, /* WO 64 */
	ASSAY_PORT_LINE_LEN = 0x10,  /* WO 32 */
	ASSAY_PORT_EXIT = 0x14,	     /* WO 32: enum assay_exit; the machine ends */
	ASSAY_PORT_ACTION = 0x18,    /* WO 64 */
	ASSAY_PORT_PING =
		0x20, /* RW 32: reads back what was written; costs one exit to user space */
};

enum assay_action_op {
	ASSAY_ACT_NOP = 0,
	/* arg0 spi (0-based), arg1 level 0/1: KVM_IRQ_LINE; reaches the guest as INTID 32 + spi */
	ASSAY_ACT_SPI_LEVEL = 1,
	/* arg0 spi: raise and lower */
	ASSAY_ACT_SPI_PULSE = 2,
	/* arg0 doorbell address, arg1 data, arg2 device id: KVM_SIGNAL_MSI; ret0 = what the ioctl returned */
	ASSAY_ACT_MSI = 3,
	/* arg0 GPA of the name, arg1 its length; ret0 = value of the KVM vCPU or VM statistic of that name
	   (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD), summed over vCPUs; status -ENOENT: no such name */
	ASSAY_ACT_STAT = 4,
	/* ret0 = CLOCK_MONOTONIC in ns, ret1 = CLOCK_MONOTONIC_RAW in ns */
	ASSAY_ACT_HOST_CLOCK = 5,
	/* arg0 ms: this vCPU's thread sleeps in user space that long before KVM_RUN goes on */
	ASSAY_ACT_PAUSE = 6,
	/* arg0 host CPU: pin this vCPU's thread to it (sched_setaffinity); ret0 = CPUs online */
	ASSAY_ACT_PIN = 7,
	/* ret0 = host page size, ret1 = backing page size of guest RAM, ret2 = THP size (0: none), ret3 = IPA bits of the VM */
	ASSAY_ACT_MEMORY_FACTS = 8,
	/* ret0 = bytes of guest RAM that transparent huge pages back now (AnonHugePages of /proc/self/smaps) */
	ASSAY_ACT_MEMORY_THP = 9,
};

struct assay_action {
	uint32_t op;	/* enum assay_action_op */
	int32_t status; /* out: 0 or -errno; -ENOSYS for an unknown op */
	uint64_t arg[4];
	uint64_t ret[4]; /* out */
};

_Static_assert(sizeof(struct assay_action) == 72, "assay_action is ABI");

#endif
