/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_image.h"
#include "proc.h"
#include "refuse.h"
#include <assay/exit.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

SUITE(refvmm, .tags = "refusal refvmm", .limit_ms = 20000);

#define LIMIT_MS 15000

static struct proc listing, run;

static const char *vmm(void)
{
	static char path[512];

	bundle_path("refvmm", path, sizeof(path));
	if (access(path, X_OK))
		SKIP("no refvmm beside this program (%s): build the bundle", path);
	return path;
}

/* ---- `refvmm --list-refusals --json`: one object a line, strings without escapes but \" and \\ */

static const char *json_value(const char *line, const char *key, char *buf, size_t size)
{
	char quoted[32];
	const char *p;
	size_t n = 0;

	snprintf(quoted, sizeof(quoted), "\"%s\": \"", key);
	p = strstr(line, quoted);
	if (!p)
		return NULL;
	for (p += strlen(quoted); *p && *p != '"' && n + 1 < size; p++) {
		if (*p == '\\')
			p++;
		buf[n++] = *p;
	}
	buf[n] = '\0';
	return buf;
}

static void read_listing(void)
{
	char *argv[] = {(char *)vmm(), (char *)"--list-refusals", (char *)"--json", NULL};
	int r = proc_run(&listing, argv, LIMIT_MS);

	if (r < 0)
		test_error("%s: %s", argv[0], strerrorname_np(-r));
	if (listing.status != ASSAY_EXIT_OK)
		test_error("refvmm --list-refusals --json: exit status %d: %.200s", listing.status,
			   listing.err);
}

/* Calls fn for each entry until it returns true. */
static bool each_entry(bool (*fn)(const char *line, void *arg), void *arg)
{
	for (char *line = listing.out, *end; *line; line = end + 1) {
		bool last;

		end = line + strcspn(line, "\n");
		last = !*end;
		*end = '\0';
		if (strstr(line, "\"kind\"") && fn(line, arg))
			return true;
		if (last)
			break;
	}
	return false;
}

struct wanted {
	const char *kind, *name;
	char args[256], reason[256];
};

static bool is_wanted(const char *line, void *arg)
{
	struct wanted *w = arg;
	char kind[32], name[64];

	if (!json_value(line, "kind", kind, sizeof(kind)) ||
	    !json_value(line, "name", name, sizeof(name)) || strcmp(kind, w->kind) != 0 ||
	    strcmp(name, w->name) != 0)
		return false;
	return json_value(line, "args", w->args, sizeof(w->args)) &&
	       json_value(line, "reason", w->reason, sizeof(w->reason));
}

/* ---- images, by their formats' own documents, not by refvmm's idea of them */

struct image {
	const char *name;
	size_t at;
	unsigned char bytes[20];
	size_t n;
};

#define IMAGE_SIZE 4096

static const struct image images[] = {
	/* ELF: magic, class, data, then e_machine at 18 (System V gABI, chapter 4) */
	{"x86-elf", 18, {EM_X86_64, 0}, 2},
	{"aarch32-elf", 18, {EM_ARM, 0}, 2},
	{"big-endian-elf", 18, {0, EM_AARCH64}, 2},
	/* Documentation/arch/x86/boot.rst: "HdrS" at 0x202, 0xAA55 at 0x1fe */
	{"x86-bzimage", 0x202, "HdrS", 4},
	/* Documentation/arch/arm/booting.rst: zImage magic at 0x24 */
	{"aarch32-zimage", 0x24, {0x18, 0x28, 0x6f, 0x01}, 4},
	/* Documentation/arch/arm64/booting.rst: magic at 56, flags at 24, bit 0: big-endian */
	{"big-endian-image", 0x38, "ARM\x64", 4},
	/* include/linux/efi.h, zboot header */
	{"zboot-image", 0, "MZ\0\0zimg", 8},
	/* PI specification, volume 3: "_FVH" at 0x28; x86 starts 16 bytes below the end */
	{"x86-firmware", 0x28, "_FVH", 4},
	{"arm64-firmware", 0x28, "_FVH", 4},
};

