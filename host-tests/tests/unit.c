/* SPDX-License-Identifier: Apache-2.0 */
/* Native tests of the library's portable parts. */
#include "file.h"
#include "klog.h"
#include "kvmlog.h"
#include "midr.h"
#include "proc.h"
#include "smbios.h"
#include "test.h"
#include <string.h>

SUITE(unit, .tags = "self");

TEST(unit, kernel_log_records_are_parsed)
{
	struct klog_record r;

	ASSERT_TRUE(klog_parse("4,1234,5678901,-;kvm [1]: a warning\n SUBSYSTEM=x\n", &r));
	EXPECT_EQ(r.level, 4U);
	EXPECT_EQ(r.seq, 1234U);
	EXPECT_STREQ(r.text, "kvm [1]: a warning");
	/* facility 3 (daemon), severity 6; further fields before the semicolon */
	ASSERT_TRUE(klog_parse("30,7,9,-,caller=T1;hello", &r));
	EXPECT_EQ(r.level, 6U);
	EXPECT_STREQ(r.text, "hello");
}

TEST(unit, kernel_log_records_without_form_are_refused)
{
	static const char *const bad[] = {"",	 ";",	    "4",	 "4,",
					  "4,1", "4,1,2,-", "x,1,2,-;t", ",1;t"};
	struct klog_record r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!EXPECT_TRUE(!klog_parse(bad[i], &r)))
			NOTE("record was \"%s\"", bad[i]);
}

TEST(unit, long_kernel_log_records_are_cut)
{
	static char raw[2000] = "4,1,2,-;";
	struct klog_record r;

	memset(raw + 8, 'x', sizeof(raw) - 9);
	ASSERT_TRUE(klog_parse(raw, &r));
	EXPECT_EQ(strlen(r.text), (size_t)KLOG_TEXT_MAX - 1);
}

TEST(unit, late_timers_are_noise)
{
	struct klog_record r = {.level = 4};

	strcpy(r.text, "hrtimer: interrupt took 123 ns");
	EXPECT_TRUE(klog_is_noise(&r));
	strcpy(r.text, "WARNING: CPU: 0 PID: 1 at arch/arm64/kvm/arm.c:1");
	EXPECT_TRUE(!klog_is_noise(&r));
}

static struct kvm_log parse(const char *line)
{
	struct kvm_log log = {};

	kvm_log_line(&log, line);
	return log;
}

TEST(unit, kvm_modes_are_told_apart)
{
	EXPECT_STREQ(parse("kvm [1]: VHE mode initialized successfully").mode, "vhe");
	EXPECT_STREQ(parse("kvm [1]: Hyp mode initialized successfully").mode, "nvhe");
	EXPECT_STREQ(parse("kvm [1]: Hyp nVHE mode initialized successfully").mode, "nvhe");
	EXPECT_STREQ(parse("kvm [1]: hVHE mode initialized successfully").mode, "hvhe");
	EXPECT_STREQ(parse("kvm [1]: Protected nVHE mode initialized successfully").mode,
		     "protected");
	EXPECT_STREQ(parse("kvm [1]: Protected hVHE mode initialized successfully").mode,
		     "protected");
	EXPECT_STREQ(parse("kvm [1]: VHE+NV2 mode initialized successfully").mode, "nested");
	EXPECT_STREQ(parse("VHE mode initialized successfully").mode, "");
}

/* The lines of the Kunpeng notes. */
TEST(unit, kvm_lines_are_parsed)
{
	EXPECT_EQ(parse("kvm [1]: IPA Size Limit: 48bits").ipa_bits, 48U);
	EXPECT_EQ(parse("kvm [1]: IPA Size Limit: 52 bits").ipa_bits, 52U);
	EXPECT_STREQ(parse("kvm [1]: GICv4 support disabled").gicv4, "disabled");
	EXPECT_STREQ(parse("kvm [1]: GICv4.1 support enabled").gicv4, "enabled");
	EXPECT_STREQ(parse("kvm [1]: vgic-v2@9b020000").gicv2_at, "0x9b020000");
	EXPECT_STREQ(parse("kvm [1]: vgic interrupt IRQ1").maint_irq, "IRQ1");
	EXPECT_TRUE(parse("kvm [1]: GIC system register CPU interface enabled").gic_sysreg);
	EXPECT_TRUE(!parse("usb 1-1: new device").seen);
}

