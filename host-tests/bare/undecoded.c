/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop over a device's registers as compilers write it: loads with write-back, or of two registers. KVM cannot decode
 * them; QEMU gives the guest an external abort (10.0, target/arm/kvm.c, kvm_arm_handle_dabt_nisv), and it goes on.
 */
#include "file.h"
#include "program.h"
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <string.h>
#include <unistd.h>

/* Each access says a letter before, an a for its abort if that is one, and what it left; then the power goes off. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"undecoded:\n"
	"	mov	x28, #0x09000000\n"
	"	adr	x0, 8f\n"
	"	msr	vbar_el1, x0\n"
	"	isb\n"
	"	add	x20, x28, #0xfe0\n" /* PeriphID0: 0x11 */
	"	mov	w0, #'p'\n"
	"	str	w0, [x28]\n"
	"	ldp	w1, w2, [x20]\n"
	"	mov	w0, #'w'\n"
	"	str	w0, [x28]\n"
	"	ldr	w1, [x20], #4\n"
	"	mov	w0, #'s'\n"
	"	str	w0, [x28]\n"
	"	mov	x1, #0x300000\n"
	"	msr	cpacr_el1, x1\n"
	"	isb\n"
	"	str	s0, [x28]\n"
	"	mov	w0, #'l'\n"
	"	str	w0, [x28]\n"
	"	mov	w1, #0\n"
	"	ldr	w1, [x20]\n"
	"	cmp	w1, #0x11\n" /* no write-back happened */
	"	b.ne	1f\n"
	"	mov	w0, #'!'\n"
	"	str	w0, [x28]\n"
	"1:	movz	x0, #0x8400, lsl #16\n"
	"	movk	x0, #8\n" /* SYSTEM_OFF: DEN 0022, 5.1.9 */
	"	hvc	#0\n"
	"	b	.\n"
	"	.balign 2048\n"
	"8:	b	.\n"
	"	.org	8b + 0x200\n" /* DDI 0487, D1.3.1: synchronous, from the current EL with SP_ELx */
	"	mrs	x5, esr_el1\n"
	"	ubfx	x6, x5, #26, #6\n" /* Linux 6.1 sets the upper half of an injected one */
	"	cmp	x6, #0x25\n"	   /* a data abort of this EL */
	"	b.ne	2f\n"
	"	and	x5, x5, #0x3f\n"
	"	cmp	x5, #0x10\n" /* synchronous external */
	"	b.ne	2f\n"
	"	mrs	x5, far_el1\n"
	"	lsr	x5, x5, #12\n"
	"	cmp	x5, #0x9000\n"
	"	b.ne	2f\n"
	"	mov	w5, #'a'\n"
	"	str	w5, [x28]\n"
	"	mrs	x5, elr_el1\n"
	"	add	x5, x5, #4\n"
	"	msr	elr_el1, x5\n"
	"	eret\n"
	"2:	mov	w5, #'?'\n"
	"	str	w5, [x28]\n"
	"	b	1b\n"
	"undecoded_end:\n"
	".popsection\n");

extern const char undecoded[], undecoded_end[];

static struct proc run;

static unsigned int lines_about_it(const char *text)
{
	unsigned int n = 0;

	while ((text = strstr(text, "cannot decode"))) {
		text++;
		n++;
	}
	return n;
}

TEST(bare, access_that_kvm_cannot_decode_is_an_external_abort, RULE("BARE-NISV-1"),
     VARIANTS("once: lines=1 | verbose: lines=3"))
{
	const struct proc_talk nothing = {NULL, NULL, NULL};
	unsigned int lines = (unsigned int)test_param_u64("lines", 0);
	struct refvmm vmm = {};
	int fd = file_in_memory();
	char path[32];

	put(fd, 0, undecoded, (size_t)(undecoded_end - undecoded));
	REFVMM_ADD(&vmm, "--kernel", file_name_of(fd, path), "--memory", "64M");
	if (lines > 1)
		REFVMM_ADD(&vmm, "--verbose");
	refvmm_run(&run, &vmm, &nothing, 30000);
	EXPECT_STREQ(run.out, "pawasal!");
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	EXPECT_EQ(lines_about_it(run.err), lines);
	close(fd);
}
