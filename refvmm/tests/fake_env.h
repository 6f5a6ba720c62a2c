/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world as a device under test sees it: lines, messages, clocks and RAM
 * that a test can look at and turn by hand.
 *
 *	struct fake_env *fe = fake_env_new();
 *	struct dev *d = fake_dev(fe, &pl011_ops, 0x09000000, 0x1000, 1, 1, NULL);
 *
 *	fake_write(fe, 0x09000000, 4, 'x');
 *	EXPECT_EQ(fe->console[0], 'x');
 *	fake_env_free(fe);
 */
#ifndef REFVMM_TESTS_FAKE_ENV_H
#define REFVMM_TESTS_FAKE_ENV_H

#include "core/bus.h"
#include "core/gpa.h"

#define FAKE_SPIS     256U
#define FAKE_RAM_BASE 0x40000000ULL
#define FAKE_RAM_SIZE 0x100000ULL
#define FAKE_MSIS     64U
#define FAKE_DEVS     8U
#define FAKE_ROMS     4U
#define FAKE_WATCHES  16U

struct fake_msi {
	uint64_t addr;
	uint32_t data, devid;
};

struct fake_bell {
	uint64_t gpa;
	unsigned len;
	int fd;
};

struct fake_env {
	struct env env; /* first */
	struct bus bus;
	struct gmem mem;
	uint8_t *ram;
	bool level[FAKE_SPIS];
	unsigned rises[FAKE_SPIS];
	struct fake_msi msi[FAKE_MSIS];
	unsigned nr_msi;
	int msi_result;
	uint64_t now_ns, now_s;
	uint64_t deadline_ns; /* of the last timer asked for; 0: none */
	struct dev *timer_dev;
	char console[4096];
	size_t console_len;
	const uint8_t *rom[FAKE_ROMS]; /* what the guest reads without exits, by window */
	unsigned rom_changes;
	struct env_watch *watch[FAKE_WATCHES];
	unsigned nr_watch;
	struct fake_bell bell[FAKE_WATCHES];
	unsigned nr_bell;
	bool works;		 /* there is somebody for env_ops.work and settle: fake_work() */
	struct env_work *wanted; /* what for; NULL: nothing */
	unsigned guest_errors;
	const char *last_error;
	uint64_t last_error_value;
	void *user; /* the test's own */
	struct dev *dev[FAKE_DEVS];
	unsigned nr_dev;
};

struct fake_env *fake_env_new(void);
void fake_env_free(struct fake_env *fe); /* and its devices */

/* A device with one window at [base, base + size); NULL if its init refuses. */
struct dev *fake_dev(struct fake_env *fe, const struct dev_ops *ops, uint64_t base, uint64_t size,
		     unsigned spi, unsigned nr_spi, const void *conf);
/* The same with several windows. *err (may be NULL) takes the result. */
struct dev *fake_dev_at(struct fake_env *fe, const struct dev_ops *ops,
			const struct dev_place *place, int *err);

/* Through the bus, as a guest would. */
uint64_t fake_read(struct fake_env *fe, uint64_t gpa, unsigned len);
/* An address by a choice of a fuzzer's input: itself, near the end or the start of RAM, or anywhere inside. */
uint64_t fake_steer(unsigned how, uint64_t addr);
void fake_write(struct fake_env *fe, uint64_t gpa, unsigned len, uint64_t val);

/* Calls, once each, the watches whose descriptors have something. */
void fake_serve(struct fake_env *fe);

/* Does the work that was handed over, and is done with it; false: there was none. Or in two steps. */
bool fake_work(struct fake_env *fe);
struct env_work *fake_work_begin(struct fake_env *fe);

/* Turns the clock forward and fires the timer that is due. */
void fake_advance(struct fake_env *fe, uint64_t ns);

#endif
