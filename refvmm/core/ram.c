/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "core/parse.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static uint64_t base_page(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What one entry of the table above the pages maps: the size of a THP, if there is one. Needs no file. */
static uint64_t block_size(void)
{
	return base_page() * (base_page() / sizeof(uint64_t));
}

/* 0 where the kernel has no THP. */
static uint64_t thp_page(void)
{
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
	char line[32];
	uint64_t size = 0;

	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		size = strtoull(line, NULL, 10);
	fclose(f);
	return size;
}

static bool thp_is_never(void)
{
	char mode[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");

	if (!f)
		return true;
	if (!fgets(mode, sizeof(mode), f))
		mode[0] = '\0';
	fclose(f);
	return !mode[0] || strstr(mode, "[never]");
}

static uint64_t default_huge_page(void)
{
	static const char key[] = "Hugepagesize:";
	char line[128];
	uint64_t kib = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return 0;
	while (!kib && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			kib = strtoull(line + sizeof(key) - 1, NULL, 10);
	}
	fclose(f);
	return kib * 1024;
}

static int map(struct ram *r, size_t size, int flags)
{
	r->map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	r->map_size = size;
	r->host = r->map;
	return 0;
}

static int map_plain(struct ram *r, bool thp)
{
	uint64_t align = thp ? r->thp_size : base_page();
	int ret = map(r, r->size + align, 0);
	uint64_t at;

	if (ret)
		return err_host(-ret, "--memory: mmap of %" PRIu64 " bytes", r->size);
	at = ((uint64_t)(uintptr_t)r->map + align - 1) & ~(align - 1);
	r->host = (void *)(uintptr_t)at;
	r->page_size = align;
	if (!madvise(r->host, r->size, thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)) {
		if (!thp)
			r->thp_size = block_size();
		return 0;
	}
	/* A kernel without THP refuses the advice (EINVAL), and there is nothing to turn off. */
	return thp ? err_host(errno, "--memory backing=thp: madvise(MADV_HUGEPAGE)") : 0;
}

static int map_thp(struct ram *r)
{
	r->thp_size = thp_page();
	if (!r->thp_size || thp_is_never())
		return err_lacks("thp",
				 "transparent huge pages are off on this host; "
				 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	return map_plain(r, true);
}

/* MAP_NORESERVE is not given for huge pages: what is missing must be known before the start. */
static int map_hugetlb(struct ram *r, uint64_t page)
{
	uint64_t kib = page / 1024;
	char text[32], cap[48];
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;

	format_size(text, sizeof(text), page);
	snprintf(cap, sizeof(cap), "hugetlb-%s", text);
	if (!page || (page & (page - 1)) || page < base_page())
		return err_usage("--memory backing=hugetlb:%s: not the size of a page", text);
	if (r->size % page)
		return err_usage("--memory: %" PRIu64 " bytes are no multiple of %s pages", r->size,
				 text);
	flags |= __builtin_ctzll(page) << MAP_HUGE_SHIFT;
	r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (r->map == MAP_FAILED) {
		int err = errno;

		r->map = NULL;
		if (err == EINVAL || err == ENOENT || err == ENODEV)
			return err_lacks(cap,
					 "this host has no huge pages of %s; see "
					 "/sys/kernel/mm/hugepages",
					 text);
		if (err == ENOMEM)
			return err_lacks(
				cap,
				"%" PRIu64 " free huge pages of %s are needed; echo %" PRIu64
				" > /sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages",
				r->size / page, text, r->size / page, kib);
		return err_host(err, "--memory backing=hugetlb:%s: mmap", text);
	}
	r->host = r->map;
	r->map_size = r->size;
	r->page_size = page;
	r->thp_size = thp_page();
	return 0;
}

int ram_alloc(struct ram *r, const struct ram_conf *c)
{
	int ret;

	*r = (struct ram){.size = c->size, .thp = c->backing == RAM_THP};
	if (!c->size || c->size % base_page())
		return err_usage("--memory: %" PRIu64 " bytes are no multiple of the host's pages "
				 "(%" PRIu64 ")",
				 c->size, base_page());
	switch (c->backing) {
	case RAM_THP:
		ret = map_thp(r);
		break;
	case RAM_HUGETLB:
		ret = map_hugetlb(r, c->page_size ? c->page_size : default_huge_page());
		break;
	default:
		ret = map_plain(r, false);
		break;
	}
	if (ret)
		ram_free(r);
	return ret;
}

/* Mappings of RAM have addresses of their own in smaps: "START-END perms …", then "Key: N kB" lines. */
int ram_thp_bytes(const struct ram *r, uint64_t *bytes)
{
	static const char key[] = "AnonHugePages:";
	uint64_t from = (uint64_t)(uintptr_t)r->host, to = from + r->size;
	bool ours = false, known = false;
	char line[256];
	FILE *f;

	*bytes = 0;
	if (!r->thp)
		return 0;
	f = fopen("/proc/self/smaps", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		char *dash, *blank = NULL;
		uint64_t start = strtoull(line, &dash, 16);
		uint64_t end = *dash == '-' ? strtoull(dash + 1, &blank, 16) : 0;

		if (end && *blank == ' ')
			ours = start < to && end > from;
		else if (ours && strncmp(line, key, sizeof(key) - 1) == 0) {
			*bytes += strtoull(line + sizeof(key) - 1, NULL, 10) * 1024;
			known = true;
		}
	}
	fclose(f);
	return known ? 0 : -ENOENT;
}

void ram_free(struct ram *r)
{
	if (r->map)
		munmap(r->map, r->map_size);
	r->map = r->host = NULL;
}
