/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow registers: what a guest reads of identification registers is what KVM_GET_ONE_REG says
 * (Documentation/virt/kvm/api.rst 4.68), and it shows nothing that the host lacks or that KVM keeps to itself.
 */
#include "regs.h"
#include "vm.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

SUITE(idregs, .tags = "idregs");

/* The feature ID space (DDI 0487 D24.3, op0 3, op1 0, CRn 0): CRm 1 to 4, then 5 to 7; eight a CRm. */
#define READ(n, name) guest_result(n, guest_sysreg(name))
#define READ_CRM(n, crm)                           \
	do {                                       \
		READ((n) + 0, S3_0_C0_C##crm##_0); \
		READ((n) + 1, S3_0_C0_C##crm##_1); \
		READ((n) + 2, S3_0_C0_C##crm##_2); \
		READ((n) + 3, S3_0_C0_C##crm##_3); \
		READ((n) + 4, S3_0_C0_C##crm##_4); \
		READ((n) + 5, S3_0_C0_C##crm##_5); \
		READ((n) + 6, S3_0_C0_C##crm##_6); \
		READ((n) + 7, S3_0_C0_C##crm##_7); \
	} while (0)

GUEST(read_crm_1_to_4)
{
	READ_CRM(0, 1);
	READ_CRM(8, 2);
	READ_CRM(16, 3);
	READ_CRM(24, 4);
}

GUEST(read_crm_5_to_7)
{
	READ_CRM(0, 5);
	READ_CRM(8, 6);
	READ_CRM(16, 7);
}

GUEST(read_identity)
{
	READ(0, midr_el1);
	READ(1, mpidr_el1);
	READ(2, revidr_el1);
	READ(3, clidr_el1);
	READ(4, ctr_el0);
	READ(5, aidr_el1);
	READ(6, dczid_el0);
}

#define ID_CRM_FIRST 1
#define ID_CRM_LAST  7

/* id[crm][op2] as vCPU i reads it */
struct id_space {
	uint64_t at[ID_CRM_LAST + 1][8];
};

static void read_id_space(struct vm *vm, unsigned int i, struct id_space *s)
{
	struct vcpu *c = vm->vcpu[i];

	vcpu_start_at(vm, i, guest_entry);
	c->entry = vm_snippet(vm, read_crm_1_to_4);
	RUN_TO_END(vm, i);
	memcpy(s->at[1], c->result, 4 * sizeof(s->at[0]));
	vcpu_start_at(vm, i, guest_entry);
	c->entry = vm_snippet(vm, read_crm_5_to_7);
	RUN_TO_END(vm, i);
	memcpy(s->at[5], c->result, 3 * sizeof(s->at[0]));
}

static void expect_value(const char *name, uint64_t got, uint64_t want)
{
	char g[32], w[32];

	if (got == want) {
		test_held();
		return;
	}
	snprintf(g, sizeof(g), "%#llx in the guest", (unsigned long long)got);
	snprintf(w, sizeof(w), "%#llx", (unsigned long long)want);
	test_differs(__FILE__, __LINE__, name, g, w);
}

/* Every register of the space, the ones without a name too; all vCPUs alike (kernel/cpufeature.c: one sanitised view). */
TEST(idregs, guest_reads_what_user_space_reads, RULE("KVM-SHADOW-1"),
     VARIANTS("plain: | sve: sve=1 | pmu: pmu=1"))
{
	static struct id_space seen[2];
	bool sve = test_param_u64("sve", 0), pmu = test_param_u64("pmu", 0);
	struct vm *vm;
	unsigned int read = 0;
	char name[64];

	if (pmu && kvm_cap(KVM_CAP_ARM_PMU_V3) <= 0)
		SKIP_NEEDS("pmu", "KVM_CAP_ARM_PMU_V3 is 0 on this host");
	vm = vm_new(.vcpus = 2, .sve = sve, .features = pmu ? 1U << KVM_ARM_VCPU_PMU_V3 : 0);
	for (unsigned int i = 0; i < 2; i++) {
		/* Documentation/virt/kvm/devices/vcpu.rst 1.2: a PMU is initialized before the first run */
		if (pmu && dev_try_set(vm->vcpu[i]->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
				       KVM_ARM_VCPU_PMU_V3_INIT, NULL))
			test_error("KVM_ARM_VCPU_PMU_V3_INIT of vCPU %u failed", i);
		read_id_space(vm, i, &seen[i]);
	}
	for (unsigned int crm = ID_CRM_FIRST; crm <= ID_CRM_LAST; crm++)
		for (unsigned int op2 = 0; op2 < 8; op2++) {
			uint64_t id = REG_SYS(3, 0, 0, crm, op2), value = 0;

			reg_name(id, name, sizeof(name));
			for (unsigned int i = 0; i < 2; i++) {
				int r = vcpu_try_get(vm, i, id, &value);

				/* not in the list: reserved, and reserved reads as zero */
				if (r == -ENOENT)
					value = 0;
				else if (!EXPECT_OK(r))
					NOTE("register was %s", name);
				else
					read++;
				expect_value(name, seen[i].at[crm][op2], value);
			}
		}
	EXPECT_GE(read, 60U);
}

TEST(idregs, midr_ctr_and_clidr_are_those_of_user_space, RULE("KVM-SHADOW-1"))
{
	static const struct {
		const char *name;
		unsigned int result;
		uint64_t id;
	} regs[] = {
		{"midr_el1", 0, REG_MIDR_EL1},
		{"mpidr_el1", 1, REG_MPIDR_EL1},
		{"clidr_el1", 3, REG_CLIDR_EL1},
		{"ctr_el0", 4, REG_CTR_EL0},
		{"revidr_el1", 2, REG_SYS(3, 0, 0, 0, 6)},
		{"aidr_el1", 5, REG_SYS(3, 1, 0, 0, 7)},
	};
	struct vm *vm = vm_new(.vcpus = 2, .entry = read_identity);

	for (unsigned int i = 0; i < 2; i++) {
		RUN_TO_END(vm, i);
		for (unsigned int n = 0; n < ARRAY_SIZE(regs); n++)
			expect_value(regs[n].name, vm->vcpu[i]->result[regs[n].result],
				     vcpu_get(vm, i, regs[n].id));
	}
	EXPECT_TRUE(vm->vcpu[0]->result[1] != vm->vcpu[1]->result[1]);
}

/* The EL0 view of a host register (Documentation/arch/arm64/cpu-feature-registers.rst). */
#define HOST(reg)                                             \
	({                                                    \
		uint64_t v_;                                  \
		__asm__ volatile("mrs %0, " #reg : "=r"(v_)); \
		v_;                                           \
	})

/*
 * On one kind of CPU the guest's MIDR is the CPU's (KVM says nothing else until user space writes one, 6.15 on), and
 * a cache line is what it is, for guest and host maintain the same memory.
 */
TEST(idregs, midr_and_line_sizes_are_the_hosts, RULE("KVM-SHADOW-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_identity);
	cpu_set_t one;
	uint64_t ctr;

	CPU_ZERO(&one);
	CPU_SET((unsigned int)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		test_error("cannot stay on one CPU of the host");
	RUN_TO_END(vm, 0);
	expect_value("midr_el1", vm->vcpu[0]->result[0], HOST(midr_el1));
	ctr = HOST(ctr_el0);
	/* CTR_EL0 (DDI 0487 D24.2): DminLine 19:16, IminLine 3:0 */
	expect_value("ctr_el0.DminLine", vm->vcpu[0]->result[4] >> 16 & 0xf, ctr >> 16 & 0xf);
	expect_value("ctr_el0.IminLine", vm->vcpu[0]->result[4] & 0xf, ctr & 0xf);
	expect_value("dczid_el0", vm->vcpu[0]->result[6], HOST(dczid_el0));
	FACT("kvm.guest_midr", "%#llx", (unsigned long long)vm->vcpu[0]->result[0]);
}

/* arch/arm64/kvm/sys_regs.c, reset_mpidr: Aff0 is the id's low four bits, Aff1 the next eight; bit 31 is RES1. */
TEST(idregs, mpidr_is_the_vcpus_own, RULE("KVM-SHADOW-3"))
{
	static const unsigned int ids[] = {0, 1, 15, 16, 17};
	unsigned int max = (unsigned int)kvm_cap(KVM_CAP_MAX_VCPUS); /* 8 on a GICv2 */
	unsigned int last = ids[ARRAY_SIZE(ids) - 1];
	struct vm *vm = vm_new(.vcpus = last < max ? last + 1 : max, .entry = read_identity);

	for (unsigned int n = 0; n < ARRAY_SIZE(ids) && ids[n] < vm->vcpus; n++) {
		unsigned int i = ids[n];

		RUN_TO_END(vm, i);
		expect_value("mpidr_el1", vm->vcpu[i]->result[1],
			     1ULL << 31 | (i >> 4 & 0xff) << 8 | (i & 0xf));
	}
}

/* MPIDR and MIDR stay when the vCPU moves to another CPU of the host. */
TEST(idregs, mpidr_does_not_follow_the_host_cpu, RULE("KVM-SHADOW-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_identity);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t first = 0;
	cpu_set_t one;

	if (cpus < 2)
		SKIP("the host has one CPU: nowhere to move to");
	for (long n = 0; n < cpus && n < 8; n++) {
		CPU_ZERO(&one);
		CPU_SET((unsigned int)n, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		vcpu_start_at(vm, 0, guest_entry);
		RUN_TO_END(vm, 0);
		if (n == 0)
			first = vm->vcpu[0]->result[1];
		expect_value("mpidr_el1", vm->vcpu[0]->result[1], first);
	}
	expect_value("mpidr_el1", first, 1ULL << 31);
}

/* Unsigned fields of which the host shows EL0 the value it uses itself: more in a guest would be a feature out of nothing. */
TEST(idregs, no_feature_is_more_than_the_hosts, RULE("KVM-SHADOW-4"))
{
	static const struct {
		const char *name;
		unsigned int crm, op2, shift;
	} fields[] = {
		{"ISAR0.AES", 6, 0, 4},	   {"ISAR0.SHA1", 6, 0, 8},    {"ISAR0.SHA2", 6, 0, 12},
		{"ISAR0.CRC32", 6, 0, 16}, {"ISAR0.Atomic", 6, 0, 20}, {"ISAR0.RDM", 6, 0, 28},
		{"ISAR0.SHA3", 6, 0, 32},  {"ISAR0.SM3", 6, 0, 36},    {"ISAR0.SM4", 6, 0, 40},
		{"ISAR0.DP", 6, 0, 44},	   {"ISAR0.FHM", 6, 0, 48},    {"ISAR0.TS", 6, 0, 52},
		{"ISAR0.RNDR", 6, 0, 60},  {"ISAR1.DPB", 6, 1, 0},     {"ISAR1.JSCVT", 6, 1, 12},
		{"ISAR1.FCMA", 6, 1, 16},  {"ISAR1.LRCPC", 6, 1, 20},  {"ISAR1.FRINTTS", 6, 1, 32},
		{"ISAR1.SB", 6, 1, 36},	   {"ISAR1.BF16", 6, 1, 44},   {"ISAR1.I8MM", 6, 1, 52},
		{"PFR0.DIT", 4, 0, 48},
	};
	static struct id_space seen;
	uint64_t host[ID_CRM_LAST + 1][8] = {};
	struct vm *vm = vm_new(.vcpus = 1);
	char got[64], want[64];

	host[6][0] = HOST(id_aa64isar0_el1);
	host[6][1] = HOST(id_aa64isar1_el1);
	host[4][0] = HOST(id_aa64pfr0_el1);
	read_id_space(vm, 0, &seen);
	for (unsigned int n = 0; n < ARRAY_SIZE(fields); n++) {
		uint64_t g = seen.at[fields[n].crm][fields[n].op2] >> fields[n].shift & 0xf;
		uint64_t h = host[fields[n].crm][fields[n].op2] >> fields[n].shift & 0xf;

		if (g <= h) {
			test_held();
			continue;
		}
		snprintf(got, sizeof(got), "%llu in the guest", (unsigned long long)g);
		snprintf(want, sizeof(want), "at most the host's %llu", (unsigned long long)h);
		test_differs(__FILE__, __LINE__, fields[n].name, got, want);
	}
	/* FP and AdvSIMD: every KVM guest has them as the host does */
	expect_value("PFR0.FP and AdvSIMD", seen.at[4][0] >> 16 & 0xff, host[4][0] >> 16 & 0xff);
}

/*
 * What a VM has only when asked for, or never (arch/arm64/kvm/sys_regs.c, read_sanitised_id_*): zero in a plain VM.
 * SPE, trace and AMU: KVM keeps them from guests until a kernel that can virtualise them.
 */
TEST(idregs, features_not_asked_for_read_zero, RULE("KVM-SHADOW-5"))
{
	static const struct {
		const char *name;
		unsigned int crm, op2, shift;
	} hidden[] = {
		{"PFR0.SVE", 4, 0, 32},	   {"PFR0.AMU", 4, 0, 44},	 {"PFR1.MTE", 4, 1, 8},
		{"PFR1.SME", 4, 1, 24},	   {"PFR1.NMI", 4, 1, 36},	 {"DFR0.PMUVer", 5, 0, 8},
		{"DFR0.PMSVer", 5, 0, 32}, {"DFR0.TraceFilt", 5, 0, 40}, {"DFR0.TraceVer", 5, 0, 4},
		{"ISAR1.APA", 6, 1, 4},	   {"ISAR1.API", 6, 1, 8},	 {"ISAR1.GPA", 6, 1, 24},
		{"ISAR1.GPI", 6, 1, 28},
	};
	static struct id_space seen;
	struct vm *vm = vm_new(.vcpus = 1);

	read_id_space(vm, 0, &seen);
	for (unsigned int n = 0; n < ARRAY_SIZE(hidden); n++)
		expect_value(hidden[n].name,
			     seen.at[hidden[n].crm][hidden[n].op2] >> hidden[n].shift & 0xf, 0);
	expect_value("zfr0_el1", seen.at[4][4], 0);
	expect_value("smfr0_el1", seen.at[4][5], 0);
}

#define REG_ID_AA64ISAR0_EL1 REG_SYS(3, 0, 0, 6, 0)
#define ISAR0_CRC32	     (0xfULL << 16)

GUEST(read_isar0)
{
	READ(0, id_aa64isar0_el1);
}

/*
 * Hiding by user space: from the kernel on that has KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES a field may be lowered, and
 * the guest reads the lower value; before, every other value is EINVAL. Raising is EINVAL always (api.rst 4.68, 8.32).
 */
TEST(idregs, user_space_hides_and_never_adds, RULE("KVM-SHADOW-6"))
{
	struct vm *vm = vm_new(.vcpus = 2, .entry = read_isar0);
	uint64_t was = vcpu_get(vm, 0, REG_ID_AA64ISAR0_EL1), less = was & ~ISAR0_CRC32;
	uint64_t more = was | ISAR0_CRC32, want = was;
	bool writable = vm_cap(vm, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES) > 0;

	if (!(was & ISAR0_CRC32))
		SKIP("this CPU has no CRC32 instructions whose field could be lowered");
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_ID_AA64ISAR0_EL1, &more), EINVAL);
	if (writable) {
		EXPECT_OK(vcpu_try_set(vm, 0, REG_ID_AA64ISAR0_EL1, &less));
		want = less;
	} else {
		EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_ID_AA64ISAR0_EL1, &less), EINVAL);
	}
	EXPECT_EQ(vcpu_get(vm, 0, REG_ID_AA64ISAR0_EL1), want);
	for (unsigned int i = 0; i < 2; i++) {
		RUN_TO_END(vm, i);
		expect_value("id_aa64isar0_el1", vm->vcpu[i]->result[0], want);
	}
	/* what ran once keeps its features */
	less = want == was ? was & ~ISAR0_CRC32 : was;
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_ID_AA64ISAR0_EL1, &less), EBUSY, EINVAL);
	EXPECT_EQ(vcpu_get(vm, 0, REG_ID_AA64ISAR0_EL1), want);
}
