# SPDX-License-Identifier: Apache-2.0
# One ELF a suite: guest-tests/NAME/*.c with the whole of lib/. A new folder or file needs no line here.

GT_DIR    := guest-tests
GT_SUITES := $(sort $(filter-out lib,$(patsubst $(GT_DIR)/%/,%,$(wildcard $(GT_DIR)/*/))))
GT_BUILD  := $(BUILD)/guest-tests
GT_ELFS   := $(GT_SUITES:%=$(BUNDLE)/guest-tests/%.elf)

# strict-align: before the MMU is on all memory is Device memory. *_fp.c may use FP and SIMD; SVE is for *.S.
GT_CFLAGS := $(A64_CFLAGS) -I$(GT_DIR)/lib -ffreestanding -fno-builtin -fno-stack-protector -fno-common -fno-toplevel-reorder \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mstrict-align \
	-mno-outline-atomics -mcmodel=small -ffunction-sections -fdata-sections
GT_LDFLAGS := -nostdlib -static -no-pie -Wl,-T,$(GT_DIR)/lib/link.ld -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096

gt_objs = $(patsubst $(GT_DIR)/%,$(GT_BUILD)/%.o,$(sort $(wildcard $(GT_DIR)/$(1)/*.c $(GT_DIR)/$(1)/*.S)))
GT_LIB_OBJS := $(call gt_objs,lib)

$(GT_BUILD)/%_fp.c.o: $(GT_DIR)/%_fp.c
	@mkdir -p $(@D)
	$(A64CC) $(GT_CFLAGS) -c $< -o $@
$(GT_BUILD)/%.c.o: $(GT_DIR)/%.c
	@mkdir -p $(@D)
	$(A64CC) $(GT_CFLAGS) -mgeneral-regs-only -c $< -o $@
$(GT_BUILD)/%.S.o: $(GT_DIR)/%.S
	@mkdir -p $(@D)
	$(A64CC) $(GT_CFLAGS) -march=armv8.2-a+sve -c $< -o $@

# What a payload is made of, so that a file taken away is noticed too; and no payload stays without its folder.
gt_list = $(GT_BUILD)/$(1).list
$(GT_BUILD)/%.list: FORCE
	@mkdir -p $(@D)
	@echo '$(call gt_objs,$*) $(GT_LIB_OBJS)' | cmp -s - $@ || echo '$(call gt_objs,$*) $(GT_LIB_OBJS)' > $@
.PHONY: FORCE
FORCE:
GT_STALE := $(filter-out $(GT_ELFS),$(wildcard $(BUNDLE)/guest-tests/*.elf))
ifneq ($(GT_STALE),)
$(shell rm -f $(GT_STALE))
endif

define gt_suite
$(BUNDLE)/guest-tests/$(1).elf: $(GT_LIB_OBJS) $(call gt_objs,$(1)) $(GT_DIR)/lib/link.ld $(call gt_list,$(1))
	@mkdir -p $$(@D)
	$(A64CC) $(GT_LDFLAGS) $$(filter %.o,$$^) -lgcc -o $$@
endef
$(foreach s,$(GT_SUITES),$(eval $(call gt_suite,$(s))))

BUNDLE_FILES += $(GT_ELFS)
-include $(shell find $(GT_BUILD) -name '*.d' 2>/dev/null)

.PHONY: guest-tests
guest-tests: $(GT_ELFS)

# What the suite virtio reads and writes as disks: 512 KiB of a pattern, and as much to write to.
$(BUNDLE)/virtio/disk.img: $(GT_DIR)/room.mk
	@mkdir -p $(@D)
	$(PYTHON) -c 'import sys; sys.stdout.buffer.write(bytes((i*5 + i//512*3 + i//65536) & 255 for i in range(1 << 19)))' > $@
$(BUNDLE)/virtio/scratch.img: $(GT_DIR)/room.mk
	@mkdir -p $(@D)
	head -c 512K /dev/zero > $@
BUNDLE_FILES += $(BUNDLE)/virtio/disk.img $(BUNDLE)/virtio/scratch.img
