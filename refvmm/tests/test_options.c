/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what each option sets, and that bad ones are refused. */
#include <fcntl.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "board.h"
#include "core/err.h"
#include "core/parse.h"
#include "core/sve_set.h"
#include "options.h"
#include "tests/unit.h"

#define ARGS_MAX 32

/* Splits at blanks, so that tests read like a command line. */
static int parse(struct machine_conf *c, const char *line)
{
	char *argv[ARGS_MAX] = {0}, *copy = strdup(line), *save;
	int argc = 0, ret;

	*c = (struct machine_conf){0};
	if (!copy || board_conf_init(c))
		abort();
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	ret = options_parse(c, argc, argv);
	board_conf_free(c);
	c->kernel = c->initrd = c->append = NULL; /* pointed into the copy */
	free(copy);
	return ret;
}

TEST(options, defaults)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm --kernel x"), 0);
	EXPECT_EQ(c.smp, 1);
	EXPECT_EQ(c.ram.size, 256 << 20);
	EXPECT_EQ(c.ram.backing, RAM_NORMAL);
	EXPECT_EQ(c.gic, GIC_HOST);
	EXPECT_EQ(c.its, AUTO);
	EXPECT_EQ(c.cpu.sve, AUTO);
	EXPECT(c.highmem);
}

TEST(options, later_words_override)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm --kernel x --machine gic-version=3,its=on "
			    "--machine virt-1,its=off,highmem=off --smp 4 --smp 2 "
			    "--machine gic-version=max"),
		  0);
	EXPECT_EQ(c.gic, GIC_MAX);
	EXPECT_EQ(c.its, OFF);
	EXPECT_EQ(c.smp, 2);
	EXPECT(!c.highmem);
}

TEST(options, memory_and_its_backing)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm --kernel x --memory 2G,backing=hugetlb:512M"), 0);
	EXPECT_EQ(c.ram.size, 2ULL << 30);
	EXPECT_EQ(c.ram.backing, RAM_HUGETLB);
	EXPECT_EQ(c.ram.page_size, 512 << 20);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --memory 64M,backing=thp --memory 128M"), 0);
	EXPECT_EQ(c.ram.size, 128 << 20);
	EXPECT_EQ(c.ram.backing, RAM_THP);
	ASSERT_EQ(
		parse(&c, "refvmm --kernel x --memory backing=hugetlb:2M --memory backing=hugetlb"),
		0);
	EXPECT_EQ(c.ram.page_size, 0);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --memory 255G"), 0);
}

TEST(options, sve_lengths)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm --kernel x --sve 128,256,512"), 0);
	EXPECT_EQ(c.cpu.sve_lengths, 0xb);
	EXPECT_EQ(c.cpu.sve, ON);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --sve 2048 --sve off"), 0);
	EXPECT_EQ(c.cpu.sve, OFF);
	EXPECT_EQ(c.cpu.sve_lengths, 0);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --cpu host,sve=off,pmu=off,pauth=on"), 0);
	EXPECT_EQ(c.cpu.sve, OFF);
	EXPECT_EQ(c.cpu.pmu, OFF);
	EXPECT_EQ(c.cpu.pauth, ON);
}

TEST(options, single_words)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm --kernel k --initrd i --append a --console stdio --verbose "
			    "--ipa-bits 48 --time-limit 1500 --dump-dtb d"),
		  0);
	EXPECT(c.console_stdio && c.verbose);
	EXPECT_EQ(c.ipa_bits, 48);
	EXPECT_EQ(c.time_limit_ms, 1500);
	EXPECT_EQ(parse(&c, "refvmm --dump-dtb d"), 0); /* needs no kernel */
}

