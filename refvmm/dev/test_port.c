/* SPDX-License-Identifier: Apache-2.0 */
/* The test port: registers and actions as abi/assay/port.h defines them. */
#include "dev/test_port.h"

#include <assay/board.h>
#include <assay/exit.h>
#include <assay/port.h>
#include <errno.h>
#include <string.h>

#include "core/dt.h"
#include "core/gpa.h"

#define NAME_MAX_LEN 64U    /* of a KVM statistic */
#define PAUSE_MAX_MS 60000U /* a payload that asks for more has lost its way */

struct test_port {
	struct dev dev;
	uint64_t line_addr;
	uint32_t ping;
};

static struct test_port *port(struct dev *d)
{
	return (struct test_port *)d;
}

static void emit_line(struct dev *d, uint64_t len)
{
	char text[ASSAY_PORT_LINE_MAX];

	if (len > sizeof(text)) {
		dev_guest_error(d, "line longer than ASSAY_PORT_LINE_MAX:", len);
		return;
	}
	if (gmem_read(d->env->mem, port(d)->line_addr, text, len)) {
		dev_guest_error(d, "line outside RAM at", port(d)->line_addr);
		return;
	}
	d->env->port->line(d->env, text, len);
}

static int act_spi(struct dev *d, const struct assay_action *a)
{
	if (a->arg[0] >= ASSAY_SPI_TEST_PORT + ASSAY_SPI_TEST_PORT_COUNT)
		return -EINVAL;
	if (a->op == ASSAY_ACT_SPI_LEVEL) {
		if (a->arg[1] > 1)
			return -EINVAL;
		d->env->ops->irq(d->env, (unsigned)a->arg[0], a->arg[1]);
		return 0;
	}
	d->env->ops->irq(d->env, (unsigned)a->arg[0], true);
	d->env->ops->irq(d->env, (unsigned)a->arg[0], false);
	return 0;
}

static int act_msi(struct dev *d, struct assay_action *a)
{
	int ret;

	if (a->arg[1] > UINT32_MAX || a->arg[2] > UINT32_MAX)
		return -EINVAL;
	ret = d->env->ops->msi(d->env, a->arg[0], (uint32_t)a->arg[1], (uint32_t)a->arg[2]);
	a->ret[0] = (uint64_t)(int64_t)ret;
	return 0;
}

static int act_stat(struct dev *d, struct assay_action *a)
{
	char name[NAME_MAX_LEN + 1];
	int ret;

	if (!a->arg[1] || a->arg[1] > NAME_MAX_LEN)
		return -EINVAL;
	ret = gmem_read(d->env->mem, a->arg[0], name, a->arg[1]);
	if (ret)
		return ret;
	name[a->arg[1]] = '\0';
	return d->env->port->stat(d->env, name, &a->ret[0]);
}

static int act_pause(struct dev *d, const struct assay_action *a)
{
	if (a->arg[0] > PAUSE_MAX_MS)
		return -EINVAL;
	d->env->port->pause(d->env, a->arg[0]);
	return 0;
}

static int act(struct dev *d, struct assay_action *a)
{
	switch ((enum assay_action_op)a->op) {
	case ASSAY_ACT_NOP:
		return 0;
	case ASSAY_ACT_SPI_LEVEL:
	case ASSAY_ACT_SPI_PULSE:
		return act_spi(d, a);
	case ASSAY_ACT_MSI:
		return act_msi(d, a);
	case ASSAY_ACT_STAT:
		return act_stat(d, a);
	case ASSAY_ACT_HOST_CLOCK:
		d->env->port->clocks(d->env, &a->ret[0], &a->ret[1]);
		return 0;
	case ASSAY_ACT_PAUSE:
		return act_pause(d, a);
	case ASSAY_ACT_PIN:
		return d->env->port->pin(d->env, a->arg[0], &a->ret[0]);
	case ASSAY_ACT_MEMORY_FACTS:
		d->env->port->memory_facts(d->env, a->ret);
		return 0;
	case ASSAY_ACT_MEMORY_THP:
		return d->env->port->memory_thp(d->env, &a->ret[0]);
	}
	return -ENOSYS;
}

/* The block belongs to the guest: copied once, and only status and ret go back. */
static void run_action(struct dev *d, uint64_t gpa)
{
	struct assay_action a;

	if (gmem_read(d->env->mem, gpa, &a, sizeof(a))) {
		dev_guest_error(d, "action outside RAM at", gpa);
		return;
	}
	memset(a.ret, 0, sizeof(a.ret));
	a.status = act(d, &a);
	gmem_write(d->env->mem, gpa + offsetof(struct assay_action, ret), a.ret, sizeof(a.ret));
	gmem_write(d->env->mem, gpa + offsetof(struct assay_action, status), &a.status,
		   sizeof(a.status));
}

static unsigned width(uint64_t off)
{
	switch (off) {
	case ASSAY_PORT_LINE_ADDR:
	case ASSAY_PORT_ACTION:
		return 8;
	case ASSAY_PORT_ID:
	case ASSAY_PORT_VERSION:
	case ASSAY_PORT_LINE_LEN:
	case ASSAY_PORT_EXIT:
	case ASSAY_PORT_PING:
		return 4;
	default:
		return 0;
	}
}

static uint64_t test_port_read(struct dev *d, uint64_t off, unsigned len)
{
	if (len == width(off)) {
		switch (off) {
		case ASSAY_PORT_ID:
			return ASSAY_PORT_MAGIC;
		case ASSAY_PORT_VERSION:
			return ASSAY_PORT_ABI;
		case ASSAY_PORT_PING:
			return port(d)->ping;
		default:
			break;
		}
	}
	dev_guest_error(d, "bad read at", off);
	return 0;
}

static void test_port_write(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	if (len != width(off)) {
		dev_guest_error(d, "bad write at", off);
		return;
	}
	switch (off) {
	case ASSAY_PORT_LINE_ADDR:
		port(d)->line_addr = val;
		break;
	case ASSAY_PORT_LINE_LEN:
		emit_line(d, val);
		break;
	case ASSAY_PORT_EXIT:
		d->env->port->exit(d->env, (unsigned)val);
		break;
	case ASSAY_PORT_ACTION:
		run_action(d, val);
		break;
	case ASSAY_PORT_PING:
		port(d)->ping = (uint32_t)val;
		break;
	default:
		dev_guest_error(d, "bad write at", off);
		break;
	}
}

static void test_port_reset(struct dev *d)
{
	port(d)->line_addr = 0;
	port(d)->ping = 0;
}

static int test_port_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "test-port", d->range[0].base);
	dt_str(f, "compatible", d->ops->compatible);
	dt_reg(f, d->range[0].base, d->range[0].size);
	dt_cells(f, "assay,spis", d->spi, d->nr_spi);
	dt_end(f);
	return 0;
}

const struct dev_ops test_port_ops = {
	.name = "test-port",
	.compatible = "assay,test-port",
	.size = sizeof(struct test_port),
	.window = {{"test-port", 1, 8, test_port_read, test_port_write}},
	.reset = test_port_reset,
	.describe = test_port_describe,
};
