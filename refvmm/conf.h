/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as the command line describes it, and as the host's KVM then completes it. */
#ifndef REFVMM_CONF_H
#define REFVMM_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ram.h"

#define CONF_DEVS_MAX	    24U
#define CONF_CPUS_MAX	    512U
#define CONF_CPUS_MAX_GICV2 8U

enum gic_version {
	GIC_HOST = 0, /* the version the host's own GIC has */
	GIC_MAX = 1,  /* the highest KVM offers */
	GIC_V2 = 2,
	GIC_V3 = 3,
};

enum tristate {
	AUTO = 0, /* on where the host's KVM offers it */
	OFF,
	ON,
};

struct cpu_conf {
	enum tristate sve, pmu, pauth;
	uint32_t sve_lengths;	  /* bit n: exactly (n + 1) * 128 bits; 0: all the host has */
	uint32_t sve_on, sve_off; /* the same bits, of sveNNN=on|off; see sve_set() */
};

struct machine_conf {
	const char *kernel, *initrd, *append, *dtb;
	const char *dump_dtb;
	const char *control;	   /* path of the control socket */
	const char *trace;	   /* file of --trace */
	const char *sandbox_probe; /* a system call to try once confined, for tests */
	enum {
		SANDBOX_AUTO, /* where the host's kernel has seccomp */
		SANDBOX_ON,
		SANDBOX_OFF,
	} sandbox;
	uint64_t inherited; /* descriptors from 3 to 66 that were open at the start */
	bool pipes_only; /* there were none above, and the standard streams are pipes or /dev/null */
	bool console_stdio; /* the serial line reads standard input */
	bool no_reboot;	    /* a reset ends the machine */
	bool verbose;	    /* one line for each guest error */
	unsigned smp;
	struct ram_conf ram;
	struct cpu_conf cpu;
	enum gic_version gic; /* GIC_V2 or GIC_V3 once resolved */
	enum tristate its;    /* ON or OFF once resolved */
	enum tristate acpi;   /* OFF: firmware gets the device tree alone */
	bool highmem;
	unsigned ipa_bits;	  /* 0: the smallest that holds board and RAM */
	uint64_t time_limit_ms;	  /* 0: none */
	uint64_t grace_s;	  /* what a guest gets to power off; 0: none */
	void *dev[CONF_DEVS_MAX]; /* options of the board's devices, by row */
};

#endif
