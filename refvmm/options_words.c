/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that take a list of words. The tables say which words and which values there are;
 * a value that is no choice of its word is named together with those that are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "core/err.h"
#include "core/parse.h"
#include "options.h"
#include "refuse.h"

#define WORD_MAX  64U
#define WORDS_MAX 24U

/* clang-format off */
const struct option_word machine_words[] = {
	{"virt-1", NULL, "the board in its first version, which never changes"},
	{"virt", NULL, "the newest version: virt-1"},
	{"gic-version", "2|3|host|max", "host: what the host itself has; max: the highest KVM offers"},
	{"its", "on|off", "LPIs by an ITS (on with a GICv3 where KVM offers it)"},
	{"highmem", "on|off", "use addresses above 4 GiB; off: 16 PCIe buses, 3 GiB of RAM (on)"},
	{"acpi", "on|off", "ACPI tables for firmware; off: the device tree alone (on)"},
	{"secure", "off", "TrustZone; on is refused"},
	{"virtualization", "off", "EL2 for the guest; on is refused"},
	{"mte", "off", "memory tagging; on is refused"},
	{"ras", "off", "error records and their injection; on is refused"},
	{"iommu", "none", "an IOMMU before the PCIe bus; smmuv3 is refused"},
	{NULL, NULL, NULL},
};

const struct option_word cpu_words[] = {
	{"host", NULL, "the host's own CPU"},
	{"max", NULL, "the same"},
	{"host-passthrough", NULL, "the same in libvirt's words"},
	{"sve", "on|off", "the Scalable Vector Extension"},
	{"sveN", "on|off", "the vector length of N bits: on demands it, off ends the lengths below it"},
	{"pmu", "on|off", "PMUv3"},
	{"pauth", "on|off", "pointer authentication"},
	{NULL, NULL, NULL},
};

const struct option_word memory_words[] = {
	{"backing", "normal|thp|hugetlb[:SIZE]", "ask for no huge pages, transparent ones, or hugetlb ones of that size"},
	{NULL, NULL, NULL},
};

const struct option_word smp_words[] = {
	{"cpus", "N", "the same number"},
	{NULL, NULL, NULL},
};
/* clang-format on */

static const struct option_word *find_word(const struct option_word *w, const char *name)
{
	for (; w->name; w++) {
		if (!strcmp(w->name, name))
			return w;
	}
	return NULL;
}

/* The list "a|b|c" as people say it: "a, b or c". */
static const char *spoken(const char *values, char *buf, size_t size)
{
	size_t at = 0;

	for (const char *p = values, *end; *p && at < size; p = *end ? end + 1 : end) {
		const char *comma;

		end = p + strcspn(p, "|");
		comma = p == values ? "" : *end ? ", " : " or ";
		at += (size_t)snprintf(buf + at, size - at, "%s%.*s", comma, (int)(end - p), p);
	}
	return buf;
}

/* Which of the word's values it is, from 0; -1 if none. */
static int find_value(const struct option_word *w, const char *value)
{
	size_t len = value ? strlen(value) : 0;
	int n = 0;

	for (const char *p = w->values, *end; *p; p = *end ? end + 1 : end, n++) {
		end = p + strcspn(p, "|");
		if (value && len == (size_t)(end - p) && !strncmp(p, value, len))
			return n;
	}
	return -1;
}

/* The same; a negative error, logged, if none. */
static int choose(const char *option, const struct option_word *w, const char *value)
{
	int n = find_value(w, value);
	char want[128];

	if (n >= 0)
		return n;
	return err_usage("%s %s=%s: want %s", option, w->name, value ? value : "",
			 spoken(w->values, want, sizeof(want)));
}

static int tristate(const char *option, const struct option_word *w, const char *value,
		    enum tristate *out)
{
	int n = choose(option, w, value);

	if (n >= 0)
		*out = n ? OFF : ON;
	return n < 0 ? n : 0;
}

