/* SPDX-License-Identifier: Apache-2.0 */
/* A refvmm that runs in the background, and clients of its control socket. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include "test.h"
#include <sys/types.h>

#define ANSWER_MAX (1 << 16)

/* The words of a command line, and what they point to. */
struct vmm_words {
	char *argv[32];
	char vmm[512], kernel[32], options[256];
};

/* refvmm with these options and a guest of this code, and with a control socket where `control` is a path. */
void vmm_words(struct vmm_words *w, const uint32_t *guest, size_t size, const char *options,
	       const char *control);

struct machine {
	pid_t pid;
	char path[100]; /* of its socket */
	int err;	/* what it says on stderr */
};

/*
 * Starts refvmm with a guest that counts in x5, reads a register of the UART each time round, and keeps GICD_ISPENDR1
 * in x3. OPTIONS are refvmm's. It has created its socket when this returns.
 */
void machine_start(struct machine *m, const char *options);
/* The same with another guest, and with standard output there; -1: to /dev/null. */
void machine_start_guest(struct machine *m, const uint32_t *guest, size_t size, const char *options,
			 int out);
/* Waits for its end. The exit status, or 128 + the signal. */
int machine_end(struct machine *m);

int machine_connect(const struct machine *m);
/* Sends a line, which need not end with a newline, and waits for the answer's line (static, no newline). */
const char *request(int fd, const char *line);
/* The same on a connection of its own. */
const char *ask(const struct machine *m, const char *line);
const char *read_answer(int fd);
/* Writes all, however long it takes. False: the other side is gone. */
bool send_all(int fd, const char *data, size_t len);

/* A number ("0x…" or decimal) of an answer; the test errs if there is none. */
uint64_t answer_u64(const char *answer, const char *name);

/* The guest goes on counting. */
void expect_counting(const struct machine *m);

/* Open descriptors of the VMM, and its resident memory in KiB. */
unsigned int machine_fds(const struct machine *m);
unsigned int machine_rss(const struct machine *m);

#endif
