/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures live in static memory: allocating between two captures would itself
 * change the process's mappings.
 */
#include "state.h"
#include "klog.h"
#include "regs.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_ITEMS  24000
#define MAX_STATES 4
#define KEPT	   32

struct state_item {
	const char *kind; /* string constant */
	uint32_t index;	  /* vCPU, slot ... */
	uint32_t size;
	uint64_t key; /* register id, attribute ... */
	uint64_t hash;
	uint8_t value[KEPT];
};

struct vm_state {
	unsigned int parts;
	unsigned int items;
	int log; /* reads what the kernel logs from here on; -1: not readable */
	struct state_item item[MAX_ITEMS];
};

static struct vm_state states[MAX_STATES];
static unsigned int states_used;
static struct reg_list list; /* too large for the stack */

/* FNV-1a, 64 bits (draft-eastlake-fnv) on words: finds changes, no more. */
static uint64_t hash_of(const void *p, size_t size)
{
	const uint8_t *b = p;
	uint64_t h = 0xcbf29ce484222325ULL;
	size_t i = 0;

	for (; i + 8 <= size; i += 8) {
		uint64_t w;

		memcpy(&w, b + i, 8);
		h = (h ^ w) * 0x100000001b3ULL;
		h ^= h >> 32;
	}
	for (; i < size; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h;
}

void state_add(struct vm_state *s, const char *kind, unsigned int index, uint64_t key,
	       const void *value, size_t size)
{
	struct state_item *i;

	if (s->items == MAX_ITEMS)
		test_error("a capture holds at most %d values", MAX_ITEMS);
	i = &s->item[s->items++];
	i->kind = kind;
	i->index = index;
	i->key = key;
	i->size = (uint32_t)size;
	i->hash = hash_of(value, size);
	memset(i->value, 0, KEPT);
	memcpy(i->value, value, size < KEPT ? size : KEPT);
}

void state_add_u64(struct vm_state *s, const char *kind, unsigned int index, uint64_t key,
		   uint64_t value)
{
	state_add(s, kind, index, key, &value, sizeof(value));
}

static void state_regs(struct vm_state *s, struct vm *vm, unsigned int v)
{
	struct kvm_vcpu_events events = {};
	struct kvm_mp_state mp = {};
	uint8_t value[256];

	vcpu_reg_list(vm, v, &list);
	for (uint64_t i = 0; i < list.n; i++) {
		int r;

		if (reg_ticks(list.id[i]))
			continue;
		memset(value, 0, sizeof(value));
		r = vcpu_try_get(vm, v, list.id[i], value);
		if (r)
			state_add_u64(s, "errno of reg", v, list.id[i], (uint64_t)-r);
		else
			state_add(s, "reg", v, list.id[i], value, reg_size(list.id[i]));
	}
	if (vcpu_ioctl(vm, v, KVM_GET_MP_STATE, &mp) == 0)
		state_add_u64(s, "mp_state", v, 0, mp.mp_state);
	if (vcpu_ioctl(vm, v, KVM_GET_VCPU_EVENTS, &events) == 0)
		state_add(s, "events", v, 0, &events, sizeof(events));
}

static void state_caps(struct vm_state *s, struct vm *vm)
{
	for (unsigned int cap = 0; cap < 260; cap++)
		state_add_u64(s, "capability", 0, cap, (uint64_t)vm_cap(vm, cap));
}

struct vm_state *vm_capture_parts(struct vm *vm, unsigned int parts)
{
	struct vm_state *s = &states[states_used];

	if (states_used == MAX_STATES)
		test_error("a test holds at most %d captures", MAX_STATES);
	states_used++;
	s->parts = parts;
	s->items = 0;
	vm_park(vm);
	s->log = parts & STATE_PROCESS ? klog_open(false) : -1;
	for (unsigned int i = 0; parts & STATE_REGS && i < vm->vcpus; i++)
		if (vm->vcpu[i] && vm->vcpu[i]->init.features[0])
			state_regs(s, vm, i);
	if (parts & STATE_GIC)
		state_gic(s, vm);
	for (unsigned int i = 0; parts & STATE_MEMORY && i < vm->slots; i++) {
		vm_sync_ram(vm, vm->slot[i].gpa, vm->slot[i].size);
		state_add(s, "memory of slot", i, vm->slot[i].gpa, vm->slot[i].host,
			  vm->slot[i].size);
	}
	if (parts & STATE_CAPS)
		state_caps(s, vm);
	if (parts & STATE_PROCESS)
		state_process(s);
	return s;
}

struct vm_state *vm_capture(struct vm *vm)
{
	return vm_capture_parts(vm, STATE_ALL);
}

/* ---- comparing */

static void item_name(const struct state_item *i, char *buf, size_t size)
{
	char reg[64];

	if (strstr(i->kind, "reg"))
		snprintf(buf, size, "vCPU %u %s %s", i->index, i->kind,
			 reg_name(i->key, reg, sizeof(reg)));
	else if (!strcmp(i->kind, "mp_state") || !strcmp(i->kind, "events"))
		snprintf(buf, size, "vCPU %u %s", i->index, i->kind);
	else if (!strcmp(i->kind, "mapping"))
		snprintf(buf, size, "mapping at %#" PRIx64, i->key);
	else if (!i->key)
		snprintf(buf, size, "%s %u", i->kind, i->index);
	else
		snprintf(buf, size, "%s %u[%#" PRIx64 "]", i->kind, i->index, i->key);
}

static bool is_text(const struct state_item *i)
{
	for (size_t b = 0; b < i->size && b < KEPT; b++)
		if (!isprint(i->value[b]))
			return false;
	return true;
}

static void item_value(const struct state_item *i, char *buf, size_t size)
{
	uint64_t v = 0;
	size_t n = 0, kept = i->size < KEPT ? i->size : KEPT;

	if (i->size <= 8) {
		memcpy(&v, i->value, i->size);
		snprintf(buf, size, "%#" PRIx64, v);
	} else if (is_text(i)) {
		snprintf(buf, size, "%.*s", (int)kept, i->value);
	} else if (i->size > 32) {
		snprintf(buf, size, "%u bytes with hash %#" PRIx64, i->size, i->hash);
	} else {
		for (size_t b = 0; b < kept && n + 3 < size; b++)
			n += (size_t)snprintf(buf + n, size - n, "%02x", i->value[b]);
	}
}

static bool same_name(const struct state_item *a, const struct state_item *b)
{
	return !strcmp(a->kind, b->kind) && a->index == b->index && a->key == b->key;
}

static const struct state_item *find(const struct vm_state *s, const struct state_item *i,
				     unsigned int hint)
{
	if (hint < s->items && same_name(&s->item[hint], i))
		return &s->item[hint];
	for (unsigned int n = 0; n < s->items; n++)
		if (same_name(&s->item[n], i))
			return &s->item[n];
	return NULL;
}

bool state_expect_equal(const char *file, int line, const struct vm_state *before,
			const struct vm_state *after)
{
	char what[160], was[96], is[96];
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < before->items; n++) {
		const struct state_item *a = &before->item[n], *b = find(after, a, n);

		if (b && a->size == b->size && a->hash == b->hash)
			continue;
		item_name(a, what, sizeof(what));
		item_value(a, was, sizeof(was));
		if (b)
			item_value(b, is, sizeof(is));
		else
			snprintf(is, sizeof(is), "nothing");
		if (wrong++ < 40)
			test_differs(file, line, what, is, was);
	}
	for (unsigned int n = 0; n < after->items; n++) {
		const struct state_item *b = &after->item[n];

		if (find(before, b, n))
			continue;
		item_name(b, what, sizeof(what));
		item_value(b, is, sizeof(is));
		if (wrong++ < 40)
			test_differs(file, line, what, is, "nothing");
	}
	if (wrong > 40)
		test_note("%u further differences", wrong - 40);
	if (!wrong)
		test_held();
	return wrong == 0;
}

bool state_expect_log(const char *file, int line, struct vm_state *s)
{
	struct klog_record r;
	bool good = true;

	if (s->log < 0) {
		test_note("kernel log not watched: /dev/kmsg cannot be read");
		return true;
	}
	for (int n; (n = klog_next(s->log, &r)) != 0;) {
		if (n < 0 && n != -EPIPE)
			break;
		if (n == 1 && r.level <= KLOG_WARNING && !klog_is_noise(&r))
			good = test_differs(file, line, "host kernel log", r.text, "no warning");
	}
	return good;
}

bool vm_expect_same(const char *file, int line, struct vm *vm, struct vm_state *before)
{
	struct vm_state *after;
	bool good = state_expect_log(file, line, before);

	after = vm_capture_parts(vm, before->parts & ~(unsigned int)STATE_PROCESS);
	if (before->parts & STATE_PROCESS)
		state_process(after);
	good &= state_expect_equal(file, line, before, after);
	states_used--; /* the one just made; a test may compare as often as it likes */
	return good;
}
