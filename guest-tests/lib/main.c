/* SPDX-License-Identifier: Apache-2.0 */
/* The payload's main: read the command line, run the tests it names (or all), report, end the machine. */
#include "gic.h"
#include "irq.h"
#include "its.h"
#include "mmu.h"
#include "psci.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

#define RAM_START 0x40000000ULL /* of the board: where the device tree of an ELF payload lies */
#define WORD_MAX  128

extern const struct assay_test __start_assay_tests[], __stop_assay_tests[];
extern const struct assay_suite __start_assay_suites[], __stop_assay_suites[];

void lib_main(void);

static uint64_t rnd_state;

/* xorshift64* : no state may be zero */
uint64_t rnd(void)
{
	rnd_state ^= rnd_state >> 12;
	rnd_state ^= rnd_state << 25;
	rnd_state ^= rnd_state >> 27;
	return rnd_state * 0x2545f4914f6cdd1dULL;
}

uint64_t rnd_below(uint64_t n)
{
	return rnd() % n;
}

uint64_t stress_ms(uint64_t otherwise)
{
	return test_time_ms ? test_time_ms : otherwise;
}

static const struct assay_suite *suite_of(const struct assay_test *t)
{
	for (const struct assay_suite *s = __start_assay_suites; s < __stop_assay_suites; s++)
		if (strcmp(s->name, t->suite) == 0)
			return s;
	return NULL;
}

static __attribute__((noinline)) void run_here(const struct assay_test *t)
{
	const struct assay_suite *s = suite_of(t);

	if (s && s->device && dt_find(s->device, 0) == DT_NONE)
		test_skip(s->device, "the device tree of this machine has no %s", s->device);
	t->run();
}

static void run_body(const struct assay_test *t)
{
	struct ctx here;

	if (ctx_save(&here) == 0) {
		this_cpu()->leave_ctx = &here;
		run_here(t);
	}
	this_cpu()->leave_ctx = NULL;
}

/* leave the machine to the next test, if there is one, as it was at the start */
static void clean_up(bool last)
{
	irq_mask();
	timer_reset();
	if (!smp_release() && test_now.verdict != VERDICT_ERROR) {
		test_now.verdict = VERDICT_ERROR;
		snprintf(test_now.reason, sizeof(test_now.reason),
			 "another CPU did not finish, or never went off (AFFINITY_INFO)");
	}
	if (last)
		return;
	its_reset();
	gic_reset();
	irq_reset();
	mem_reset();
}

static enum verdict run(const struct assay_test *t, const char *id, unsigned number, bool last)
{
	uint64_t begin = counter_virt(), ms;

	test_now = (struct test_state){.test = t, .id = id};
	rnd_state = test_seed ^ 0x9e3779b97f4a7c15ULL;
	rnd_state = rnd_state ? rnd_state : 1;
	report_line("# begin %s", id);
	run_body(t);
	clean_up(last);
	ms = ms_of_ticks(counter_virt() - begin);
	switch (test_now.verdict) {
	case VERDICT_PASS:
		report_line("ok %u %s # rule=%s ms=%lu", number, id, t->rule ? t->rule : "-", ms);
		break;
	case VERDICT_FAIL:
		report_line("not ok %u %s # rule=%s seed=0x%lx ms=%lu", number, id,
			    t->rule ? t->rule : "-", test_seed, ms);
		break;
	case VERDICT_SKIP:
		report_line("ok %u %s # SKIP %s", number, id, test_now.reason);
		break;
	case VERDICT_ERROR:
		report_line("not ok %u %s # ERROR %s", number, id, test_now.reason);
		break;
	}
	return test_now.verdict;
}

/* the next word of the command line behind *at, copied; false at the end */
static bool next_word(const char **at, char word[static WORD_MAX])
{
	size_t n = 0;

	while (**at == ' ')
		(*at)++;
	for (; **at && **at != ' '; (*at)++)
		if (n < WORD_MAX - 1)
			word[n++] = **at;
	word[n] = '\0';
	return n > 0;
}

/* does the id asked for (suite.name, perhaps with @variant) mean this test? */
static bool matches(const struct assay_test *t, const char *id)
{
	size_t suite = strlen(t->suite), name = strlen(t->name);

	return strncmp(id, t->suite, suite) == 0 && id[suite] == '.' &&
	       strncmp(id + suite + 1, t->name, name) == 0 &&
	       (id[suite + 1 + name] == '\0' || id[suite + 1 + name] == '@');
}

static enum verdict run_id(const char *id, unsigned number, bool last)
{
	for (const struct assay_test *t = __start_assay_tests; t < __stop_assay_tests; t++)
		if (matches(t, id))
			return run(t, id, number, last);
	report_line("# begin %s", id);
	report_line("not ok %u %s # ERROR this payload has no such test", number, id);
	return VERDICT_ERROR;
}

static bool is_bad(enum verdict v)
{
	return v == VERDICT_FAIL || v == VERDICT_ERROR;
}

/* The head of a KTAP document. */
static void head(uint64_t tests)
{
	report_line("KTAP version 1");
	report_line("1..%lu", tests);
}

/*
 * `series`: a document for each test, so that a reader may take them one by one. The series ends behind the first bad
 * one, for it may leave a machine behind that is not fit for others: the reader has the rest run in another.
 */
static enum assay_exit run_series(const char *args, unsigned named)
{
	char word[WORD_MAX];

	for (const char *at = args; next_word(&at, word);) {
		if (strncmp(word, "test=", 5) != 0)
			continue;
		head(1);
		if (is_bad(run_id(word + 5, 1, --named == 0)))
			return ASSAY_EXIT_FAILED;
		if (!smp_all_off())
			break; /* a test started CPUs by its own means, and they are lost */
	}
	return ASSAY_EXIT_OK;
}

static enum assay_exit run_all(const char *args)
{
	char word[WORD_MAX];
	unsigned named = 0, number = 0;
	bool bad = false, series = false;

	for (const char *at = args; next_word(&at, word);) {
		if (strncmp(word, "test=", 5) == 0)
			named++;
		else if (strncmp(word, "seed=", 5) == 0)
			test_seed = parse_u64(word + 5);
		else if (strncmp(word, "time=", 5) == 0)
			test_time_ms = parse_u64(word + 5);
		else if (strcmp(word, "series") == 0)
			series = true;
	}
	if (series)
		return run_series(args, named);
	head(named ? named : (uint64_t)(__stop_assay_tests - __start_assay_tests));
	for (const char *at = args; number < named && next_word(&at, word);) {
		if (strncmp(word, "test=", 5) != 0)
			continue;
		number++;
		bad |= is_bad(run_id(word + 5, number, number == named));
	}
	for (const struct assay_test *t = __start_assay_tests; !named && t < __stop_assay_tests;
	     t++) {
		snprintf(word, sizeof(word), "%s.%s", t->suite, t->name);
		bad |= is_bad(run(t, word, ++number, t + 1 == __stop_assay_tests));
	}
	return bad ? ASSAY_EXIT_FAILED : ASSAY_EXIT_OK;
}

void lib_main(void)
{
	bool dt = dt_init(RAM_START);
	const char *args;

	event_stream_init();
	smp_init(); /* exceptions need to know their CPU */
	if (!dt)
		for (;;)
			wfi(); /* nowhere to say it */
	mem_init();
	report_init();
	mmu_init();
	args = dt_str(dt_path("/chosen"), "bootargs");
	report_exit(run_all(args ? args : ""));
}