/* A whole word that is no choice of its own: refused by name, or unknown. */
static int other_word(enum refuse_kind kind, const struct option_word *w, const char *key,
		      const char *value)
{
	const char *offered[WORDS_MAX + 1] = {0};
	char word[2 * WORD_MAX];
	const struct refusal *r;

	snprintf(word, sizeof(word), "%s%s%s", key, value ? "=" : "", value ? value : "");
	r = refuse_find(kind, word);
	if (r)
		return refuse(r, NULL);
	for (unsigned i = 0; w[i].name && i < WORDS_MAX; i++)
		offered[i] = w[i].name;
	return refuse_unknown(kind, word, offered);
}

struct walk {
	const char *option;
	enum refuse_kind kind;
	const struct option_word *words;
	/* Takes a word of the table; NULL as W: none of it is called so. */
	int (*take)(struct machine_conf *c, const struct walk *k, const struct option_word *w,
		    const char *key, const char *value);
};

static int walk(struct machine_conf *c, const struct walk *k, const char *arg)
{
	const char *list = arg, *value;
	char key[WORD_MAX];
	int ret = 0, more;

	if (!*arg)
		return err_usage("%s '': an empty list; see --help", k->option);
	while (!ret && (more = parse_word(&list, key, sizeof(key), &value))) {
		if (more < 0)
			return err_usage("%s %.80s: an empty or too long word in the list; see "
					 "--help",
					 k->option, arg);
		ret = k->take(c, k, find_word(k->words, key), key, value);
	}
	return ret;
}

static int machine_word(struct machine_conf *c, const struct walk *k, const struct option_word *w,
			const char *key, const char *value)
{
	/* in the order of the table's "2|3|host|max" */
	static const enum gic_version versions[] = {GIC_V2, GIC_V3, GIC_HOST, GIC_MAX};
	enum tristate highmem;
	int n;

	if (w && !w->values && !value)
		return 0; /* virt-1: there is only this one */
	if (!w || !w->values)
		return other_word(k->kind, k->words, key, value);
	if (value && find_value(w, value) <
			     0) { /* a value with a reason of its own: secure=on, gic-version=4 */
		char word[2 * WORD_MAX];
		const struct refusal *r;

		snprintf(word, sizeof(word), "%s=%s", key, value);
		r = refuse_find(k->kind, word);
		if (r)
			return refuse(r, NULL);
	}
	if (!strcmp(key, "gic-version")) {
		n = choose(k->option, w, value);
		if (n >= 0)
			c->gic = versions[n];
		return n < 0 ? n : 0;
	}
	if (!strcmp(key, "its"))
		return tristate(k->option, w, value, &c->its);
	if (!strcmp(key, "acpi"))
		return tristate(k->option, w, value, &c->acpi);
	if (!strcmp(key, "highmem")) {
		n = tristate(k->option, w, value, &highmem);
		if (!n)
			c->highmem = highmem == ON;
		return n;
	}
	/* The board has only one answer to the rest. */
	n = choose(k->option, w, value);
	return n < 0 ? n : 0;
}

int options_machine(struct machine_conf *c, const char *arg)
{
	static const struct walk k = {"--machine", REFUSE_MACHINE, machine_words, machine_word};

	return walk(c, &k, arg);
}

static bool vector_bits(const char *text, uint64_t *bits)
{
	return !parse_u64(text, bits) && *bits && *bits % 128 == 0 && *bits <= 2048;
}

/* sve384=off; the last word about a length counts. */
static int vector_length(struct machine_conf *c, const char *key, const char *value)
{
	const struct option_word w = {key, "on|off", NULL};
	enum tristate t;
	uint32_t bit;
	uint64_t bits;
	int ret;

	if (!vector_bits(key + 3, &bits))
		return err_usage("--cpu %s: want sve and a multiple of 128 up to 2048, such as "
				 "sve256=on",
				 key);
	ret = tristate("--cpu", &w, value, &t);
	if (ret)
		return ret;
	bit = 1U << (bits / 128 - 1);
	if (t == ON)
		c->cpu.sve = ON;
	c->cpu.sve_on = t == ON ? c->cpu.sve_on | bit : c->cpu.sve_on & ~bit;
	c->cpu.sve_off = t == OFF ? c->cpu.sve_off | bit : c->cpu.sve_off & ~bit;
	return 0;
}

