/* SPDX-License-Identifier: Apache-2.0 */
/* The host as such: machine, CPU, memory, interrupt controller. What is measured here decides rows of the matrices. */
#include "file.h"
#include "midr.h"
#include "smbios.h"
#include "test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

SUITE(facts, .tags = "facts");

TEST(facts, machine_is_measured)
{
	struct utsname u;

	ASSERT_EQ(uname(&u), 0);
	FACT("host.machine", "%s", u.machine);
	FACT("host.release", "%s", u.release);
	EXPECT_STREQ(u.machine, "aarch64");
}

TEST(facts, cpus_are_measured)
{
	char text[64], name[96];
	uint64_t midr;

	FACT("host.cpus", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	if (!file_line("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", text,
		       sizeof(text)))
		SKIP("no /sys/devices/system/cpu/cpu0/regs/identification/midr_el1: mount sysfs");
	midr = strtoull(text, NULL, 16);
	FACT("host.midr", "0x%08llx", (unsigned long long)midr);
	FACT("host.cpu", "%s", midr_name(midr, name, sizeof(name)));
	/* MIDR_EL1.Architecture is 0xf on every CPU with ID registers (DDI 0487 D24.2.122) */
	EXPECT_EQ(midr >> 16 & 0xf, 0xf);
}

TEST(facts, memory_is_measured)
{
	struct sysinfo info;

	ASSERT_EQ(sysinfo(&info), 0);
	FACT("host.memory", "%llu", (unsigned long long)info.totalram * info.mem_unit);
}

/* DDI 0487 D8.2: granules are 4, 16 and 64 KiB, nothing else. */
TEST(facts, page_size_is_measured, RULE("HOST-PAGE-1"))
{
	unsigned long size = getauxval(AT_PAGESZ);

	FACT("host.page_size", "%lu", size);
	EXPECT_TRUE(size == 4096 || size == 16384 || size == 65536);
	EXPECT_EQ((long)size, sysconf(_SC_PAGESIZE));
}

static char *size_text(unsigned long long bytes, char *buf, size_t size)
{
	if (bytes >> 30 && !(bytes & ((1ULL << 30) - 1)))
		snprintf(buf, size, "%lluG", bytes >> 30);
	else if (bytes >> 20 && !(bytes & ((1ULL << 20) - 1)))
		snprintf(buf, size, "%lluM", bytes >> 20);
	else
		snprintf(buf, size, "%lluK", bytes >> 10);
	return buf;
}

static int ascending(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

TEST(facts, huge_page_sizes_are_measured, RULE("HOST-PAGE-2"))
{
	unsigned long long sizes[16];
	unsigned long page = getauxval(AT_PAGESZ);
	char text[160] = "", one[32];
	size_t n = 0, len = 0;
	struct dirent *e;
	bool block = false;
	DIR *d = opendir("/sys/kernel/mm/hugepages");

	if (!d)
		SKIP("no /sys/kernel/mm/hugepages: the host kernel is built without "
		     "CONFIG_HUGETLBFS");
	while ((e = readdir(d)) && n < ARRAY_SIZE(sizes))
		if (!strncmp(e->d_name, "hugepages-", 10))
			sizes[n++] = strtoull(e->d_name + 10, NULL, 10) << 10;
	closedir(d);
	qsort(sizes, n, sizeof(sizes[0]), ascending);
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
					size_text(sizes[i], one, sizeof(one)));
		block |= sizes[i] == (unsigned long long)page * (page / 8);
	}
	FACT("host.hugepages", "%s", n ? text : "none");
	/* a level 2 block maps one table of 8-byte descriptors' worth of pages (DDI 0487 D8.3) */
	EXPECT_TRUE(block);
}

TEST(facts, transparent_huge_pages_are_measured, RULE("HOST-PAGE-3"))
{
	unsigned long page = getauxval(AT_PAGESZ);
	char text[64], one[32], *mode;
	unsigned long long size;

	if (!file_line("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text, sizeof(text)))
		SKIP("no /sys/kernel/mm/transparent_hugepage: the host kernel is built without it");
	size = strtoull(text, NULL, 10);
	FACT("host.thp_size", "%s", size_text(size, one, sizeof(one)));
	EXPECT_EQ(size, (unsigned long long)page * (page / 8));
	ASSERT_TRUE(file_line("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)));
	mode = strchr(text, '[');
	ASSERT_TRUE(mode != NULL);
	FACT("host.thp_mode", "%.*s", (int)strcspn(mode + 1, "]"), mode + 1);
}

TEST(facts, interrupt_controller_is_measured)
{
	static char text[1 << 16];
	const char *version = NULL;

	if (file_read("/proc/interrupts", text, sizeof(text)) < 0)
		SKIP("no /proc/interrupts: mount proc");
	/* drivers/irqchip/irq-gic*.c: the chip's name */
	if (strstr(text, "GICv5"))
		version = "v5";
	else if (strstr(text, "GICv3"))
		version = "v3";
	else if (strstr(text, "GICv2") || strstr(text, "GIC-0"))
		version = "v2";
	if (!version)
		SKIP("/proc/interrupts names no GIC");
	FACT("host.gic", "%s", version);
}

TEST(facts, iommu_groups_are_measured)
{
	DIR *d = opendir("/sys/kernel/iommu_groups");
	struct dirent *e;
	unsigned int n = 0;

	if (!d)
		SKIP("no /sys/kernel/iommu_groups: the host kernel is built without "
		     "CONFIG_IOMMU_API, or sysfs is not "
		     "mounted");
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	FACT("host.iommu_groups", "%u", n);
}

TEST(facts, smbios_current_speed_is_measured)
{
	static char table[1 << 16];
	ssize_t n = file_read("/sys/firmware/dmi/tables/DMI", table, sizeof(table));
	int mhz;

	if (n < 0)
		SKIP("no /sys/firmware/dmi/tables/DMI: the host has no SMBIOS (boot it by UEFI), "
		     "or you are not root");
	mhz = smbios_current_speed_mhz((const unsigned char *)table, (size_t)n);
	if (mhz < 0)
		SKIP("SMBIOS has no populated processor (type 4)");
	if (mhz == 0)
		SKIP("SMBIOS type 4 says that the current speed is unknown (0)");
	FACT("host.smbios_current_speed_mhz", "%d", mhz);
	EXPECT_LT(mhz, 20000);
}
