/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a local stream socket, mode 0600, one JSON object a line each way.
 *
 * It is served by the machine's main thread, one request a turn, so that no client keeps the
 * machine or another client waiting. Clients are not trusted: a line is at most CONTROL_LINE_MAX
 * bytes, an answer REPLY_MAX, and the client that was silent for the longest time makes room for
 * one more than CONTROL_CLIENTS_MAX.
 */
#ifndef REFVMM_CONTROL_CONTROL_H
#define REFVMM_CONTROL_CONTROL_H

#include <poll.h>

#include "control/json.h"
#include "control/reply.h"

#define CONTROL_LINE_MAX    4096U
#define CONTROL_CLIENTS_MAX 16U
#define CONTROL_POLLFDS	    (CONTROL_CLIENTS_MAX + 1)

struct control_command {
	const char *name;
	const char *args; /* the members it takes: "spi level"; "" for none */
	/* Writes into the reply, by reply_error() if it failed. Changes nothing then. */
	void (*run)(void *host, const struct json_object *q, struct reply *r);
};

struct control;

/* Creates the socket. 0 or a negative error, logged. PATH and COMMANDS (a NULL name ends) stay in use. */
int control_open(struct control **out, const char *path, const struct control_command *commands,
		 void *host);
/* Takes the socket away, if it is still ours. NULL is fine. */
void control_close(struct control *c);

/* What to poll for: fills FD (room for CONTROL_POLLFDS), returns how many. */
unsigned control_pollfds(const struct control *c, struct pollfd *fd);
/* What poll() found. True: more is to be done at once, without waiting. */
bool control_serve(struct control *c, const struct pollfd *fd, unsigned nr);

/* One line without its newline, LINE[LEN] being NUL; the reply is complete but for its sending. */
void control_answer(const struct control_command *commands, void *host, char *line, size_t len,
		    struct reply *r);

/* A member that must be a whole number up to MAX; false: the reply says what is wrong. */
bool control_number(const struct json_object *q, const char *name, uint64_t max, uint64_t *out,
		    struct reply *r);

#endif
