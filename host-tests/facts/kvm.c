/* SPDX-License-Identifier: Apache-2.0 */
/* What KVM says and shows about itself. */
#include "file.h"
#include "klog.h"
#include "kvmlog.h"
#include "regs.h"
#include "vm.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

/* KVM's own lines of the boot log, or a skip that says why they are not to be had. */
static struct kvm_log read_log(void)
{
	struct kvm_log log = {};
	struct klog_record r;
	int fd = klog_open(true), n;
	bool lost = false, first = true;

	if (fd < 0)
		SKIP("/dev/kmsg cannot be read (%s): run as root, or with kernel.dmesg_restrict=0",
		     strerrorname_np(-fd));
	while ((n = klog_next(fd, &r)) != 0) {
		if (n < 0 && n != -EPIPE)
			break;
		if (n < 0)
			continue;
		lost |= first && r.seq != 0;
		first = false;
		kvm_log_line(&log, r.text);
	}
	close(fd);
	if (!log.seen)
		SKIP("the kernel log has no line of KVM's%s",
		     lost ? ": its beginning is overwritten; run soon after boot, or with a larger "
			    "log_buf_len"
			  : "");
	return log;
}

TEST(facts, kvm_mode_is_measured)
{
	struct kvm_log log = read_log();

	if (!log.mode[0])
		SKIP("the kernel log does not say in which mode KVM was initialized");
	FACT("kvm.mode", "%s", kvm_cap(KVM_CAP_ARM_EL2) > 0 ? "nested" : log.mode);
}

TEST(facts, kvm_log_lines_are_measured)
{
	struct kvm_log log = read_log();

	/* KVM speaks of GICv4 only where the hardware has it; without it, it is not in use either */
	FACT("kvm.gicv4", "%s", log.gicv4[0] ? log.gicv4 : "disabled");
	FACT("kvm.gic_sysreg", "%s", log.gic_sysreg ? "enabled" : "disabled");
	if (log.gicv2_at[0])
		FACT("kvm.vgic_v2_base", "%s", log.gicv2_at);
	if (log.maint_irq[0])
		FACT("kvm.maint_irq", "%s", log.maint_irq);
	if (log.ipa_bits)
		EXPECT_EQ((int)log.ipa_bits, kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE));
}

TEST(facts, api_version_is_measured)
{
	int kvm = kvm_open();

	FACT("kvm.api_version", "%ld", sys_ioctl(kvm, KVM_GET_API_VERSION, 0));
	close(kvm);
}

/* api.rst, KVM_CAP_ARM_VM_IPA_SIZE: at least 32 where it is supported at all. DDI 0487 D8.2: at most 52. */
TEST(facts, ipa_limit_is_measured, RULE("KVM-IPA-1"))
{
	int bits = kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE);

	if (bits <= 0) {
		NOTE("KVM_CAP_ARM_VM_IPA_SIZE is absent: every VM has 40 bits (api.rst 4.2)");
		FACT("kvm.ipa_limit", "40");
		return;
	}
	FACT("kvm.ipa_limit", "%d", bits);
	EXPECT_GE(bits, 32);
	EXPECT_LE(bits, 56);
}

TEST(facts, guest_gics_are_measured)
{
	bool v2 = kvm_has_device(KVM_DEV_TYPE_ARM_VGIC_V2),
	     v3 = kvm_has_device(KVM_DEV_TYPE_ARM_VGIC_V3);

	FACT("kvm.vgic_v2", "%d", v2);
	FACT("kvm.vgic_v3", "%d", v3);
	FACT("kvm.its", "%d", kvm_has_device(KVM_DEV_TYPE_ARM_VGIC_ITS));
	FACT("kvm.gic", "%s", v2 && v3 ? "v2,v3" : v3 ? "v3" : v2 ? "v2" : "none");
	EXPECT_TRUE(v2 || v3);
}

TEST(facts, vcpu_limits_are_measured, RULE("KVM-VCPU-4"))
{
	int max = kvm_cap(KVM_CAP_MAX_VCPUS), ids = kvm_cap(KVM_CAP_MAX_VCPU_ID),
	    nr = kvm_cap(KVM_CAP_NR_VCPUS);

	FACT("kvm.max_vcpus", "%d", max);
	/* api.rst 4.7: recommended <= maximum <= ids */
	EXPECT_GE(max, 1);
	EXPECT_LE(nr, max);
	EXPECT_GE(ids, max);
}

