/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the ITS share. */
#ifndef GIC_ITSTEST_H
#define GIC_ITSTEST_H

#include "gictest.h"
#include "its.h"

#define WITH_ITS	.vmm = "--machine gic-version=3,its=on"
#define WITH_ITS_SMP(n) .vmm = "--machine gic-version=3,its=on --smp " #n

/* any requester ids will do that no other test used */
#define DEVICE 0x142U
#define EVENT  3U

#define CMD_DEVICE(cmd, device) ((uint64_t)(cmd) | (uint64_t)(device) << 32)

/* the ITS on, CPU 0 takes LPIs, DEVICE has 32 events; EVENT gives the LPI returned, on CPU 0 */
unsigned its_begin(void);
/* one more event of DEVICE, to a new LPI of that collection */
unsigned its_one_more(uint32_t event, unsigned collection);
/* the device's write by KVM_SIGNAL_MSI: what the ioctl returned; skips without a test port */
int64_t msi_from(uint32_t device, uint32_t event);
/* the event comes as this LPI, once; or not at all: by command and by message */
void event_gives(uint32_t device, uint32_t event, unsigned lpi);
void event_gives_nothing(uint32_t device, uint32_t event);

#endif
