/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's memory and a file to be started in it. */
#ifndef REFVMM_TESTS_BOOT_BENCH_H
#define REFVMM_TESTS_BOOT_BENCH_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"

#define RAM_BASE 0x40000000ULL
#define RAM_SIZE 0x1000000ULL

struct bench {
	struct machine_conf conf;
	struct gmem mem;
	uint8_t *ram;
	char kernel[40], initrd[40];
};

static inline void write_file(char path[40], const char *what, const void *data, size_t len)
{
	FILE *f;
	int fd;

	snprintf(path, 40, "/tmp/refvmm-%s-XXXXXX", what);
	fd = mkstemp(path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || (len && fwrite(data, len, 1, f) != 1) || fclose(f))
		abort();
}

static inline void bench_new(struct bench *b, const void *kernel, size_t len)
{
	memset(b, 0, sizeof(*b));
	b->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->ram == MAP_FAILED || gmem_add(&b->mem, RAM_BASE, RAM_SIZE, b->ram))
		abort();
	write_file(b->kernel, "kernel", kernel, len);
	b->conf.kernel = b->kernel;
	b->conf.ram.size = RAM_SIZE;
}

static inline void bench_free(struct bench *b)
{
	unlink(b->kernel);
	if (b->initrd[0])
		unlink(b->initrd);
	munmap(b->ram, RAM_SIZE);
}

static inline int open_and_load(struct bench *b, struct boot *boot)
{
	struct boot_files files = {0};
	int ret = boot_open(&files, &b->conf);

	if (!ret)
		ret = boot_load(boot, &files, &b->conf, &b->mem);
	boot_close(&files);
	return ret;
}

/* The result of loading this file. */
static inline int load(const void *kernel, size_t len)
{
	struct bench b;
	struct boot boot;
	int ret;

	bench_new(&b, kernel, len);
	ret = open_and_load(&b, &boot);
	bench_free(&b);
	return ret;
}

#endif