static void write_at(int fd, size_t at, const void *p, size_t n)
{
	if (pwrite(fd, p, n, (off_t)at) != (ssize_t)n)
		test_error("pwrite of a test image: %s", strerrorname_np(errno));
}

/* A file without a name, so that nothing is left behind; the child inherits it. */
static int make_image(const char *name)
{
	unsigned char ident[20] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
	int fd = memfd_create("image", 0);

	if (fd < 0 || ftruncate(fd, IMAGE_SIZE))
		test_error("memfd_create: %s", strerrorname_np(errno));
	if (strstr(name, "elf")) {
		if (!strcmp(name, "big-endian-elf"))
			ident[EI_DATA] = ELFDATA2MSB;
		if (!strcmp(name, "aarch32-elf"))
			ident[EI_CLASS] = ELFCLASS32;
		write_at(fd, 0, ident, sizeof(ident));
	}
	if (!strcmp(name, "x86-bzimage"))
		write_at(fd, 0x1fe, "\x55\xaa", 2);
	if (!strcmp(name, "big-endian-image"))
		write_at(fd, 24, "\x01", 1);
	if (!strcmp(name, "x86-firmware"))
		write_at(fd, IMAGE_SIZE - 16, "\x90\x90\xe9\x12\x34", 5);
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		if (!strcmp(images[i].name, name)) {
			write_at(fd, images[i].at, images[i].bytes, images[i].n);
			return fd;
		}
	test_error("no test image for %s: add one to images[]", name);
}

/* The smallest bootable program: limits are about the machine, so something must be there to run. */
static const uint32_t loop = 0x14000000; /* b . */

/* ---- what must not happen */

/* Names in the current folder, as one number: no file is made, none goes. */
static uint64_t folder(void)
{
	DIR *d = opendir(".");
	struct dirent *e;
	uint64_t sum = 0;

	if (!d)
		test_error("the current folder cannot be read: %s", strerrorname_np(errno));
	while ((e = readdir(d))) {
		uint64_t h = 5381;

		for (const char *p = e->d_name; *p; p++)
			h = h * 33 + (unsigned char)*p;
		sum += h ^ h >> 17;
	}
	closedir(d);
	return sum;
}

static unsigned int opened(int watch)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n = read(watch, buf, sizeof(buf));

	return n > 0 ? (unsigned int)((size_t)n / sizeof(struct inotify_event)) : 0;
}

static void expect_one_line(const struct wanted *w)
{
	char *end = strchr(run.err, '\n');

	EXPECT_TRUE(end && end[1] == '\0');
	if (end)
		*end = '\0';
	if (!EXPECT_TRUE(!strncmp(run.err, "refvmm: ", 8)) ||
	    !EXPECT_TRUE(strstr(run.err, w->reason)) ||
	    !EXPECT_TRUE(strstr(run.err, " is not offered: ")) ||
	    !EXPECT_TRUE(strstr(run.err, "; use ")))
		NOTE("stderr was: %s", run.err);
	/* a limit and an image name what was asked for, and their reason says what it is; all else is named as typed */
	if (strcmp(w->kind, "limit") != 0 && strcmp(w->kind, "image") != 0 &&
	    !EXPECT_TRUE(strcasestr(run.err, w->name)))
		NOTE("stderr was: %s; it does not name %s", run.err, w->name);
}

