/* SPDX-License-Identifier: Apache-2.0 */
/* Documentation/virt/kvm/api.rst: KVM_ARM_VCPU_INIT, KVM_ARM_VCPU_FINALIZE; devices/vcpu.rst. */
#include "kvm/vcpu.h"

#include <assay/board.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"

#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))
#define REG_MPIDR ARM64_SYS_REG(3, 0, 0, 0, 5)

int vcpu_get_reg(const struct vcpu *v, uint64_t id, void *val)
{
	struct kvm_one_reg r = {.id = id, .addr = (uint64_t)(uintptr_t)val};

	return kvm_ioctl(v->fd, KVM_GET_ONE_REG, &r);
}

int vcpu_set_reg(const struct vcpu *v, uint64_t id, const void *val)
{
	struct kvm_one_reg r = {.id = id, .addr = (uint64_t)(uintptr_t)val};

	return kvm_ioctl(v->fd, KVM_SET_ONE_REG, &r);
}

int vcpu_create(struct vcpu *v, const struct vm *vm, unsigned id)
{
	*v = (struct vcpu){.vm = vm, .id = id, .stats_fd = -1};
	v->fd = kvm_ioctl_num(vm->fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0) {
		int max = kvm_cap(vm->kvm, KVM_CAP_MAX_VCPUS);

		if (max && id >= (unsigned)max)
			return err_lacks("vcpus", "--smp: this host's KVM offers %d vCPUs", max);
		return err_host(-v->fd, "KVM_CREATE_VCPU %u", id);
	}
	v->run = mmap(NULL, vm->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return err_host(errno, "vCPU %u: mmap of its run page", id);
	}
	return 0;
}

static int want(enum tristate t, const struct kvm *k, unsigned nr, const char *cap, bool *out)
{
	bool offered = t != OFF && kvm_cap(k, nr);

	if (t == ON && !offered)
		return err_lacks(
			cap, "%s was asked for, and this host's KVM does not offer it to guests",
			cap);
	*out = offered;
	return 0;
}

static int choose_features(struct vcpu *v, const struct cpu_conf *c)
{
	const struct kvm *k = v->vm->kvm;
	bool address = false, generic = false; /* of pointer authentication: both or none */
	int ret = want(c->sve, k, KVM_CAP_ARM_SVE, "sve", &v->sve);

	if (!ret)
		ret = want(c->pmu, k, KVM_CAP_ARM_PMU_V3, "pmu", &v->pmu);
	if (!ret)
		ret = want(c->pauth, k, KVM_CAP_ARM_PTRAUTH_ADDRESS, "pauth", &address);
	if (!ret)
		ret = want(c->pauth, k, KVM_CAP_ARM_PTRAUTH_GENERIC, "pauth", &generic);
	v->pauth = address && generic;
	return ret;
}

static void set_feature(struct kvm_vcpu_init *init, unsigned bit)
{
	init->features[bit / 32] |= 1U << bit % 32;
}

int vcpu_init(struct vcpu *v, const struct cpu_conf *c, bool powered_off)
{
	struct kvm_vcpu_init init = {0};
	int feature = KVM_ARM_VCPU_SVE;
	int ret = choose_features(v, c);

	if (ret)
		return ret;
	ret = kvm_ioctl(v->vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	if (ret)
		return err_host(-ret, "KVM_ARM_PREFERRED_TARGET");
	set_feature(&init, KVM_ARM_VCPU_PSCI_0_2);
	if (powered_off)
		set_feature(&init, KVM_ARM_VCPU_POWER_OFF);
	if (v->sve)
		set_feature(&init, KVM_ARM_VCPU_SVE);
	if (v->pmu)
		set_feature(&init, KVM_ARM_VCPU_PMU_V3);
	if (v->pauth) {
		set_feature(&init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		set_feature(&init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
	ret = kvm_ioctl(v->fd, KVM_ARM_VCPU_INIT, &init);
	if (ret)
		return err_host(-ret, "KVM_ARM_VCPU_INIT of vCPU %u, features 0x%x", v->id,
				init.features[0]);
	if (!v->sve)
		return 0;
	ret = c->sve_lengths || c->sve_on || c->sve_off ? sve_choose(v, c) : 0;
	if (ret)
		return ret;
	ret = kvm_ioctl(v->fd, KVM_ARM_VCPU_FINALIZE, &feature);
	return ret ? err_host(-ret, "KVM_ARM_VCPU_FINALIZE(SVE) of vCPU %u", v->id) : 0;
}

int vcpu_init_pmu(const struct vcpu *v)
{
	int intid = ASSAY_PPI_PMU, ret;

	if (!v->pmu)
		return 0;
	ret = kvm_set_attr(v->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &intid);
	if (!ret)
		ret = kvm_set_attr(v->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	return ret ? err_host(-ret, "PMU of vCPU %u, PPI %d", v->id, intid) : 0;
}

int vcpu_set_entry(const struct vcpu *v, uint64_t pc, uint64_t x0)
{
	int ret = vcpu_set_reg(v, CORE_REG(regs.pc), &pc);

	if (!ret)
		ret = vcpu_set_reg(v, CORE_REG(regs.regs[0]), &x0);
	return ret ? err_host(-ret, "vCPU %u: entry registers", v->id) : 0;
}

int vcpu_get_mpidr(const struct vcpu *v, uint64_t *mpidr)
{
	return vcpu_get_reg(v, REG_MPIDR, mpidr);
}

int vcpu_get_pc(const struct vcpu *v, uint64_t *pc)
{
	return vcpu_get_reg(v, CORE_REG(regs.pc), pc);
}

int vcpu_mpidr(const struct vcpu *v, uint64_t *mpidr)
{
	int ret = vcpu_get_mpidr(v, mpidr);

	return ret ? err_host(-ret, "vCPU %u: MPIDR_EL1", v->id) : 0;
}

void vcpu_destroy(struct vcpu *v)
{
	if (v->run)
		munmap(v->run, v->vm->kvm->run_size);
	if (v->stats_fd >= 0)
		close(v->stats_fd);
	if (v->fd >= 0)
		close(v->fd);
	v->run = NULL;
	v->fd = v->stats_fd = -1;
}
