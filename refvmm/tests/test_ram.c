/* SPDX-License-Identifier: Apache-2.0 */
/* Host memory behind guest RAM: what the kernel says about the mapping, not what we asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/err.h"
#include "core/ram.h"
#include "tests/unit.h"

/* The VmFlags line of the mapping that starts at or before `p`; false if it has none. */
static bool vm_flags(const void *p, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool inside = false, found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *end;
		uint64_t from = strtoull(line, &end, 16), to;

		if (*end == '-') {
			to = strtoull(end + 1, NULL, 16);
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		} else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(flags, size, "%s", line + 8);
			found = true;
		}
	}
	if (f)
		fclose(f);
	return found;
}

TEST(ram, normal_pages_are_never_huge)
{
	struct ram_conf c = {.size = 64 << 20};
	struct ram r;
	char flags[512];

	ASSERT_EQ(ram_alloc(&r, &c), 0);
	EXPECT_EQ(r.page_size, sysconf(_SC_PAGESIZE));
	EXPECT_EQ(((uint8_t *)r.host)[c.size - 1], 0);
	if (r.thp_size && vm_flags(r.host, flags, sizeof(flags)))
		EXPECT(strstr(flags, " nh")); /* MADV_NOHUGEPAGE */
	ram_free(&r);
	EXPECT(!r.host);
}

TEST(ram, thp_is_aligned_and_advised_or_lacking)
{
	struct ram_conf c = {.size = 64 << 20, .backing = RAM_THP};
	struct ram r;
	char flags[512];
	int ret = ram_alloc(&r, &c);

	if (ret) {
		EXPECT_EQ(ret, -ERR_LACKS);
		SKIP("this host has no transparent huge pages");
	}
	EXPECT_EQ(r.page_size, r.thp_size);
	EXPECT_EQ((uintptr_t)r.host % r.thp_size, 0);
	((uint8_t *)r.host)[c.size - 1] = 1;
	if (vm_flags(r.host, flags, sizeof(flags)))
		EXPECT(strstr(flags, " hg")); /* MADV_HUGEPAGE */
	ram_free(&r);
}

TEST(ram, hugetlb_is_there_or_lacking)
{
	struct ram_conf c = {.size = 4 << 20, .backing = RAM_HUGETLB, .page_size = 2 << 20};
	struct ram r;
	int ret = ram_alloc(&r, &c);

	if (ret) {
		EXPECT_EQ(ret, -ERR_LACKS);
	} else {
		EXPECT_EQ(r.page_size, 2 << 20);
		((uint8_t *)r.host)[c.size - 1] = 1;
		ram_free(&r);
	}
	c.page_size = 4 << 20; /* no architecture's */
	EXPECT_EQ(ram_alloc(&r, &c), -ERR_LACKS);
}

TEST(ram, impossible_sizes_are_usage_errors)
{
	static const struct ram_conf bad[] = {
		{.size = 0},
		{.size = 12345},
		{.size = 5 << 20, .backing = RAM_HUGETLB, .page_size = 2 << 20},
		{.size = 6 << 20, .backing = RAM_HUGETLB, .page_size = 3 << 20},
		{.size = 6 << 20, .backing = RAM_HUGETLB, .page_size = 512},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ram r;

		EXPECT_EQ(ram_alloc(&r, &bad[i]), -ERR_USAGE);
		EXPECT(!r.map);
	}
}
