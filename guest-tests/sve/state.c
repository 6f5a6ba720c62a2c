/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers keep their values whatever the host does meanwhile: KVM saves and
 * loads Z, P, FFR, FPSR and FPCR at the length in force (DDI 0487 B1.2, C5.2;
 * arch/arm64/kvm/fpsimd.c). Nothing between load and store is compiled code
 * that could touch a vector register.
 */
#include "common.h"
#include "smp.h"

static struct sve_state in[4], out[4];

static void all_lengths(void (*at)(unsigned int vq, void *arg), void *arg)
{
	uint64_t set = sve_lengths();

	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++)
		if ((set & BIT(vq - 1)) && EXPECT_EQ(sve_ask(vq), vq))
			at(vq, arg);
}

static void through_exits(unsigned int vq, void *reg)
{
	sve_fill(&in[0], vq);
	sve_load_poke_store(&in[0], &out[0], reg, 8);
	sve_expect_same(&out[0], &in[0], vq, "after exits to user space");
}

TEST(sve, registers_survive_exits_at_every_length, RULE("SVE-STATE-1"),
     .variants = "host: | only_128: --sve 128 | to_256: --sve 128,256")
{
	sve_need();
	all_lengths(through_exits, sve_exit_register());
}

/* The vCPU's thread sleeps: another thread's registers are in the CPU meanwhile. */
static void through_pause(unsigned int vq, void *arg)
{
	struct assay_action pause = {.op = ASSAY_ACT_PAUSE, .arg = {2}};
	int status;

	sve_fill(&in[0], vq);
	sve_load(&in[0]);
	status = port_action(&pause);
	sve_store(&out[0]);
	EXPECT_EQ(status, 0);
	sve_expect_same(&out[0], &in[0], vq, "after a pause of the thread");
	(void)arg;
}

TEST(sve, registers_survive_a_pause_at_every_length, RULE("SVE-STATE-2"))
{
	sve_need();
	sve_exit_register();
	all_lengths(through_pause, NULL);
}

/* Each move takes the thread to the next host CPU, so that its registers go through memory. */
static void through_move(unsigned int vq, void *arg)
{
	const uint64_t *cpus = arg;

	sve_fill(&in[0], vq);
	for (uint64_t cpu = 0; cpu < 2 * *cpus; cpu++) {
		struct assay_action pin = {.op = ASSAY_ACT_PIN, .arg = {cpu % *cpus}};
		int status;

		sve_load(&in[0]);
		status = port_action(&pin);
		sve_store(&out[0]);
		if (!EXPECT_EQ(status, 0))
			return;
		sve_expect_same(&out[0], &in[0], vq, "after a move to another host CPU");
	}
}

TEST(sve, registers_survive_moves_between_host_cpus, RULE("SVE-STATE-3"), .tags = "host-cpus")
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};
	uint64_t cpus;

	sve_need();
	sve_exit_register();
	ASSERT_EQ(port_action(&pin), 0);
	cpus = MIN(pin.ret[0], 4UL);
	NEED("host-cpus", cpus >= 2, "the host has one CPU online: there is nowhere to move to");
	all_lengths(through_move, &cpus);
}

/* Four vCPUs on what CPUs the host has, each at a length of its own. */
static void mixed(void *arg)
{
	unsigned int me = cpu_index();
	unsigned int vq;

	cpacr(CPACR_OPEN);
	for (unsigned int round = 0; round < 12; round++) {
		vq = sve_ask(1 + (me * 5 + round) % SVE_VQ_MAX);
		sve_load_poke_store(&in[me], &out[me], arg, 4);
		sve_expect_same(&out[me], &in[me], vq, "while other CPUs use other lengths");
	}
}

TEST(sve, registers_survive_while_other_cpus_use_other_lengths, RULE("SVE-STATE-4"),
     .vmm = "--smp 4")
{
	void *reg;

	sve_need();
	smp_need(4);
	reg = sve_exit_register();
	for (unsigned int n = 0; n < 4; n++) {
		sve_fill(&in[n], SVE_VQ_MAX);
		memset(in[n].ffr, 0, sizeof(in[n].ffr)); /* a run of ones at any length: none */
	}
	smp_call_all(4, mixed, reg);
}

/*
 * A Z register goes on behind what a shorter length shows: its low bits are
 * kept; what was hidden is as before or zero when it shows again (DDI 0487
 * B1.2.2, constrained unpredictable between the two).
 */
