/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four vCPUs write logged memory, invalidate TLBs and read slots that come, go and move under them. Two things must
 * hold: a copy kept by the dirty log alone is, at the end, what memory is (no write was lost); and what a vCPU reads
 * is nobody's answer or the word of the slot that stands there, never that of one which is gone or stands elsewhere.
 */
#include "pages.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define VCPUS		 4U
#define OWN		 16U /* pages of each vCPU */
#define LOGGED		 (VCPUS * OWN)
#define LOGGED_AT	 0x80000000ULL
#define PLACES		 8U
#define SLOTS		 5U
#define CHURN_AT	 0x90000000ULL
#define ANYWHERE	 0xffULL
#define MAGIC		 0x51a7ULL
#define ANSWER		 0x0bb0ULL
#define POISON		 0xdeadULL
#define WORD(gen, place) (MAGIC << 48 | (gen) << 8 | (place))

/* Arguments: page size, own pages' base, seed, scratch of PLACES words. Results of a violation: place, word, last. */
GUEST(churn)
{
	uint64_t page = guest_arg(0), own = guest_arg(1), state = guest_arg(2);
	uint64_t scratch = guest_arg(3);

	for (uint64_t n = 1;; n++) {
		uint64_t at, place, v, last;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		at = own + (state & (OWN - 1)) * page;
		guest_write64(at, n);
		guest_write64(at + page - 8, ~n);
		if (n % 64 == 0)
			__asm__ volatile("tlbi vmalle1is\n\tdsb ish" ::: "memory");
		if (n % 512 == 0)
			guest_tick(n);
		if (n % 8)
			continue;
		place = state >> 16 & (PLACES - 1);
		v = guest_read64(CHURN_AT + place * page);
		if (v == ANSWER)
			continue;
		last = guest_read64(scratch + 8 * place);
		if (v >> 48 == MAGIC && ((v & 0xff) == place || (v & 0xff) == ANYWHERE) &&
		    (v >> 8 & 0xffffffffff) >= last) {
			guest_write64(scratch + 8 * place, v >> 8 & 0xffffffffff);
			continue;
		}
		guest_result(0, place);
		guest_result(1, v);
		guest_result(2, last);
		return;
	}
}

static struct {
	struct vm *vm;
	_Atomic bool stop;
	_Atomic uint64_t holes;
	char *logged, *frame[SLOTS];
	unsigned int place[SLOTS]; /* PLACES: nowhere */
	uint64_t gen, changes, readings;
	uint64_t copy[LOGGED];
} s;

static void *run_vcpu(void *arg)
{
	struct vcpu *c = arg;

	for (;;) {
		const uint64_t answer = ANSWER;

		c->end = vcpu_run(s.vm, c->index);
		if (c->end == GUEST_PARKED && atomic_load(&s.stop))
			break;
		if (c->end == GUEST_PARKED)
			continue;
		if (c->end != KVM_EXIT_MMIO || c->run->mmio.is_write ||
		    c->run->mmio.phys_addr < CHURN_AT ||
		    c->run->mmio.phys_addr >= CHURN_AT + PLACES * page_size())
			break;
		memcpy(c->run->mmio.data, &answer, 8);
		atomic_fetch_add(&s.holes, 1);
	}
	atomic_store(&c->parked, 2);
	return NULL;
}

static bool taken(unsigned int place)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (s.place[i] == place)
			return true;
	return false;
}

static void put(unsigned int i, uint64_t place)
{
	page_put(s.frame[i], 0, WORD(++s.gen, place));
}

static void change_a_slot(void)
{
	unsigned int i = (unsigned int)(test_random() % SLOTS);
	unsigned int to = (unsigned int)(test_random() % PLACES);
	uint32_t flags = test_random() & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0;
	uint64_t page = page_size(), gpa = CHURN_AT + to * page;

	s.changes++;
	if (s.place[i] == PLACES && !taken(to)) {
		put(i, to);
		slot_map(s.vm, SLOT + 1 + i, gpa, page, s.frame[i], flags);
		s.place[i] = to;
	} else if (s.place[i] != PLACES && !taken(to)) {
		/* on its way it is at the one place or at the other */
		put(i, ANYWHERE);
		slot_map(s.vm, SLOT + 1 + i, gpa, page, s.frame[i], flags);
		s.place[i] = to;
		put(i, to);
	} else if (s.place[i] != PLACES) {
		slot_map(s.vm, SLOT + 1 + i, 0, 0, NULL, 0);
		s.place[i] = PLACES;
		page_put(s.frame[i], 0, POISON);
	}
}

