/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program again and again and says what each run cost:
 *
 *	meter RUNS[xAT_ONCE][:SECONDS] PROGRAM [ARGUMENT…]
 *
 * AT_ONCE of them are started together, and their costs added up. No run begins when SECONDS have passed since the first
 * did: what takes long is then measured less often, but once.
 * One line a run: CPU time in ns, wall time in ns, peak resident memory in KiB (wait4(2)). CPU time is of all
 * threads, user and system, and includes what the kernel does in their name when the VM is closed. Ends with
 * status 1 at the first run that does not end with status 0. A program whose arguments name the descriptor 9 ("fd=9")
 * finds a stream socket there, for a network card; nobody speaks at its other end.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

#define CARD 9

/* The socket's end that stays here keeps the link up. */
static void give_card(char **argv)
{
	int pair[2];

	for (char **word = argv; *word; word++) {
		if (!strstr(*word, "fd=9"))
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
		    dup2(pair[0], CARD) < 0)
			perror("meter: socketpair");
		return;
	}
}

struct cost {
	uint64_t cpu;
	long rss;
};

/*
 * Starts the program; 0: failed. fork, not vfork: at exec the kernel counts the memory of the process it replaces,
 * and a fresh copy of this one has next to none resident.
 */
static pid_t start(char **argv, int nowhere)
{
	pid_t child = fork();

	if (child == 0) {
		dup2(nowhere, STDOUT_FILENO); /* ours is for the figures */
		execv(argv[0], argv);
		_exit(127);
	}
	return child < 0 ? 0 : child;
}

/* All of them at once; 0 when each ended with status 0. */
static int run(char **argv, unsigned long at_once, int nowhere, struct cost *c)
{
	int bad = 0;

	*c = (struct cost){0};
	for (unsigned long i = 0; i < at_once; i++) {
		if (!start(argv, nowhere)) {
			perror("meter");
			return 1;
		}
	}
	for (unsigned long i = 0; i < at_once; i++) {
		struct rusage use;
		int status;

		if (wait4(-1, &status, 0, &use) < 0) {
			perror("meter");
			return 1;
		}
		if (status && !bad++)
			fprintf(stderr, "meter: %s: ended with wait status 0x%x\n", argv[0],
				(unsigned)status);
		c->cpu += ns(use.ru_utime) + ns(use.ru_stime);
		c->rss += use.ru_maxrss;
	}
	return bad;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	unsigned long runs = argc > 2 ? strtoul(argv[1], &end, 10) : 0, at_once = 1;
	uint64_t box = UINT64_MAX, first = now();
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (end && *end == 'x')
		at_once = strtoul(end + 1, &end, 10);
	if (end && *end == ':')
		box = strtoul(end + 1, &end, 10) * 1000000000;
	if (!end || !runs || !at_once || *end) {
		fprintf(stderr, "usage: meter RUNS[xAT_ONCE][:SECONDS] PROGRAM [ARGUMENT…]\n");
		return 2;
	}
	give_card(argv + 2);
	for (unsigned long i = 0; i < runs && (!i || now() - first < box); i++) {
		uint64_t begin = now();
		struct cost c;

		if (run(argv + 2, at_once, nowhere, &c))
			return 1;
		printf("%" PRIu64 " %" PRIu64 " %ld\n", c.cpu, now() - begin, c.rss);
		fflush(stdout);
	}
	return 0;
}
