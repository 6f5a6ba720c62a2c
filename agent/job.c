/* SPDX-License-Identifier: Apache-2.0 */
/* The job: one unit a line, fields separated by tabs. Wholly checked before anything runs. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOB_MAX	     (16UL * 1024 * 1024)
#define LIMIT_MAX_MS (24UL * 3600 * 1000)
#define ID_MAX	     200U

static int slurp(int fd, char **text, size_t *len)
{
	size_t room = 64UL * 1024;
	size_t used = 0;
	char *buf = malloc(room + 1);

	while (buf) {
		ssize_t n = read(fd, buf + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || used + (size_t)n > JOB_MAX) {
			int err = n < 0 ? -errno : -EFBIG;

			free(buf);
			return err;
		}
		if (n == 0) {
			buf[used] = '\0';
			*text = buf;
			*len = used;
			return 0;
		}
		used += (size_t)n;
		if (used == room) {
			char *bigger = realloc(buf, 2 * room + 1);

			if (!bigger)
				break;
			room *= 2;
			buf = bigger;
		}
	}
	free(buf);
	return -ENOMEM;
}

static const char *parse_limit(const char *word, uint32_t *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(word, &end, 10);
	if (word[0] < '0' || word[0] > '9' || *end || errno || v < 1 || v > LIMIT_MAX_MS)
		return "the limit is not a number of milliseconds from 1 to 86400000";
	*out = (uint32_t)v;
	return NULL;
}

/* The ids of a unit: one, or of a series several with a blank between them. NULL when they are fit. */
static const char *parse_ids(char *text, struct unit *unit, char **ids)
{
	unit->ids = ids;
	for (char *at = text; at; unit->nr++) {
		ids[unit->nr] = at;
		at = unit->series ? strchr(at, ' ') : NULL;
		if (at)
			*at++ = '\0';
	}
	for (size_t i = 0; i < unit->nr; i++) {
		if (!ids[i][0] || strchr(ids[i], ' ') || strlen(ids[i]) > ID_MAX)
			return "the id is empty, longer than 200 bytes or has a blank in it";
	}
	return NULL;
}

/* Cuts the line at its tabs into `words`, and the ids behind them; returns what is wrong, or NULL. */
static const char *parse_line(char *line, struct unit *unit, char **words, size_t *used)
{
	const char *wrong;
	size_t n = 0;

	for (char *at = line; at; n++) {
		words[n] = at;
		at = strchr(at, '\t');
		if (at)
			*at++ = '\0';
	}
	words[n] = NULL;
	unit->series = strcmp(words[0], "series") == 0;
	if (!unit->series && strcmp(words[0], "run") != 0)
		return "the first field is not `run` or `series`";
	if (n < 4)
		return "fewer than four fields (run, id, limit, argv0)";
	wrong = parse_ids(words[1], unit, words + n + 1);
	if (wrong)
		return wrong;
	*used = n + 1 + unit->nr;
	if (!words[3][0])
		return "argv0 is empty";
	if (unit->series && n < 5)
		return "a series has no argument to be completed";
	unit->argv = words + 3;
	return parse_limit(words[2], &unit->limit_ms);
}

static size_t count_of(const char *text, size_t len, const char *set)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += strchr(set, text[i]) != NULL;
	return n;
}

static int parse(struct job *job, size_t len, const char *path)
{
	size_t lines = count_of(job->text, len, "\n") + 1;
	/* every line needs its fields, at most one more than its tabs, a NULL, and its ids, one more than blanks */
	size_t words = count_of(job->text, len, "\t\n ") + 1 + 2 * lines;
	size_t at = 0;
	size_t number = 0;
	char *next = job->text;

	job->units = calloc(lines, sizeof(*job->units));
	job->words = calloc(words, sizeof(*job->words));
	if (!job->units || !job->words)
		return -ENOMEM;
	while (next) {
		char *line = next;
		const char *wrong;
		size_t used;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (!line[0] || line[0] == '#')
			continue;
		wrong = parse_line(line, &job->units[job->count], job->words + at, &used);
		if (wrong) {
			(void)fprintf(stderr, "agent: %s line %zu: %s\n", path, number, wrong);
			return -EINVAL;
		}
		at += used;
		job->count++;
	}
	return 0;
}

int job_read(struct job *job, const char *path)
{
	bool from_stdin = strcmp(path, "-") == 0;
	int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	int err;

	memset(job, 0, sizeof(*job));
	err = fd < 0 ? -errno : slurp(fd, &job->text, &len);
	if (fd >= 0 && !from_stdin)
		(void)close(fd);
	if (err) {
		(void)fprintf(stderr, "agent: cannot read the job %s: %s\n", path, strerror(-err));
		return err;
	}
	if (memchr(job->text, '\0', len)) {
		(void)fprintf(stderr, "agent: the job %s holds a NUL byte: not a text file\n",
			      path);
		err = -EINVAL;
	} else {
		err = parse(job, len, path);
	}
	if (err)
		job_free(job);
	return err;
}

void job_free(struct job *job)
{
	free(job->text);
	free(job->units);
	free(job->words);
	memset(job, 0, sizeof(*job));
}
