/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_env.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static struct fake_env *fake(struct env *e)
{
	return (struct fake_env *)e;
}

static void fake_irq(struct env *e, unsigned spi, bool level)
{
	struct fake_env *fe = fake(e);

	if (spi >= FAKE_SPIS)
		abort();
	if (level && !fe->level[spi])
		fe->rises[spi]++;
	fe->level[spi] = level;
}

static int fake_msi(struct env *e, uint64_t addr, uint32_t data, uint32_t devid)
{
	struct fake_env *fe = fake(e);

	if (fe->nr_msi < FAKE_MSIS)
		fe->msi[fe->nr_msi++] =
			(struct fake_msi){.addr = addr, .data = data, .devid = devid};
	return fe->msi_result;
}

static uint64_t fake_clock_ns(struct env *e)
{
	return fake(e)->now_ns;
}

static uint64_t fake_wall_s(struct env *e)
{
	return fake(e)->now_s + fake(e)->now_ns / 1000000000U;
}

static void fake_timer(struct env *e, struct dev *d, uint64_t deadline_ns)
{
	fake(e)->deadline_ns = deadline_ns;
	fake(e)->timer_dev = d;
}

static void fake_console(struct env *e, const void *buf, size_t len)
{
	struct fake_env *fe = fake(e);

	if (len > sizeof(fe->console) - 1 - fe->console_len)
		len = sizeof(fe->console) - 1 - fe->console_len;
	memcpy(fe->console + fe->console_len, buf, len);
	fe->console_len += len;
}

static int fake_rom(struct env *e, const struct dev *d, unsigned win, void *host, uint64_t size)
{
	struct fake_env *fe = fake(e);

	(void)d;
	if (win >= FAKE_ROMS || (host && !size))
		abort();
	fe->rom[win] = host;
	fe->rom_changes++;
	return 0;
}

static void fake_guest_error(struct env *e, const struct dev *d, const char *what, uint64_t value)
{
	(void)d;
	fake(e)->guest_errors++;
	fake(e)->last_error = what;
	fake(e)->last_error_value = value;
}

static int fake_watch(struct env *e, struct env_watch *w)
{
	struct fake_env *fe = fake(e);
	unsigned at = 0;

	while (at < fe->nr_watch && fe->watch[at] != w)
		at++;
	if (at == FAKE_WATCHES)
		abort();
	if (w->events && at == fe->nr_watch)
		fe->watch[fe->nr_watch++] = w;
	else if (!w->events && at < fe->nr_watch)
		fe->watch[at] = fe->watch[--fe->nr_watch];
	return 0;
}

static int fake_doorbell(struct env *e, uint64_t gpa, unsigned len, int fd, bool on)
{
	struct fake_env *fe = fake(e);

	unsigned at = 0;

	while (at < fe->nr_bell && (fe->bell[at].gpa != gpa || fe->bell[at].fd != fd))
		at++;
	if (on == (at < fe->nr_bell) || at == FAKE_WATCHES)
		abort(); /* nothing twice, and nothing is taken away that is not there */
	if (on)
		fe->bell[fe->nr_bell++] = (struct fake_bell){.gpa = gpa, .len = len, .fd = fd};
	else
		fe->bell[at] = fe->bell[--fe->nr_bell];
	return 0;
}

static int fake_work_wanted(struct env *e, struct env_work *w)
{
	struct fake_env *fe = fake(e);

	if (!fe->works)
		return -ENOSYS;
	if (fe->wanted)
		abort(); /* one disk, one request at a time */
	fe->wanted = w;
	return 0;
}

struct env_work *fake_work_begin(struct fake_env *fe)
{
	struct env_work *w = fe->wanted;

	fe->wanted = NULL;
	if (w)
		w->work(w);
	return w;
}

bool fake_work(struct fake_env *fe)
{
	struct env_work *w = fake_work_begin(fe);

	if (w)
		w->done(w);
	return w;
}

void fake_serve(struct fake_env *fe)
{
	for (unsigned i = 0; i < fe->nr_watch; i++) {
		struct env_watch *w = fe->watch[i];
		struct pollfd p = {.fd = w->fd, .events = (short)w->events};

		if (poll(&p, 1, 0) > 0 && p.revents)
			w->ready(w, (uint32_t)p.revents & 0xffffU);
	}
}

