/* SPDX-License-Identifier: Apache-2.0 */
#include "native/confine_bpf.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#define WORDS  (BPF_CALLS_MAX / 32)
#define NR     offsetof(struct seccomp_data, nr)
#define ARG(n) (offsetof(struct seccomp_data, args) + 8UL * (n)) /* its low word: little-endian */

struct maker {
	struct bpf_filter *f;
	unsigned jump[WORDS], jumps;		   /* to the test of the mask */
	unsigned verdict[BPF_RULES_MAX], verdicts; /* comparisons that allow, or trap */
};

static unsigned put(struct maker *m, unsigned code, unsigned jt, unsigned jf, uint32_t k)
{
	unsigned at = m->f->len < BPF_INS_MAX - 1 ? m->f->len++ : m->f->len;

	m->f->ins[at] = (struct sock_filter){(uint16_t)code, (uint8_t)jt, (uint8_t)jf, k};
	return at;
}

static void load(struct maker *m, size_t offset)
{
	put(m, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void ret(struct maker *m, uint32_t action)
{
	put(m, BPF_RET | BPF_K, 0, 0, action);
}

/* The accumulator holds the number. Falls through if this rule says nothing of it. */
static void check_rule(struct maker *m, const struct bpf_rule *r)
{
	put(m, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, r->nr);
	load(m, ARG(r->arg));
	put(m, BPF_ALU | BPF_AND | BPF_K, 0, 0, r->mask);
	m->verdict[m->verdicts++] = put(m, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, r->value);
}

static const struct bpf_rule *rule_of(const struct bpf_policy *p, uint32_t nr)
{
	for (unsigned i = 0; i < p->rules; i++) {
		if (p->rule[i].nr == nr)
			return &p->rule[i];
	}
	return NULL;
}

static uint32_t word(const struct bpf_policy *p, unsigned w)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 32; i++)
		bits |= (uint32_t)p->allowed[32 * w + i] << i;
	return bits;
}

static unsigned words(const struct bpf_policy *p)
{
	unsigned n = WORDS;

	while (n && !word(p, n - 1))
		n--;
	return n;
}

/*
 * The accumulator holds the number. 32 of them a word: the word is found by comparing, X says which of its bits (a
 * shift looks at the low five bits of X, Documentation/bpf/standardization/instruction-set.rst). TAX comes first, for
 * that is where the kernel stops asking whether this call is always allowed.
 */
static void check_words(struct maker *m, const struct bpf_policy *p)
{
	unsigned test;

	put(m, BPF_MISC | BPF_TAX, 0, 0, 0);
	for (unsigned w = 0; w < words(p); w++) {
		put(m, BPF_JMP | BPF_JGE | BPF_K, 2, 0, 32 * (w + 1));
		put(m, BPF_LD | BPF_IMM, 0, 0, word(p, w));
		m->jump[m->jumps++] = put(m, BPF_JMP | BPF_JA, 0, 0, 0);
	}
	put(m, BPF_LD | BPF_IMM, 0, 0, 0); /* a number above all words */
	test = put(m, BPF_ALU | BPF_RSH | BPF_X, 0, 0, 0);
	put(m, BPF_JMP | BPF_JSET | BPF_K, 0, 1, 1);
	ret(m, SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < m->jumps; i++)
		m->f->ins[m->jump[i]].k = test - m->jump[i] - 1;
}

bool bpf_make(struct bpf_filter *f, const struct bpf_policy *p)
{
	struct maker m = {.f = f};
	const struct bpf_rule *first = rule_of(p, p->first);
	unsigned allow;

	f->len = 0;
	/* An arm64 process never becomes a 32-bit one but by execve(), so sd.arch says nothing new. */
	load(&m, NR);
	if (first) {
		check_rule(&m, first);
	} else {
		put(&m, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, p->first);
		ret(&m, p->allowed[p->first] ? SECCOMP_RET_ALLOW : SECCOMP_RET_TRAP);
	}
	check_words(&m, p);
	load(&m, NR);
	for (unsigned i = 0; i < p->rules; i++) {
		if (&p->rule[i] != first)
			check_rule(&m, &p->rule[i]);
	}
	put(&m, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, p->enosys);
	ret(&m, SECCOMP_RET_ERRNO | ENOSYS);
	allow = put(&m, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP) + 1;
	ret(&m, SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < m.verdicts; i++) {
		f->ins[m.verdict[i]].jt = (uint8_t)(allow - m.verdict[i] - 1);
		f->ins[m.verdict[i]].jf = (uint8_t)(allow - m.verdict[i] - 2);
	}
	return f->len < BPF_INS_MAX - 1;
}

uint32_t bpf_run(const struct sock_filter *filter, size_t n, uint32_t arch, uint32_t nr,
		 const uint64_t args[6])
{
	struct seccomp_data d = {.nr = (int)nr, .arch = arch};
	uint32_t a = 0, x = 0;

	memcpy(d.args, args, sizeof(d.args));
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &filter[pc];
		bool taken;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k > sizeof(d) - sizeof(a))
				return UINT32_MAX;
			memcpy(&a, (const char *)&d + i->k, sizeof(a));
			continue;
		case BPF_LD | BPF_IMM:
			a = i->k;
			continue;
		case BPF_MISC | BPF_TAX:
			x = a;
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_ALU | BPF_RSH | BPF_X:
			a >>= x & 31;
			continue;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			taken = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = a >= i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			taken = a > i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			taken = a & i->k;
			break;
		default:
			return UINT32_MAX;
		}
		pc += taken ? i->jt : i->jf;
	}
	return UINT32_MAX;
}
