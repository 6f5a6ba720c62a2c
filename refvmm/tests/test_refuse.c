/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals: complete, without doubles, and found by whoever types a name. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <assay/exit.h>

#include "refuse.h"
#include "tests/unit.h"

TEST(refuse, every_entry_says_why_and_what_instead)
{
	char line[512], again[512];

	for (size_t i = 0; i < refuse_count; i++) {
		const struct refusal *r = &refuse_table[i];
		size_t end = strlen(r->reason);

		ASSERT(r->kind < REFUSE_KINDS && *r->name);
		EXPECT(end >= 10 && strlen(r->instead) >= 5);
		EXPECT(r->reason[end - 1] != '.' && !strchr(r->reason, '\n'));
		refuse_message(line, sizeof(line), r, NULL);
		EXPECT(strlen(line) < 300);
		EXPECT(!strncmp(line, "refvmm: ", 8) && strstr(line, r->name));
		EXPECT(strstr(line, " is not offered: ") && strstr(line, "; use "));
		refuse_message(again, sizeof(again), r, "--what 7");
		EXPECT(!strncmp(again, "refvmm: --what 7 is not offered: ", 33));
	}
}

TEST(refuse, no_name_stands_twice)
{
	for (size_t i = 0; i < refuse_count; i++)
		EXPECT(refuse_find(refuse_table[i].kind, refuse_table[i].name) == &refuse_table[i]);
}

TEST(refuse, names_are_lower_case_and_found_in_any)
{
	for (size_t i = 0; i < refuse_count; i++)
		for (const char *p = refuse_table[i].name; *p; p++)
			EXPECT(!isupper((unsigned char)*p));
	EXPECT(refuse_find(REFUSE_DEVICE, "AC97") == refuse_find(REFUSE_DEVICE, "ac97"));
	EXPECT(refuse_find(REFUSE_DEVICE, "AC97") != NULL);
	EXPECT(!refuse_find(REFUSE_MACHINE, "ac97"));
	EXPECT(!refuse_find(REFUSE_DEVICE, "pci-test"));
}

/* One name for each row of the matrices that refvmm decides by a refusal. */
TEST(refuse, what_the_matrices_call_unsupported_is_there)
{
	static const struct {
		enum refuse_kind kind;
		const char *names;
	} want[] = {
		{REFUSE_MACHINE, "pc q35 secure=on virtualization=on ras=on mte=on iommu=smmuv3"},
		{REFUSE_CPU, "cortex-a7 cortex-a15 cortex-a53 cortex-a57 cortex-a72 host-model"},
		{REFUSE_DEVICE, "pvpanic virtio-gpu-pci virtio-iommu-pci virtio-keyboard-pci "
				"virtio-mouse-pci virtio-tablet-pci vhost-user-fs-pci usb-mouse "
				"usb-tablet qemu-xhci usb-host usb-redir vga cirrus-vga qxl "
				"bochs-display ramfb ich9-intel-hda intel-hda ac97 rtl8139 e1000 "
				"e1000e ide-cd pcie-to-pci-bridge pci-bridge vfio-pci vfio-gpu "
				"smmuv3 pc-dimm nvdimm virtio-blk-pci virtio-net-pci"},
		{REFUSE_OPTION, "--dimm --nvdimm romfile="},
		{REFUSE_IMAGE, "x86-firmware aarch32-elf aarch32-zimage"},
		{REFUSE_COMMAND, "device-add cpu-add cpu-remove nmi save restore migrate"},
		{REFUSE_LIMIT, "vcpus vcpus-gicv2 ram pcie-buses pcie-slots pcie-port pcie-mmio32 "
			       "pcie-mmio64"},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char names[512], *rest = names, *name;

		snprintf(names, sizeof(names), "%s", want[i].names);
		while ((name = strsep(&rest, " ")))
			if (!refuse_find(want[i].kind, name))
				unit_fail_str(__FILE__, __LINE__, name, NULL, "an entry");
	}
}

