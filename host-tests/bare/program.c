/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "file.h"
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 30000

/*
 * Says four words in hexadecimal, then the letters b, h, w, x by stores of 8, 16, 32 and 64 bits, then what is typed until
 * a q, and powers off by PSCI. The UART is used as it is at reset. A tree is looked for where x0 points, if anywhere.
 */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".globl program, program_end\n"
	"program:\n"
	"	mov	x19, x0\n"
	"	adr	x20, program\n"
	"	mov	x28, #0x09000000\n"
	"	mov	x21, #0x40000000\n"
	"	ldr	w22, [x21]\n"
	"	mov	w23, #0\n"
	"	cbz	x19, 1f\n"
	"	ldr	w23, [x19]\n"
	"1:	mov	w0, w19\n"
	"	bl	5f\n"
	"	mov	w0, w20\n"
	"	bl	5f\n"
	"	mov	w0, w22\n"
	"	bl	5f\n"
	"	mov	w0, w23\n"
	"	bl	5f\n"
	"	mov	x1, #'b'\n"
	"	strb	w1, [x28]\n"
	"	mov	x1, #'h'\n"
	"	strh	w1, [x28]\n"
	"	mov	x1, #'w'\n"
	"	str	w1, [x28]\n"
	"	mov	x1, #'x'\n"
	"	str	x1, [x28]\n"
	"2:	ldr	w1, [x28, #0x18]\n"
	"	tbnz	w1, #4, 2b\n" /* FR.RXFE */
	"	ldrb	w1, [x28]\n"
	"	strb	w1, [x28]\n"
	"	cmp	w1, #'q'\n"
	"	b.ne	2b\n"
	"	movz	x0, #0x8400, lsl #16\n"
	"	movk	x0, #8\n" /* SYSTEM_OFF: DEN 0022, 5.1.9 */
	"	hvc	#0\n"
	"3:	b	3b\n"
	"5:	mov	w2, #8\n" /* w0 in hexadecimal, and a blank */
	"6:	ror	w0, w0, #28\n"
	"	and	w1, w0, #15\n"
	"	add	w3, w1, #'0'\n"
	"	add	w4, w1, #'a' - 10\n"
	"	cmp	w1, #10\n"
	"	csel	w3, w3, w4, lo\n"
	"	str	w3, [x28]\n"
	"	subs	w2, w2, #1\n"
	"	b.ne	6b\n"
	"	mov	w3, #' '\n"
	"	str	w3, [x28]\n"
	"	ret\n"
	"program_end:\n"
	".popsection\n");

static struct proc run;

void put(int fd, uint64_t at, const void *data, size_t len)
{
	if (pwrite(fd, data, len, (off_t)at) != (ssize_t)len)
		test_error("pwrite of a test program: %s", strerrorname_np(errno));
}

/* "40200000 …", four times, and the rest. */
static bool words(const char *text, struct said *s)
{
	uint32_t *const word[] = {&s->x0, &s->start, &s->ram, &s->tree};

	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		char *end;

		*word[i] = (uint32_t)strtoul(text, &end, 16);
		if (end != text + 8 || *end != ' ')
			return false;
		text = end + 1;
	}
	snprintf(s->rest, sizeof(s->rest), "%.31s", text);
	return true;
}

bool run_program(int fd, struct said *s)
{
	const struct proc_talk talk[] = {{"bhwx", "hiq", NULL}, {NULL, NULL, NULL}};
	struct refvmm vmm = {};
	char path[32];

	*s = (struct said){0};
	REFVMM_ADD(&vmm, "--kernel", file_name_of(fd, path), "--memory", "256M");
	REFVMM_ADD(&vmm, "--console", "stdio");
	refvmm_run(&run, &vmm, talk, LIMIT_MS);
	s->status = run.status;
	if (EXPECT_TRUE(words(run.out, s)) && EXPECT_STREQ(s->rest, "bhwxhiq") &&
	    EXPECT_EQ(s->status, ASSAY_EXIT_OK))
		return true;
	NOTE("console: %.60s; stderr: %.*s", run.out, (int)strcspn(run.err, "\n"), run.err);
	return false;
}
