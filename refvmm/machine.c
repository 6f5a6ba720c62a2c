/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a machine together. The order is KVM's: see the comment at machine_init(). */
#include "machine.h"

#include <assay/board.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/err.h"
#include "core/trace.h"
#include "fdt.h"
#include "options.h"

#define IPA_BITS_LEAST 32U

unsigned machine_ipa_bits(const struct machine_conf *c)
{
	uint64_t last = board_top(c) - 1;
	unsigned bits = 64U - (unsigned)__builtin_clzll(last);

	return c->ipa_bits ? c->ipa_bits : bits < IPA_BITS_LEAST ? IPA_BITS_LEAST : bits;
}

static int check_ipa_bits(const struct machine_conf *c)
{
	if (c->ipa_bits && (board_top(c) - 1) >> c->ipa_bits)
		return err_usage("--ipa-bits %u: the board ends at 0x%" PRIx64
				 "; use more, less memory, or highmem=off",
				 c->ipa_bits, board_top(c));
	return 0;
}

/* What a GICv2 nobody asked for cannot do is what this host lacks, and no refusal. */
static int check_host_gicv2(const struct machine_conf *c)
{
	if (c->smp > CONF_CPUS_MAX_GICV2)
		return err_lacks("gicv3",
				 "--smp %u: this host's KVM offers only a GICv2, which has %u CPU "
				 "interfaces",
				 c->smp, CONF_CPUS_MAX_GICV2);
	if (c->its == ON)
		return err_lacks("its",
				 "this host's KVM offers only a GICv2, which has no ITS; use "
				 "--machine its=off");
	return 0;
}

int machine_resolve_gic(struct machine_conf *c, const struct vm *vm)
{
	if (c->gic == GIC_HOST || c->gic == GIC_MAX) {
		int ret;

		c->gic = gic_offered(vm, 3) ? GIC_V3 : GIC_V2;
		ret = c->gic == GIC_V2 ? check_host_gicv2(c) : 0;
		if (ret)
			return ret;
	}
	if (!gic_offered(vm, c->gic))
		return err_lacks(c->gic == GIC_V2 ? "gicv2" : "gicv3",
				 "this host's KVM offers no GICv%u to guests; use "
				 "--machine gic-version=host",
				 c->gic);
	if (c->its == ON && !gic_its_offered(vm))
		return err_lacks("its", "this host's KVM offers no ITS; use --machine its=off");
	if (c->its == AUTO)
		c->its = c->gic == GIC_V3 && gic_its_offered(vm) ? ON : OFF;
	return options_check(c); /* GICv2 has its own limits */
}

static int add_cpu(struct machine *m, unsigned id)
{
	struct cpu_thread *t = &m->cpu[m->cpus];
	uint64_t mpidr;
	int ret;

	t->m = m;
	m->cpus++;
	ret = vcpu_create(&t->vcpu, &m->vm, id);
	if (!ret)
		ret = vcpu_init(&t->vcpu, &m->conf.cpu, id != 0);
	if (!ret)
		ret = vcpu_mpidr(&t->vcpu, &mpidr);
	if (ret)
		return ret;
	/* Another vCPU cannot open them later: the ioctl waits as long as this one runs. */
	ret = m->conf.smp > 1 ? stats_open(t->vcpu.fd, &t->vcpu.stats_fd) : 0;
	if (ret)
		return err_host(-ret, "KVM_GET_STATS_FD of vCPU %u", id);
	if ((mpidr & 0xff00ffffffULL) != fdt_mpidr(id))
		return err_host(EPROTO, "vCPU %u: MPIDR_EL1 0x%" PRIx64 " is not as described", id,
				mpidr);
	return 0;
}

/* Three descriptors a vCPU do not fit into the customary 1024. */
static void raise_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r); /* if it fails, the open that does not fit says so */
}

