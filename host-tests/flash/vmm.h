/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that write to flash bank 1 of the virt board, and refvmm with one of them. */
#ifndef FLASH_VMM_H
#define FLASH_VMM_H

#include "guest.h"
#include "proc.h"
#include "test.h"
#include <sys/types.h>

#define SECTOR	    0x40000U
#define BLOCK_WORDS 8U
#define LAST_WORD   (SECTOR - 4)
#define HOLE	    0x2000000U /* an offset nobody writes to */
#define KEPT	    0x12345678U

/* Bare-metal programs, entered by guest_program(). */
void guest_off(void); /* powers off */
void guest_rewrite(
	void); /* erases sector 0, programs a number to its first block and its last word, says `r` at times, goes on */
void guest_fill(void);	  /* see there */
void guest_chatter(void); /* says 40 digits and a newline for ever */
void guest_poll(void);	  /* reads the UART's flags 6000 times, then powers off */

/* The path of a kernel that is this program. */
const char *guest_program(void (*entry)(void));

/* refvmm with `options` (words) and this guest, its stdout `out` and its stderr `err`. */
pid_t vmm_start(const char *options, void (*entry)(void), int out, int err);
/* The same to its end. */
void vmm_run(struct proc *p, const char *options, void (*entry)(void));

/* A file system of `kib` KiB at /tmp, which nobody but this process and its children sees. */
void small_tmp(unsigned int kib);
void grow_tmp(unsigned int kib);

#endif
