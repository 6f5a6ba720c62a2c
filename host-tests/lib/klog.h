/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host kernel's log, record by record (Documentation/ABI/testing/dev-kmsg):
 * `PRIORITY,SEQUENCE,TIME,FLAGS;TEXT`. Portable.
 */
#ifndef HOST_KLOG_H
#define HOST_KLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KLOG_TEXT_MAX 400
#define KLOG_WARNING  4 /* syslog severity: warning or worse is at most this */

struct klog_record {
	unsigned int level;
	uint64_t seq;
	char text[KLOG_TEXT_MAX];
};

/* One raw record; false if it is not of the form above. */
bool klog_parse(const char *raw, struct klog_record *r);
/* A record that says nothing about KVM although it is a warning: late timers of a loaded or emulated host. */
bool klog_is_noise(const struct klog_record *r);

int klog_open(bool from_start); /* fd or -errno */
/* Next record, if there is one: 1, 0: none, -EPIPE: records were overwritten before they were read (it goes on). */
int klog_next(int fd, struct klog_record *r);

#endif
