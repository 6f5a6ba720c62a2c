/* SPDX-License-Identifier: Apache-2.0 */
/* The KTAP dialect of docs/design.md, contract 2, as a payload speaks it. */
#include "report.h"
#include "cpu.h"
#include "dt.h"
#include "lock.h"
#include "mmio.h"
#include "psci.h"
#include "test.h"

#define PL011_DR      0x000
#define PL011_FR      0x018
#define PL011_FR_TXFF BIT(5)

static struct mmio port, uart;
static struct lock line_lock;

struct test_state test_now;
uint64_t test_seed;
uint64_t test_time_ms;

void report_init(void)
{
	port = dt_mmio("assay,test-port");
	if (port.size && (rd32(port, ASSAY_PORT_ID) != ASSAY_PORT_MAGIC ||
			  rd32(port, ASSAY_PORT_VERSION) != ASSAY_PORT_ABI))
		port.size = 0;
	uart = dt_mmio("arm,pl011");
}

static void uart_put(char c)
{
	while (rd32(uart, PL011_FR) & PL011_FR_TXFF)
		cpu_relax();
	wr32(uart, PL011_DR, (uint8_t)c);
}

static void emit(const char *text, size_t len)
{
	if (port.size) {
		dsb(sy);
		wr64(port, ASSAY_PORT_LINE_ADDR, (uint64_t)(uintptr_t)text);
		wr32(port, ASSAY_PORT_LINE_LEN, (uint32_t)len);
	} else if (uart.size) {
		for (size_t i = 0; i < len; i++)
			uart_put(text[i]);
		uart_put('\n');
	}
}

static void report_vline(const char *fmt, va_list ap)
{
	char buf[ASSAY_PORT_LINE_MAX];
	int n = vsnprintf(buf, sizeof(buf), fmt, ap);

	lock_take(&line_lock);
	emit(buf, MIN((size_t)n, sizeof(buf) - 1));
	lock_drop(&line_lock);
}

void report_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_vline(fmt, ap);
	va_end(ap);
}

void report_exit(enum assay_exit status)
{
	if (port.size)
		wr32(port, ASSAY_PORT_EXIT, (uint32_t)status);
	psci_system_off();
	for (;;)
		wfi();
}

void report_die(const char *fmt, ...)
{
	char buf[ASSAY_PORT_LINE_MAX];
	va_list ap;
	int n;

	/* no lock: its owner may be what died */
	va_start(ap, fmt);
	n = snprintf(buf, sizeof(buf), "# payload died: ");
	n += vsnprintf(buf + n, sizeof(buf) - (size_t)n, fmt, ap);
	va_end(ap);
	emit(buf, MIN((size_t)n, sizeof(buf) - 1));
	report_exit(ASSAY_EXIT_GUEST);
}

bool port_present(void)
{
	return port.size != 0;
}

int port_action(struct assay_action *a)
{
	if (!port.size)
		return -38; /* ENOSYS */
	a->status = -38;
	dsb(sy);
	wr64(port, ASSAY_PORT_ACTION, (uint64_t)(uintptr_t)a);
	dsb(sy);
	return *(volatile int32_t *)&a->status;
}

uint32_t port_ping(uint32_t v)
{
	wr32(port, ASSAY_PORT_PING, v);
	return rd32(port, ASSAY_PORT_PING);
}

void test_leave(void)
{
	struct cpu *c = this_cpu();

	if (!c->leave_ctx)
		report_die("CPU %u leaves a test that does not run", c->index);
	c->depth = 0;
	c->skip_armed = false;
	c->catch_ctx = NULL;
	ctx_restore(c->leave_ctx, 1);
}

/* A verdict only gets worse: an error outweighs a failure, which outweighs a skip. */
static void set_verdict(enum verdict v, const char *fmt, va_list ap)
{
	lock_take(&line_lock);
	if ((v == VERDICT_ERROR && test_now.verdict != VERDICT_ERROR) ||
	    (v == VERDICT_FAIL && test_now.verdict != VERDICT_ERROR) ||
	    (v == VERDICT_SKIP && test_now.verdict == VERDICT_PASS)) {
		test_now.verdict = v;
		vsnprintf(test_now.reason, sizeof(test_now.reason), fmt, ap);
	}
	lock_drop(&line_lock);
}

static void verdict(enum verdict v, const char *fmt, ...) PRINTF(2, 3);
static void verdict(enum verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_verdict(v, fmt, ap);
	va_end(ap);
}

void test_fail(const char *file, int line, const char *expr, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict(VERDICT_FAIL, "%s", "");
	if (cpu_index())
		report_line("# %s:%d: %s: %s (CPU %u)", file, line, expr, text, cpu_index());
	else
		report_line("# %s:%d: %s: %s", file, line, expr, text);
}

void test_skip(const char *cap, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (cap)
		verdict(VERDICT_SKIP, "needs=%s: %s", cap, text);
	else
		verdict(VERDICT_SKIP, "%s", text);
	test_leave();
}

void test_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_verdict(VERDICT_ERROR, fmt, ap);
	va_end(ap);
	test_leave();
}

void test_exception(const struct exception *e, const char *kind)
{
	test_error("unexpected %s%s on CPU %u: ESR 0x%lx EC 0x%x ELR 0x%lx FAR 0x%lx", kind,
		   *kind ? "exception" : ec_name(e->ec), cpu_index(), e->esr, e->ec, e->elr,
		   e->far);
}
