/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, whole, without stdio (which would allocate between two captures). */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <stddef.h>
#include <stdbool.h>
#include <sys/types.h>

/* Reads at most size - 1 bytes, adds a NUL; length or -errno. */
ssize_t file_read(const char *path, char *buf, size_t size);
/* The first line without its newline; false if the file cannot be read. */
bool file_line(const char *path, char *buf, size_t size);
bool file_exists(const char *path);
/* Adds a file's content to an open one; 0 or a negative errno. */
int file_append(int to, const char *from);

/* An empty file in memory, inherited over exec: nothing is left of it, however the test ends. An error of the test without. */
int file_in_memory(void);
/* The name of an open file, in this program and in one that inherits it. */
const char *file_name_of(int fd, char name[32]);

#endif
