/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the counters that instrumented programs left in a folder (gcov's .gcda files), so that they leave the host
 * the way everything does: as lines of the agent. `file NAME`, then hexadecimal lines.
 *
 *	dump FOLDER FIRST LAST	the files number FIRST to LAST of it, by name (the agent limits what one unit may say)
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_A_LINE 480U

static int dump(const char *path)
{
	unsigned char bytes[BYTES_A_LINE];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f) {
		perror(path);
		return 1;
	}
	printf("file %s\n", strrchr(path, '/') + 1);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		for (size_t i = 0; i < n; i++)
			printf("%02x", bytes[i]);
		putchar('\n');
	}
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	char pattern[256];
	glob_t found;
	int ret = 0;

	if (argc != 4 ||
	    snprintf(pattern, sizeof(pattern), "%s/*.gcda", argv[1]) >= (int)sizeof(pattern)) {
		fprintf(stderr, "usage: dump FOLDER FIRST LAST\n");
		return 2;
	}
	if (glob(pattern, 0, NULL, &found)) {
		fprintf(stderr, "dump: there is no %s\n", pattern);
		return 1;
	}
	for (size_t i = strtoul(argv[2], NULL, 10);
	     i < found.gl_pathc && i <= strtoul(argv[3], NULL, 10); i++)
		ret |= dump(found.gl_pathv[i]);
	globfree(&found);
	return ret;
}
