/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's distribution offers around KVM: rows of the matrices marked "stack check". Only what is installed
 * is looked at; nothing is judged here, the facts decide the rows.
 */
#include "file.h"
#include "proc.h"
#include "test.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

SUITE(stack, .tags = "stack");

/* A distribution's QEMU takes seconds to start on an emulated host. */
#define QEMU_MS 60000

static void need_distribution(void)
{
	if (!file_exists("/etc/os-release"))
		SKIP("no distribution is installed here (no /etc/os-release): run on a server with "
		     "one");
}

/* The first of the paths that exists, or NULL. */
static const char *first(const char *const *paths)
{
	for (; *paths; paths++)
		if (file_exists(*paths))
			return *paths;
	return NULL;
}

static void measure(const char *key, const char *const *paths)
{
	const char *path;

	need_distribution();
	path = first(paths);
	test_fact(key, "%s", path ? "installed" : "absent");
	if (path)
		NOTE("%s", path);
}

#define MEASURE(key, ...) measure(key, (const char *const[]){__VA_ARGS__, NULL})

TEST(stack, distribution_is_measured)
{
	char text[4096], *p;

	need_distribution();
	if (file_read("/etc/os-release", text, sizeof(text)) < 0)
		SKIP("/etc/os-release cannot be read");
	p = strstr(text, "PRETTY_NAME=");
	FACT("stack.distribution", "%.*s", p ? (int)strcspn(p + 12, "\n") : 7,
	     p ? p + 12 : "unknown");
}

TEST(stack, cockpit_machines_is_measured)
{
	MEASURE("stack.cockpit_machines", "/usr/share/cockpit/machines/manifest.json",
		"/usr/local/share/cockpit/machines/manifest.json");
}

TEST(stack, virtiofsd_is_measured)
{
	MEASURE("stack.virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd",
		"/usr/bin/virtiofsd", "/usr/lib/virtiofsd");
}

TEST(stack, virt_v2v_is_measured)
{
	MEASURE("stack.virt_v2v", "/usr/bin/virt-v2v");
}

TEST(stack, virt_p2v_is_measured)
{
	MEASURE("stack.virt_p2v", "/usr/bin/virt-p2v", "/usr/bin/virt-p2v-make-disk");
}

TEST(stack, libvirt_is_measured)
{
	MEASURE("stack.libvirt", "/usr/sbin/virtqemud", "/usr/sbin/libvirtd");
}

static const char *qemu(void)
{
	static const char *const paths[] = {"/usr/libexec/qemu-kvm", "/usr/bin/qemu-system-aarch64",
					    "/usr/bin/qemu-kvm", NULL};

	return first(paths);
}

TEST(stack, qemu_is_measured, .limit_ms = QEMU_MS)
{
	static struct proc run;
	char *argv[] = {NULL, (char *)"--version", NULL};

	need_distribution();
	argv[0] = (char *)qemu();
	if (!argv[0]) {
		FACT("stack.qemu", "absent");
		return;
	}
	if (proc_run(&run, argv, QEMU_MS) < 0 || run.status)
		test_error("%s --version does not run", argv[0]);
	FACT("stack.qemu", "%.*s", (int)strcspn(run.out, "\n"), run.out);
}

/* Which of the devices the matrices speak of the host's QEMU has at all. */
TEST(stack, qemu_devices_are_measured, .limit_ms = QEMU_MS)
{
	static const char *const devices[] = {
		"qemu-xhci",
		"nec-usb-xhci",
		"usb-mouse",
		"usb-tablet",
		"usb-kbd",
		"usb-storage",
		"usb-host",
		"usb-redir",
		"virtio-gpu-pci",
		"virtio-vga",
		"VGA",
		"cirrus-vga",
		"qxl",
		"ramfb",
		"rtl8139",
		"e1000",
		"virtio-iommu-pci",
		"vhost-user-fs-pci",
		"ich9-intel-hda",
		"intel-hda",
		"AC97",
		"pvpanic-pci",
		"pcie-pci-bridge",
		"vfio-pci",
		"virtio-input-host-pci",
		"virtio-tablet-pci",
	};
	static struct proc run;
	char *argv[] = {NULL, (char *)"-machine", (char *)"none", (char *)"-device", (char *)"help",
			NULL};

	need_distribution();
	argv[0] = (char *)qemu();
	if (!argv[0])
		SKIP("no QEMU is installed here: install it, or leave these rows unknown");
	if (proc_run(&run, argv, QEMU_MS) < 0 || run.status)
		test_error("%s -device help does not run: %.200s", argv[0], run.err);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char quoted[64], key[80];
		size_t n;

		snprintf(quoted, sizeof(quoted), "name \"%s\"", devices[i]);
		n = (size_t)snprintf(key, sizeof(key), "stack.qemu_device.%s", devices[i]);
		for (size_t c = 0; c < n; c++) {
			if (key[c] >= 'A' && key[c] <= 'Z')
				key[c] = (char)(key[c] - 'A' + 'a');
			if (key[c] == '-')
				key[c] = '_';
		}
		test_fact(key, "%s", strstr(run.out, quoted) ? "offered" : "absent");
	}
}
