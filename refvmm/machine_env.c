/* SPDX-License-Identifier: Apache-2.0 */
/* What devices may ask of the machine. All of it runs under the machine's lock. */
#include <assay/board.h>
#include <assay/exit.h>
#include <assay/port.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "dev/gicv2m.h"
#include "dev/test_port.h"
#include "machine.h"

static struct machine *machine(struct env *e)
{
	return (struct machine *)e;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void env_irq(struct env *e, unsigned spi, bool level)
{
	int ret = vm_irq_line(&machine(e)->vm, spi, level);

	if (ret)
		machine_stop(machine(e), err_host(-ret, "KVM_IRQ_LINE: SPI %u to %d", spi, level),
			     0);
}

/* A message to the v2m frame is an ordinary store to a device of the board. */
static int env_msi(struct env *e, uint64_t addr, uint32_t data, uint32_t devid)
{
	struct machine *m = machine(e);

	if (addr - ASSAY_GIC_V2M_BASE < ASSAY_GIC_V2M_SIZE) {
		if (e->msi != ENV_MSI_V2M)
			return -ENODEV;
		bus_write(&m->board.bus, addr, sizeof(data), data);
		return 0;
	}
	return vm_signal_msi(&m->vm, addr, data, devid);
}

/* What the frame would make of the message (gicv2m.c), or false. */
static bool v2m_spi(const struct env *e, uint64_t addr, uint32_t data, uint32_t *spi)
{
	*spi = data - ASSAY_SPI_TO_INTID(ASSAY_SPI_GIC_V2M);
	return e->msi == ENV_MSI_V2M && addr == ASSAY_GIC_V2M_BASE + GICV2M_SETSPI &&
	       *spi < ASSAY_SPI_GIC_V2M_COUNT;
}

static int env_message(struct env *e, uint64_t addr, uint32_t data, uint32_t devid)
{
	struct vm_message k = {.addr = addr, .data = data, .devid = devid};

	if (v2m_spi(e, addr, data, &k.data)) {
		k.data += ASSAY_SPI_GIC_V2M;
		k.spi = true;
	} else {
		k.data = data;
	}
	if ((k.spi || e->msi == ENV_MSI_ITS) && vm_message_known(&machine(e)->vm, &k))
		return 0;
	return env_msi(e, addr, data, devid);
}

static uint64_t env_clock_ns(struct env *e)
{
	(void)e;
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t env_wall_s(struct env *e)
{
	(void)e;
	return (uint64_t)time(NULL);
}

static void env_timer(struct env *e, struct dev *d, uint64_t deadline_ns)
{
	struct machine *m = machine(e);

	for (unsigned i = 0; i < m->board.nr; i++) {
		if (m->board.dev[i] == d)
			m->deadline_ns[i] = deadline_ns;
	}
	if (deadline_ns && machine_loop_start(m))
		machine_stop(m, err_host(EAGAIN, "timer of %s", d->ops->name), 0);
	machine_wake(m);
}

static void env_console(struct env *e, const void *buf, size_t len)
{
	console_print(machine(e), buf, len);
}

/* The n-th slot is this window's from its first use on. */
static int env_rom(struct env *e, const struct dev *d, unsigned win, void *host, uint64_t size)
{
	struct machine *m = machine(e);
	unsigned n = 0;
	int ret;

	while (n < VM_ROMS && m->rom[n].dev && (m->rom[n].dev != d || m->rom[n].win != win))
		n++;
	if (n == VM_ROMS)
		return -ENOSPC;
	if (m->vm.fd < 0)
		return -ENODEV; /* being taken apart */
	ret = vm_set_rom(&m->vm, n, d->range[win].base, host ? size : 0, host);
	if (ret) {
		machine_stop(m, ret, 0);
		return ret;
	}
	m->rom[n].dev = d;
	m->rom[n].win = win;
	m->rom[n].host = host;
	m->rom[n].size = host ? size : 0;
	return 0;
}

static int env_watch(struct env *e, struct env_watch *w)
{
	return machine_watch(machine(e), w);
}

static int env_doorbell(struct env *e, uint64_t gpa, unsigned len, int fd, bool on)
{
	return vm_ioeventfd(&machine(e)->vm, gpa, len, fd, on);
}

static int env_work(struct env *e, struct env_work *w)
{
	return machine_work(machine(e), w);
}

static int env_settle(struct env *e, struct env_work *w)
{
	struct cpu_thread *t = machine(e)->current;

	if (!t || t->work)
		return -EBUSY;
	t->work = w;
	t->owes = true;
	return 0;
}

static void env_guest_error(struct env *e, const struct dev *d, const char *what, uint64_t value)
{
	struct machine *m = machine(e);

	m->guest_errors++;
	if (m->conf.verbose)
		err_note("guest: %s: %s 0x%" PRIx64, d->ops->name, what, value);
}

const struct env_ops machine_env_ops = {
	.irq = env_irq,
	.msi = env_msi,
	.message = env_message,
	.clock_ns = env_clock_ns,
	.wall_s = env_wall_s,
	.timer = env_timer,
	.console = env_console,
	.rom = env_rom,
	.watch = env_watch,
	.doorbell = env_doorbell,
	.work = env_work,
	.settle = env_settle,
	.guest_error = env_guest_error,
};

static void port_line(struct env *e, const char *text, size_t len)
{
	console_print_line(machine(e), text, len);
}

static void port_exit(struct env *e, unsigned status)
{
	struct machine *m = machine(e);

	if (status > ASSAY_EXIT_LIMIT)
		machine_stop(m, err_guest("exit status %u at the test port", status), 0);
	else
		machine_stop(m, 0, status);
}

/* Opened at the first question, except where that must be earlier: see add_cpu(). */
static int add_stat(int fd, int *stats_fd, const char *name, uint64_t *value)
{
	int ret = stats_open(fd, stats_fd);

	return ret ? ret : stats_add(*stats_fd, name, value);
}

static int port_stat(struct env *e, const char *name, uint64_t *value)
{
	struct machine *m = machine(e);
	int found = add_stat(m->vm.fd, &m->vm.stats_fd, name, value);

	if (found && found != -ENOENT)
		return found;
	for (unsigned i = 0; i < m->cpus; i++) {
		struct vcpu *v = &m->cpu[i].vcpu;
		int ret = add_stat(v->fd, &v->stats_fd, name, value);

		if (ret && ret != -ENOENT)
			return ret;
		if (!ret)
			found = 0;
	}
	return found;
}

static void port_pause(struct env *e, uint64_t ms)
{
	struct cpu_thread *t = machine(e)->current;

	t->pause_ms += ms;
	t->owes = true;
}

/* Called by the thread it concerns. sysconf(3) would open a file, and before this no thread has been moved. */
static int port_pin(struct env *e, uint64_t cpu, uint64_t *online)
{
	struct machine *m = machine(e);
	cpu_set_t set;

	if (!m->host_cpus && sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	if (!m->host_cpus)
		m->host_cpus = (unsigned)CPU_COUNT(&set);
	*online = m->host_cpus;
	if (cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void port_clocks(struct env *e, uint64_t *monotonic_ns, uint64_t *raw_ns)
{
	(void)e;
	*monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	*raw_ns = clock_ns(CLOCK_MONOTONIC_RAW);
}

static void port_memory_facts(struct env *e, uint64_t fact[4])
{
	const struct machine *m = machine(e);

	fact[0] = (uint64_t)sysconf(_SC_PAGESIZE);
	fact[1] = m->ram.page_size;
	fact[2] = m->ram.thp_size;
	fact[3] = m->vm.ipa_bits;
}

static int port_memory_thp(struct env *e, uint64_t *bytes)
{
	return ram_thp_bytes(&machine(e)->ram, bytes);
}

const struct test_port_host machine_port_ops = {
	.line = port_line,
	.exit = port_exit,
	.stat = port_stat,
	.pause = port_pause,
	.pin = port_pin,
	.clocks = port_clocks,
	.memory_facts = port_memory_facts,
	.memory_thp = port_memory_thp,
};