TEST(sve, a_shorter_length_keeps_the_low_bits, RULE("SVE-STATE-5"))
{
	unsigned int most, least = 1;
	size_t bytes;
	uint32_t *exit_register;

	sve_need();
	exit_register = sve_exit_register();
	most = sve_ask(SVE_VQ_MAX);
	NEED("sve-lengths", most > least, "this VM has 128 bits only");
	sve_fill(&in[0], most);
	sve_load(&in[0]);
	sve_ask(least);
	mmio_wr32((uint64_t)exit_register, 1);
	sve_store(&out[1]);
	sve_ask(most);
	mmio_wr32((uint64_t)exit_register, 2);
	sve_store(&out[0]);
	bytes = (size_t)most * 16;
	for (unsigned int n = 0; n < SVE_Z_COUNT; n++) {
		const uint8_t *was = in[0].z + n * bytes, *is = out[0].z + n * bytes;
		bool kept = true, zero = true;

		EXPECT_EQ(memcmp(out[1].z + (size_t)n * 16, was, 16), 0);
		EXPECT_EQ(memcmp(is, was, 16), 0);
		for (unsigned int i = 16; i < bytes; i++) {
			kept = kept && is[i] == was[i];
			zero = zero && is[i] == 0;
		}
		EXPECT_TRUE(kept || zero);
	}
}

/* DDI 0487 B1.2.2: V is the low 128 bits of Z, and a write to V zeroes the others. */
TEST(sve, a_write_to_v_zeroes_the_rest_of_z, RULE("SVE-STATE-6"))
{
	static struct fp_state v;
	unsigned int vq;
	size_t bytes;

	sve_need();
	vq = sve_ask(SVE_VQ_MAX);
	bytes = (size_t)vq * 16;
	sve_fill(&in[0], vq);
	sve_load(&in[0]);
	fp_store(&v);
	for (unsigned int n = 0; n < SVE_Z_COUNT; n++)
		EXPECT_EQ(memcmp(v.q[n], in[0].z + n * bytes, 16), 0);
	sve_write_v();
	sve_store(&out[0]);
	for (unsigned int n = 0; n < SVE_Z_COUNT; n++)
		for (unsigned int i = 0; i < bytes; i++)
			if (!EXPECT_EQ(out[0].z[n * bytes + i], i < 16 ? 0x5a : 0))
				return;
}

/*
 * With and without SVE: Q0..Q31; FPSR (QC, IDC, IXC .. IOC), FPCR (DN, FZ,
 * RMode: AHP is left out, it needs half precision). Exits in between.
 */
TEST(sve, v_registers_and_fpsr_and_fpcr_survive_exits, RULE("SVE-STATE-7"),
     .variants = "sve: | fp_only: --sve off")
{
	static const uint32_t fpcr[] = {0, 0x03c00000, 0x02400000, 0x01800000};
	static const uint32_t fpsr[] = {0x0800009f, 0, 0x08000015, 0x0000008a};
	static struct fp_state from, to;
	void *reg = sve_exit_register();

	cpacr(CPACR_OPEN);
	for (unsigned int round = 0; round < ARRAY_SIZE(fpcr); round++) {
		for (size_t i = 0; i < sizeof(from.q); i++)
			from.q[i / 16][i % 16] = (uint8_t)rnd();
		from.fpcr = fpcr[round];
		from.fpsr = fpsr[round];
		fp_load_poke_store(&from, &to, reg, 8);
		for (unsigned int n = 0; n < 32; n++)
			EXPECT_EQ(memcmp(to.q[n], from.q[n], 16), 0);
		EXPECT_EQ(to.fpcr, from.fpcr);
		EXPECT_EQ(to.fpsr & 0x0800009f, from.fpsr);
	}
	from = (struct fp_state){0};
	fp_load(&from);
}

static void leave_all_set(void *arg)
{
	cpacr(CPACR_OPEN);
	sve_ask(SVE_VQ_MAX);
	sve_load(arg);
}

static void note_all(void *arg)
{
	unsigned int *vq = arg;

	cpacr(CPACR_OPEN);
	out[1].p[0] = (uint8_t)read_sysreg(ZCR_EL1);
	*vq = sve_ask(SVE_VQ_MAX);
	sve_store(&out[0]);
}

/* KVM empties the registers of a CPU that CPU_ON starts (reset.c, kvm_vcpu_reset_sve; ZCR_EL1 resets to 0) */
TEST(sve, a_cpu_that_was_off_starts_with_empty_registers, RULE("SVE-RESET-1"), .vmm = "--smp 2")
{
	unsigned int vq = 0;

	sve_need();
	smp_need(2);
	sve_exit_register(); /* KVM's promise, not PSCI's */
	for (unsigned int round = 0; round < 2; round++) {
		memset(&in[1], 0xff, sizeof(in[1])); /* also a run of ones */
		smp_call(1, leave_all_set, &in[1]);
		ASSERT_TRUE(smp_off(1));
		memset(&out[0], 0x77, sizeof(out[0]));
		smp_call(1, note_all, &vq);
		EXPECT_EQ(out[1].p[0], 0);
		memset(&in[0], 0, sizeof(in[0]));
		sve_expect_same(&out[0], &in[0], vq, "after CPU_OFF and CPU_ON");
		ASSERT_TRUE(smp_off(1));
	}
}