/* What `qemu-system-aarch64 -M virt -device help` of QEMU 10 lists, without chips on buses that no virt board has. */
TEST(refuse, every_device_of_qemus_board_is_refused_by_name)
{
	static const char devices[] =
		"cxl-downstream cxl-rp cxl-upstream i82801b11-bridge ioh3420 pcie-root-port pxb "
		"pxb-cxl pxb-pcie usb-hub x3130-upstream xio3130-downstream ich9-usb-ehci1 "
		"ich9-usb-ehci2 ich9-usb-uhci1 ich9-usb-uhci2 ich9-usb-uhci3 ich9-usb-uhci4 "
		"ich9-usb-uhci5 ich9-usb-uhci6 qemu-xhci usb-ehci cxl-type3 ich9-ahci ide-cd "
		"ide-cf ide-hd lsi53c810 lsi53c895a megasas megasas-gen2 nvdimm nvme nvme-ns "
		"nvme-subsys scsi-block scsi-cd scsi-generic scsi-hd sdhci-pci ufs usb-bot "
		"usb-mtp usb-storage usb-uas vhost-scsi vhost-scsi-pci "
		"vhost-scsi-pci-non-transitional vhost-scsi-pci-transitional vhost-user-blk "
		"vhost-user-blk-pci vhost-user-blk-pci-non-transitional "
		"vhost-user-blk-pci-transitional vhost-user-fs-device vhost-user-fs-pci "
		"vhost-user-scsi vhost-user-scsi-pci vhost-user-scsi-pci-non-transitional "
		"vhost-user-scsi-pci-transitional virtio-9p-device virtio-9p-pci "
		"virtio-9p-pci-non-transitional virtio-9p-pci-transitional virtio-blk-device "
		"virtio-blk-pci virtio-blk-pci-non-transitional virtio-blk-pci-transitional "
		"virtio-scsi-device virtio-scsi-pci virtio-scsi-pci-non-transitional "
		"virtio-scsi-pci-transitional e1000 e1000-82544gc e1000-82545em e1000e i82550 "
		"i82551 i82557a i82557b i82557c i82558a i82558b i82559a i82559b i82559c i82559er "
		"i82562 i82801 igb rtl8139 usb-net virtio-net-device virtio-net-pci "
		"virtio-net-pci-non-transitional virtio-net-pci-transitional vmxnet3 pci-serial "
		"pci-serial-2x pci-serial-4x usb-braille usb-ccid usb-kbd usb-mouse usb-serial "
		"usb-tablet usb-wacom-tablet vhost-user-gpio-device vhost-user-gpio-pci "
		"vhost-user-i2c-device vhost-user-i2c-pci vhost-user-input vhost-user-input-pci "
		"vhost-user-rng vhost-user-rng-pci vhost-user-scmi vhost-user-scmi-pci "
		"virtconsole virtio-input-host-device virtio-input-host-pci "
		"virtio-keyboard-device virtio-keyboard-pci virtio-mouse-device virtio-mouse-pci "
		"virtio-multitouch-device virtio-multitouch-pci virtio-serial-device "
		"virtio-serial-pci virtio-serial-pci-non-transitional "
		"virtio-serial-pci-transitional virtio-tablet-device virtio-tablet-pci "
		"virtserialport bochs-display cirrus-vga ramfb VGA AC97 hda-duplex hda-micro "
		"hda-output ich9-intel-hda usb-audio vhost-user-snd vhost-user-snd-pci "
		"virtio-sound-device virtio-sound-pci ivshmem-doorbell ivshmem-plain "
		"tpm-tis-device tpm-tis-i2c u2f-passthru vfio-amd-xgbe vfio-calxeda-xgmac "
		"vfio-pci vfio-pci-nohotplug vfio-platform vhost-user-vsock-device "
		"vhost-user-vsock-pci vhost-user-vsock-pci-non-transitional vhost-vdpa-device "
		"vhost-vdpa-device-pci vhost-vdpa-device-pci-non-transitional "
		"vhost-vdpa-device-pci-transitional vhost-vsock-device vhost-vsock-pci "
		"vhost-vsock-pci-non-transitional virtio-balloon-device virtio-balloon-pci "
		"virtio-balloon-pci-non-transitional virtio-balloon-pci-transitional "
		"virtio-crypto-device virtio-crypto-pci virtio-iommu-device virtio-iommu-pci "
		"virtio-mem virtio-mem-pci virtio-rng-device virtio-rng-pci "
		"virtio-rng-pci-non-transitional virtio-rng-pci-transitional "
		"cxl-switch-mailbox-cci pc-dimm ufs-lu ";
	char names[sizeof(devices)], *rest = names, *name;

	memcpy(names, devices, sizeof(devices));
	while ((name = strsep(&rest, " ")) && *name) {
		if (!refuse_find(REFUSE_DEVICE, name))
			unit_fail_str(__FILE__, __LINE__, name, NULL, "an entry");
	}
	EXPECT(!refuse_find(REFUSE_DEVICE, "pci-test"));
	EXPECT(!strcmp(refuse_find(REFUSE_DEVICE, "virtio-gpu-pci")->name, "virtio-gpu-pci"));
	EXPECT(!strcmp(refuse_find(REFUSE_DEVICE, "VirtIO-Blk-PCI-transitional")->name,
		       "virtio-blk-*"));
	EXPECT(!strcmp(refuse_find(REFUSE_DEVICE, "virtio-fs")->name, "virtio-*"));
	EXPECT(!refuse_find(REFUSE_DEVICE, "usb"));
}

TEST(refuse, results_become_the_documented_exit_statuses)
{
	static const char *const offered[] = {"pci-test", NULL};

	EXPECT_EQ(refuse_check(REFUSE_DEVICE, "pci-test", offered), 0);
	EXPECT_EQ(err_exit_status(refuse_check(REFUSE_DEVICE, "pvpanic", offered)),
		  ASSAY_EXIT_REFUSED);
	EXPECT_EQ(err_exit_status(refuse_check(REFUSE_DEVICE, "pci-tset", offered)),
		  ASSAY_EXIT_USAGE);
	EXPECT_EQ(err_exit_status(refuse_check(REFUSE_MACHINE, "", NULL)), ASSAY_EXIT_USAGE);
	EXPECT_EQ(err_exit_status(refuse_limit("vcpus", "--smp %u", 513U)), ASSAY_EXIT_REFUSED);
}

