# SPDX-License-Identifier: Apache-2.0
# The smallest Linux user space: one static init in a newc archive. The kernel is
# not built here: in the lab it is the cell's own, elsewhere the host's /boot.

LINUX_GUEST_INIT := $(BUILD)/linux-guest/root/init
LINUX_GUEST_INITRD := $(BUNDLE)/linux/initrd.cpio

LINUX_GUEST_OBJ := $(patsubst linux-guest/%.c,$(BUILD)/linux-guest/%.o,$(wildcard linux-guest/*.c))

$(BUILD)/linux-guest/%.o: linux-guest/%.c
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) -D_GNU_SOURCE -c -o $@ $<

$(LINUX_GUEST_INIT): $(LINUX_GUEST_OBJ)
	@mkdir -p $(@D)
	$(A64CC) $(A64_LDFLAGS) -o $@ $^

# init's stdout is /dev/console of the kernel's own built-in archive; this one only adds /init.
$(LINUX_GUEST_INITRD): $(LINUX_GUEST_INIT) linux-guest/room.mk
	@mkdir -p $(@D)
	cd $(<D) && echo init | cpio --quiet --reproducible -o -H newc -R 0:0 > $(abspath $@)

BUNDLE_FILES += $(LINUX_GUEST_INITRD)
-include $(LINUX_GUEST_OBJ:.o=.d)
