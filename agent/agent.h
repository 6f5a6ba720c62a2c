/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent runs the units of a job on the ARM64 host and streams frames
 * (docs/design.md, contract 3). It has to outlive whatever a unit does, on
 * kernels from 4.18 on, so it uses nothing newer (no pidfd, no close_range).
 */
#ifndef ASSAY_AGENT_H
#define ASSAY_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_VERSION 1

/* A line of a unit longer than this is cut, with a mark that says how much is gone. */
#define AGENT_LINE_MAX 4096U

/* After this many bytes of one stream of one unit the rest is counted, not shown. */
#define AGENT_STREAM_MAX (1024UL * 1024)

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
	const char *id;
	char **argv;
	uint32_t limit_ms;
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
	char line[AGENT_LINE_MAX];
};

void stream_open(struct stream *s, const char *kind, const char *id, int fd);
/* Reads what is there, at most one buffer; false at the end of the stream. */
bool stream_read(struct stream *s);
/* Frames a last line without newline, reports what was dropped, closes. */
void stream_close(struct stream *s);

/* ---- unit.c */

/* Once, before the first unit: signals, and orphans of units come to us. */
void unit_prepare(void);
void unit_run(const struct unit *unit, double scale, struct kmsg *log);

#endif
