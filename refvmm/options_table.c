/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of options, with the parsers of those that take a single value. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "core/err.h"
#include "core/parse.h"
#include "options.h"
#include "refuse.h"

static int number(const char *option, const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	if (parse_u64(arg, out) || *out < min || *out > max)
		return err_usage("%s %.64s: want a number from %" PRIu64 " to %" PRIu64, option,
				 arg, min, max);
	return 0;
}

static int file(const char *option, const char *arg, const char **out)
{
	if (!*arg)
		return err_usage("%s '': want the path of a file", option);
	*out = arg;
	return 0;
}

static int opt_kernel(struct machine_conf *c, const char *arg)
{
	return file("--kernel", arg, &c->kernel);
}

static int opt_initrd(struct machine_conf *c, const char *arg)
{
	return file("--initrd", arg, &c->initrd);
}

static int opt_append(struct machine_conf *c, const char *arg)
{
	c->append = arg;
	return 0;
}

static int opt_dtb(struct machine_conf *c, const char *arg)
{
	return file("--dtb", arg, &c->dtb);
}

static int opt_dump_dtb(struct machine_conf *c, const char *arg)
{
	return file("--dump-dtb", arg, &c->dump_dtb);
}

static int opt_control(struct machine_conf *c, const char *arg)
{
	return file("--control", arg, &c->control);
}

static int opt_trace(struct machine_conf *c, const char *arg)
{
	return file("--trace", arg, &c->trace);
}

static int opt_sandbox(struct machine_conf *c, const char *arg)
{
	if (!strncmp(arg, "probe=", 6) && arg[6]) {
		c->sandbox_probe = arg + 6;
		c->sandbox = SANDBOX_ON;
		return 0;
	}
	if (!strcmp(arg, "auto"))
		c->sandbox = SANDBOX_AUTO;
	else if (!strcmp(arg, "on"))
		c->sandbox = SANDBOX_ON;
	else if (!strcmp(arg, "off"))
		c->sandbox = SANDBOX_OFF;
	else
		return err_usage("--sandbox %.64s: want auto, on, off or probe=SYSTEM-CALL", arg);
	return 0;
}