static const struct env_ops fake_ops = {
	.irq = fake_irq,
	.msi = fake_msi,
	.message = fake_msi,
	.clock_ns = fake_clock_ns,
	.wall_s = fake_wall_s,
	.timer = fake_timer,
	.console = fake_console,
	.rom = fake_rom,
	.watch = fake_watch,
	.doorbell = fake_doorbell,
	.work = fake_work_wanted,
	.settle = fake_work_wanted,
	.guest_error = fake_guest_error,
};

/* A fuzz target makes thousands a second, and getting memory would take most of its time: RAM is used again. */
static uint8_t *spare[2];
#define SPARES (sizeof(spare) / sizeof(spare[0]))

static uint8_t *ram_new(void)
{
	uint8_t *ram = NULL;

	for (size_t i = 0; !ram && i < SPARES; i++) {
		ram = spare[i];
		spare[i] = NULL;
	}
	if (!ram)
		ram = malloc(FAKE_RAM_SIZE);
	if (ram)
		memset(ram, 0, FAKE_RAM_SIZE);
	return ram;
}

static void ram_free(uint8_t *ram)
{
	for (size_t i = 0; ram && i < SPARES; i++) {
		if (spare[i])
			continue;
		spare[i] = ram;
		ram = NULL;
	}
	free(ram);
}

struct fake_env *fake_env_new(void)
{
	struct fake_env *fe = calloc(1, sizeof(*fe));

	if (!fe)
		abort();
	fe->ram = ram_new();
	if (!fe->ram || gmem_add(&fe->mem, FAKE_RAM_BASE, FAKE_RAM_SIZE, fe->ram))
		abort();
	fe->env = (struct env){.ops = &fake_ops, .mem = &fe->mem, .msi = ENV_MSI_ITS};
	fe->now_s = 1700000000;
	return fe;
}

void fake_env_free(struct fake_env *fe)
{
	for (unsigned i = 0; i < fe->nr_dev; i++)
		dev_free(fe->dev[i]);
	ram_free(fe->ram);
	free(fe);
}

struct dev *fake_dev_at(struct fake_env *fe, const struct dev_ops *ops,
			const struct dev_place *place, int *err)
{
	struct dev *d = NULL;
	int ret = dev_new(&d, ops, &fe->env, place);

	if (err)
		*err = ret;
	if (ret)
		return NULL;
	if (fe->nr_dev == FAKE_DEVS || bus_add(&fe->bus, d))
		abort();
	fe->dev[fe->nr_dev++] = d;
	return d;
}

struct dev *fake_dev(struct fake_env *fe, const struct dev_ops *ops, uint64_t base, uint64_t size,
		     unsigned spi, unsigned nr_spi, const void *conf)
{
	struct dev_place place = {
		.range = {{base, size}}, .spi = spi, .nr_spi = nr_spi, .conf = conf};

	return fake_dev_at(fe, ops, &place, NULL);
}

uint64_t fake_steer(unsigned how, uint64_t addr)
{
	switch (how) {
	case 0:
		return addr;
	case 1:
		return FAKE_RAM_BASE + FAKE_RAM_SIZE - (addr & 0xff);
	case 2:
		return FAKE_RAM_BASE - (addr & 0xff);
	default:
		return FAKE_RAM_BASE + addr % FAKE_RAM_SIZE;
	}
}

uint64_t fake_read(struct fake_env *fe, uint64_t gpa, unsigned len)
{
	return bus_read(&fe->bus, gpa, len);
}

void fake_write(struct fake_env *fe, uint64_t gpa, unsigned len, uint64_t val)
{
	bus_write(&fe->bus, gpa, len, val);
}

void fake_advance(struct fake_env *fe, uint64_t ns)
{
	fe->now_ns += ns;
	if (fe->deadline_ns && fe->now_ns >= fe->deadline_ns && fe->timer_dev) {
		fe->deadline_ns = 0;
		fe->timer_dev->ops->timer(fe->timer_dev);
	}
}
