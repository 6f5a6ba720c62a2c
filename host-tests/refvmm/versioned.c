/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine version never changes behaviour. What a guest sees of the board is its device tree: refvmm, on this host
 * and its KVM, must describe `virt-1` byte for byte as the golden copy in the bundle does.
 */
#include "file.h"
#include "refvmm.h"
#include "test.h"
#include "vm.h"
#include <assay/exit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 15000
#define TREE_MAX (512 * 1024)

static size_t read_bundle(const char *version, const char *name, const char *ext, void *buf,
			  size_t size)
{
	char file[128], path[512];
	ssize_t n;
	int fd;

	snprintf(file, sizeof(file), "golden/%s/%s.%s", version, name, ext);
	bundle_path(file, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		test_error("%s: %s; build the bundle", path, strerrorname_np(errno));
	n = read(fd, buf, size);
	close(fd);
	if (n <= 0)
		test_error("%s: empty or unreadable", path);
	return (size_t)n;
}

/* The tree refvmm describes for these options, in memory that has no name. */
static size_t describe(char *options, void *buf, size_t size)
{
	static struct proc run;
	char *words[32], name[32];
	struct refvmm vmm = {};
	int fd = file_in_memory();
	ssize_t n;

	proc_words(options, words, ARRAY_SIZE(words));
	REFVMM_ADD(&vmm, "--dump-dtb", file_name_of(fd, name));
	refvmm_add(&vmm, (const char *const *)words);
	refvmm_run(&run, &vmm, NULL, LIMIT_MS);
	if (run.status != ASSAY_EXIT_OK)
		test_error("refvmm: exit status %d: %.200s", run.status, run.err);
	n = pread(fd, buf, size, 0);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

TEST(refvmm, machine_version_is_the_golden_one, RULE("VMM-VERSION-1"),
     VARIANTS("virt-1-gicv3: tree=gicv3 | virt-1-noits: tree=gicv3-noits | "
	      "virt-1-lowmem: tree=gicv3-lowmem | virt-1-regions: tree=gicv3-regions | "
	      "virt-1-ports: tree=gicv3-ports | virt-1-gicv2: tree=gicv2 | "
	      "virt-1-gicv2-lowmem: tree=gicv2-lowmem | virt-1-one: tree=gicv3-one | "
	      "virt-1-123: tree=gicv3-123 | virt-1-255g: tree=gicv3-255g | "
	      "virt-1-pmu: tree=gicv3-pmu | virt-1-lowports: tree=gicv3-lowports | "
	      "virt-1-noits-lowmem: tree=gicv3-noits-lowmem | virt-1-gicv2-one: tree=gicv2-one | "
	      "virt-1-gicv2-ports: tree=gicv2-ports"))
{
	static unsigned char golden[TREE_MAX], got[TREE_MAX];
	const char *tree = test_param("tree");
	char options[512] = "";
	size_t want_len, len, at = 0;

	ASSERT_TRUE(tree);
	read_bundle("virt-1", tree, "args", options, sizeof(options) - 1);
	options[strcspn(options, "\n")] = '\0';
	want_len = read_bundle("virt-1", tree, "dtb", golden, sizeof(golden));
	len = describe(options, got, sizeof(got));
	EXPECT_EQ(len, want_len);
	while (at < len && at < want_len && got[at] == golden[at])
		at++;
	EXPECT_EQ(at, want_len); /* the offset of the first byte that differs */
}
