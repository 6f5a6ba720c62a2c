/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine version never changes: the device tree of each line of options in
 * golden/virt-1/NAME.args is NAME.dtb, byte for byte. A wanted change (before
 * virt-1 is released, or in a new version) is written with `make golden-refvmm`.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "fdt.h"
#include "options.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define PATTERN	 "refvmm/golden/virt-1/*.args"
#define ARGS_MAX 24

static size_t read_file(const char *path, void *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size, f) : 0;

	if (f)
		fclose(f);
	return n;
}

static int parse(struct machine_conf *c, char *line)
{
	char *argv[ARGS_MAX] = {(char *)"refvmm", (char *)"--dump-dtb", (char *)"-"}, *save;
	int argc = 3;

	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		argv[argc++] = w;
	return options_parse(c, argc, argv);
}

static int build(struct fdt *f, char *line)
{
	struct fake_env *fe = fake_env_new();
	struct machine_conf c = {0};
	struct board b = {0};
	int ret = board_conf_init(&c);

	if (!ret)
		ret = parse(&c, line);
	fe->env.msi = c.gic == GIC_V2 ? ENV_MSI_V2M : c.its == ON ? ENV_MSI_ITS : ENV_MSI_NONE;
	if (!ret)
		ret = board_build(&b, &c, &fe->env);
	if (!ret)
		ret = fdt_build(f, &c, &b, NULL, NULL);
	board_free(&b);
	board_conf_free(&c);
	fake_env_free(fe);
	return ret;
}

static void compare(const char *path, const struct fdt *f)
{
	static uint8_t golden[DT_BYTES_MAX];
	size_t len = read_file(path, golden, sizeof(golden)), at = 0;

	while (at < len && at < dt_size(f) && golden[at] == f->blob[at])
		at++;
	if (at != len || at != dt_size(f)) {
		unit_fail_str(__FILE__, __LINE__, "machine version virt-1", "another tree", path);
		unit_fail(__FILE__, __LINE__, "first offset that differs", at, dt_size(f));
	}
}

static void write_file(const char *path, const struct fdt *f)
{
	FILE *out = fopen(path, "we");

	ASSERT(out);
	EXPECT_EQ(fwrite(f->blob, dt_size(f), 1, out), 1);
	EXPECT_EQ(fclose(out), 0);
}

TEST(golden, virt_1_never_changes)
{
	glob_t g;

	ASSERT_EQ(glob(PATTERN, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char line[512] = "", path[256];
		struct fdt f = {0};

		EXPECT(read_file(g.gl_pathv[i], line, sizeof(line) - 1));
		snprintf(path, sizeof(path), "%.*s.dtb", (int)(strlen(g.gl_pathv[i]) - 5),
			 g.gl_pathv[i]);
		EXPECT_EQ(build(&f, line), 0);
		if (f.blob && getenv("REFVMM_GOLDEN_WRITE"))
			write_file(path, &f);
		else if (f.blob)
			compare(path, &f);
		dt_free(&f);
	}
	globfree(&g);
}
