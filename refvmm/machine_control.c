/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the control socket. All of them run in the event loop's thread, under pause.guard. */
#include <assay/exit.h>
#include <errno.h>
#include <string.h>

#include "control/control.h"
#include "kvm/dump.h"
#include "machine.h"

#define SPI_LAST       (KVM_SPIS - 1)
#define PAUSE_LIMIT_MS 10000U

static void status(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;

	(void)q;
	lock_take(&m->lock);
	reply_str(r, "state", machine_pausing(m) ? "paused" : "running");
	reply_str(r, "machine", "virt-1");
	reply_u64(r, "vcpus", m->cpus);
	reply_u64(r, "memory", m->conf.ram.size);
	reply_u64(r, "gic-version", m->conf.gic);
	reply_bool(r, "its", m->conf.its == ON);
	reply_u64(r, "ipa-bits", m->vm.ipa_bits);
	reply_u64(r, "guest-errors", m->guest_errors);
	reply_u64(r, "unclaimed-accesses", m->board.bus.unclaimed);
	lock_give(&m->lock);
}

static void cannot_stop(struct reply *r, int err)
{
	reply_error(r, "failed", "%s",
		    err == -EBUSY ? "a disk does not stand still: its file does not answer"
				  : "a vCPU does not stand still: the file of --vars does not "
				    "answer, or KVM does not return");
}

static void do_pause(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;
	uint64_t limit = PAUSE_LIMIT_MS;
	int ret;

	if (json_find(q, "limit-ms") && !control_number(q, "limit-ms", PAUSE_LIMIT_MS, &limit, r))
		return;
	ret = machine_pausing(m) ? 0 : machine_pause(m, true, limit);
	if (ret)
		cannot_stop(r, ret);
}

static void resume(void *host, const struct json_object *q, struct reply *r)
{
	(void)q;
	(void)r;
	machine_resume(host);
}

static void quit(void *host, const struct json_object *q, struct reply *r)
{
	(void)q;
	(void)r;
	machine_end(host, 0, ASSAY_EXIT_OK);
}

/* Not before the answer is sent: the reset is asked for, and comes. */
static void reset(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;

	(void)q;
	if (m->conf.no_reboot)
		reply_error(r, "failed", "--no-reboot: a reset would end the machine; use quit");
	else
		machine_ask_for_reset(m);
}

static void powerdown(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;

	(void)q;
	if (machine_pausing(m)) {
		reply_error(r, "failed", "the machine is paused: resume it first");
		return;
	}
	lock_take(&m->lock);
	machine_press_key(m);
	lock_give(&m->lock);
}

static void irq(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;
	uint64_t spi, level;
	int ret;

	if (!control_number(q, "spi", SPI_LAST, &spi, r))
		return;
	if (!json_find(q, "level")) { /* an edge */
		ret = vm_irq_line(&m->vm, (unsigned)spi, true);
		if (!ret)
			ret = vm_irq_line(&m->vm, (unsigned)spi, false);
	} else {
		if (!control_number(q, "level", 1, &level, r))
			return;
		ret = vm_irq_line(&m->vm, (unsigned)spi, level);
	}
	if (ret)
		reply_error(r, "failed", "KVM_IRQ_LINE: %s", strerrorname_np(-ret));
}

static void add_reg(void *arg, const char *name, uint64_t val)
{
	reply_hex(arg, name, val);
}

struct dump {
	unsigned cpu;
	bool paused_before;
};

/* The vCPU that was asked for, and all of them standing still. */
static bool dump_begin(struct dump *d, struct machine *m, const struct json_object *q,
		       struct reply *r)
{
	uint64_t cpu = 0;
	int ret;

	if (json_find(q, "vcpu") && !control_number(q, "vcpu", m->cpus - 1, &cpu, r))
		return false;
	d->cpu = (unsigned)cpu;
	d->paused_before = machine_pausing(m);
	ret = d->paused_before ? 0 : machine_pause(m, false, PAUSE_LIMIT_MS);
	if (ret) {
		cannot_stop(r, ret);
		return false;
	}
	reply_u64(r, "vcpu", cpu);
	return true;
}

static void dump_end(const struct dump *d, struct machine *m)
{
	if (!d->paused_before)
		machine_resume(m);
}

static void dump_regs(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;
	struct dump d;

	if (!dump_begin(&d, m, q, r))
		return;
	reply_open(r, "registers", '{');
	vcpu_dump(&m->cpu[d.cpu].vcpu, add_reg, r);
	reply_close(r, '}');
	dump_end(&d, m);
}

static void dump_vgic(void *host, const struct json_object *q, struct reply *r)
{
	struct machine *m = host;
	uint64_t mpidr = 0;
	struct dump d;
	int ret;

	if (!dump_begin(&d, m, q, r))
		return;
	reply_u64(r, "gic-version", m->conf.gic);
	reply_open(r, "registers", '{');
	ret = vcpu_get_mpidr(&m->cpu[d.cpu].vcpu, &mpidr);
	if (!ret)
		ret = gic_dump(&m->gic, d.cpu, mpidr, add_reg, r);
	reply_close(r, '}');
	dump_end(&d, m);
	if (ret)
		reply_error(r, "failed", "KVM_GET_DEVICE_ATTR: %s", strerrorname_np(-ret));
}

const struct control_command machine_commands[] = {
	{"status", "", status},		  {"pause", "limit-ms", do_pause},
	{"resume", "", resume},		  {"reset", "", reset},
	{"powerdown", "", powerdown},	  {"quit", "", quit},
	{"irq", "spi level", irq},	  {"dump-regs", "vcpu", dump_regs},
	{"dump-vgic", "vcpu", dump_vgic}, {NULL, NULL, NULL},
};
