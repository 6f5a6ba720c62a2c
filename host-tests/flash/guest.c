/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm.h"
#include "elf_image.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RUN_LIMIT_MS 100000 /* a backstop: the test's own limit comes first */

/* The virt board's addresses; PL011 (DDI 0183), 3.2. */
#define UART	   0x09000000ULL
#define UART_FLAGS (UART + 0x18)
#define BANK	   0x04000000ULL
#define SYSTEM_OFF 0x84000008 /* DEN 0022, 5.1.9 */

/* Both chips of the bank; commands: Intel StrataFlash P30 datasheet 306666, chapter 10. */
#define BOTH(command) ((command)*0x10001U)
#define READY	      BOTH(0x80U)

GUEST_INLINE void say(char c)
{
	guest_write32(UART, (uint32_t)c);
}

/* Back to where reads show what is stored. */
GUEST_INLINE void show_array(void)
{
	guest_write32(BANK, BOTH(0x50U)); /* clear status */
	guest_write32(BANK, BOTH(0xffU)); /* read array */
}

GUEST_INLINE uint32_t erase(uint64_t off)
{
	guest_write32(BANK + off, BOTH(0x20U));
	guest_write32(BANK + off, BOTH(0xd0U));
	return guest_read32(BANK + off); /* the status */
}

GUEST_INLINE uint32_t program(uint64_t off, uint32_t word)
{
	guest_write32(BANK + off, BOTH(0x40U));
	guest_write32(BANK + off, word);
	return guest_read32(BANK + off); /* the status */
}

/* One command for a whole block: buffered program. */
GUEST_INLINE uint32_t program_block(uint64_t off, uint32_t word)
{
	guest_write32(BANK + off, BOTH(0xe8U));
	guest_write32(BANK + off, BOTH(BLOCK_WORDS - 1));
	for (uint64_t i = 0; i < BLOCK_WORDS; i++)
		guest_write32(BANK + off + 4 * i, word);
	guest_write32(BANK + off, BOTH(0xd0U));
	return guest_read32(BANK + off); /* the status */
}

GUEST_INLINE void power_off(void)
{
	for (;;)
		guest_hvc(SYSTEM_OFF, 0, 0, 0);
}

GUEST(guest_off)
{
	power_off();
}

GUEST(guest_rewrite)
{
	for (uint32_t n = 1;; n++) {
		uint32_t good = READY;

		good &= erase(0);
		good &= program_block(0, n);
		good &= program(LAST_WORD, n);
		if (n % 8 == 1 || good != READY) { /* mostly it erases */
			say(good == READY ? 'r' : 'E');
			say('\n');
		}
	}
}

/*
 * `e` sector 0 is erased; `P` for each page of the file, from sector 1 on, that a word is programmed in, until `E`: it
 * could not. Then `P` for a word where there is place, `0` for a hole that reads as zeros still, and off.
 */
GUEST(guest_fill)
{
	uint32_t status = READY;

	say(erase(0) == READY ? 'e' : '!');
	show_array();
	for (uint64_t at = SECTOR; status == READY && at < HOLE; at += 4096) {
		status = program(at, 0);
		say(status == READY ? 'P' : status == BOTH(0x90U) ? 'E' : '!');
		show_array();
	}
	say(program(0, KEPT) == READY ? 'P' : '!');
	show_array();
	say(guest_read32(BANK + HOLE) == 0 ? '0' : '!');
	say('\n');
	power_off();
}

GUEST(guest_chatter)
{
	for (uint32_t n = 0;; n++) {
		for (uint32_t i = 0; i < 40; i++)
			say((char)('0' + (n + i) % 10));
		say('\n');
	}
}

GUEST(guest_poll)
{
	for (uint32_t i = 0; i < 6000; i++)
		(void)guest_read32(UART_FLAGS);
	power_off();
}

/* ---- refvmm */

extern const uint32_t __start_assay_guest[], __stop_assay_guest[];

/* All snippets, with a stack and a branch to one of them in front. Encodings: Arm ARM (DDI 0487), C6.2. */
const char *guest_program(void (*entry)(void))
{
	static char path[32];
	size_t size =
		(size_t)((const char *)__stop_assay_guest - (const char *)__start_assay_guest);
	size_t to = 16 + (size_t)((uintptr_t)entry - (uintptr_t)__start_assay_guest);
	uint32_t *code = calloc(1, 16 + size);

	if (!code)
		test_error("no memory");
	code[0] = 0xd2a80800; /* mov x0, #0x40400000 */
	code[1] = 0x9100001f; /* mov sp, x0 */
	code[2] = 0x14000000 | (uint32_t)((to - 8) / 4);
	memcpy(code + 4, __start_assay_guest, size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", elf_image(code, 16 + size));
	free(code);
	return path;
}

/* argv of it, in static memory. */
static char **command(const char *options, void (*entry)(void))
{
	static char vmm[512], words[256], *argv[24];
	size_t n;

	bundle_path("refvmm", vmm, sizeof(vmm));
	if (access(vmm, X_OK))
		SKIP("no refvmm beside this program: build the bundle");
	snprintf(words, sizeof(words), "%s", options);
	argv[0] = vmm;
	n = 1 + proc_words(words, argv + 1, ARRAY_SIZE(argv) - 4);
	argv[n++] = (char *)"--kernel";
	argv[n++] = (char *)guest_program(entry);
	argv[n] = NULL;
	return argv;
}

pid_t vmm_start(const char *options, void (*entry)(void), int out, int err)
{
	char **argv = command(options, entry);
	pid_t pid = fork();

	if (pid < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

void vmm_run(struct proc *p, const char *options, void (*entry)(void))
{
	int ret = proc_run(p, command(options, entry), RUN_LIMIT_MS);

	if (ret < 0)
		test_error("refvmm: %s", strerrorname_np(-ret));
	if (p->status == 4)
		SKIP("%.*s", (int)strcspn(p->err, "\n"), p->err); /* begins with needs=CAP: */
}

void small_tmp(unsigned int kib)
{
	char size[48];

	snprintf(size, sizeof(size), "mode=0700,size=%uk", kib);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("small", "/tmp", "tmpfs", 0, size))
		SKIP("a full disk is made by mounting a small one: run it as root (%s)",
		     strerrorname_np(errno));
}

void grow_tmp(unsigned int kib)
{
	char size[48];

	snprintf(size, sizeof(size), "size=%uk", kib);
	if (mount(NULL, "/tmp", NULL, MS_REMOUNT, size))
		test_error("remount of /tmp: %s", strerrorname_np(errno));
}
