/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-1 translation tables, VMSAv8-64 (DDI 0487 D8.3): every granule, any VA
 * size up to 48 bits, page and block leaves, the contiguous bit; and the wide
 * formats with 52 bits of VA and PA. Tables come from a pool the caller gives;
 * nothing here touches a system register, so a table can be built, read and
 * changed while another one is in use.
 */
#ifndef LIB_PGTABLE_H
#define LIB_PGTABLE_H

#include "types.h"

/* The granule is named by its shift: that is what every formula needs. */
enum granule {
	GRANULE_4K = 12,
	GRANULE_16K = 14,
	GRANULE_64K = 16,
};

/* Indices into MAIR_EL1; pt_mair() gives the value that belongs to them. */
enum pt_memory {
	PT_MEM_DEVICE = 0,   /* Device-nGnRE */
	PT_MEM_NORMAL = 1,   /* Normal, inner and outer write-back */
	PT_MEM_UNCACHED = 2, /* Normal, non-cacheable */
};

/* Descriptor bits (DDI 0487 D8.3.1, D8.4, D8.5). */
#define PT_VALID	   (UINT64_C(1) << 0)
#define PT_TABLE	   (UINT64_C(1) << 1) /* levels 0..2: table; level 3: page */
#define PT_ATTR(mem)	   ((uint64_t)(mem) << 2)
#define PT_USER		   (UINT64_C(1) << 6)
#define PT_READ_ONLY	   (UINT64_C(1) << 7)
#define PT_INNER	   (UINT64_C(3) << 8)
#define PT_AF		   (UINT64_C(1) << 10)
#define PT_NOT_GLOBAL	   (UINT64_C(1) << 11)
#define PT_DBM		   (UINT64_C(1) << 51)
#define PT_CONTIGUOUS	   (UINT64_C(1) << 52)
#define PT_PXN		   (UINT64_C(1) << 53)
#define PT_UXN		   (UINT64_C(1) << 54)
/* of table descriptors: limits for all below (D8.4.2) */
#define PT_TABLE_PXN	   (UINT64_C(1) << 59)
#define PT_TABLE_UXN	   (UINT64_C(1) << 60)
#define PT_TABLE_NO_USER   (UINT64_C(1) << 61)
#define PT_TABLE_READ_ONLY (UINT64_C(1) << 62)

/* What most maps want. */
#define PT_DATA	  (PT_ATTR(PT_MEM_NORMAL) | PT_INNER | PT_AF | PT_UXN | PT_PXN)
#define PT_CODE	  (PT_ATTR(PT_MEM_NORMAL) | PT_INNER | PT_AF | PT_UXN)
#define PT_DEVICE (PT_ATTR(PT_MEM_DEVICE) | PT_AF | PT_UXN | PT_PXN)

#define PT_LEAF_ANY (-2) /* the largest leaf that fits, page or block */

/* Memory tables are taken from, aligned to 64 KiB; never given back. */
struct pt_pool {
	uint64_t next;
	uint64_t end;
};

struct pgtable {
	enum granule granule;
	unsigned int va_bits; /* 25..48; to 52 where wide */
	int start_level;      /* of the root; -1 with 4 KiB and more than 48 bits */
	bool wide; /* 52-bit addresses: FEAT_LPA with 64 KiB, else FEAT_LPA2 (TCR_EL1.DS) */
	uint64_t *root;
	struct pt_pool *pool;
};

#define PT_POOL(memory)                                                                \
	{                                                                              \
		.next = (uint64_t)(memory), .end = (uint64_t)(memory) + sizeof(memory) \
	}

/* 0, or -ENOMEM when the pool is empty, -EINVAL for a VA size this granule cannot have. */
int pt_init(struct pgtable *t, enum granule granule, unsigned int va_bits, struct pt_pool *pool);
/* The same in the format with 52-bit addresses; va_bits up to 52. */
int pt_init_wide(struct pgtable *t, enum granule granule, unsigned int va_bits,
		 struct pt_pool *pool);
/* A table of no entries from the pool of `t`; NULL when that is empty. */
uint64_t *pt_new_table(struct pgtable *t);

/*
 * Map [va, va + size) to pa. `leaf` is the level of the leaves, or PT_LEAF_ANY.
 * For an upper-half VA (TTBR1) only the low va_bits matter. PT_CONTIGUOUS in
 * `attrs` is put into every leaf: the caller maps whole contiguous runs then.
 * -EINVAL: not aligned, level without leaves, or something is mapped there.
 */
int pt_map(struct pgtable *t, uint64_t va, uint64_t pa, uint64_t size, uint64_t attrs, int leaf);

/* The entry a walk for `va` ends at, valid or not; its level through *level. */
uint64_t *pt_walk(const struct pgtable *t, uint64_t va, int *level);
/* The entry of this level on that walk; NULL when the walk ends before. */
uint64_t *pt_entry(const struct pgtable *t, uint64_t va, int level);

/* Bytes one entry of this level maps. */
uint64_t pt_span(enum granule granule, int level);
/* May this level hold a block or page (without FEAT_LPA, FEAT_LPA2)? */
bool pt_leaf_level(enum granule granule, int level);
bool pt_leaf_level_wide(enum granule granule, int level); /* with them */
/* Entries of a contiguous run at this level (DDI 0487 D8.7.1); 0: none. */
unsigned int pt_contiguous(enum granule granule, int level);

/* Values for MAIR_EL1, TCR_EL1.TG0 and TG1 in place, and T0SZ/T1SZ as numbers. */
uint64_t pt_mair(void);
uint64_t pt_tg0(enum granule granule);
uint64_t pt_tg1(enum granule granule);

const char *pt_granule_name(enum granule granule);

#endif