TEST(options, mistakes_are_usage_errors)
{
	static const char *const bad[] = {
		"refvmm",
		"refvmm --kernel",
		"refvmm x",
		"refvmm --kernel x --smp 0",
		"refvmm --kernel x --smp -1",
		"refvmm --kernel x --smp 2x",
		"refvmm --kernel x --smp 99999999999999999999",
		"refvmm --kernel x --memory 0",
		"refvmm --kernel x --memory 1X",
		"refvmm --kernel x --memory 99999999T",
		"refvmm --kernel x --memory 1G,",
		"refvmm --kernel x --memory ,1G",
		"refvmm --kernel x --memory 1G,backing",
		"refvmm --kernel x --memory 1G,backing=wood",
		"refvmm --kernel x --memory 1G,backing=hugetlb:",
		"refvmm --kernel x --memory 1G,backing=hugetlb:0",
		"refvmm --kernel x --sve 100",
		"refvmm --kernel x --sve 0",
		"refvmm --kernel x --sve 2176",
		"refvmm --kernel x --sve 128,",
		"refvmm --kernel x --sve 128=1",
		"refvmm --kernel x --machine gic-version=5",
		"refvmm --kernel x --machine gic-version",
		"refvmm --kernel x --machine its=maybe",
		"refvmm --kernel x --machine gic-version=2,its=on",
		"refvmm --kernel x --machine nonsense",
		"refvmm --kernel x --cpu host,sve",
		"refvmm --kernel x --cpu nonsense",
		"refvmm --kernel x --device nonsense",
		"refvmm --kernel x --device pci-test,",
		"refvmm --kernel x --console tcp",
		"refvmm --kernel x --ipa-bits 31",
		"refvmm --kernel x --time-limit 0",
		"refvmm --kernel x --nonsense",
		"refvmm --kernel x --machine its=on,",
		"refvmm --kernel x --cpu ,host",
		"refvmm --kernel x --machine virt-1=on",
		"refvmm --kernel x --machine secure",
		"refvmm --kernel x --machine secure=maybe",
		"refvmm --kernel x --machine iommu=intel",
		"refvmm --kernel x --cpu sve100=on",
		"refvmm --kernel x --cpu sve256",
		"refvmm --kernel x --cpu sve256=2",
		"refvmm --kernel x --cpu sve4096=on",
		"refvmm --kernel x --cpu sve=off --cpu sve256=on,sve=off",
		"refvmm --kernel x --sve 128 --cpu sve256=on",
		"refvmm --kernel x --smp cpus",
		"refvmm --kernel x --smp cpus=0",
		"refvmm --kernel x --smp 2,threads",
		"refvmm --list-refusals --yaml",
		"refvmm -nonsense",
		"refvmm -",
		"refvmm --",
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct machine_conf c;
		int ret = parse(&c, bad[i]);

		if (ret != -ERR_USAGE)
			unit_fail(__FILE__, __LINE__, bad[i], (uint64_t)-ret, ERR_USAGE);
	}
}

TEST(options, what_is_never_offered_is_refused)
{
	static const char *const refused[] = {
		"refvmm --kernel x --smp 513",
		"refvmm --kernel x --machine gic-version=2 --smp 9",
		"refvmm --kernel x --machine highmem=off --smp 124",
		"refvmm --kernel x --machine highmem=off --memory 4G",
		"refvmm --kernel x --memory 256G",
		"refvmm --kernel x --machine q35",
		"refvmm --kernel x --machine secure=on",
		"refvmm --kernel x --cpu cortex-a57",
		"refvmm --kernel x --device pvpanic",
		"refvmm --kernel x --device vga,vgamem=16",
		"refvmm --dimm 1G",
		"refvmm --control-command save",
		"refvmm --kernel x --machine gic-version=4",
		"refvmm --kernel x -smp 1,maxcpus=4",
		"refvmm --kernel x -m 1G,slots=2,maxmem=4G",
		"refvmm --kernel x -incoming tcp:0:4444",
		"refvmm --kernel x -device pcie-root-port,hotplug=on",
	};

	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct machine_conf c;
		int ret = parse(&c, refused[i]);

		if (ret != -ERR_REFUSED)
			unit_fail(__FILE__, __LINE__, refused[i], (uint64_t)-ret, ERR_REFUSED);
	}
}

