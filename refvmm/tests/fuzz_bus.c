/* SPDX-License-Identifier: Apache-2.0 */
/* The bus against a list of windows that is searched from its beginning: what overlaps, who answers, what is counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus.h"
#include "tests/fake_env.h"

#define DEVS 24U

struct step {
	uint8_t op, len;
	uint16_t where;
	uint32_t val;
};

struct model {
	struct dev dev[DEVS];
	struct dev_ops ops[DEVS];
	unsigned nr;
	uint64_t unclaimed, malformed;
	uint64_t got; /* what the device that was reached last saw */
};

static struct model *model;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t tag(const struct dev *d, uint64_t off)
{
	return (uint64_t)(d - model->dev + 1) << 32 | off;
}

static uint64_t on_read(struct dev *d, uint64_t off, unsigned len)
{
	(void)len;
	return model->got = tag(d, off);
}

static void on_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	if (len < 8 && val >> (8 * len))
		abort();
	model->got = tag(d, off);
}

/* A few pages, at the bottom or at the very top of the address space. */
static uint64_t address(const struct step *s)
{
	return s->op & 0x80 ? 0ULL - 0x10000 + s->where : s->where;
}

static void add(struct fake_env *fe, const struct step *s)
{
	struct dev *d = &model->dev[model->nr];
	uint64_t base = address(s), size = 1 + s->val % 0x2000;
	int want = 0;

	if (model->nr == DEVS || base + size < base)
		return;
	model->ops[model->nr] = (struct dev_ops){
		.name = "x",
		.window = {{"x", (uint8_t)(1U << (s->len & 3)), (uint8_t)(1U << (s->len >> 2 & 3)),
			    s->len & 0x40 ? NULL : on_read, s->len & 0x80 ? NULL : on_write}}};
	*d = (struct dev){.ops = &model->ops[model->nr], .env = &fe->env, .range = {{base, size}}};
	for (unsigned i = 0; i < model->nr; i++) {
		const struct dev_range *r = &model->dev[i].range[0];

		if (base < r->base + r->size && r->base < base + size)
			want = -EEXIST;
	}
	if (bus_add(&fe->bus, d) != want)
		abort();
	model->nr += !want;
}

static void reach(struct fake_env *fe, const struct step *s)
{
	unsigned len = 1U << (s->len & 3);
	uint64_t gpa = address(s), want = 0, last = 0,
		 all = len < 8 ? (1ULL << (8 * len)) - 1 : UINT64_MAX;
	bool write = s->op & 1;

	model->got = 0;
	for (unsigned i = 0; i <= model->nr; i++) {
		struct dev *d = &model->dev[i];
		uint64_t off = gpa - d->range[0].base;
		const struct dev_window *w;

		if (i == model->nr) {
			model->unclaimed++;
			break;
		}
		if (off >= d->range[0].size)
			continue;
		w = &d->ops->window[0];
		if (len == 8 && w->max_len == 4 && w->min_len <= 4 && !(off % 8) &&
		    off + len <= d->range[0].size) { /* two halves */
			if (write ? w->write != NULL : w->read != NULL) {
				last = tag(d, off + 4);
				want = (tag(d, off) & UINT32_MAX) | last << 32;
			}
		} else if (len < w->min_len || len > w->max_len || off % len ||
			   off + len > d->range[0].size)
			model->malformed++;
		else if (write ? w->write != NULL : w->read != NULL)
			last = want = tag(d, off);
		break;
	}
	if (write)
		fake_write(fe, gpa, len, s->val * 0x100000001ULL);
	else if (fake_read(fe, gpa, len) != (want & all))
		abort();
	if (model->got != last || fe->bus.unclaimed != model->unclaimed ||
	    fe->bus.malformed != model->malformed)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_env *fe = fake_env_new();
	struct step s;

	model = calloc(1, sizeof(*model));
	if (!model)
		abort();
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		if ((s.op & 7) == 7)
			add(fe, &s);
		else
			reach(fe, &s);
	}
	free(model);
	fake_env_free(fe);
	return 0;
}
