/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on the test port: any access, lines and actions anywhere in RAM and beside it. */
#include <assay/board.h>
#include <assay/port.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/test_port.h"
#include "tests/fake_env.h"

#define PORT 0x0c000000ULL

struct step {
	uint8_t op, len;
	uint16_t where;
	uint32_t val;
	uint64_t addr;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t sum; /* so that what is handed over is read */

static void on_line(struct env *e, const char *text, size_t len)
{
	(void)e;
	if (len > ASSAY_PORT_LINE_MAX)
		abort();
	for (size_t i = 0; i < len; i++)
		sum ^= (uint8_t)text[i];
}

static void on_exit_status(struct env *e, unsigned status)
{
	(void)e;
	sum ^= (uint8_t)status;
}

static int on_stat(struct env *e, const char *name, uint64_t *value)
{
	(void)e;
	*value = strlen(name);
	return -ENOENT;
}

static void on_pause(struct env *e, uint64_t ms)
{
	(void)e;
	if (ms > 60000)
		abort();
}

static int on_pin(struct env *e, uint64_t cpu, uint64_t *online)
{
	(void)e;
	*online = 2;
	return cpu < 2 ? 0 : -EINVAL;
}

static void on_clocks(struct env *e, uint64_t *mono, uint64_t *raw)
{
	(void)e;
	*mono = *raw = 1;
}

static void on_memory_facts(struct env *e, uint64_t fact[4])
{
	(void)e;
	memset(fact, 1, 4 * sizeof(*fact));
}

static int on_memory_thp(struct env *e, uint64_t *bytes)
{
	(void)e;
	*bytes = 3;
	return 0;
}

static const struct test_port_host host = {on_line, on_exit_status, on_stat,	     on_pause,
					   on_pin,  on_clocks,	    on_memory_facts, on_memory_thp};

static void take(struct fake_env *fe, struct dev *d, const struct step *s)
{
	unsigned len = 1U << (s->len & 3);
	uint64_t at = fake_steer(s->op >> 5, s->addr);
	struct assay_action a = {.op = s->val & 15, .arg = {s->where, s->len, s->val}};

	switch (s->op & 7) {
	case 0:
		fake_write(fe, PORT + (s->where & 0x3f), len, s->addr);
		break;
	case 1:
		fake_read(fe, PORT + (s->where & 0x3f), len);
		break;
	case 2:
		fake_write(fe, PORT + ASSAY_PORT_LINE_ADDR, 8, at);
		fake_write(fe, PORT + ASSAY_PORT_LINE_LEN, 4, s->where & 0x7ff);
		break;
	case 3:
		d->ops->reset(d);
		break;
	default:
		if (s->op & 8)
			a.arg[0] = s->addr;
		if (s->op & 16)
			a.arg[0] = at;
		gmem_write(&fe->mem, at, &a, sizeof(a));
		fake_write(fe, PORT + ASSAY_PORT_ACTION, 8, at);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_env *fe = fake_env_new();
	struct dev *d;
	struct step s;

	fe->env.port = &host;
	d = fake_dev(fe, &test_port_ops, PORT, 0x1000, ASSAY_SPI_TEST_PORT,
		     ASSAY_SPI_TEST_PORT_COUNT, NULL);
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		take(fe, d, &s);
	}
	if (fake_read(fe, PORT, 4) != ASSAY_PORT_MAGIC)
		abort();
	fake_env_free(fe);
	return 0;
}
