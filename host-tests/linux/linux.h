/* SPDX-License-Identifier: Apache-2.0 */
/* Booting a stock Linux under refvmm, and what is at the other end of its devices. */
#ifndef LINUX_LINUX_H
#define LINUX_LINUX_H

#include "proc.h"
#include "test.h"

#include <stdint.h>

extern struct proc run; /* the last boot */

struct machine {
	const char *kernel;  /* a name in linux/guests, or NULL: the host's own */
	const char *machine; /* --machine */
	const char *cpus;
	const char *append;
	const char *devices[24];      /* further options, word by word */
	const struct proc_talk *talk; /* what happens when it says something; NULL: nothing */
};

/* Runs the guest to its end. Skips where the bundle or the host lacks what it needs. */
void boot(const struct machine *m);
/* Value of `linux-guest KEY=VALUE` on the console, "" without. */
const char *said(const char *key, char *buf, size_t size);
/* What a reader wants when the guest did not come up: the end of what it said. */
void note_end(void);
/* What every guest must say, whatever its kernel and devices. */
void expect_came_up(const char *cpus);

/* ---- disks */

#define DISK_SIZE     (4U << 20)
#define DISK_WRITE_AT (1U << 20) /* what the guest does: linux-guest/devices.c */
#define DISK_HOLE_AT  (2U << 20)
#define DISK_ZERO_AT  (DISK_HOLE_AT + DISK_BLOCK)
#define DISK_BLOCK    ((size_t)65536)

/* A file of DISK_SIZE with a pattern made of `salt`; path is filled in. */
void disk_make(char path[64], unsigned salt);
/* The guest's sum over the first DISK_BLOCK bytes of such a disk. */
uint32_t disk_sum(unsigned salt);
/* After the run: what the guest wrote is in the file, and nothing else has changed. */
void disk_check(const char *path, unsigned salt, bool written);

/* host.c: drivers of the host that the bundle brings along; where it has none, the host loads its own. */
void host_modules(void);

/* A network of its own: nothing of the host's is seen or changed (network_namespaces(7)). */
void own_network(void);
int tap_make(const char *name);
/* An address and a mask of 24 bits; up. */
void interface_up(const char *name, const char *address);
/* Datagrams to the echo port of this address come back, as the guest wants them (linux-guest/devices.c). */
void serve_echo(const char *address);

/* ---- peers: each is a process that listens on a socket at `path` */

struct peer_said {
	unsigned frames, echoes; /* net: received, and datagrams sent back */
	char line[64];		 /* console: what the guest said */
};

/* An Ethernet of one: answers ARP for 10.0.2.2, and sends datagrams for its echo port back. */
volatile struct peer_said *peer_net(char path[64]);
/* Says `hello` once the guest has said a line. */
volatile struct peer_said *peer_console(char path[64], const char *hello);

#endif
