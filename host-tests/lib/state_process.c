/* SPDX-License-Identifier: Apache-2.0 */
/* What this process holds: descriptors, mappings, resident memory. Nothing here allocates. */
#include "file.h"
#include "state.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FDS 1024

static void descriptors(struct vm_state *s)
{
	char path[64], target[256];

	for (unsigned int fd = 0; fd < MAX_FDS; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%u", fd);
		n = readlink(path, target, sizeof(target));
		/* the captures' own log readers are not the test's */
		if (n > 0 && !memmem(target, (size_t)n, "/dev/kmsg", 9))
			state_add(s, "descriptor", fd, 0, target, (size_t)n);
	}
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