TEST(unit, cpus_are_named)
{
	char buf[96];

	EXPECT_STREQ(midr_name(0x413fd0c1, buf, sizeof(buf)), "Arm Neoverse-N1 r3p1 (0x413fd0c1)");
	EXPECT_STREQ(midr_name(0x481fd010, buf, sizeof(buf)),
		     "HiSilicon TSV110 (Kunpeng 920) r1p0 (0x481fd010)");
	EXPECT_TRUE(strstr(midr_name(0xffffffff, buf, sizeof(buf)), "unknown"));
}

/* One type 4 structure of 0x30 bytes with a string, behind a type 0, before the end. */
static size_t make_smbios(unsigned char *t, unsigned int mhz, unsigned int status)
{
	size_t n = 0;

	memcpy(t + n,
	       "\x00\x06\x01\x00\x01\x02"
	       "vendor\0version\0",
	       21);
	n += 21;
	t[n++] = 0;
	memset(t + n, 0, 0x30);
	t[n] = 4;
	t[n + 1] = 0x30;
	t[n + 0x16] = mhz & 0xff;
	t[n + 0x17] = mhz >> 8 & 0xff;
	t[n + 0x18] = status & 0xff;
	n += 0x30;
	memcpy(t + n, "Kunpeng 920\0", 12);
	n += 12;
	t[n++] = 0;
	memcpy(t + n, "\x7f\x04\x02\x00\x00\x00", 6);
	return n + 6;
}

TEST(unit, smbios_current_speed_is_found)
{
	unsigned char t[256];

	EXPECT_EQ(smbios_current_speed_mhz(t, make_smbios(t, 2600, 0x41)), 2600);
	EXPECT_EQ(smbios_current_speed_mhz(t, make_smbios(t, 0, 0x41)), 0);
	EXPECT_EQ(smbios_current_speed_mhz(t, make_smbios(t, 2600, 0)), -1); /* an empty socket */
}

/* Any cut of a table, and any first bytes, end somewhere. */
TEST(unit, broken_smbios_tables_end)
{
	unsigned char t[256];
	size_t n = make_smbios(t, 2600, 0x41);

	for (size_t cut = 0; cut < n; cut++) {
		unsigned char copy[256];

		memcpy(copy, t, cut);
		EXPECT_LE(smbios_current_speed_mhz(copy, cut), 2600);
	}
	for (int i = 0; i < 2000; i++) {
		unsigned char noise[64];

		for (size_t b = 0; b < sizeof(noise); b++)
			noise[b] = (unsigned char)test_random();
		EXPECT_LE(smbios_current_speed_mhz(noise, sizeof(noise)), 65535);
	}
}

TEST(unit, programs_are_run_and_heard)
{
	static struct proc p;
	char *good[] = {(char *)"/bin/sh", (char *)"-c", (char *)"echo out; echo err >&2; exit 3",
			NULL};
	char *slow[] = {(char *)"/bin/sleep", (char *)"60", NULL};
	char *none[] = {(char *)"/no/such/program", NULL};

	ASSERT_EQ(proc_run(&p, good, 5000), 0);
	EXPECT_EQ(p.status, 3);
	EXPECT_STREQ(p.out, "out\n");
	EXPECT_STREQ(p.err, "err\n");
	ASSERT_EQ(proc_run(&p, slow, 100), 0);
	EXPECT_TRUE(p.limit);
	EXPECT_EQ(p.signal, 9);
	EXPECT_EQ(proc_run(&p, none, 100), -2);
}

TEST(unit, files_are_read_whole)
{
	char buf[16];

	EXPECT_EQ(file_read("/no/such/file", buf, sizeof(buf)), (ssize_t)-2);
	EXPECT_GT(file_read("/proc/self/stat", buf, sizeof(buf)), 0);
	EXPECT_EQ(strlen(buf), sizeof(buf) - 1); /* cut to the buffer */
	EXPECT_TRUE(file_line("/proc/sys/kernel/ostype", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "Linux");
}
