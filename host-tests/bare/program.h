/* SPDX-License-Identifier: Apache-2.0 */
/* A program for QEMU's virt board as people write them: no set-up, fixed addresses, nothing of this project. */
#ifndef BARE_PROGRAM_H
#define BARE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM	  0x40000000U
/* as a little-endian CPU reads it: Devicetree Specification 0.4, 5.2 */
#define DTB_MAGIC 0xedfe0dd0U

/* What the program said: x0 at its start, where it started, the first word of RAM and the one x0 points to. */
struct said {
	uint32_t x0, start, ram, tree;
	char rest[32];
	int status;
};

extern const char program[], program_end[];

/* Runs refvmm with this file_in_memory() as its kernel and 256 MiB; then "hiq" is typed. False: no answer, which is a failure. */
bool run_program(int fd, struct said *s);
/* Writes a part of such a file. */
void put(int fd, uint64_t at, const void *data, size_t len);

#endif