static int add_cpus(struct machine *m)
{
	int ret = 0;

	if (!m->cpu) /* else this is a reset */
		m->cpu = calloc(m->conf.smp, sizeof(*m->cpu));
	if (!m->cpu)
		return err_host(ENOMEM, "--smp %u", m->conf.smp);
	if (m->conf.smp > 64)
		raise_fd_limit();
	for (unsigned i = 0; !ret && i < m->conf.smp; i++)
		ret = add_cpu(m, i);
	if (!ret)
		ret = gic_init(&m->gic);
	for (unsigned i = 0; !ret && i < m->conf.smp; i++)
		ret = vcpu_init_pmu(&m->cpu[i].vcpu);
	return ret;
}

static int add_ram(struct machine *m)
{
	int ret = ram_alloc(&m->ram, &m->conf.ram);

	if (ret)
		return ret;
	ret = gmem_add(&m->mem, ASSAY_RAM_BASE, m->ram.size, m->ram.host);
	return ret ? err_host(-ret, "RAM at 0x%llx", ASSAY_RAM_BASE + 0ULL) : 0;
}

/* What stands in guest physical memory, as KVM's slots. */
static int map_memory(struct machine *m)
{
	int ret = vm_add_memory(&m->vm, ASSAY_RAM_BASE, m->ram.size, m->ram.host, false);

	for (unsigned i = 0; !ret && i < VM_ROMS; i++) {
		if (m->rom[i].size)
			ret = vm_set_rom(&m->vm, i, m->rom[i].dev->range[m->rom[i].win].base,
					 m->rom[i].size, m->rom[i].host);
	}
	return ret;
}

/* With what only the vCPUs know. */
static struct machine_conf known(const struct machine *m)
{
	struct machine_conf c = m->conf;

	c.cpu.pmu = m->cpus && m->cpu[0].vcpu.pmu ? ON : OFF;
	return c;
}

/* Somebody else's tree, or ours, which is written where it belongs. */
static int put_fdt(struct machine *m, const struct boot *boot)
{
	void *place = gpa_ptr(&m->mem, boot->dtb, DT_BYTES_MAX);
	struct machine_conf c = known(m);
	struct fdt f = {0};
	int ret;

	if (boot->dtb == BOOT_NO_DTB && !m->conf.dtb)
		return 0;
	if (!place && boot->dtb != BOOT_NO_DTB)
		return err_usage("--memory: no room for the device tree at 0x%" PRIx64, boot->dtb);
	if (!m->conf.dtb)
		return fdt_build(&f, &c, &m->board, boot, place);
	ret = boot_dtb(&f, &m->files, &m->conf, boot);
	if (!ret && place) /* else it was only looked at: an ELF file that leaves no room for it */
		memcpy(place, f.blob, dt_size(&f));
	dt_free(&f);
	return ret;
}

static int offer(struct machine *m)
{
	struct machine_conf c = known(m);

	return firmware_offer(&m->firmware, &c, &m->board, &m->files);
}

static int load(struct machine *m)
{
	struct boot boot;
	int ret = boot_load(&boot, &m->files, &m->conf, &m->mem);

	if (!ret)
		ret = put_fdt(m, &boot);
	return ret ? ret : vcpu_set_entry(&m->cpu[0].vcpu, boot.entry, boot.x0);
}

/*
 * The board is built before anything of KVM exists, for a device refuses what it cannot be. It is built anew where
 * it could not know all: virtio devices look at their files, and a GICv2 that nobody asked for brings a device.
 */
static int resolve(struct machine *m)
{
	enum gic_version asked = m->conf.gic;
	int ret = machine_resolve_gic(&m->conf, &m->vm);

	if (ret)
		return ret;
	m->env.msi = m->conf.gic == GIC_V2 ? ENV_MSI_V2M
		     : m->conf.its == ON   ? ENV_MSI_ITS
					   : ENV_MSI_NONE;
	if ((m->conf.gic != GIC_V2 || asked == GIC_V2) && !board_virtio_conf(&m->conf)->nr)
		return 0;
	board_free(&m->board);
	return board_build(&m->board, &m->conf, &m->env);
}

