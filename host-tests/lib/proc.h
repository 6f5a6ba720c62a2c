/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program and looking at all it said. Portable. */
#ifndef HOST_PROC_H
#define HOST_PROC_H

#include <stdbool.h>
#include <stddef.h>

#define PROC_TEXT_MAX (1 << 17)

struct proc {
	int status; /* exit status; -1: it did not end by itself */
	int signal; /* that ended it, 0: none */
	bool limit; /* it was ended because it took longer than allowed */
	size_t out_len, err_len;
	char out[PROC_TEXT_MAX], err[PROC_TEXT_MAX]; /* NUL at the end */
};

/* argv[0] is the program's path; stdin is empty. 0 or -errno when it could not be started. */
int proc_run(struct proc *p, char *const argv[], unsigned int limit_ms);
/* What is typed, or done, once the program has said `wait_for`; ends with NULL. */
struct proc_talk {
	const char *wait_for, *say; /* say NULL: nothing */
	void (*act)(int pid);	    /* NULL: nothing */
};
/* The same with a pipe as stdin, in which these stand one after another. */
int proc_converse(struct proc *p, char *const argv[], const struct proc_talk *talk,
		  unsigned int limit_ms);
/* Cuts a command line at its blanks; returns the number of words, argv ends with NULL. */
size_t proc_words(char *line, char **argv, size_t max);
/* Path of a file of the bundle (the folder above this program's): refvmm, linux/Image. */
const char *bundle_path(const char *name, char *buf, size_t size);

#endif
