/* SPDX-License-Identifier: Apache-2.0 */
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <errno.h>
#include <string.h>

void refvmm_add(struct refvmm *vmm, const char *const *words)
{
	for (; *words; words++) {
		if (vmm->words == ARRAY_SIZE(vmm->word))
			test_error("refvmm: more than %zu words", ARRAY_SIZE(vmm->word));
		vmm->word[vmm->words++] = *words;
	}
}

void refvmm_run(struct proc *p, const struct refvmm *vmm, const struct proc_talk *talk,
		unsigned int limit_ms)
{
	char path[640];
	const char *argv[ARRAY_SIZE(vmm->word) + 2] = {bundle_path("refvmm", path, sizeof(path))};
	int r;

	memcpy(argv + 1, vmm->word, vmm->words * sizeof(argv[0]));
	r = proc_converse(p, (char *const *)(uintptr_t)argv, talk, limit_ms);
	if (r == -ENOENT)
		test_error("no %s beside this program: build the bundle", path);
	if (r < 0)
		test_error("%s: %s", path, strerrorname_np(-r));
	if (p->status == ASSAY_EXIT_LACKS)
		test_skip("%.*s", (int)strcspn(p->err, "\n"), p->err); /* begins with needs=CAP: */
}
