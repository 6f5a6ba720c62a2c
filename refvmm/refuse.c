/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE table of what refvmm refuses. One entry a feature: its reason says why refvmm does not
 * offer it, `instead` what to do. Text is lower case, without a full stop, and reads on from
 * "refvmm: KIND NAME is not offered: REASON; use INSTEAD".
 */
#include "refuse.h"

#define M(n, why, use)                                   \
	{                                                \
		REFUSE_MACHINE, false, n, why, use, NULL \
	}
#define C(n, why, use)                               \
	{                                            \
		REFUSE_CPU, false, n, why, use, NULL \
	}
#define D(n, why, use)                                  \
	{                                               \
		REFUSE_DEVICE, false, n, why, use, NULL \
	}
#define O(n, a, why, use)                            \
	{                                            \
		REFUSE_OPTION, false, n, why, use, a \
	}
#define I(n, why, use)                                 \
	{                                              \
		REFUSE_IMAGE, false, n, why, use, NULL \
	}
#define X(n, why, use)                                   \
	{                                                \
		REFUSE_COMMAND, false, n, why, use, NULL \
	}
#define L(n, a, why, use)                           \
	{                                           \
		REFUSE_LIMIT, false, n, why, use, a \
	}
/* not built yet, and meant to be */
#define LATER_M(n, why, use)                            \
	{                                               \
		REFUSE_MACHINE, true, n, why, use, NULL \
	}
#define LATER_D(n, why, use)                           \
	{                                              \
		REFUSE_DEVICE, true, n, why, use, NULL \
	}
#define LATER_O(n, a, why, use)                     \
	{                                           \
		REFUSE_OPTION, true, n, why, use, a \
	}

#define NO_X86_BOARD  "an x86 board; ARM64 KVM runs the virt board only"
#define NAMED_CPU     "KVM runs the host's own CPU and cannot pretend to be another model"
#define NO_DISPLAY    "this board has no display, and firmware and guests must not need one"
#define NO_LEGACY_VGA "VGA frame buffers are mapped uncached and lose coherency under ARM64 KVM"
#define NO_SOUND      "sound cards are not supported on ARM64 hosts"
#define NO_LEGACY_NIC "emulated legacy network cards are not supported on ARM64 hosts"
#define NO_USB	      "this board has no USB"
#define NO_PCI_BUS    "this board is PCI Express only, without a conventional PCI bus"
#define NO_IDE	      "this board has no IDE and no AHCI"
#define SERIAL	      "the serial console: console=ttyAMA0"
#define OWN_OPTION    "virtio devices have options of their own here"
#define DISK	      "a virtio disk: --drive file=PATH"
#define CARD	      "a virtio card: --net tap, or --net stream,path=SOCKET"
#define QEMU_NOW      "QEMU with KVM where the guest needs it"
#define NOT_SAVED     "saving and migrating a machine is unsupported on ARM64 hosts"

