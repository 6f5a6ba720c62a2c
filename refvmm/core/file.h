/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is read whole, once: kernel, initial RAM disk, device tree, firmware. */
#ifndef REFVMM_CORE_FILE_H
#define REFVMM_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct file {
	const uint8_t *data; /* private and read-only */
	size_t len;
};

/* 0 or a negative error, logged with the option that named the file. */
int file_open(struct file *f, const char *option, const char *path);
/* Gives back the memory it takes; the next access reads it again. */
void file_forget(const struct file *f);
void file_close(struct file *f);

/*
 * A file of `len` bytes that nobody named and no disk has, to be written by `*out`; file_scratch_done() makes it one
 * like any other. -errno.
 */
int file_scratch(struct file *f, size_t len, void **out);
int file_scratch_done(struct file *f);

#endif
