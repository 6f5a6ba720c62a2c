/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the command line, and what no single option can see. */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <assay/board.h>

#include "board.h"
#include "core/err.h"
#include "refuse.h"
#include "virtio/conf.h"

#define MEMORY_DEFAULT	(256ULL << 20)
#define LOW_4G		(4ULL << 30)
#define NAMES_MAX	64U
#define GRACE_DEFAULT_S 60U

/* QEMU's spelling with one dash is understood, too: -smp 4, -m 1G. */
static bool is_called(const char *typed, const char *name, const char *alias)
{
	if (!strcmp(typed, name))
		return true;
	if (typed[0] != '-' || typed[1] == '-')
		return false;
	return !strcmp(typed + 1, name + 2) || (alias && !strcmp(typed + 1, alias));
}

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < options_count; i++) {
		if (is_called(name, options_table[i].name, options_table[i].alias))
			return &options_table[i];
	}
	return NULL;
}

/* The row whose device brings this option along. */
static const struct dev_option *find_dev(const char *name, unsigned *row)
{
	for (*row = 0; *row < board_rows; (*row)++) {
		const struct dev_option *o = board_table[*row].ops->options;

		for (; o && o->name; o++) {
			if (is_called(name, o->name, NULL))
				return o;
		}
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *offered[NAMES_MAX + 1] = {0};
	char dashes[96];
	unsigned nr = 0;

	for (size_t i = 0; i < options_count && nr < NAMES_MAX; i++)
		offered[nr++] = options_table[i].name;
	for (unsigned row = 0; row < board_rows; row++) {
		const struct dev_option *o = board_table[row].ops->options;

		for (; o && o->name && nr < NAMES_MAX; o++)
			offered[nr++] = o->name;
	}
	if (name[0] == '-' && name[1] && name[1] != '-') {
		snprintf(dashes, sizeof(dashes), "-%s", name);
		name = dashes;
	}
	return refuse_check(REFUSE_OPTION, name, offered);
}

/* Handles argv[i] and its argument; *used says how many words that were. */
static int parse_one(struct machine_conf *c, const char *name, const char *arg, int *used)
{
	const struct option *o = find(name);
	const struct dev_option *d;
	unsigned row;

	*used = 1;
	if (o && (!o->arg || (o->arg_optional && !arg)))
		return o->parse(c, NULL);
	d = o ? NULL : find_dev(name, &row);
	if (!o && !d)
		return unknown(name);
	if (d && d->arg[0] == '[' && (!arg || arg[0] == '-'))
		return d->parse(c->dev[row], "");
	if (!arg)
		return err_usage("%s: wants an argument: %s", name, o ? o->arg : d->arg);
	*used = 2;
	return o ? o->parse(c, arg) : d->parse(c->dev[row], arg);
}

/* Each would get a part of what is typed. */
static int check_stdin(const struct machine_conf *c)
{
	const struct virtio_conf *v = board_virtio_conf(c);
	unsigned readers = c->console_stdio;

	for (unsigned i = 0; i < v->nr; i++)
		readers += v->dev[i].kind == VIRTIO_CONSOLE && v->dev[i].peer == PEER_STDIO;
	return readers > 1 ? err_usage("--console stdio: %u consoles read standard input; leave it "
				       "to one of them",
				       readers)
			   : 0;
}

int options_check(const struct machine_conf *c)
{
	if (c->smp > CONF_CPUS_MAX)
		return refuse_limit("vcpus", "--smp %u", c->smp);
	if (c->gic == GIC_V2 && c->smp > CONF_CPUS_MAX_GICV2)
		return refuse_limit("vcpus-gicv2", "--smp %u", c->smp);
	if (!c->highmem && c->smp > board_redists_low(c->smp))
		return refuse_limit("vcpus-lowmem", "--smp %u", c->smp);
	if (!c->highmem && c->ram.size > LOW_4G - ASSAY_RAM_BASE)
		return refuse_limit("ram-lowmem", "--memory %" PRIu64 "M", c->ram.size >> 20);
	if (c->ram.size > ASSAY_RAM_SIZE)
		return refuse_limit("ram", "--memory %" PRIu64 "M", c->ram.size >> 20);
	if (c->gic == GIC_V2 && c->its == ON)
		return err_usage("--machine gic-version=2,its=on: a GICv2 has no ITS; its messages "
				 "go through a GICv2m frame");
	if (c->cpu.sve == OFF && (c->cpu.sve_lengths || c->cpu.sve_on))
		return err_usage("--cpu sve=off: contradicts the vector lengths that are on");
	if (c->cpu.sve_lengths && (c->cpu.sve_on || c->cpu.sve_off))
		return err_usage("--sve LENGTHS is the exact list: it goes not with --cpu "
				 "sveNNN=on|off");
	if (!c->kernel && !board_has_firmware(c) && !c->dump_dtb)
		return err_usage("--kernel: nothing to run (nor --firmware); see --help");
	if (!c->kernel && c->initrd)
		return err_usage("--initrd: goes with --kernel");
	return check_stdin(c);
}

int options_parse(struct machine_conf *c, int argc, char **argv)
{
	int ret;

	c->smp = 1;
	c->highmem = true;
	c->grace_s = GRACE_DEFAULT_S;
	c->ram.size = MEMORY_DEFAULT;
	for (int i = 1, used; i < argc; i += used) {
		ret = parse_one(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);

		if (ret)
			return ret;
	}
	ret = board_conf_finish(c);
	return ret ? ret : options_check(c);
}
