/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SVE lengths of the RHEL 9 document, `--sve 128,256,512`, on a host that has 384 bits too: KVM cannot hide a
 * length below the maximum, so refvmm has to say so before a guest starts, and what to ask for instead.
 */
#include "proc.h"
#include "regs.h"
#include "test.h"
#include "vm.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS  15000
#define UP_TO_512 0xfULL /* KVM_REG_ARM64_SVE_VLS: bit 0 is 128 bits, bit 3 is 512 */

TEST(refvmm, sve_384_below_512_is_not_hidden, RULE("KVM-SVE-6"))
{
	static struct proc run;
	char path[512], payload[512];
	char *argv[] = {path, (char *)"--sve", (char *)"128,256,512", (char *)"--kernel", payload,
			NULL};
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};
	struct vm *vm = vm_new(.vcpus = 1, .sve = true, .no_finalize = true);

	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, vls));
	if ((vls[0] & UP_TO_512) != UP_TO_512)
		SKIP("this host has not all of 128, 256, 384 and 512 bits: there is no 384 to "
		     "hide");
	bundle_path("refvmm", path, sizeof(path));
	bundle_path("guest-tests/sve.elf", payload, sizeof(payload));
	if (access(path, X_OK) || access(payload, R_OK))
		SKIP("no refvmm or guest-tests/sve.elf beside this program: build the bundle");
	if (proc_run(&run, argv, LIMIT_MS) < 0)
		test_error("%s cannot be run", path);
	EXPECT_TRUE(!run.limit);
	EXPECT_EQ(run.status, ASSAY_EXIT_LACKS);
	EXPECT_EQ(run.out_len, 0); /* no guest was started */
	/* the cause, and what works instead */
	if (!EXPECT_TRUE(strstr(run.err, "needs=")) || !EXPECT_TRUE(strstr(run.err, "384")) ||
	    !EXPECT_TRUE(strstr(run.err, "use --sve ")))
		NOTE("stderr was: %s", run.err);
	EXPECT_TRUE(strchr(run.err, '\n') == run.err + run.err_len - 1); /* one line */
}
