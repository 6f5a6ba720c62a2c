/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the man page, both out of the one table and the devices' own options. */
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "options.h"

static const char *const titles[OPTION_GROUPS] = {
	[GROUP_START] = "What runs", [GROUP_MACHINE] = "The machine",  [GROUP_DEVICE] = "Devices",
	[GROUP_RUN] = "The run",     [GROUP_ASK] = "Instead of a run",
};

static const struct {
	int status;
	const char *meaning;
} statuses[] = {
	{ASSAY_EXIT_OK, "the guest powered off"},
	{ASSAY_EXIT_FAILED, "the guest reported a failure"},
	{ASSAY_EXIT_USAGE, "bad command line or unreadable input"},
	{ASSAY_EXIT_REFUSED, "refused by name: refvmm never offers this"},
	{ASSAY_EXIT_LACKS, "the host's KVM lacks something the machine needs"},
	{ASSAY_EXIT_HOST, "a call to the host failed that should not have"},
	{ASSAY_EXIT_GUEST, "the guest crashed, or asked for what refvmm does not follow"},
	{ASSAY_EXIT_LIMIT, "the time limit passed"},
};

#define NR_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* How --help and the man page print, so that both walk the options the same way. */
struct printer {
	void (*title)(const char *text);
	void (*option)(const char *name, const char *arg, const char *help);
	void (*word)(const struct option_word *w);
};

static void device_options(const struct printer *p)
{
	for (unsigned i = 0; i < board_rows; i++) {
		const struct dev_option *o = board_table[i].ops->options;

		for (; o && o->name; o++)
			p->option(o->name, o->arg, o->help);
	}
}

static void walk(const struct printer *p)
{
	for (unsigned g = 0; g < OPTION_GROUPS; g++) {
		p->title(titles[g]);
		for (size_t i = 0; i < options_count; i++) {
			const struct option *o = &options_table[i];

			if (o->group != g)
				continue;
			p->option(o->name, o->arg, o->help);
			for (const struct option_word *w = o->words; w && w->name; w++)
				p->word(w);
		}
		if (g == GROUP_DEVICE)
			device_options(p);
	}
}

/* ---- --help */

static void help_title(const char *text)
{
	printf("\n%s:\n", text);
}

static void help_option(const char *name, const char *arg, const char *help)
{
	/* "--device pci-test[,port=K]": what begins with a bracket is one word with its name. */
	printf("  %s%s%s\n        %s\n", name, arg && *arg && *arg != '[' ? " " : "",
	       arg ? arg : "", help);
}

static void help_word(const struct option_word *w)
{
	printf("          %s%s%s: %s\n", w->name, w->values ? "=" : "", w->values ? w->values : "",
	       w->help);
}

void options_help(void)
{
	static const struct printer help = {help_title, help_option, help_word};

	printf("usage: refvmm --kernel FILE [option…]\n"
	       "Runs one virtual machine on this host's KVM and ends with it.\n");
	walk(&help);
	printf("\nExit status:\n");
	for (size_t i = 0; i < NR_STATUSES; i++)
		printf("  %d  %s\n", statuses[i].status, statuses[i].meaning);
}

/* ---- --man: roff with the man macros, man(7) */

static void roff(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else if (!strncmp(text, "…", strlen("…"))) {
			fputs("\\&...", stdout);
			text += strlen("…") - 1;
		} else
			fputc(*text, stdout);
	}
}

static void man_title(const char *text)
{
	printf(".SS %s\n", text);
}

static void man_option(const char *name, const char *arg, const char *help)
{
	printf(".TP\n\\fB");
	roff(name);
	printf("\\fR");
	if (arg && *arg) {
		printf("%s\\fI", *arg != '[' ? " " : "");
		roff(arg);
		printf("\\fR");
	}
	putchar('\n');
	roff(help);
	putchar('\n');
}

static void man_word(const struct option_word *w)
{
	printf(".RS\n.TP\n\\fB");
	roff(w->name);
	printf("\\fR");
	if (w->values) {
		printf("=\\fI");
		roff(w->values);
		printf("\\fR");
	}
	putchar('\n');
	roff(w->help);
	printf("\n.RE\n");
}

void options_man(void)
{
	static const struct printer man = {man_title, man_option, man_word};

	printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
	       ".\\\" Made by refvmm \\-\\-man from the table that parses the options.\n"
	       ".TH REFVMM 1 \"\" \"refvmm 1\" \"Assay\"\n"
	       ".SH NAME\nrefvmm \\- the reference VMM of the ARM64 KVM conformance suite\n"
	       ".SH SYNOPSIS\n.B refvmm\n\\fB\\-\\-kernel\\fR \\fIFILE\\fR [\\fIoption\\fR...]\n"
	       ".SH DESCRIPTION\n"
	       "Runs one virtual machine, the \\fBvirt\\-1\\fR board, on the KVM of this ARM64 "
	       "host and ends with it. What refvmm does not offer it refuses by name before "
	       "anything is created, with exit status %d and one line that says why and what to "
	       "use instead; \\fB\\-\\-list\\-refusals\\fR prints them all. Options with one "
	       "dash are understood, too.\n"
	       ".SH OPTIONS\n",
	       ASSAY_EXIT_REFUSED);
	walk(&man);
	printf(".SH EXIT STATUS\n");
	for (size_t i = 0; i < NR_STATUSES; i++) {
		printf(".TP\n\\fB%d\\fR\n", statuses[i].status);
		roff(statuses[i].meaning);
		putchar('\n');
	}
	printf(".SH FILES\n.TP\n.I /dev/kvm\nthe only privilege refvmm needs: to open it\n");
}