static int cpu_word(struct machine_conf *c, const struct walk *k, const struct option_word *w,
		    const char *key, const char *value)
{
	if (!strncmp(key, "sve", 3) && key[3] >= '0' && key[3] <= '9')
		return vector_length(c, key, value);
	if (!w || (!w->values && value))
		return other_word(k->kind, k->words, key, value);
	if (!w->values)
		return 0; /* host */
	if (!strcmp(key, "sve"))
		return tristate(k->option, w, value, &c->cpu.sve);
	if (!strcmp(key, "pmu"))
		return tristate(k->option, w, value, &c->cpu.pmu);
	return tristate(k->option, w, value, &c->cpu.pauth);
}

int options_cpu(struct machine_conf *c, const char *arg)
{
	static const struct walk k = {"--cpu", REFUSE_CPU, cpu_words, cpu_word};

	return walk(c, &k, arg);
}

int options_sve(struct machine_conf *c, const char *arg)
{
	const char *list = arg, *value;
	uint32_t lengths = 0;
	char word[WORD_MAX];
	int more;

	c->cpu.sve_on = c->cpu.sve_off = 0;
	if (!strcmp(arg, "on") || !strcmp(arg, "off")) {
		c->cpu.sve = arg[1] == 'n' ? ON : OFF;
		c->cpu.sve_lengths = 0;
		return 0;
	}
	while ((more = parse_word(&list, word, sizeof(word), &value)) > 0) {
		uint64_t bits;

		if (value || !vector_bits(word, &bits))
			return err_usage("--sve %.64s: %s is no vector length; want multiples of "
					 "128 up to 2048, or on, or off",
					 arg, word);
		lengths |= 1U << (bits / 128 - 1);
	}
	if (more < 0 || !lengths)
		return err_usage("--sve %.64s: want lengths in bits, such as 128,256,512", arg);
	c->cpu.sve = ON;
	c->cpu.sve_lengths = lengths;
	return 0;
}

/* Properties of an option that are refused by name: "maxcpus=" of --smp. */
static int option_property(const char *option, const char *key, const char *value, const char *want)
{
	char name[WORD_MAX + 2];
	const struct refusal *r;

	snprintf(name, sizeof(name), "%s=", key);
	r = value ? refuse_find(REFUSE_OPTION, name) : NULL;
	if (r)
		return refuse(r, NULL);
	return err_usage("%s %s%s%s: want %s", option, key, value ? "=" : "", value ? value : "",
			 want);
}

static int smp_word(struct machine_conf *c, const struct walk *k, const struct option_word *w,
		    const char *key, const char *value)
{
	const char *text = w ? value : key;
	uint64_t n;

	if (!w && value)
		return option_property(k->option, key, value, "a number from 1 to 512");
	if (!text || parse_u64(text, &n) || !n || n > UINT32_MAX)
		return err_usage("--smp %s: want a number from 1 to %u", text ? text : key,
				 CONF_CPUS_MAX);
	c->smp = (unsigned)n; /* too many are refused by name: options_check() */
	return 0;
}

int options_smp(struct machine_conf *c, const char *arg)
{
	static const struct walk k = {"--smp", REFUSE_OPTION, smp_words, smp_word};

	return walk(c, &k, arg);
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

static int memory_word(struct machine_conf *c, const struct walk *k, const struct option_word *w,
		       const char *key, const char *value)
{
	if (w)
		return backing(&c->ram, value);
	if (value)
		return option_property(k->option, key, value,
				       "SIZE[K|M|G], such as 512M, and backing=…");
	if (parse_size(key, &c->ram.size) || !c->ram.size)
		return err_usage("--memory %s: want SIZE[K|M|G], such as 512M", key);
	return 0;
}

int options_memory(struct machine_conf *c, const char *arg)
{
	static const struct walk k = {"--memory", REFUSE_OPTION, memory_words, memory_word};

	return walk(c, &k, arg);
}

int options_device(struct machine_conf *c, const char *arg)
{
	static const char prefix[] = "--device ";
	const char *offered[CONF_DEVS_MAX + 1] = {0};
	unsigned nr = 0;
	size_t len = strcspn(arg, ",");
	char name[WORD_MAX];

	if (!len || len >= sizeof(name) || (arg[len] && !arg[len + 1]))
		return err_usage("--device %.80s: want NAME[,key=value…]", arg);
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