/* A limit is refused by its name in the code: a name that is gone would be a NULL there. */
TEST(refuse, every_entry_can_be_provoked)
{
	char args[160];

	for (size_t i = 0; i < refuse_count; i++) {
		const struct refusal *r = &refuse_table[i];

		refuse_args(r, args, sizeof(args));
		EXPECT(!strncmp(args, "--", 2) && !strchr(args, '%'));
		EXPECT(r->args || (r->kind != REFUSE_OPTION && r->kind != REFUSE_LIMIT));
		if (r->kind == REFUSE_DEVICE)
			EXPECT(!strncmp(args, "--device ", 9) && !strcmp(args + 9, r->name));
	}
}

TEST(refuse, list_is_one_line_an_entry_and_json_is_balanced)
{
	for (int json = 0; json < 2; json++) {
		char *text = NULL;
		size_t size = 0, lines = 0, quotes = 0, depth = 0;
		FILE *out = open_memstream(&text, &size);

		ASSERT(out);
		refuse_list(out, json);
		fclose(out);
		for (size_t i = 0; i < size; i++) {
			lines += text[i] == '\n';
			quotes += text[i] == '"' && text[i - 1] != '\\';
			depth += (text[i] == '{') - (size_t)(text[i] == '}');
		}
		EXPECT_EQ(lines, refuse_count + (json ? 2 : 0));
		EXPECT_EQ(depth, 0);
		if (json)
			EXPECT_EQ(quotes, refuse_count * 26); /* 7 keys, 6 texts */
		free(text);
	}
}

static const char *image(const void *head, size_t head_len, const void *tail, size_t tail_len)
{
	const struct refusal *r = refuse_image(head, head_len, tail, tail_len);

	return r ? r->name : "accepted";
}

TEST(refuse, foreign_elf_files_are_named)
{
	uint8_t elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	elf[18] = 183; /* EM_AARCH64 */
	EXPECT_STR(image(elf, 64, elf, 64), "accepted");
	elf[18] = 40; /* EM_ARM */
	EXPECT_STR(image(elf, 64, elf, 64), "aarch32-elf");
	EXPECT_STR(image(elf, 20, elf, 20), "aarch32-elf");
	EXPECT_STR(image(elf, 19, elf, 19), "accepted"); /* too short to tell */
	elf[18] = 62;					 /* EM_X86_64 */
	EXPECT_STR(image(elf, 64, elf, 64), "x86-elf");
	elf[18] = 3; /* EM_386 */
	EXPECT_STR(image(elf, 64, elf, 64), "x86-elf");
	elf[5] = 2; /* ELFDATA2MSB */
	EXPECT_STR(image(elf, 64, elf, 64), "big-endian-elf");
}

static void put(uint8_t *at, const void *magic, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = ((const uint8_t *)magic)[i];
}

TEST(refuse, foreign_linux_images_are_named)
{
	uint8_t buf[1024] = {0};

	EXPECT_STR(image(buf, sizeof(buf), buf, sizeof(buf)), "accepted");
	put(buf + 0x202, "HdrS", 4);
	EXPECT_STR(image(buf, sizeof(buf), buf, sizeof(buf)), "x86-bzimage");
	EXPECT_STR(image(buf, 0x205, buf, 0x205), "accepted");
	put(buf + 0x24, "\x18\x28\x6f\x01", 4);
	EXPECT_STR(image(buf, sizeof(buf), buf, sizeof(buf)), "aarch32-zimage");
	put(buf + 0x38, "ARM\x64", 4);
	EXPECT_STR(image(buf, sizeof(buf), buf, sizeof(buf)), "accepted");
	buf[24] = 1;
	EXPECT_STR(image(buf, sizeof(buf), buf, sizeof(buf)), "big-endian-image");
}

TEST(refuse, x86_firmware_is_told_from_arm_firmware_by_its_end)
{
	static const uint8_t guid[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
					 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
	uint8_t head[64] = {0}, tail[64] = {0};

	put(head + 0x28, "_FVH", 4);
	EXPECT_STR(image(head, 64, tail, 64), "arm64-firmware"); /* AAVMF ends in zeros */
	put(tail + 48, "\x90\x90\xe9", 3);
	EXPECT_STR(image(head, 64, tail, 64), "x86-firmware");
	memset(tail + 48, 0, 3);
	put(tail + 16, guid, sizeof(guid));
	EXPECT_STR(image(head, 64, tail, 64), "x86-firmware");
	EXPECT_STR(image(head, 64, tail, 47), "arm64-firmware");
	memset(head, 0, sizeof(head));
	EXPECT_STR(image(head, 64, tail, 64), "accepted");
}