/*
 * All of KVM's part behind the empty VM, in KVM's order: the vGIC before the vCPUs it serves, SVE
 * lengths before finalisation, vGIC initialisation after the last vCPU, the PMU and the ITS after
 * that, and no run before all of it.
 */
static int vm_up(struct machine *m)
{
	int ret = gic_create(&m->gic, &m->vm, m->conf.gic, m->conf.its == ON, m->conf.smp);

	if (!ret)
		ret = add_cpus(m);
	return ret ? ret : map_memory(m);
}

static void vm_down(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++)
		vcpu_destroy(&m->cpu[i].vcpu);
	m->cpus = 0;
	gic_destroy(&m->gic);
	vm_destroy(&m->vm);
}

int machine_init(struct machine *m, const struct machine_conf *c)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->kvm.fd = m->vm.fd = m->vm.stats_fd = m->gic.fd = m->gic.its_fd = -1;
	m->conf = *c;
	m->env = (struct env){.ops = &machine_env_ops, .mem = &m->mem, .port = &machine_port_ops};
	pthread_mutex_init(&m->kick_lock, NULL);
	pthread_mutex_init(&m->pause.guard, NULL);
	pthread_mutex_init(&m->pause.lock, NULL);
	pthread_cond_init(&m->pause.changed, NULL);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0)
		return err_host(errno, "eventfd");
	ret = board_build(&m->board, c, &m->env);
	if (!ret)
		ret = check_ipa_bits(c);
	if (!ret && c->trace)
		ret = trace_open(c->trace);
	if (!ret)
		ret = boot_open(&m->files, c);
	if (!ret)
		ret = virtio_conf_open(board_virtio_conf(c));
	if (!ret)
		ret = kvm_open(&m->kvm);
	if (!ret)
		ret = vm_create(&m->vm, &m->kvm, machine_ipa_bits(c));
	if (!ret)
		ret = resolve(m);
	if (!ret)
		ret = add_ram(m);
	if (!ret)
		ret = vm_up(m);
	if (!ret)
		ret = board_start(&m->board);
	if (!ret)
		ret = offer(m);
	if (!ret)
		ret = load(m);
	if (!ret)
		machine_signals_catch(m);
	if (!ret && c->control) /* the last: what fails leaves no file */
		ret = control_open(&m->control, c->control, machine_commands, m);
	return ret;
}

/*
 * A new VM is the one reset that leaves nothing of KVM's behind: no pending interrupt, no LPI, no
 * register. Devices are told once it is there, for they drive its lines.
 */
int machine_reset(struct machine *m)
{
	unsigned ipa_bits = m->vm.ipa_bits;
	int ret;

	vm_down(m);
	ret = vm_create(&m->vm, &m->kvm, ipa_bits);
	if (!ret)
		ret = vm_up(m);
	if (ret)
		return ret;
	memset(m->deadline_ns, 0, sizeof(m->deadline_ns));
	board_reset(&m->board);
	return load(m);
}

void machine_free(struct machine *m)
{
	control_close(m->control);
	machine_signals_leave();
	if (m->abandoned)
		return; /* somebody may still come back to it; the process ends */
	vm_down(m);
	free(m->cpu);
	board_free(&m->board);
	if (m->conf.smp)
		virtio_conf_close(board_virtio_conf(&m->conf));
	kvm_close(&m->kvm);
	ram_free(&m->ram);
	firmware_free(&m->firmware);
	boot_close(&m->files);
	if (m->wake_fd >= 0)
		close(m->wake_fd);
	pthread_cond_destroy(&m->pause.changed);
	pthread_mutex_destroy(&m->pause.lock);
	pthread_mutex_destroy(&m->pause.guard);
	pthread_mutex_destroy(&m->kick_lock);
}
