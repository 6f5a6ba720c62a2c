/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU that notes what it found when CPU_ON let it loose (entry.S), and goes off again. */
#ifndef PSCI_RECORD_H
#define PSCI_RECORD_H

#include "psci.h"
#include "record_layout.h"
#include "types.h"

#define AFFINITY_ON	    0
#define AFFINITY_OFF	    1
#define AFFINITY_ON_PENDING 2

#define PSCI_CPU_SUSPEND32   0x84000001U
#define PSCI_CPU_ON32	     0x84000003U
#define PSCI_AFFINITY_INFO32 0x84000004U

struct entry_record {
	uint64_t x[31];
	uint64_t currentel, daif, spsel, sctlr, cpacr, cntkctl, cntv_ctl, cntp_ctl, mdscr,
		contextidr, vbar, mpidr, fpcr, fpsr;
	uint64_t unused[3];
	_Alignas(16) uint8_t q[32][16];
	uint64_t done, go, mode, smc, off;
	uint64_t pad[3];
};

_Static_assert(offsetof(struct entry_record, currentel) == RECORD_CURRENTEL, "entry.S");
_Static_assert(offsetof(struct entry_record, q) == RECORD_Q, "entry.S");
_Static_assert(offsetof(struct entry_record, done) == RECORD_DONE, "entry.S");
_Static_assert(offsetof(struct entry_record, off) == RECORD_OFF, "entry.S");
_Static_assert(sizeof(struct entry_record) == RECORD_SIZE, "entry.S");

/* Entry point for CPU_ON. One CPU at a time: there is one record. */
void record_entry(void);

/* Everything zero but the mode; seen by a CPU without caches. */
void record_prepare(uint64_t mode);
/* What the CPU noted, when it has done so by now. */
const struct entry_record *record_look(void);
/* A CPU that stays goes off. */
void record_release(void);

/* Skip unless there are so many CPUs and PSCI. */
void psci_need(unsigned int cpus);
/* CPU n reports OFF within the limit of EXPECT_EVENTUALLY; fails the test otherwise. */
bool psci_goes_off(unsigned int n);
/* CPU_ON of CPU n with `mode`, until its record is there and it is off (or stays). NULL: failed. */
const struct entry_record *psci_record(unsigned int n, uint64_t mode, uint64_t context);

#endif
