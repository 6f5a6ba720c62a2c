/* SPDX-License-Identifier: Apache-2.0 */
/* Host memory that backs guest RAM, and the size of the pages it is made of. */
#ifndef REFVMM_CORE_RAM_H
#define REFVMM_CORE_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ram_backing {
	RAM_NORMAL,  /* the host's base pages, and only those */
	RAM_THP,     /* transparent huge pages, aligned so that stage 2 can use blocks */
	RAM_HUGETLB, /* preallocated huge pages of one size */
};

struct ram_conf {
	uint64_t size;
	enum ram_backing backing;
	uint64_t page_size; /* hugetlb: 0 is the host's default size */
};

struct ram {
	void *host;
	uint64_t size;
	uint64_t page_size; /* what backs it: base, THP or hugetlb page */
	uint64_t thp_size;  /* of this host; 0: none */
	bool thp;	    /* asked for; else the kernel was told to use none */
	void *map;	    /* what to unmap */
	size_t map_size;
};

/* 0 or a negative error, logged. Pages come into being when they are touched. */
int ram_alloc(struct ram *r, const struct ram_conf *c);
/* How much of it transparent huge pages back at this moment. 0 or -errno. */
int ram_thp_bytes(const struct ram *r, uint64_t *bytes);
void ram_free(struct ram *r);

#endif
