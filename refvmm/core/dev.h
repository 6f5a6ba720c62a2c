/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device interface. Registers are read and written as values; the world
 * reaches a device only through its `env`, so that every device runs natively
 * under sanitizers against tests/fake_env.c.
 *
 * All callbacks run under the machine's one lock: a device needs none. The one
 * exception is env_work.work().
 */
#ifndef REFVMM_CORE_DEV_H
#define REFVMM_CORE_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEV_WINDOWS_MAX 4U

struct dev;
struct env;
struct fdt;
struct gmem;
struct test_port_host;

/* Where a message-signalled interrupt of a device may go. */
enum env_msi {
	ENV_MSI_NONE,
	ENV_MSI_V2M,
	ENV_MSI_ITS,
};

/*
 * A file descriptor that the machine looks after: ready() runs, under the machine's lock, when one
 * of `events` (POLLIN, POLLOUT, or those that nobody can switch off) is there.
 */
struct env_watch {
	int fd;
	uint32_t events;
	void (*ready)(struct env_watch *w, uint32_t events);
	void *arg;
};

/*
 * Something that may take long, as a disk does: work() runs in another thread (`work`: one of its own) and without
 * the machine's lock, so it reaches neither the guest's memory nor what the device may change meanwhile;
 * then done() runs under the lock, once the machine does not stand still.
 */
struct env_work {
	void (*work)(struct env_work *w);
	void (*done)(struct env_work *w);
	void *arg;
	void *host; /* env's */
};

struct env_ops {
	/* Drives SPI `spi` (0-based: INTID 32 + spi). */
	void (*irq)(struct env *e, unsigned spi, bool level);
	/* A write of `data` to `addr` by DMA of the requester `devid`; 0 or -errno. */
	int (*msi)(struct env *e, uint64_t addr, uint32_t data, uint32_t devid);
	/* The same for a device that will send it often and cannot act on an error: 0, -errno if one is known. */
	int (*message)(struct env *e, uint64_t addr, uint32_t data, uint32_t devid);
	/* Nanoseconds since some point in the past; never goes back. */
	uint64_t (*clock_ns)(struct env *e);
	/* Seconds since 1970. */
	uint64_t (*wall_s)(struct env *e);
	/* Calls d->ops->timer once clock_ns() >= deadline_ns; 0 cancels. One timer a device. */
	void (*timer)(struct env *e, struct dev *d, uint64_t deadline_ns);
	/* What a serial line sends. */
	void (*console)(struct env *e, const void *buf, size_t len);
	/*
	 * Lets the guest read [0, size) of the device's window `win` as memory at `host`, without
	 * exits; writes go to the device as before. `host` NULL: reads do, too. 0 or -errno.
	 */
	int (*rom)(struct env *e, const struct dev *d, unsigned win, void *host, uint64_t size);
	/* Looks after w->fd for w->events from now on; 0 of them: no more. 0 or -errno. */
	int (*watch)(struct env *e, struct env_watch *w);
	/* Stores of `len` bytes to `gpa` write to the eventfd `fd` and leave the guest no more, or
	   again; -errno: they go on to reach the bus. */
	int (*doorbell)(struct env *e, uint64_t gpa, unsigned len, int fd, bool on);
	/* Has it done; from done(), too: once more. -errno: nobody can, and the caller has to do it. */
	int (*work)(struct env *e, struct env_work *w);
	/* The same by the vCPU whose store is being handled, before its guest goes on: what the guest may count on then.
	   One for a store. */
	int (*settle)(struct env *e, struct env_work *w);
	/* Counts what a correct guest does not do; never ends the machine. */
	void (*guest_error)(struct env *e, const struct dev *d, const char *what, uint64_t value);
};

struct env {
	const struct env_ops *ops;
	struct gmem *mem; /* core/gpa.h */
	enum env_msi msi;
	const struct test_port_host *port; /* for the test port alone */
};

/*
 * One MMIO window. The bus answers accesses that are shorter than min_len or
 * longer than max_len, misaligned, or cross the end: read 0, write ignored, and
 * counts them; but 8 bytes where max_len is 4 are two accesses of 4. `off` is relative to the window, `len` is 1, 2, 4 or 8, `val`
 * holds no bits above `len`.
 */
struct dev_window {
	const char *name; /* for messages: "ecam" */
	uint8_t min_len, max_len;
	uint64_t (*read)(struct dev *d, uint64_t off, unsigned len);
	void (*write)(struct dev *d, uint64_t off, unsigned len, uint64_t val);
};

/* An option of the command line that a device brings along. */
struct dev_option {
	/* "--root-ports" takes "--root-ports ARG"; "--device pci-test" takes
	   "--device pci-test[,ARG]" (ARG "" without a comma). */
	const char *name;
	/* For --help: "N". One that begins with a bracket may be left out, and is then "". */
	const char *arg;
	const char *help; /* for --help: one line */
	/* 0, or the result of err_usage() or err_refused(). */
	int (*parse)(void *conf, const char *arg);
};

struct dev_ops {
	const char *name;
	const char *compatible;
	size_t size;			  /* of the structure whose first member is struct dev */
	size_t conf_size;		  /* of the device's options, zeroed first; 0: none */
	const struct dev_option *options; /* ends with a NULL name; NULL: none */
	struct dev_window window[DEV_WINDOWS_MAX];

	int (*init)(struct dev *d); /* before KVM is opened; may refuse; no guest memory yet */
	/* Once all else is there, before the first instruction; what the host keeps is opened here. */
	int (*start)(struct dev *d);
	void (*reset)(struct dev *d);			     /* must equal a fresh init */
	void (*fini)(struct dev *d);			     /* NULL: nothing to undo */
	int (*describe)(const struct dev *d, struct fdt *f); /* NULL: not in the device tree */
	void (*timer)(struct dev *d); /* see env_ops.timer; NULL: never asks for one */
	/* A serial line's input; returns how many bytes were taken. NULL: none. */
	size_t (*input)(struct dev *d, const uint8_t *buf, size_t len);
};

/* A window of this machine; from the board's table. size 0: not there (highmem=off). */
struct dev_range {
	uint64_t base, size;
};

struct dev {
	const struct dev_ops *ops;
	struct env *env;
	const void *conf; /* conf_size bytes, or NULL */
	struct dev_range range[DEV_WINDOWS_MAX];
	unsigned spi; /* first of the device's SPIs, 0-based */
	unsigned nr_spi;
};

/* Allocates ops->size zeroed bytes, fills struct dev, calls init and reset. 0 or a negative error. */
struct dev_place {
	struct dev_range range[DEV_WINDOWS_MAX];
	unsigned spi, nr_spi;
	const void *conf;
};
int dev_new(struct dev **out, const struct dev_ops *ops, struct env *env,
	    const struct dev_place *place);
void dev_free(struct dev *d);

/* Drives the device's n-th interrupt line. */
void dev_irq(struct dev *d, unsigned n, bool level);
void dev_guest_error(struct dev *d, const char *what, uint64_t value);

#endif
