/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host program whose tests harm their host: what the runner has to survive.
 * It speaks the KTAP dialect by itself, for the harness would stop it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <assay/test.h>

#define IN(name) __attribute__((used, section(name), aligned(8)))

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		(void)close(fd);
}

static void passes(void)
{
}

static void panics(void)
{
	put("/proc/sys/kernel/sysrq", "1");
	put("/proc/sysrq-trigger", "c");
}

/* SysRq b: the machine is reset at once, without a word. */
static void resets(void)
{
	put("/proc/sys/kernel/sysrq", "1");
	put("/proc/sysrq-trigger", "b");
}

static void taints(void)
{
	put("/proc/sys/kernel/tainted", "512");
}

static void waits(void)
{
	(void)sleep(600);
}

#define HOSTILE(n, test)                                           \
	IN("assay_tests")                                          \
	static const struct assay_test n = {.abi = ASSAY_TEST_ABI, \
					    .size = sizeof(n),     \
					    .suite = "hostile",    \
					    .name = test,          \
					    .file = "hostile.c",   \
					    .run = n##_body,       \
					    .line = __LINE__,      \
					    .limit_ms = 100}

#define passes_first_body passes
#define passes_again_body passes
#define passes_last_body  passes
#define panic_body	  panics
#define reset_body	  resets
#define taint_body	  taints
#define wait_body	  waits

HOSTILE(passes_first, "a_passes");
HOSTILE(panic, "b_panics");
HOSTILE(passes_again, "c_passes");
HOSTILE(reset, "d_resets");
HOSTILE(taint, "e_taints");
HOSTILE(wait, "f_waits");
HOSTILE(passes_last, "g_passes");

extern const struct assay_test __start_assay_tests[], __stop_assay_tests[];

int main(int argc, char **argv)
{
	const char *id = argc > 2 ? argv[2] : "";

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct assay_test *t = __start_assay_tests; t < __stop_assay_tests; t++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s.%s", t->suite, t->name);
		if (strcmp(name, id) != 0)
			continue;
		(void)printf("KTAP version 1\n1..1\n# begin %s\n", id);
		t->run();
		(void)printf("ok 1 %s\n", id);
	}
	return 0;
}