/* ---- SVE */

#define PR_SVE_SET_VL_NR 50
#define HWCAP_SVE_BIT	 (1UL << 22)
#define MAX_VQ		 16 /* DDI 0487: 2048 bits */

static size_t add_length(char *text, size_t size, size_t len, unsigned int bits)
{
	return len + (size_t)snprintf(text + len, size - len, "%s%u", len ? "," : "", bits);
}

/* PR_SVE_SET_VL takes the largest length up to the one asked for (Documentation/arch/arm64/sve.rst). */
static uint32_t host_vqs(void)
{
	uint32_t vqs = 0;

	for (unsigned int vq = 1; vq <= MAX_VQ; vq++) {
		int r = prctl(PR_SVE_SET_VL_NR, (unsigned long)vq * 16, 0, 0, 0);

		if (r >= 0 && (unsigned int)(r & 0xffff) == vq * 16)
			vqs |= 1U << vq;
	}
	return vqs;
}

TEST(facts, sve_is_measured, RULE("KVM-SVE-5"))
{
	bool cpu = getauxval(AT_HWCAP) & HWCAP_SVE_BIT;
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};
	char host[160] = "", guest[160] = "";
	size_t hl = 0, gl = 0;
	uint32_t vqs;
	struct vm *vm;
	int cap = kvm_cap(KVM_CAP_ARM_SVE);

	FACT("host.sve", "%d", cpu);
	FACT("kvm.sve", "%d", cap > 0);
	if (!cpu) {
		EXPECT_LE(cap, 0); /* KVM cannot offer what the CPU lacks */
		return;
	}
	vqs = host_vqs();
	for (unsigned int vq = 1; vq <= MAX_VQ; vq++)
		if (vqs >> vq & 1)
			hl = add_length(host, sizeof(host), hl, vq * 128);
	FACT("host.sve_lengths", "%s", host);
	if (cap <= 0)
		return;
	vm = vm_new(.vcpus = 1, .sve = true, .no_finalize = true);
	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, vls));
	for (unsigned int vq = 1; vq <= MAX_VQ; vq++) {
		if (!(vls[0] >> (vq - 1) & 1))
			continue;
		gl = add_length(guest, sizeof(guest), gl, vq * 128);
		if (!EXPECT_TRUE(vqs >> vq & 1))
			NOTE("KVM offers %u bits, the host has %s", vq * 128, host);
	}
	FACT("kvm.sve_lengths", "%s", guest);
	EXPECT_EQ(vls[0] & 1, 1); /* 128 bits, always (DDI 0487, SVE) */
}

/* ---- what a guest sees */

TEST(facts, guest_granules_are_measured, RULE("GUEST-ID-1"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t mmfr0 = vcpu_get(vm, 0, REG_ID_AA64MMFR0_EL1);
	unsigned long page = getauxval(AT_PAGESZ);
	/* ID_AA64MMFR0_EL1 (DDI 0487 D24.2.76): TGran4 and TGran64 0b1111 is none, TGran16 0 is none */
	bool g4 = (mmfr0 >> 28 & 0xf) != 0xf, g64 = (mmfr0 >> 24 & 0xf) != 0xf,
	     g16 = (mmfr0 >> 20 & 0xf) != 0;
	char text[32] = "";

	snprintf(text, sizeof(text), "%s%s%s", g4 ? ",4K" : "", g16 ? ",16K" : "",
		 g64 ? ",64K" : "");
	FACT("kvm.granules", "%s", text[0] ? text + 1 : "none");
	/* the host translates with its own page size, so the CPU has it, and KVM does not hide it */
	EXPECT_TRUE(page == 4096 ? g4 : page == 16384 ? g16 : g64);
}

TEST(facts, guest_features_are_measured)
{
	FACT("kvm.pmu", "%d", kvm_cap(KVM_CAP_ARM_PMU_V3) > 0);
	FACT("kvm.mte", "%d", kvm_cap(KVM_CAP_ARM_MTE) > 0);
	FACT("kvm.pauth", "%d",
	     kvm_cap(KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 && kvm_cap(KVM_CAP_ARM_PTRAUTH_GENERIC) > 0);
	FACT("kvm.aarch32_el1", "%d", kvm_cap(KVM_CAP_ARM_EL1_32BIT) > 0);
	FACT("kvm.steal_time", "%d", kvm_cap(KVM_CAP_STEAL_TIME) > 0);
}