TEST(options, vector_lengths_by_name)
{
	struct machine_conf c;

	ASSERT_EQ(
		parse(&c, "refvmm --kernel x --cpu host,sve128=on,sve256=on,sve384=off,sve512=on"),
		0);
	EXPECT_EQ(c.cpu.sve, ON);
	EXPECT_EQ(c.cpu.sve_on, 0xb);
	EXPECT_EQ(c.cpu.sve_off, 0x4);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --cpu sve384=off --cpu sve384=on"), 0);
	EXPECT_EQ(c.cpu.sve_on, 0x4);
	EXPECT_EQ(c.cpu.sve_off, 0);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --cpu sve256=on --sve off"), 0);
	EXPECT_EQ(c.cpu.sve, OFF);
	ASSERT_EQ(parse(&c, "refvmm --kernel x --cpu sve256=off"), 0);
	EXPECT_EQ(c.cpu.sve, AUTO); /* a host without SVE has no such length anyway */
}

TEST(options, what_nobody_named_follows_from_the_host)
{
	EXPECT_EQ(sve_set(0xf, 0, 0), 0xf);
	EXPECT_EQ(sve_set(0xf, 0, 0x4), 0x3);	/* 384 off: 128 and 256 remain */
	EXPECT_EQ(sve_set(0xb, 0, 0x4), 0xb);	/* it has no 384 */
	EXPECT_EQ(sve_set(0xf, 0x2, 0), 0x3);	/* 256 on: the maximum */
	EXPECT_EQ(sve_set(0xb, 0xb, 0x4), 0xb); /* the RHEL example on an A64FX */
	EXPECT_EQ(sve_set(0xf, 0xb, 0x4), 0xb); /* and where KVM will have to say no */
	EXPECT_EQ(sve_set(0x1, 0x2, 0), 0x3);
	EXPECT_EQ(sve_set(0xffff, 0x8000, 0), 0xffff);
	EXPECT_EQ(sve_set(0xffff, 0, 0x1), 0);
}

TEST(options, one_dash_is_understood)
{
	struct machine_conf c;

	ASSERT_EQ(parse(&c, "refvmm -kernel x -smp 2 -m 1G -M virt -cpu host"), 0);
	EXPECT_EQ(c.smp, 2);
	EXPECT_EQ(c.ram.size, 1 << 30);
	EXPECT_EQ(parse(&c, "refvmm -device pvpanic"), -ERR_REFUSED);
}

/* What FN prints, in a buffer that the caller frees. */
static char *printed(void (*fn)(void))
{
	int out = dup(STDOUT_FILENO);
	FILE *f = tmpfile();
	char *text = calloc(1, 1 << 16);

	if (!f || !text || out < 0)
		abort();
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	fn();
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rewind(f);
	EXPECT(fread(text, 1, (1 << 16) - 1, f) > 1000);
	fclose(f);
	return text;
}

/* The name as roff has it: every dash escaped. */
static const char *in_roff(const char *name, char *buf)
{
	char *to = buf;

	for (; *name; name++) {
		if (*name == '-')
			*to++ = '\\';
		*to++ = *name;
	}
	*to = '\0';
	return buf;
}

TEST(options, help_and_man_page_know_every_option)
{
	char *help = printed(options_help), *man = printed(options_man), roff[128];

	for (size_t i = 0; i < options_count; i++) {
		const struct option *o = &options_table[i];

		EXPECT(strstr(help, o->name));
		EXPECT(strstr(man, in_roff(o->name, roff)));
		for (const struct option_word *w = o->words; w && w->name; w++)
			EXPECT(strstr(help, w->name) && strstr(man, in_roff(w->name, roff)));
	}
	for (unsigned i = 0; i < board_rows; i++) {
		for (const struct dev_option *o = board_table[i].ops->options; o && o->name; o++)
			EXPECT(strstr(help, o->name) && strstr(man, in_roff(o->name, roff)));
	}
	EXPECT(!strncmp(man, ".\\\"", 3) && strstr(man, "\n.TH REFVMM 1 "));
	free(help);
	free(man);
}

