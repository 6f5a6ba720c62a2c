/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent runs the units of a job on the ARM64 host and streams frames
 * (docs/design.md, contract 3). It has to outlive whatever a unit does, on
 * kernels from 4.18 on, so it uses nothing newer (no pidfd, no close_range).
 */
#ifndef ASSAY_AGENT_H
#define ASSAY_AGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_VERSION 1

/* A line of a unit longer than this is cut, with a mark that says how much is gone. */
#define AGENT_LINE_MAX 4096U

/* After this many bytes of one stream of one test the rest is counted, not shown. */
#define AGENT_STREAM_MAX (1024UL * 1024)

/* A killed process that is not gone by then hangs in the kernel. */
#define AGENT_STUCK_MS 5000

/* ---- frame.c: one frame, one line, one write */

uint32_t crc32_of(const char *data, size_t len);
/* Ends the process with ASSAY_EXIT_HOST when nobody reads stdout any more. */
void frame(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* `kind id text`; bytes that are no printable UTF-8 are written as \xNN. */
void frame_text(const char *kind, const char *id, const char *text, size_t len, size_t cut);
/* What to do before the process ends because stdout is gone: kill the unit. */
extern void (*frame_on_gone)(void);

/* ---- job.c: the job file */

struct unit {
	char **ids; /* of its tests, in order */
	size_t nr;
	bool series;	   /* the last argument is completed with ` test=ID` for each test to run */
	char **argv;	   /* ends with NULL */
	uint32_t limit_ms; /* of each test */
};

struct job {
	char *text;
	struct unit *units;
	size_t count;
	char **words;
};

/* Reads the file (or stdin for "-"); on error says why on stderr, returns -errno. */
int job_read(struct job *job, const char *path);
void job_free(struct job *job);

/* ---- kmsg.c: the kernel's log, from now on */

struct kmsg {
	int fd; /* -1: not readable here */
	int error;
	size_t shown;
	size_t dropped;
};

void kmsg_open(struct kmsg *log);
void kmsg_close(struct kmsg *log);
/* Frames every record that has arrived, charged to `id`. */
void kmsg_drain(struct kmsg *log, const char *id);
/* Starts the count of shown bytes anew, and says what was dropped before. */
void kmsg_flush(struct kmsg *log, const char *id);

/* ---- stream.c: a pipe cut into lines */

struct stream {
	const char *kind; /* "out" or "err" */
	const char *id;
	int fd; /* -1: at its end */
	size_t len;
	size_t cut;   /* bytes of the current line that did not fit */
	size_t shown; /* bytes framed so far */
	size_t dropped_lines;
	size_t dropped_bytes;
	/* Called before a whole line is framed; NULL: nobody wants to know. It may charge the stream to another id. */
	void (*on_line)(void *ctx, const char *line, size_t len);
	void *ctx;
	char line[AGENT_LINE_MAX];
};

void stream_open(struct stream *s, const char *kind, const char *id, int fd);
/* Reads what is there, at most one buffer; false at the end of the stream. */
bool stream_read(struct stream *s);
/* Frames a last line without newline, closes. */
void stream_close(struct stream *s);
/* From now on lines are this test's. */
void stream_charge(struct stream *s, const char *id);
/* Reports what was dropped of the test's lines; the count begins anew. */
void stream_settle(struct stream *s);

/* ---- process.c: a unit's process */

/* Once, before the first unit: signals, and orphans of units come to us. */
void process_prepare(void);
/* The signals to block while waiting: SIGCHLD gets through. */
const sigset_t *process_mask(void);
/* Starts it in a group of its own; gives its pid and our ends of its pipes, or -1. */
pid_t process_start(char *const argv[], int *out, int *err);
/* Kills what runs, at once. */
void process_kill(void);
/* Leaves no child of ours alive; false when one does not go. */
bool process_clear(pid_t group);
/* CLOCK_MONOTONIC. */
int64_t now_ms(void);

/* ---- unit.c */

void unit_run(const struct unit *unit, double scale, struct kmsg *log);

#endif