static int opt_console(struct machine_conf *c, const char *arg)
{
	if (!strncmp(arg, "virtio", 6))
		return virtio_parse_console(board_virtio_conf(c), arg);
	if (strcmp(arg, "stdout") != 0 && strcmp(arg, "stdio") != 0)
		return err_usage("--console %.64s: want stdout or stdio, or virtio,…", arg);
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

static int opt_grace(struct machine_conf *c, const char *arg)
{
	return number("--grace", arg, 0, 86400, &c->grace_s);
}

static int opt_verbose(struct machine_conf *c, const char *arg)
{
	(void)arg;
	c->verbose = true;
	return 0;
}

static int opt_no_reboot(struct machine_conf *c, const char *arg)
{
	(void)arg;
	c->no_reboot = true;
	return 0;
}

static int opt_control_command(struct machine_conf *c, const char *arg)
{
	(void)c;
	return refuse_check(REFUSE_COMMAND, arg, NULL);
}

static int opt_list_refusals(struct machine_conf *c, const char *arg)
{
	(void)c;
	if (arg && strcmp(arg, "--json") != 0 && strcmp(arg, "json") != 0)
		return err_usage("--list-refusals %.64s: want nothing or --json", arg);
	refuse_list(stdout, arg);
	return OPTIONS_DONE;
}

static int opt_version(struct machine_conf *c, const char *arg)
{
	(void)c;
	(void)arg;
	printf("refvmm 1, machine virt-1\n");
	return OPTIONS_DONE;
}

static int opt_help(struct machine_conf *c, const char *arg)
{
	(void)c;
	(void)arg;
	options_help();
	return OPTIONS_DONE;
}

static int opt_man(struct machine_conf *c, const char *arg)
{
	(void)c;
	(void)arg;
	options_man();
	return OPTIONS_DONE;
}

#define OPT(name_, group_, arg_, help_, parse_, ...)                                \
	{                                                                           \
		.name = (name_), .group = (group_), .arg = (arg_), .help = (help_), \
		.parse = (parse_), ##__VA_ARGS__                                    \
	}

/* clang-format off */
const struct option options_table[] = {
	OPT("--kernel", GROUP_START, "FILE", "an ELF file for AArch64, or an arm64 Linux Image",
	    opt_kernel),
	OPT("--initrd", GROUP_START, "FILE", "initial RAM disk of a Linux Image", opt_initrd),
	OPT("--append", GROUP_START, "TEXT", "command line of the kernel: /chosen/bootargs",
	    opt_append),
	OPT("--dtb", GROUP_START, "FILE",
	    "this device tree instead of the board's own; only /chosen is adapted", opt_dtb),

	OPT("--machine", GROUP_MACHINE, "virt-1[,WORD…]",
	    "the board; may be repeated, later words override earlier ones", options_machine,
	    .words = machine_words, .alias = "M"),
	OPT("--cpu", GROUP_MACHINE, "host[,WORD…]",
	    "the host's own CPU; by default the guest sees all that the host's KVM offers",
	    options_cpu, .words = cpu_words),
	OPT("--sve", GROUP_MACHINE, "LENGTHS|on|off",
	    "exactly these vector lengths in bits, such as 128,256,512", options_sve),
	OPT("--smp", GROUP_MACHINE, "N", "vCPUs, 1 to 512 (1)", options_smp, .words = smp_words),
	OPT("--memory", GROUP_MACHINE, "SIZE[K|M|G][,WORD…]",
	    "RAM and the host's pages behind it (256M,backing=normal)", options_memory,
	    .words = memory_words, .alias = "m"),
	OPT("--ipa-bits", GROUP_MACHINE, "N",
	    "guest physical address space, 32 to 56 bits (the smallest that fits)", opt_ipa_bits),

	OPT("--device", GROUP_DEVICE, "NAME[,KEY=VALUE…]", "a device; see those below",
	    options_device),
	OPT("--console", GROUP_DEVICE, "stdout|stdio|virtio[-mmio][,file=PATH|,socket=PATH|,stdio]",
	    "the serial line: output only, or with input too (stdout); or one more console",
	    opt_console),

	OPT("--time-limit", GROUP_RUN, "MS", "end the machine then, with exit status 7",
	    opt_time_limit),
	OPT("--grace", GROUP_RUN, "S",
	    "SIGTERM and SIGINT press the power key, if the guest listens to it, and end the machine after "
	    "S seconds (60); 0, or a second signal: at once", opt_grace),
	OPT("--verbose", GROUP_RUN, NULL, "one line on stderr for each error of the guest's",
	    opt_verbose),
	OPT("--no-reboot", GROUP_RUN, NULL,
	    "end with exit status 6 when the guest resets, instead of starting anew",
	    opt_no_reboot),
	OPT("--trace", GROUP_RUN, "FILE",
	    "write every ioctl and every exit there, a line each", opt_trace),
	OPT("--sandbox", GROUP_RUN, "auto|on|off|probe=SYSTEM-CALL",
	    "give up, once the machine runs, what it does not need (auto: all that this kernel can "
	    "forbid; on: or do not start); probe: try one, for tests",
	    opt_sandbox),
	OPT("--control", GROUP_RUN, "SOCKET",
	    "take commands there, one JSON object a line: docs/refvmm.md", opt_control),
	OPT("--control-command", GROUP_RUN, "NAME", "says why the control socket refuses this command",
	    opt_control_command),

	OPT("--dump-dtb", GROUP_ASK, "FILE",
	    "write the device tree (-: to stdout) and do not start; works without KVM, too",
	    opt_dump_dtb),
	OPT("--list-refusals", GROUP_ASK, "[--json]",
	    "what is refused by name, why, and what to use instead", opt_list_refusals,
	    .arg_optional = true),
	OPT("--version", GROUP_ASK, NULL, "print the version", opt_version),
	OPT("--help", GROUP_ASK, NULL, "print this", opt_help, .alias = "h"),
	OPT("--man", GROUP_ASK, NULL, "print the manual page in roff: refvmm --man | man -l -",
	    opt_man),
};
/* clang-format on */

const size_t options_count = sizeof(options_table) / sizeof(options_table[0]);