static void read_log(void)
{
	uint64_t bits[LOGGED / 64] = {0};
	struct kvm_dirty_log get = {.slot = SLOT, .dirty_bitmap = bits};

	ASSERT_OK((int)vm_ioctl(s.vm, KVM_GET_DIRTY_LOG, &get));
	s.readings++;
	for (unsigned int n = 0; n < LOGGED; n++)
		if (bits[n / 64] >> n % 64 & 1)
			s.copy[n] = page_get(s.logged, n);
}

static void wake(int sig)
{
	(void)sig;
}

static void start(void)
{
	struct sigaction sa = {.sa_handler = wake};

	sigaction(SIGUSR1, &sa, NULL);
	for (unsigned int i = 0; i < VCPUS; i++)
		if (pthread_create(&s.vm->vcpu[i]->thread, NULL, run_vcpu, s.vm->vcpu[i]))
			test_error("no thread for vCPU %u", i);
}

static void stop(void)
{
	atomic_store(&s.stop, true);
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vcpu *c = s.vm->vcpu[i];

		c->run->immediate_exit = 1;
		for (int n = 0; atomic_load(&c->parked) != 2 && n < 20000; n++) {
			pthread_kill(c->thread, SIGUSR1);
			test_pause_us(500);
		}
		pthread_join(c->thread, NULL);
	}
}

/* A vCPU that its host gave no time yet is waited for, beyond the time box; the test's limit ends that. */
static bool all_had_a_turn(void)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		if (!atomic_load(&s.vm->vcpu[i]->ticks))
			return false;
	return s.changes && s.readings;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void expect_end(void)
{
	unsigned int lost = 0, torn = 0;
	uint64_t writes = 0, page = page_size();

	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vcpu *c = s.vm->vcpu[i];

		writes += atomic_load(&c->ticks);
		EXPECT_GT(atomic_load(&c->ticks), 0U);
		if (!EXPECT_EQ(c->end, (int)GUEST_PARKED))
			NOTE("vCPU %u: place %llu, word %#llx, generation %llu seen before", i,
			     (unsigned long long)c->result[0], (unsigned long long)c->result[1],
			     (unsigned long long)c->result[2]);
	}
	read_log();
	for (unsigned int n = 0; n < LOGGED; n++) {
		uint64_t first = page_get(s.logged, n), last = page_get(s.logged + page - 8, n);

		lost += s.copy[n] != first;
		/* a vCPU that stands between its two stores has one page that differs */
		torn += first != ~last && first != 0;
	}
	EXPECT_EQ(lost, 0U);
	EXPECT_LE(torn, VCPUS);
	FACT("memslot.stress_writes", "%llu", (unsigned long long)writes);
	FACT("memslot.stress_slot_changes", "%llu", (unsigned long long)s.changes);
	FACT("memslot.stress_log_readings", "%llu", (unsigned long long)s.readings);
	NOTE("%llu reads found no slot", (unsigned long long)atomic_load(&s.holes));
	EXPECT_GT(s.changes, 0U);
	EXPECT_GT(s.readings, 0U);
}

TEST(memslot, no_write_is_lost_and_no_slot_lives_on_in_a_storm_of_changes, RULE("KVM-SLOT-12"),
     .tags = "memory stress", .limit_ms = 20000)
{
	uint64_t page = page_size(), until;
	bool alive = true;

	s.vm = vm_new(.vcpus = VCPUS, .entry = churn);
	s.logged = pages_normal((uint64_t)LOGGED * page, page);
	slot_map(s.vm, SLOT, LOGGED_AT, (uint64_t)LOGGED * page, s.logged, KVM_MEM_LOG_DIRTY_PAGES);
	for (unsigned int i = 0; i < SLOTS; i++) {
		s.frame[i] = pages_normal(page, page);
		s.place[i] = PLACES;
	}
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vcpu *c = s.vm->vcpu[i];

		c->arg[0] = page;
		c->arg[1] = LOGGED_AT + page * i * OWN;
		c->arg[2] = test_random() | 1;
		c->arg[3] = VM_FREE_BASE + 0x1000ULL * i;
	}
	start();
	until = now_ms() + test_time_ms(2000);
	while (alive && (now_ms() < until || !all_had_a_turn())) {
		uint64_t r = test_random();

		if (r % 4 == 0)
			read_log();
		else
			change_a_slot();
		if (r % 16 == 0)
			test_pause_us((unsigned int)(r >> 32) % 3000);
		for (unsigned int i = 0; i < VCPUS; i++)
			alive &= atomic_load(&s.vm->vcpu[i]->parked) != 2;
	}
	stop();
	expect_end();
}
