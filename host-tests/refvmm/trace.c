/* SPDX-License-Identifier: Apache-2.0 */
/* --trace FILE: every exit of the guest stands there, more than the ring in memory holds. */
#include "elf_image.h"
#include "file.h"
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <stdlib.h>
#include <string.h>

#define READS	 4500 /* the ring has 4096 events */
#define LIMIT_MS 100000

/* Arm ARM (DDI 0487), C6.2 */
static const uint32_t code[] = {
	0xd2a12001,		     /* mov x1, #0x09000000, the UART */
	0xd2800000 | READS << 5 | 2, /* mov x2, #READS */
	0xb9401823,		     /* ldr w3, [x1, #0x18] */
	0xf1000442,		     /* subs x2, x2, #1 */
	0x54ffffc1,		     /* b.ne back to the load */
	0xd2800100,
	0xf2b08000, /* mov x0, #0x84000008: SYSTEM_OFF (DEN 0022, 5.1.9) */
	0xd4000002, /* hvc #0 */
};

static struct proc run;

static unsigned lines_with(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

/* The time in front of a line: seconds, a point, six digits. */
static uint64_t microseconds(const char *line)
{
	char *end;
	uint64_t s = strtoull(line, &end, 10);

	return s * 1000000 + strtoull(end + 1, NULL, 10);
}

/* Its trace, of a run that ends well. */
static void run_traced(struct refvmm *vmm, char *text, size_t size)
{
	char name[32];

	REFVMM_ADD(vmm, "--trace", file_name_of(file_in_memory(), name));
	refvmm_run(&run, vmm, NULL, LIMIT_MS);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	ASSERT_GT(file_read(name, text, size), 0);
}

TEST(refvmm, trace_file_has_every_exit, RULE("VMM-TRACE-1"))
{
	static char text[1 << 20];
	struct refvmm vmm = {};
	char kernel[32];
	uint64_t before = 0;

	REFVMM_ADD(&vmm, "--kernel", file_name_of(elf_image(code, sizeof(code)), kernel));
	run_traced(&vmm, text, sizeof(text));
	EXPECT_EQ(lines_with(text, "MMIO read 4 0x9000018 "), READS);
	EXPECT_EQ(lines_with(text, "KVM_CREATE_VCPU"), 1U);
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		uint64_t now = microseconds(line);

		if (!EXPECT_TRUE(strchr(line, '\n')) || !EXPECT_TRUE(now >= before))
			break;
		before = now;
	}
}

/* api.rst, KVM_IRQFD: an interrupt message that comes again is a store to an eventfd, and no call of the VM any more. */
TEST(refvmm, messages_that_come_again_get_an_irqfd, RULE("VIRTIO-FAST-3"))
{
	static char text[1 << 20];
	struct refvmm vmm = {};
	char payload[640];

	if (!file_exists(bundle_path("guest-tests/virtio.elf", payload, sizeof(payload))))
		test_error("no %s beside this program: build the bundle", payload);
	REFVMM_ADD(&vmm, "--kernel", payload);
	REFVMM_ADD(&vmm, "--append", "test=virtio.used_buffer_sends_its_message");
	REFVMM_ADD(&vmm, "--rng", "virtio", "--root-ports", "1");
	run_traced(&vmm, text, sizeof(text));
	if (strstr(run.out, "needs=its"))
		SKIP_NEEDS("its", "this host's KVM offers no ITS");
	EXPECT_TRUE(strstr(run.out, "\nok 1"));
	EXPECT_EQ(lines_with(text, "KVM_IRQFD"), 2U); /* two messages, 20 times each */
	EXPECT_EQ(lines_with(text, "KVM_SIGNAL_MSI"), 16U);
	FACT("refvmm.signal_msi_of_40_messages", "%u", lines_with(text, "KVM_SIGNAL_MSI"));
}
