/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <assay/board.h>

#include "board.h"
#include "core/err.h"
#include "core/parse.h"
#include "refuse.h"

#define MEMORY_DEFAULT (256ULL << 20)
#define LOW_4G	       (4ULL << 30)

struct option {
	const char *name;
	const char *arg; /* NULL: takes none */
	const char *help;
	int (*parse)(struct machine_conf *c, const char *arg);
};

static int number(const char *option, const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	if (parse_u64(arg, out) || *out < min || *out > max)
		return err_usage("%s %s: want a number from %" PRIu64 " to %" PRIu64, option, arg,
				 min, max);
	return 0;
}

static int opt_smp(struct machine_conf *c, const char *arg)
{
	uint64_t n;
	int ret = number("--smp", arg, 1, UINT32_MAX, &n);

	if (!ret)
		c->smp = (unsigned)n;
	return ret;
}

static int opt_kernel(struct machine_conf *c, const char *arg)
{
	c->kernel = arg;
	return 0;
}

static int opt_initrd(struct machine_conf *c, const char *arg)
{
	c->initrd = arg;
	return 0;
}

static int opt_append(struct machine_conf *c, const char *arg)
{
	c->append = arg;
	return 0;
}

static int opt_dump_dtb(struct machine_conf *c, const char *arg)
{
	c->dump_dtb = arg;
	return 0;
}

static int opt_console(struct machine_conf *c, const char *arg)
{
	if (strcmp(arg, "stdout") != 0 && strcmp(arg, "stdio") != 0)
		return err_usage("--console %s: want stdout or stdio", arg);
	c->console_stdio = !strcmp(arg, "stdio");
	return 0;
}

static int opt_ipa_bits(struct machine_conf *c, const char *arg)
{
	uint64_t n;
	int ret = number("--ipa-bits", arg, 32, 56, &n);

	if (!ret)
		c->ipa_bits = (unsigned)n;
	return ret;
}

static int opt_time_limit(struct machine_conf *c, const char *arg)
{
	return number("--time-limit", arg, 1, INT32_MAX, &c->time_limit_ms);
}

static int opt_verbose(struct machine_conf *c, const char *arg)
{
	(void)arg;
	c->verbose = true;
	return 0;
}

static int opt_control(struct machine_conf *c, const char *arg)
{
	(void)c;
	return refuse_check(REFUSE_COMMAND, arg, NULL);
}

static int opt_help(struct machine_conf *c, const char *arg);

static int opt_version(struct machine_conf *c, const char *arg)
{
	(void)c;
	(void)arg;
	printf("refvmm 1, machine virt-1\n");
	return OPTIONS_DONE;
}

static int opt_list_refusals(struct machine_conf *c, const char *arg)
{
	(void)c;
	refuse_list(stdout, !strcmp(arg, "json"));
	return OPTIONS_DONE;
}

/* clang-format off */
static const struct option options[] = {
	{"--kernel", "FILE", "ELF for AArch64, or arm64 Linux Image", opt_kernel},
	{"--initrd", "FILE", "initial RAM disk of a Linux Image", opt_initrd},
	{"--append", "TEXT", "command line of the kernel: /chosen/bootargs", opt_append},
	{"--machine", "virt-1[,gic-version=2|3|host|max][,its=on|off][,highmem=on|off]",
	 "the board; may be repeated, later words override earlier ones", options_machine},
	{"--smp", "N", "vCPUs (1)", opt_smp},
	{"--cpu", "host[,sve=on|off][,pmu=on|off][,pauth=on|off]",
	 "by default all that the host's KVM offers", options_cpu},
	{"--sve", "LENGTHS|on|off", "exactly these vector lengths in bits, such as 128,256,512",
	 options_sve},
	{"--memory", "SIZE[K|M|G][,backing=normal|thp|hugetlb[:SIZE]]",
	 "RAM and the pages behind it (256M,backing=normal)", options_memory},
	{"--device", "NAME[,key=value…]", "a device on the PCIe bus", options_device},
	{"--console", "stdout|stdio", "the serial line: output only, or with input too", opt_console},
	{"--ipa-bits", "N", "guest physical address space (the smallest that fits)", opt_ipa_bits},
	{"--time-limit", "MS", "end the machine then, with exit status 7", opt_time_limit},
	{"--dump-dtb", "FILE", "write the device tree and do not start", opt_dump_dtb},
	{"--verbose", NULL, "one line on stderr for each error of the guest's", opt_verbose},
	{"--control-command", "NAME", "one command to a running machine", opt_control},
	{"--list-refusals", "text|json", "what is refused by name, and why", opt_list_refusals},
	{"--version", NULL, "print the version", opt_version},
	{"--help", NULL, "print this", opt_help},
};
/* clang-format on */