TEST(options, help_and_version_run_nothing)
{
	struct machine_conf c;
	int null = open("/dev/null", O_WRONLY), out = dup(STDOUT_FILENO);
	int version, help;

	ASSERT(null >= 0 && out >= 0);
	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	version = parse(&c, "refvmm --version");
	help = parse(&c, "refvmm --help --nonsense");
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(null);
	close(out);
	EXPECT_EQ(version, OPTIONS_DONE);
	EXPECT_EQ(help, OPTIONS_DONE);
}

TEST(parse, numbers_and_sizes)
{
	uint64_t v;

	EXPECT(!parse_u64("0x10", &v) && v == 16);
	EXPECT(!parse_u64("0XfFaA", &v) && v == 0xffaa);
	EXPECT(!parse_u64("0xffffffffffffffff", &v) && v == UINT64_MAX);
	EXPECT_EQ(parse_u64("0x10000000000000000", &v), -ERANGE);
	EXPECT_EQ(parse_u64("99999999999999999999", &v), -ERANGE);
	EXPECT_EQ(parse_u64("0x", &v), -EINVAL);
	EXPECT_EQ(parse_u64("0xg", &v), -EINVAL);
	EXPECT_EQ(parse_u64("1f", &v), -EINVAL);
	EXPECT(!parse_u64("010", &v) && v == 10);
	EXPECT(!parse_u64("18446744073709551615", &v) && v == UINT64_MAX);
	EXPECT(parse_u64("18446744073709551616", &v));
	EXPECT(parse_u64("", &v));
	EXPECT(parse_u64(" 1", &v));
	EXPECT(parse_u64("-1", &v));
	EXPECT(parse_u64("1 ", &v));
	EXPECT(!parse_size("4k", &v) && v == 4096);
	EXPECT(!parse_size("16G", &v) && v == 16ULL << 30);
	EXPECT(!parse_size("0x2t", &v) && v == 2ULL << 40);
	EXPECT(!parse_size("16777215T", &v) && v == 16777215ULL << 40);
	EXPECT(parse_size("16777216T", &v));
	EXPECT(parse_size("1GB", &v));
	EXPECT(parse_size("G", &v));
}

TEST(parse, sizes_read_back)
{
	char buf[32];

	EXPECT_STR(format_size(buf, sizeof(buf), 2 << 20), "2M");
	EXPECT_STR(format_size(buf, sizeof(buf), 64 << 10), "64K");
	EXPECT_STR(format_size(buf, sizeof(buf), 1025), "1025");
	EXPECT_STR(format_size(buf, sizeof(buf), 0), "0");
}

TEST(parse, word_lists)
{
	const char *list = "a,b=c,d=", *value;
	char key[4];

	EXPECT(parse_word(&list, key, sizeof(key), &value) == 1 && !strcmp(key, "a") && !value);
	EXPECT(parse_word(&list, key, sizeof(key), &value) == 1 && !strcmp(key, "b"));
	EXPECT_STR(value, "c");
	EXPECT(parse_word(&list, key, sizeof(key), &value) == 1 && !strcmp(value, ""));
	EXPECT_EQ(parse_word(&list, key, sizeof(key), &value), 0);
	list = "abcd";
	EXPECT(parse_word(&list, key, sizeof(key), &value) < 0);
	list = "a,,b";
	EXPECT(parse_word(&list, key, sizeof(key), &value) == 1);
	EXPECT(parse_word(&list, key, sizeof(key), &value) < 0);
}
