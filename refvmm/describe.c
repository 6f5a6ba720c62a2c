/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree without a machine: a board whose devices do nothing but describe themselves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "core/err.h"
#include "fdt.h"
#include "host.h"
#include "options.h"

/* ---- a world in which nothing happens, for devices that reset themselves */

static void no_irq(struct env *e, unsigned spi, bool level)
{
	(void)e, (void)spi, (void)level;
}

static int no_msi(struct env *e, uint64_t addr, uint32_t data, uint32_t devid)
{
	(void)e, (void)addr, (void)data, (void)devid;
	return -ENODEV;
}

static uint64_t no_clock(struct env *e)
{
	(void)e;
	return 0;
}

static void no_timer(struct env *e, struct dev *d, uint64_t deadline_ns)
{
	(void)e, (void)d, (void)deadline_ns;
}

static void no_console(struct env *e, const void *buf, size_t len)
{
	(void)e, (void)buf, (void)len;
}

static void no_guest_error(struct env *e, const struct dev *d, const char *what, uint64_t value)
{
	(void)e, (void)d, (void)what, (void)value;
}

static const struct env_ops nothing = {
	.irq = no_irq,
	.msi = no_msi,
	.clock_ns = no_clock,
	.wall_s = no_clock,
	.timer = no_timer,
	.console = no_console,
	.guest_error = no_guest_error,
};

void describe_assume(struct machine_conf *c)
{
	bool assumed = c->gic == GIC_HOST || c->gic == GIC_MAX || c->cpu.pmu == AUTO;

	if (c->gic == GIC_HOST || c->gic == GIC_MAX)
		c->gic = GIC_V3;
	assumed |= c->gic == GIC_V3 && c->its == AUTO;
	if (c->its == AUTO)
		c->its = c->gic == GIC_V3 ? ON : OFF;
	if (c->cpu.pmu == AUTO)
		c->cpu.pmu = ON;
	if (assumed)
		err_note("--dump-dtb: no KVM to ask here, so this is the tree of a host that "
			 "offers a GICv3, an ITS and a PMU; name what you want to be sure");
}

static int write_tree(const struct fdt *f, const char *path)
{
	bool to_stdout = !strcmp(path, "-");
	FILE *out = to_stdout ? stdout : fopen(path, "we");
	bool bad = !out || fwrite(f->blob, dt_size(f), 1, out) != 1 || fflush(out);
	int err = errno;
	struct stat st = {0};

	if (out && !to_stdout) {
		(void)fstat(fileno(out), &st);
		if (fclose(out) && !bad) {
			bad = true;
			err = errno;
		}
	}
	if (bad && S_ISREG(st.st_mode))
		unlink(path); /* half a tree is of no use */
	return bad ? err_usage("--dump-dtb %s: %s", path, strerror(err)) : 0;
}

int describe(const struct machine_conf *conf, const char *path)
{
	struct machine_conf c = *conf;
	struct env env = {.ops = &nothing};
	struct board b = {0};
	struct fdt f = {0};
	int ret = board_check();

	if (!ret)
		ret = host_resolve(&c);
	if (!ret)
		ret = options_check(&c);
	env.msi = c.gic == GIC_V2 ? ENV_MSI_V2M : c.its == ON ? ENV_MSI_ITS : ENV_MSI_NONE;
	if (!ret)
		ret = board_build(&b, &c, &env);
	if (!ret)
		ret = fdt_build(&f, &c, &b, NULL, NULL);
	if (!ret)
		ret = write_tree(&f, path);
	dt_free(&f);
	board_free(&b);
	return ret;
}