#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

static void help_line(const char *name, const char *arg, const char *help)
{
	printf("  %s%s%s\n        %s\n", name, arg && *arg ? " " : "", arg ? arg : "", help);
}

static int opt_help(struct machine_conf *c, const char *arg)
{
	(void)c;
	(void)arg;
	printf("usage: refvmm --kernel FILE [option…]\n"
	       "Runs one virtual machine on this host's KVM and ends with it.\n\n");
	for (size_t i = 0; i < NR_OPTIONS; i++)
		help_line(options[i].name, options[i].arg, options[i].help);
	for (unsigned i = 0; i < board_rows; i++) {
		const struct dev_option *o = board_table[i].ops->options;

		for (; o && o->name; o++)
			help_line(o->name, o->arg, o->help);
	}
	printf("\nExit status: 0 the guest powered off, 1 it reported a failure, 2 usage,\n"
	       "3 refused by name, 4 the host's KVM lacks something, 5 the host failed,\n"
	       "6 the guest crashed or asked for a reset, 7 time limit.\n");
	return OPTIONS_DONE;
}

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		if (!strcmp(options[i].name, name))
			return &options[i];
	}
	return NULL;
}

/* The row whose device brings this option along. */
static const struct dev_option *find_dev(const char *name, unsigned *row)
{
	for (*row = 0; *row < board_rows; (*row)++) {
		const struct dev_option *o = board_table[*row].ops->options;

		for (; o && o->name; o++) {
			if (!strcmp(o->name, name))
				return o;
		}
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *offered[NR_OPTIONS + 1] = {0};

	for (size_t i = 0; i < NR_OPTIONS; i++)
		offered[i] = options[i].name;
	return refuse_check(REFUSE_OPTION, name, offered);
}

/* Handles argv[i] and its argument; *used says how many words that were. */
static int parse_one(struct machine_conf *c, const char *name, const char *arg, int *used)
{
	const struct option *o = find(name);
	const struct dev_option *d;
	unsigned row;

	*used = 1;
	if (o && !o->arg)
		return o->parse(c, NULL);
	if (o && !strcmp(name, "--list-refusals") && (!arg || strcmp(arg, "--json") != 0)) {
		return o->parse(c, "text");
	}
	if (o && !strcmp(name, "--list-refusals"))
		return o->parse(c, "json");
	d = o ? NULL : find_dev(name, &row);
	if (!o && !d)
		return unknown(name);
	if (!arg)
		return err_usage("%s: wants an argument: %s", name, o ? o->arg : d->arg);
	*used = 2;
	return o ? o->parse(c, arg) : d->parse(c->dev[row], arg);
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
	if (!c->kernel && !c->dump_dtb)
		return err_usage("--kernel: nothing to run; see --help");
	return 0;
}

int options_parse(struct machine_conf *c, int argc, char **argv)
{
	c->smp = 1;
	c->highmem = true;
	c->ram.size = MEMORY_DEFAULT;
	for (int i = 1, used; i < argc; i += used) {
		int ret = parse_one(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);

		if (ret)
			return ret;
	}
	return options_check(c);
}
