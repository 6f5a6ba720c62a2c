/* SPDX-License-Identifier: Apache-2.0 */
/* What this process holds: descriptors, mappings, resident memory. Nothing here allocates. */
#include "file.h"
#include "state.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One open descriptor, by its number as text. */
static void descriptor(struct vm_state *s, const char *name)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%.16s", name);
	n = readlink(path, target, sizeof(target));
	/* the captures' own log readers are not the test's */
	if (n > 0 && !memmem(target, (size_t)n, "/dev/kmsg", 9))
		state_add(s, "descriptor", (unsigned int)strtoul(name, NULL, 10), 0, target,
			  (size_t)n);
}

static void descriptors(struct vm_state *s)
{
	static char buf[1 << 14] __attribute__((aligned(8)));
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n;

	if (dir < 0)
		return;
	while ((n = getdents64(dir, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const void *)(buf + at);

			if (e->d_name[0] != '.' && strtol(e->d_name, NULL, 10) != dir)
				descriptor(s, e->d_name);
			at += e->d_reclen;
		}
	close(dir);
}

static char maps[1 << 16];

static void mappings(struct vm_state *s)
{
	unsigned int n = 0;

	if (file_read("/proc/self/maps", maps, sizeof(maps)) < 0)
		return;
	for (char *line = maps, *end; *line; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		/* the address is the key: the number of a line changes with every other mapping */
		state_add(s, "mapping", 0, strtoull(line, NULL, 16), line, (size_t)(end - line));
		n++;
	}
	state_add_u64(s, "number of mappings", 0, 0, n);
}

void state_process(struct vm_state *s)
{
	descriptors(s);
	mappings(s);
}
