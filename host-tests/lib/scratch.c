/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"
#include "test.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TEMPLATE "/tmp/assay-XXXXXX"

/* Shared with the test, which makes the folder, so that its end is no end of the name. "" without one. */
static char *folder;

void scratch_prepare(void)
{
	void *p = mmap(NULL, sizeof(TEMPLATE), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	if (p != MAP_FAILED)
		folder = p;
}

const char *scratch_folder(void)
{
	if (!folder)
		test_error("no memory to share with the harness");
	if (!folder[0]) {
		char made[] = TEMPLATE;

		if (!mkdtemp(made))
			test_error("no folder in /tmp: %s", strerrorname_np(errno));
		memcpy(folder, made, sizeof(made));
	}
	return folder;
}

const char *scratch_path(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", scratch_folder(), name);
	return buf;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path);
	return 0;
}

void scratch_clear(void)
{
	if (!folder || !folder[0])
		return;
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	folder[0] = '\0';
}
