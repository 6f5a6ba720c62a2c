# SPDX-License-Identifier: Apache-2.0
# A UEFI application, as the kernel of a machine with firmware: firmware/probe.efi in the bundle.

UEFI_O   := $(BUILD)/uefi-guest
UEFI_OBJ := $(UEFI_O)/head.S.o $(UEFI_O)/main.c.o
# Position-independent and flat: nothing may need a relocation or a library.
UEFI_CFLAGS := $(CFLAGS) -ffile-prefix-map=$(CURDIR)/= -ffreestanding -fpie -fvisibility=hidden -fno-builtin -fno-stack-protector \
	-fno-jump-tables -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only -mno-outline-atomics

$(UEFI_O)/%.c.o: uefi-guest/%.c
	@mkdir -p $(@D)
	$(A64CC) $(UEFI_CFLAGS) -c -o $@ $<
$(UEFI_O)/%.S.o: uefi-guest/%.S
	@mkdir -p $(@D)
	$(A64CC) $(UEFI_CFLAGS) -c -o $@ $<

$(BUNDLE)/firmware/probe.efi: $(UEFI_OBJ) uefi-guest/link.ld
	@mkdir -p $(@D)
	$(A64CC) -nostdlib -static -no-pie -Wl,-T,uefi-guest/link.ld -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -o $(UEFI_O)/probe.elf $(UEFI_OBJ)
	$(A64OBJCOPY) -O binary -j .head -j .text $(UEFI_O)/probe.elf $@

BUNDLE_FILES += $(BUNDLE)/firmware/probe.efi
-include $(UEFI_OBJ:.o=.d)
