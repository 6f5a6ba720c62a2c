/* SPDX-License-Identifier: Apache-2.0 */
/* The options that take a list of words: --machine, --cpu, --sve, --memory, --device. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "core/err.h"
#include "core/parse.h"
#include "options.h"
#include "refuse.h"

#define WORD_MAX 64U

static int onoff(const char *option, const char *key, const char *value, bool *out)
{
	if (parse_onoff(value, out))
		return err_usage("%s %s=%s: want on or off", option, key, value ? value : "");
	return 0;
}

static int tristate(const char *option, const char *key, const char *value, enum tristate *out)
{
	bool on;
	int ret = onoff(option, key, value, &on);

	if (!ret)
		*out = on ? ON : OFF;
	return ret;
}

static int gic_version(const char *value, enum gic_version *out)
{
	static const char *const names[] = {
		[GIC_HOST] = "host", [GIC_MAX] = "max", [GIC_V2] = "2", [GIC_V3] = "3"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (value && !strcmp(value, names[i])) {
			*out = (enum gic_version)i;
			return 0;
		}
	}
	return err_usage("--machine gic-version=%s: want 2, 3, host or max", value ? value : "");
}

/* key=value words the board knows but has only one answer to, such as secure=off. */
static int fixed_word(const char *key, const char *value, const char *const *offered)
{
	char word[2 * WORD_MAX];

	snprintf(word, sizeof(word), "%s%s%s", key, value ? "=" : "", value ? value : "");
	return refuse_check(REFUSE_MACHINE, word, offered);
}

int options_machine(struct machine_conf *c, const char *arg)
{
	static const char *const offered[] = {
		"virt-1",  "virt",	 "secure=off", "virtualization=off",
		"mte=off", "iommu=none", "ras=off",    "gic-version",
		"its",	   "highmem",	 NULL};
	char key[WORD_MAX];
	const char *value;
	int ret = 0, more;

	while (!ret && (more = parse_word(&arg, key, sizeof(key), &value))) {
		if (more < 0)
			return err_usage("--machine: an empty or too long word in the list");
		if (!strcmp(key, "gic-version"))
			ret = gic_version(value, &c->gic);
		else if (!strcmp(key, "its"))
			ret = tristate("--machine", key, value, &c->its);
		else if (!strcmp(key, "highmem"))
			ret = onoff("--machine", key, value, &c->highmem);
		else
			ret = fixed_word(key, value, offered);
	}
	return ret;
}

int options_cpu(struct machine_conf *c, const char *arg)
{
	static const char *const offered[] = {"host", "max", "sve", "pmu", "pauth", NULL};
	char key[WORD_MAX], word[2 * WORD_MAX];
	const char *value;
	int ret = 0, more;

	while (!ret && (more = parse_word(&arg, key, sizeof(key), &value))) {
		if (more < 0)
			return err_usage("--cpu: an empty or too long word in the list");
		snprintf(word, sizeof(word), "%s%s%s", key, value ? "=" : "", value ? value : "");
		if (!strcmp(word, "host") || !strcmp(word, "max"))
			continue;
		if (!strcmp(key, "sve"))
			ret = tristate("--cpu", key, value, &c->cpu.sve);
		else if (!strcmp(key, "pmu"))
			ret = tristate("--cpu", key, value, &c->cpu.pmu);
		else if (!strcmp(key, "pauth"))
			ret = tristate("--cpu", key, value, &c->cpu.pauth);
		else
			ret = refuse_check(REFUSE_CPU, word, offered);
	}
	return ret;
}

int options_sve(struct machine_conf *c, const char *arg)
{
	const char *list = arg, *value;
	uint32_t lengths = 0;
	char word[WORD_MAX];
	int more;

	if (!strcmp(arg, "on") || !strcmp(arg, "off")) {
		c->cpu.sve = arg[1] == 'n' ? ON : OFF;
		c->cpu.sve_lengths = 0;
		return 0;
	}
	while ((more = parse_word(&list, word, sizeof(word), &value)) > 0) {
		uint64_t bits;

		if (value || parse_u64(word, &bits) || !bits || bits % 128 || bits > 2048)
			return err_usage(
				"--sve %s: %s is no vector length; want multiples of 128 up "
				"to 2048, or on, or off",
				arg, word);
		lengths |= 1U << (bits / 128 - 1);
	}
	if (more < 0 || !lengths)
		return err_usage("--sve %s: want lengths in bits, such as 128,256,512", arg);
	c->cpu.sve = ON;
	c->cpu.sve_lengths = lengths;
	return 0;
}

static int backing(struct ram_conf *r, const char *value)
{
	static const char huge[] = "hugetlb";
	const size_t n = sizeof(huge) - 1;

	r->page_size = 0;
	if (value && !strcmp(value, "normal")) {
		r->backing = RAM_NORMAL;
	} else if (value && !strcmp(value, "thp")) {
		r->backing = RAM_THP;
	} else if (value && !strncmp(value, huge, n) && (!value[n] || value[n] == ':')) {
		r->backing = RAM_HUGETLB;
		if (value[n] && (parse_size(value + n + 1, &r->page_size) || !r->page_size))
			return err_usage("--memory backing=%s: want hugetlb:SIZE, such as 2M",
					 value);
	} else {
		return err_usage("--memory backing=%s: want normal, thp, hugetlb or hugetlb:SIZE",
				 value ? value : "");
	}
	return 0;
}

int options_memory(struct machine_conf *c, const char *arg)
{
	char key[WORD_MAX];
	const char *value;
	int ret = 0, more;

	while (!ret && (more = parse_word(&arg, key, sizeof(key), &value))) {
		if (more < 0)
			return err_usage("--memory: an empty or too long word in the list");
		if (!strcmp(key, "backing"))
			ret = backing(&c->ram, value);
		else if (value || parse_size(key, &c->ram.size) || !c->ram.size)
			ret = err_usage("--memory %s%s%s: want SIZE[K|M|G], such as 512M", key,
					value ? "=" : "", value ? value : "");
	}
	return ret;
}

int options_device(struct machine_conf *c, const char *arg)
{
	static const char prefix[] = "--device ";
	const char *offered[CONF_DEVS_MAX + 1] = {0};
	unsigned nr = 0;
	size_t len = strcspn(arg, ",");
	char name[WORD_MAX];

	if (!len || len >= sizeof(name) || (arg[len] && !arg[len + 1]))
		return err_usage("--device %s: want NAME[,key=value…]", arg);
	memcpy(name, arg, len);
	name[len] = '\0';
	for (unsigned i = 0; i < board_rows; i++) {
		const struct dev_option *o = board_table[i].ops->options;

		for (; o && o->name; o++) {
			if (strncmp(o->name, prefix, sizeof(prefix) - 1) != 0)
				continue;
			if (!strcmp(o->name + sizeof(prefix) - 1, name))
				return o->parse(c->dev[i], arg[len] ? arg + len + 1 : "");
			if (nr < CONF_DEVS_MAX)
				offered[nr++] = o->name + sizeof(prefix) - 1;
		}
	}
	return refuse_check(REFUSE_DEVICE, name, offered);
}
