/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program again and again and says what each run cost:
 *
 *	meter RUNS PROGRAM [ARGUMENT…]
 *
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

int main(int argc, char **argv)
{
	long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (runs < 1) {
		fprintf(stderr, "usage: meter RUNS PROGRAM [ARGUMENT…]\n");
		return 2;
	}
	give_card(argv + 2);
	for (long i = 0; i < runs; i++) {
		uint64_t begin = now();
		struct rusage use;
		int status;
		/* fork, not vfork: at exec the kernel counts the memory of the process it replaces, and a fresh
		 * copy of this one has next to none resident. */
		pid_t child = fork();

		if (child == 0) {
			dup2(nowhere, STDOUT_FILENO); /* ours is for the figures */
			execv(argv[2], argv + 2);
			_exit(127);
		}
		if (child < 0 || wait4(child, &status, 0, &use) < 0) {
			perror("meter");
			return 1;
		}
		if (status) {
			fprintf(stderr, "meter: %s: run %ld ended with wait status 0x%x\n", argv[2],
				i, (unsigned)status);
			return 1;
		}
		printf("%" PRIu64 " %" PRIu64 " %ld\n", ns(use.ru_utime) + ns(use.ru_stime),
		       now() - begin, use.ru_maxrss);
	}
	return 0;
}
