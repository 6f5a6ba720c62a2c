/* SPDX-License-Identifier: Apache-2.0 */
/* agent JOBFILE|- [--scale X] [--empty FOLDER]: runs the units of a job, streams frames on stdout. */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <assay/exit.h>

static const char usage[] =
	"usage: agent JOBFILE|- [--scale X] [--empty FOLDER]\n"
	"\n"
	"Runs the units of the job one after another and writes frames to stdout.\n"
	"JOBFILE holds one unit a line: run<tab>ID<tab>LIMIT_MS<tab>ARGV0<tab>ARGV1...\n"
	"or, of several tests, series<tab>ID ID...<tab>LIMIT_MS<tab>ARGV0<tab>ARGV1...: one\n"
	"process runs them all, a KTAP document each; the limit is each one's\n"
	"  --scale X       limits are multiplied by X (0.1 to 1000; default 1)\n"
	"  --empty FOLDER  it was empty: what a test has left there is said on stdout\n";

static int parse_scale(const char *word, double *out)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(word, &end);
	if (*end || end == word || errno || !(v >= 0.1 && v <= 1000))
		return -EINVAL;
	*out = v;
	return 0;
}

static void hello(const struct kmsg *log)
{
	struct utsname u;
	struct timespec up;
	char kmsg[32];

	if (uname(&u) < 0)
		memset(&u, 0, sizeof(u));
	if (log->fd >= 0)
		(void)snprintf(kmsg, sizeof(kmsg), "yes");
	else
		(void)snprintf(kmsg, sizeof(kmsg), "no:%s", strerrorname_np(log->error));
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	frame("hello agent=%d release=%s machine=%s kmsg=%s kvm=%s page=%ld cpus=%ld "
	      "uptime_ms=%lld",
	      AGENT_VERSION, u.release, u.machine, kmsg,
	      access("/dev/kvm", R_OK | W_OK) == 0 ? "yes" : strerrorname_np(errno),
	      sysconf(_SC_PAGESIZE), sysconf(_SC_NPROCESSORS_ONLN),
	      (long long)up.tv_sec * 1000 + up.tv_nsec / 1000000);
}

/* What a test makes it takes away: on a server nobody else would. */
static void say_what_is_left(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)printf("agent: left behind: %s/%s\n", folder, e->d_name);
	}
	if (d)
		(void)closedir(d);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *path = NULL, *empty = NULL;
	double scale = 1;
	char text[32];
	struct kmsg log;
	struct job job;
	size_t tests = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage, stdout);
			return ASSAY_EXIT_OK;
		}
		if (strcmp(argv[i], "--scale") == 0) {
			const char *word = i + 1 < argc ? argv[++i] : "(nothing)";

			if (parse_scale(word, &scale) < 0) {
				(void)fprintf(stderr,
					      "agent: --scale %s: not a number from 0.1 to 1000\n",
					      word);
				return ASSAY_EXIT_USAGE;
			}
		} else if (strcmp(argv[i], "--empty") == 0 && i + 1 < argc) {
			empty = argv[++i];
		} else if (path || (argv[i][0] == '-' && argv[i][1])) {
			(void)fprintf(stderr, "agent: unexpected argument %s; see agent --help\n",
				      argv[i]);
			return ASSAY_EXIT_USAGE;
		} else {
			path = argv[i];
		}
	}
	if (!path) {
		(void)fputs(usage, stderr);
		return ASSAY_EXIT_USAGE;
	}
	if (job_read(&job, path) < 0)
		return ASSAY_EXIT_USAGE;

	/* units scale the limits they keep themselves by the same factor */
	(void)snprintf(text, sizeof(text), "%g", scale);
	(void)setenv("ASSAY_TIME_SCALE", text, 1);
	kmsg_open(&log);
	process_prepare();
	hello(&log);
	for (size_t i = 0; i < job.count; i++) {
		unit_run(&job.units[i], scale, &log);
		tests += job.units[i].nr;
	}
	kmsg_drain(&log, "-");
	if (empty)
		say_what_is_left(empty);
	frame("bye units=%zu", tests);
	kmsg_close(&log);
	job_free(&job);
	return ASSAY_EXIT_OK;
}
