/* SPDX-License-Identifier: Apache-2.0 */
#include "dt.h"

#define FDT_MAGIC      0xd00dfeedU
#define FDT_BEGIN_NODE 1U
#define FDT_END_NODE   2U
#define FDT_PROP       3U
#define FDT_NOP	       4U
#define FDT_END	       9U
#define DEPTH_MAX      12

static const char *structure, *strings;
static uint32_t structure_size;

static uint32_t be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint64_t cells(const char *p, unsigned n)
{
	uint64_t v = 0;

	for (; n > 0; n--, p += 4)
		v = v << 32 | be32(p);
	return v;
}

bool dt_init(uint64_t blob)
{
	const char *h = (const char *)blob;

	if (be32(h) != FDT_MAGIC)
		return false;
	structure = h + be32(h + 8);
	strings = h + be32(h + 12);
	structure_size = be32(h + 36);
	return true;
}

static uint32_t token(int at)
{
	return (uint32_t)at + 4 <= structure_size ? be32(structure + at) : FDT_END;
}

/* the offset behind the token at `at` */
static int behind(int at)
{
	switch (token(at)) {
	case FDT_BEGIN_NODE:
		return at + 4 + (int)ALIGN_UP(strlen(structure + at + 4) + 1, 4UL);
	case FDT_PROP:
		return at + 12 + (int)ALIGN_UP(be32(structure + at + 4), 4U);
	default:
		return at + 4;
	}
}

int dt_next(int node)
{
	int at = node == DT_NONE ? 0 : behind(node);

	while (token(at) != FDT_END) {
		if (token(at) == FDT_BEGIN_NODE)
			return at;
		at = behind(at);
	}
	return DT_NONE;
}

int dt_parent(int node)
{
	int path[DEPTH_MAX], depth = 0;

	for (int at = 0; at < node && token(at) != FDT_END; at = behind(at)) {
		if (token(at) == FDT_BEGIN_NODE && depth < DEPTH_MAX)
			path[depth++] = at;
		else if (token(at) == FDT_END_NODE && depth > 0)
			depth--;
	}
	return depth > 0 ? path[depth - 1] : DT_NONE;
}

const char *dt_name(int node)
{
	return structure + node + 4;
}

const void *dt_prop(int node, const char *name, uint32_t *len)
{
	if (node == DT_NONE)
		return NULL;
	for (int at = behind(node);; at = behind(at)) {
		uint32_t t = token(at);

		if (t != FDT_PROP && t != FDT_NOP)
			return NULL;
		if (t == FDT_PROP && strcmp(strings + be32(structure + at + 8), name) == 0) {
			if (len)
				*len = be32(structure + at + 4);
			return structure + at + 12;
		}
	}
}

uint32_t dt_u32(int node, const char *name, uint32_t otherwise)
{
	uint32_t len = 0;
	const void *p = dt_prop(node, name, &len);

	return p && len >= 4 ? be32(p) : otherwise;
}

uint32_t dt_cell(int node, const char *name, unsigned index)
{
	uint32_t len = 0;
	const char *p = dt_prop(node, name, &len);

	return p && len / 4 > index ? be32(p + 4 * (size_t)index) : 0;
}

const char *dt_str(int node, const char *name)
{
	return dt_prop(node, name, NULL);
}

static bool listed(const char *list, uint32_t len, const char *word)
{
	for (uint32_t at = 0; at < len; at += (uint32_t)strlen(list + at) + 1)
		if (strcmp(list + at, word) == 0)
			return true;
	return false;
}

int dt_find(const char *compatible, unsigned nth)
{
	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node)) {
		uint32_t len = 0;
		const char *list = dt_prop(node, "compatible", &len);
		const char *status = dt_str(node, "status");

		if (list && listed(list, len, compatible) &&
		    !(status && strcmp(status, "disabled") == 0) && nth-- == 0)
			return node;
	}
	return DT_NONE;
}

int dt_path(const char *path)
{
	int depth = 0, matched = 0;

	if (strcmp(path, "/") == 0)
		return 0;
	for (int at = 0; token(at) != FDT_END; at = behind(at)) {
		if (token(at) == FDT_END_NODE) {
			depth--;
			matched = MIN(matched, depth);
		} else if (token(at) == FDT_BEGIN_NODE) {
			const char *name = structure + at + 4;
			size_t len = strlen(name);

			if (depth == 0) {
				matched = 1;
			} else if (depth == matched && path[0] == '/' &&
				   strncmp(path + 1, name, len) == 0 &&
				   (path[1 + len] == '/' || path[1 + len] == '\0')) {
				path += 1 + len;
				matched++;
				if (*path == '\0')
					return at;
			}
			depth++;
		}
	}
	return DT_NONE;
}

bool dt_reg(int node, unsigned index, uint64_t *addr, uint64_t *size)
{
	int parent = dt_parent(node);
	unsigned na = dt_u32(parent, "#address-cells", 2), ns = dt_u32(parent, "#size-cells", 1);
	uint32_t len = 0, entry = 4 * (na + ns);
	const char *p = dt_prop(node, "reg", &len);

	if (!p || entry == 0 || len / entry <= index)
		return false;
	p += (size_t)index * entry;
	*addr = cells(p, na);
	*size = cells(p + 4 * (size_t)na, ns);
	return true;
}

bool dt_memory(unsigned n, uint64_t *base, uint64_t *size)
{
	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node)) {
		const char *type = dt_str(node, "device_type");

		if (!type || strcmp(type, "memory") != 0)
			continue;
		for (unsigned i = 0; dt_reg(node, i, base, size); i++)
			if (n-- == 0)
				return true;
	}
	return false;
}

struct mmio dt_mmio_reg(int node, unsigned index)
{
	struct mmio m = {0};

	if (node == DT_NONE || !dt_reg(node, index, &m.base, &m.size))
		return (struct mmio){0};
	return m;
}

struct mmio dt_mmio(const char *compatible)
{
	return dt_mmio_reg(dt_find(compatible, 0), 0);
}

/* Three cells of the GIC binding: 0 SPI or 1 PPI, number, flags (Linux: interrupt-controller/arm,gic-v3.yaml). */
unsigned dt_irq_of(int node, unsigned index)
{
	uint32_t len = 0;
	const char *p = dt_prop(node, "interrupts", &len);

	if (!p || len / 12 <= index)
		return 0;
	p += 12 * (size_t)index;
	return be32(p + 4) + (be32(p) == 0 ? 32 : 16);
}

unsigned dt_irq(const char *compatible)
{
	return dt_irq_of(dt_find(compatible, 0), 0);
}