const struct refusal refuse_table[] = {
	/* ---- machines */
	M("pc", NO_X86_BOARD, "--machine virt-1"),
	M("q35", NO_X86_BOARD, "--machine virt-1"),
	M("microvm", NO_X86_BOARD, "--machine virt-1"),
	M("sbsa-ref", "a board with EL3 and secure firmware; KVM gives a guest neither",
	  "--machine virt-1"),
	M("secure=on", "KVM gives a guest no secure world, so no TrustZone", "secure=off"),
	M("virtualization=on", "a guest hypervisor (EL2) is not offered", "virtualization=off"),
	M("smm=on", "management mode is not in ARM64 guest firmware", "no smm option"),
	M("gic-version=4",
	  "KVM's virtual GIC is version 2 or 3; GICv4 is what hosts speed it up with",
	  "gic-version=3 or max"),
	M("confidential-guest-support=rme0", "no confidential guests (Arm CCA) are offered",
	  "no such word"),
	LATER_M("ras=on", "error records and injection are not built yet", "ras=off"),
	LATER_M("mte=on", "memory tagging is not built yet", "mte=off"),
	LATER_M("iommu=smmuv3", "no SMMUv3 is emulated", "iommu=none"),

	/* ---- CPUs */
	C("cortex-a7", NAMED_CPU, "--cpu host"),
	C("cortex-a15", NAMED_CPU, "--cpu host"),
	C("cortex-a35", NAMED_CPU, "--cpu host"),
	C("cortex-a53", NAMED_CPU, "--cpu host"),
	C("cortex-a55", NAMED_CPU, "--cpu host"),
	C("cortex-a57", NAMED_CPU, "--cpu host"),
	C("cortex-a72", NAMED_CPU, "--cpu host"),
	C("cortex-a76", NAMED_CPU, "--cpu host"),
	C("a64fx", NAMED_CPU, "--cpu host"),
	C("neoverse-n1", NAMED_CPU, "--cpu host"),
	C("neoverse-v1", NAMED_CPU, "--cpu host"),
	C("kunpeng-920", NAMED_CPU, "--cpu host"),
	C("tsv110", NAMED_CPU, "--cpu host"),
	C("neoverse-n2", NAMED_CPU, "--cpu host"),
	C("cortex-a710", NAMED_CPU, "--cpu host"),
	C("custom", NAMED_CPU, "--cpu host"),
	C("host-model", "no list of ARM64 models exists that a host could be matched with",
	  "--cpu host"),
	C("aarch64=off", "32-bit (AArch32) guests are not offered", "a 64-bit guest"),
	C("kvmclock=on", "ARM64 has no kvm-clock; the guest keeps time by its architected timer",
	  "no kvmclock option"),

	C("el2=on", "a guest hypervisor (EL2) is not offered", "no el2 option"),
	C("el3=on", "KVM gives a guest no secure world", "no el3 option"),
	C("sme=on", "KVM offers guests no SME", "--cpu sve=on"),
	C("kvm-steal-time=on", "stolen time (DEN 0057) is not offered", "no kvm-steal-time option"),

	/* ---- devices: paravirtual */
	D("pvpanic", "unsupported on ARM64 hosts, and may stop the boot",
	  "the guest's panic text on the serial console"),
	D("pvpanic-pci", "unsupported on ARM64 hosts, and may stop the boot",
	  "the guest's panic text on the serial console"),
	D("virtio-gpu-pci", NO_DISPLAY, SERIAL),
	D("virtio-iommu-pci", "unsupported on ARM64 hosts", "no IOMMU: iommu=none"),
	D("virtio-input-host-pci", "virtio input devices are unsupported on ARM64 hosts", SERIAL),
	D("virtio-keyboard-pci", "virtio input devices are unsupported on ARM64 hosts", SERIAL),
	D("virtio-mouse-pci", "virtio input devices are unsupported on ARM64 hosts", SERIAL),
	D("virtio-tablet-pci", "virtio input devices are unsupported on ARM64 hosts", SERIAL),
	D("vhost-user-fs-pci", "virtiofs is a preview on ARM64 hosts, and is not built here",
	  "an initramfs (--initrd)"),
	D("virtio-vga", NO_LEGACY_VGA, SERIAL),
	D("virtio-9p-pci", "sharing a host's folder is not built", "an initramfs (--initrd)"),
	D("virtio-balloon-pci", "the guest's memory is not given back to the host",
	  "--memory SIZE"),
	D("virtio-mem-pci", "memory hot-plug is not offered", "--memory SIZE"),
	D("virtio-pmem-pci", "persistent memory is not offered", "a disk"),
	D("virtio-crypto-pci", "no crypto accelerator is built", "the CPU's own instructions"),
	D("virtio-sound-pci", NO_SOUND, "no sound card"),
	D("vhost-vsock-pci", "vsock is not built", "the network or the serial console"),
	D("virtio-blk-pci", OWN_OPTION, "--drive file=PATH"),
	D("virtio-net-pci", OWN_OPTION, "--net tap or --net stream,path=SOCKET"),
	D("virtio-rng-pci", OWN_OPTION, "--rng"),
	D("virtio-serial-pci", OWN_OPTION, "--console virtio,file=PATH"),
	D("virtio-scsi-pci", "no SCSI controller is built", "a virtio disk: --drive file=PATH"),
	D("virtio-blk-device", OWN_OPTION, "--drive file=PATH,if=virtio-mmio"),
	D("virtio-net-device", OWN_OPTION, "--net tap,if=virtio-mmio"),
	D("virtio-rng-device", OWN_OPTION, "--rng virtio-mmio"),
	D("virtio-serial-device", OWN_OPTION, "--console virtio-mmio,file=PATH"),

	/* ---- devices: display and sound */
	D("vga", NO_LEGACY_VGA, SERIAL),
	D("cirrus-vga", NO_LEGACY_VGA, SERIAL),
	D("qxl", NO_LEGACY_VGA, SERIAL),
	D("qxl-vga", NO_LEGACY_VGA, SERIAL),
	D("vmware-svga", NO_LEGACY_VGA, SERIAL),
	D("ati-vga", NO_LEGACY_VGA, SERIAL),
	D("bochs-display", NO_DISPLAY, SERIAL),
	D("ramfb", NO_DISPLAY, SERIAL),
	D("ich9-intel-hda", NO_SOUND, "no sound card"),
	D("intel-hda", NO_SOUND " (ICH6)", "no sound card"),
	D("ac97", NO_SOUND, "no sound card"),
	D("es1370", NO_SOUND, "no sound card"),

	/* ---- devices: USB */
	D("usb-mouse", NO_USB, SERIAL),
	D("usb-tablet", NO_USB, SERIAL),
	D("usb-kbd", NO_USB, SERIAL),
	D("usb-storage", NO_USB, DISK),
	D("qemu-xhci", NO_USB, "no USB controller"),
	D("nec-usb-xhci", NO_USB, "no USB controller"),
	D("usb-ehci", NO_USB, "no USB controller"),
	D("piix3-usb-uhci", NO_USB, "no USB controller"),
	D("usb-net", NO_USB, "no USB controller"),
	D("usb-audio", NO_USB, "no USB controller"),
	D("usb-host", NO_USB ", so no pass-through either", "no USB controller"),
	D("usb-redir", NO_USB ", so no redirection either", "no USB controller"),

	/* ---- devices: cards, disks, bridges, memory */
	D("rtl8139", NO_LEGACY_NIC, CARD),
	D("e1000", NO_LEGACY_NIC, CARD),
	D("e1000e", NO_LEGACY_NIC, CARD),
	D("ne2k_pci", NO_LEGACY_NIC, CARD),
	D("pcnet", NO_LEGACY_NIC, CARD),
	D("igb", "no Intel card is emulated", CARD),
	D("vmxnet3", "a VMware card; ARM64 guests have no driver for it here", CARD),
	D("ide-cd", NO_IDE, DISK ",readonly=on"),
	D("ide-hd", NO_IDE, DISK),
	D("ahci", NO_IDE, DISK),
	D("scsi-cd", "no SCSI controller is built", DISK ",readonly=on"),
	D("scsi-hd", "no SCSI controller is built", DISK),
	D("lsi53c895a", "no SCSI controller is built", DISK),
	D("megasas", "no SCSI controller is built", DISK),
	D("nvme", "no NVMe controller is built", DISK),
	D("pcie-root-port", "root ports belong to the board, which has them from the start",
	  "--root-ports N"),
	D("ioh3420", "root ports belong to the board, which has them from the start",
	  "--root-ports N"),
	D("x3130-upstream", "PCIe switches are not built", "--root-ports N"),
	D("xio3130-downstream", "PCIe switches are not built", "--root-ports N"),
	D("pxb-pcie", "further PCIe root buses are not built", "--root-ports N"),
	D("i82801b11-bridge", NO_PCI_BUS, "--root-ports N"),
	D("pcie-to-pci-bridge", NO_PCI_BUS, "--root-ports N"),
	D("pci-bridge", NO_PCI_BUS, "--root-ports N"),
	D("vfio-pci", "assigning a host's device is not built", QEMU_NOW " (network cards only)"),
	D("vfio-gpu", "assigning a graphics card is unsupported on ARM64 hosts", SERIAL),
	D("smmuv3", "no SMMUv3 is emulated", "iommu=none"),
	D("intel-iommu", "an x86 IOMMU", "iommu=none"),
	D("tpm-tis-device", "no TPM is emulated", "no TPM"),
	D("ivshmem-plain", "memory shared between machines is not built", "the network"),
	D("i6300esb", "an x86 watchdog; no watchdog is built", "--time-limit MS"),
	D("isa-serial", "this board has no ISA bus", SERIAL),
	D("pci-serial", "one serial line is all this board has", SERIAL),
	D("pc-dimm", "memory modules do not work on ARM64 hosts", "--memory SIZE"),
	D("nvdimm", "memory modules do not work on ARM64 hosts", "--memory SIZE"),

	/* ---- devices: the rest of each family, by how the name begins; a whole name above comes first */
	D("virtio-blk-*", OWN_OPTION, "--drive file=PATH"),
	D("virtio-net-*", OWN_OPTION, "--net tap or --net stream,path=SOCKET"),
	D("virtio-rng-*", OWN_OPTION, "--rng"),
	D("virtio-serial-*", OWN_OPTION, "--console virtio,file=PATH"),
	D("virtconsole", OWN_OPTION, "--console virtio,file=PATH"),
	D("virtserialport", "a virtio console here has one port", "--console virtio,socket=PATH"),
	D("virtio-scsi-*", "no SCSI controller is built", DISK),
	D("virtio-9p-*", "sharing a host's folder is not built", "an initramfs (--initrd)"),
	D("virtio-balloon-*", "the guest's memory is not given back to the host", "--memory SIZE"),
	D("virtio-gpu-*", NO_DISPLAY, SERIAL),
	D("virtio-sound-*", NO_SOUND, "no sound card"),
	D("virtio-*", "this virtio device is not built", "--drive, --net, --rng or --console"),
	D("vhost-vsock-*", "vsock is not built", "the network or the serial console"),
	D("vhost-*", "no device served by the host's kernel or another process (vhost) is built",
	  "--drive, --net, --rng or --console"),
	D("vfio-*", "assigning a host's device is not built", QEMU_NOW " (network cards only)"),
	D("usb-*", NO_USB, "no USB controller"),
	D("u2f-*", NO_USB, "no USB controller"),
	D("ich9-*", "part of an x86 chipset", "what this board has: --help"),
	D("scsi-*", "no SCSI controller is built", DISK),
	D("lsi*", "no SCSI controller is built", DISK),
	D("megasas-*", "no SCSI controller is built", DISK),
	D("ide-*", NO_IDE, DISK),
	D("nvme-*", "no NVMe controller is built", DISK),
	D("ufs*", "no UFS controller is built", DISK),
	D("sdhci-*", "no SD card reader is built", DISK),
	D("e1000-*", NO_LEGACY_NIC, CARD),
	D("i82*", NO_LEGACY_NIC, CARD),
	D("cxl-*", "this board has no CXL", "--root-ports N"),
	D("pxb*", "further PCIe root buses are not built", "--root-ports N"),
	D("tpm-*", "no TPM is emulated", "no TPM"),
	D("hda-*", NO_SOUND, "no sound card"),
	D("ivshmem-*", "memory shared between machines is not built", "the network"),
	D("pci-serial-*", "one serial line is all this board has", SERIAL),

	/* ---- options */
	O("--dimm", "--dimm 1G", "memory modules do not work on ARM64 hosts", "--memory SIZE"),
	O("--nvdimm", "--nvdimm file.img", "memory modules do not work on ARM64 hosts",
	  "--memory SIZE"),
	O("maxcpus=", "--smp 1,maxcpus=2",
	  "vCPU hot-plug is unsupported on ARM64: all vCPUs are there from the start",
	  "--smp N with the greatest number"),
	O("sockets=", "--smp 4,sockets=2", "the board describes no CPU topology", "--smp N"),
	O("cores=", "--smp 4,cores=2", "the board describes no CPU topology", "--smp N"),
	O("threads=", "--smp 4,threads=2", "the board describes no CPU topology", "--smp N"),
	O("slots=", "--memory 1G,slots=2", "memory modules do not work on ARM64 hosts",
	  "--memory SIZE"),
	O("maxmem=", "--memory 1G,maxmem=2G", "memory hot-plug does not work on ARM64 hosts",
	  "--memory SIZE"),
	O("--numa", "--numa node", "the board has one NUMA node", "no --numa"),
	O("--object", "--object memory-backend-ram,id=m,size=1G", "RAM has no backend objects",
	  "--memory SIZE,backing=normal|thp|hugetlb"),
	O("--incoming", "--incoming tcp:0:4444", NOT_SAVED, "a shutdown and a new start"),
	O("--loadvm", "--loadvm snapshot", NOT_SAVED, "a shutdown and a new start"),
	O("--save", "--save file", NOT_SAVED, "a shutdown and a new start"),
	O("--restore", "--restore file", NOT_SAVED, "a shutdown and a new start"),
	O("--snapshot", "--snapshot", NOT_SAVED, "a copy of the disk"),
	O("--accel", "--accel tcg", "KVM is the only accelerator, and always used", "no --accel"),
	O("--cdrom", "--cdrom disc.iso", NO_IDE, DISK ",readonly=on"),
	O("--tpmdev", "--tpmdev emulator,id=t", "no TPM is emulated", "no TPM"),
	O("--watchdog", "--watchdog i6300esb", "no watchdog is built", "--time-limit MS"),
	O("--usbdevice", "--usbdevice tablet", NO_USB, SERIAL),
	O("--vnc", "--vnc :0", NO_DISPLAY, SERIAL),
	O("--spice", "--spice port=5900", NO_DISPLAY, SERIAL),
	O("--virtfs", "--virtfs local,path=/,mount_tag=x", "sharing a host's folder is not built",
	  "an initramfs (--initrd)"),
	O("--gdb", "--gdb tcp::1234", "no debugger's stub is built", "--trace FILE and dump-regs"),
	O("romfile=", "--device pci-test,romfile=ipxe.rom",
	  "option ROMs (iPXE) do not run on ARM64", "the firmware's own network driver"),
	O("--usb", "--usb", NO_USB, SERIAL),
	O("--vga", "--vga std", NO_LEGACY_VGA, SERIAL),
	O("--display", "--display gtk", NO_DISPLAY, SERIAL),
	O("--audio", "--audio default", NO_SOUND, "no sound card"),
	O("--bios", "--bios bios.bin", "ARM64 has no BIOS", "--firmware FILE (UEFI)"),

	/* ---- images */
	I("x86-firmware", "this is x86 (OVMF) firmware; ARM64 cannot run it",
	  "the ARM64 build, edk2-aarch64 (AAVMF), for ARM64 machines"),
	I("arm64-firmware", "this is a firmware volume (UEFI), and a kernel is wanted",
	  "--firmware FILE"),
	I("x86-elf", "this is an ELF file for x86", "an ELF file for AArch64"),
	I("x86-bzimage", "this is an x86 Linux image", "an arm64 Linux Image"),
	I("aarch32-elf", "this is an ELF file for 32-bit Arm (AArch32)", "an ELF file for AArch64"),
	I("aarch32-zimage", "this is a Linux zImage for 32-bit Arm (AArch32)",
	  "an arm64 Linux Image"),
	I("big-endian-elf", "this ELF file is big-endian", "a little-endian build"),
	I("big-endian-image", "this Linux Image is big-endian", "a little-endian build"),
	I("zboot-image",
	  "this is an EFI zboot image compressed otherwise than with gzip, which needs firmware to "
	  "unpack it",
	  "the Image inside it"),

	/* ---- control commands */
	X("device-add", "PCIe hot-plug is not built, and the root bus never takes it",
	  "--device NAME before the start"),
	X("device-remove", "PCIe hot-unplug is not built", "a machine without the device"),
	X("cpu-add",
	  "vCPU hot-plug is unsupported on ARM64: KVM refuses a vCPU after the vGIC's "
	  "initialisation",
	  "--smp N before the start, and PSCI CPU_ON in the guest"),
	X("cpu-remove", "vCPU hot-unplug is unsupported on ARM64", "PSCI CPU_OFF in the guest"),
	X("device-del", "PCIe hot-unplug is not built", "a machine without the device"),
	X("memory-add", "memory modules do not work on ARM64 hosts", "--memory SIZE"),
	X("balloon", "the guest's memory is not given back to the host", "--memory SIZE"),
	X("snapshot", NOT_SAVED, "a shutdown and a new start"),
	X("screendump", NO_DISPLAY, SERIAL),
	X("inject-nmi", "ARM64 KVM cannot send an NMI", "a kernel debugger or sysrq in the guest"),
	X("nmi", "ARM64 KVM cannot send an NMI", "a kernel debugger or sysrq in the guest"),
	X("save", NOT_SAVED, "a shutdown and a new start"),
	X("restore", NOT_SAVED, "a shutdown and a new start"),
	X("migrate", NOT_SAVED, "a shutdown and a new start on the other host"),

	/* ---- limits */
	L("vcpus-gicv2", "--machine gic-version=2 --smp 9", "a GICv2 has 8 CPU interfaces",
	  "gic-version=3 or at most 8 vCPUs"),
	L("vcpus", "--smp 513", "the board has room for 512 redistributors", "at most 512 vCPUs"),
	L("vcpus-lowmem", "--machine highmem=off --smp 124",
	  "highmem=off leaves room for 123 redistributors", "highmem=on or at most 123 vCPUs"),
	L("ram", "--memory 256G", "RAM from 1 GiB on ends below the high redistributors at 256 GiB",
	  "at most 255G"),
	L("ram-lowmem", "--machine highmem=off --memory 4G",
	  "highmem=off ends all memory below 4 GiB", "highmem=on or at most 3G"),
	L("pcie-buses", "--machine highmem=off --root-ports 16",
	  "the bus numbers run out: the low ECAM window of 16 MiB has 16, for the root bus and one "
	  "a "
	  "root port",
	  "highmem=on (256 buses) or at most 15 root ports"),
	L("pcie-slots", "--root-ports 32",
	  "the slots of bus 0 run out: 31 beside the host bridge, for root ports and devices",
	  "fewer root ports, or devices behind them"),
	L("pcie-port", "--root-ports 1 --device pci-test,port=0 --device pci-test,port=0",
	  "a root port has one slot, number 0, on the bus behind it", "one device a root port"),
	L("pcie-mmio32", "--device pci-test,bar32=1G",
	  "the 32-bit window runs out: 751 MiB for all 32-bit BARs and bridge windows",
	  "smaller or fewer 32-bit BARs, or 64-bit ones (bar64=)"),
	L("pcie-mmio64", "--device pci-test,bar64=1T",
	  "the 64-bit window runs out: 512 GiB for all 64-bit BARs and bridge windows",
	  "smaller or fewer 64-bit BARs"),
	L("pcie-mmio64-lowmem", "--machine highmem=off --device pci-test,bar64=1G",
	  "highmem=off has no 64-bit window, and the 32-bit one of 751 MiB runs out",
	  "highmem=on or smaller 64-bit BARs"),
};

const size_t refuse_count = sizeof(refuse_table) / sizeof(refuse_table[0]);