static void run_and_watch(char *const argv[], const struct wanted *w)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), r;
	bool watched = watch >= 0 && inotify_add_watch(watch, "/dev/kvm", IN_OPEN) >= 0;
	uint64_t before = folder();

	r = proc_run(&run, argv, LIMIT_MS);
	if (r < 0)
		test_error("%s: %s", argv[0], strerrorname_np(-r));
	EXPECT_TRUE(!run.limit);
	EXPECT_EQ(run.status, ASSAY_EXIT_REFUSED);
	EXPECT_EQ(run.out_len, 0);
	expect_one_line(w);
	EXPECT_EQ(folder(), before);
	if (watched)
		EXPECT_EQ(opened(watch), 0U);
	else
		NOTE("opens of /dev/kvm not watched: no inotify, or no /dev/kvm");
}

/* How a user asks for it. Options and limits have arguments of their own, which stand in refvmm's listing. */
static void ask_for(struct wanted *w)
{
	static const struct {
		const char *kind, *option;
	} plain[] = {
		{"machine", "--machine"},	  {"cpu", "--cpu"},	 {"device", "--device"},
		{"command", "--control-command"}, {"image", "--kernel"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(plain[i].kind, w->kind)) {
			snprintf(w->args, sizeof(w->args), "%s %s", plain[i].option, w->name);
			return;
		}
	read_listing();
	if (each_entry(is_wanted, w))
		return;
	test_differs(__FILE__, __LINE__, "refvmm --list-refusals", "no such entry", w->name);
	test_abandon();
}

void expect_refusal(const char *kind, const char *name)
{
	struct wanted w = {.kind = kind, .name = name};
	char *argv[24] = {(char *)vmm()}, path[32] = "";
	size_t n;

	ask_for(&w);
	if (!strcmp(kind, "image"))
		snprintf(path, sizeof(path), "/proc/self/fd/%d", make_image(name));
	else if (!strcmp(kind, "limit"))
		snprintf(path, sizeof(path), "/proc/self/fd/%d", elf_image(&loop, sizeof(loop)));
	n = 1 + proc_words(w.args, argv + 1, ARRAY_SIZE(argv) - 3);
	if (!strcmp(kind, "image"))
		argv[n - 1] = path;
	else if (path[0]) {
		argv[n++] = (char *)"--kernel";
		argv[n++] = path;
	}
	argv[n] = NULL;
	run_and_watch(argv, &w);
}

/* ---- completeness */

extern const struct refusal_claim __start_refusal_claims[], __stop_refusal_claims[];

static bool has_test(const char *line, void *arg)
{
	char kind[32], name[64], what[128];

	(void)arg;
	if (!json_value(line, "kind", kind, sizeof(kind)) ||
	    !json_value(line, "name", name, sizeof(name)))
		test_error("an entry without kind and name: %.100s", line);
	for (const struct refusal_claim *c = __start_refusal_claims; c < __stop_refusal_claims; c++)
		if (!strcmp(c->kind, kind) && !strcmp(c->name, name)) {
			test_held();
			return false;
		}
	snprintf(what, sizeof(what), "refusal of %s %s", kind, name);
	test_differs(__FILE__, __LINE__, what, "no test", "a REFUSES() line in host-tests/refvmm");
	return false;
}

TEST(refvmm, every_refusal_has_a_test, RULE("VMM-REFUSE-2"))
{
	read_listing();
	each_entry(has_test, NULL);
}

/* A name nobody knows is a mistake of the user's (status 2), not a refusal. */
TEST(refvmm, unknown_names_are_usage_errors, RULE("VMM-REFUSE-3"))
{
	static const char *const lines[] = {
		"--device no-such-device",
		"--machine no-such-machine",
		"--cpu no-such-cpu",
		"--no-such-option",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char *argv[8] = {(char *)vmm()}, line[64];

		snprintf(line, sizeof(line), "%s", lines[i]);
		proc_words(line, argv + 1, 7);
		if (proc_run(&run, argv, LIMIT_MS) < 0)
			test_error("refvmm cannot be run");
		if (!EXPECT_EQ(run.status, ASSAY_EXIT_USAGE) || !EXPECT_EQ(run.out_len, 0))
			NOTE("arguments were: %s", lines[i]);
	}
}
