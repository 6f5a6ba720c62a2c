/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: the place that first knows the cause logs one line and returns a
 * negative number; everybody above it only unwinds; main turns the number into
 * an exit status. Host failures are -errno. The three classes that are not a
 * host failure stand above Linux's largest errno (4095), so that an EINVAL
 * from an ioctl is never taken for the user's mistake.
 */
#ifndef REFVMM_CORE_ERR_H
#define REFVMM_CORE_ERR_H

enum err_class {
	ERR_USAGE = 5001,   /* bad command line or unreadable input */
	ERR_REFUSED = 5002, /* refvmm never offers this */
	ERR_LACKS = 5003,   /* this host's KVM lacks something the machine needs */
	ERR_LIMIT = 5004,   /* the time limit passed */
	ERR_GUEST = 5005,   /* the guest crashed, or asked for what refvmm does not follow */
};

#define ERR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Each logs one line on stderr; use as `return err_usage("--smp %s: not a number", arg);` */
int err_usage(const char *fmt, ...) ERR_PRINTF(1, 2);
int err_refused(const char *fmt, ...) ERR_PRINTF(1, 2);
int err_guest(const char *fmt, ...) ERR_PRINTF(1, 2);
int err_limit(const char *fmt, ...) ERR_PRINTF(1, 2);
/* The line begins `needs=CAP: `, which the runner turns into a skip (abi/assay/exit.h). */
int err_lacks(const char *cap, const char *fmt, ...) ERR_PRINTF(2, 3);
/* `err` is a positive errno; its name is appended. Returns -err. */
int err_host(int err, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Information that changes no exit status. */
void err_note(const char *fmt, ...) ERR_PRINTF(1, 2);

/* The exit status (abi/assay/exit.h) for a negative result. */
int err_exit_status(int err);

#endif
