# SPDX-License-Identifier: Apache-2.0
# Host programs: one static program a folder, $(BUNDLE)/host-tests/NAME.

HT_SUITES  := $(filter-out lib tests,$(patsubst host-tests/%/,%,$(wildcard host-tests/*/)))
HT_BUILD   := $(BUILD)/host-tests
HT_LIB_SRC := $(wildcard host-tests/lib/*.c host-tests/lib/*.S)
HT_LIB_OBJ := $(patsubst host-tests/%,$(HT_BUILD)/%.o,$(HT_LIB_SRC))
HT_BINS    := $(HT_SUITES:%=$(BUNDLE)/host-tests/%)
BUNDLE_FILES += $(HT_BINS)

# No program stays in the bundle without its folder.
HT_STALE := $(filter-out $(HT_BINS),$(wildcard $(BUNDLE)/host-tests/*))
ifneq ($(HT_STALE),)
$(shell rm -f $(HT_STALE))
endif

# Snippets are compiled with the test that uses them: no vector registers (FP traps at reset), no unaligned access
# (the MMU is off), nothing that calls or reads outside their section.
HT_CFLAGS := $(A64_CFLAGS) -D_GNU_SOURCE -Ihost-tests/lib -mgeneral-regs-only -mstrict-align -mno-outline-atomics -fno-jump-tables \
	-fno-tree-loop-distribute-patterns -fno-stack-protector -fno-asynchronous-unwind-tables -fno-toplevel-reorder

$(HT_BUILD)/%.c.o: host-tests/%.c
	@mkdir -p $(@D)
	$(A64CC) $(HT_CFLAGS) -c -o $@ $<
	@host-tests/check-snippets $(A64OBJDUMP) $@

$(HT_BUILD)/%.S.o: host-tests/%.S
	@mkdir -p $(@D)
	$(A64CC) $(HT_CFLAGS) -c -o $@ $<

define HT_PROGRAM
HT_OBJ_$(1) := $(patsubst host-tests/%,$(HT_BUILD)/%.o,$(wildcard host-tests/$(1)/*.c))
$(BUNDLE)/host-tests/$(1): $$(HT_OBJ_$(1)) $(HT_LIB_OBJ)
	@mkdir -p $$(@D)
	$(A64CC) $(A64_LDFLAGS) -o $$@ $$^ -lpthread
endef
$(foreach s,$(HT_SUITES),$(eval $(call HT_PROGRAM,$(s))))

A64OBJDUMP := $(CROSS)objdump

-include $(wildcard $(HT_BUILD)/*/*.d)

# ---- native tests of the harness and of the library's portable parts
HT_PORTABLE := $(filter $(foreach f,file harness klog kvmlog midr proc refvmm scratch select smbios stress verdict,%/$(f).c),$(HT_LIB_SRC))
HT_NATIVE   := $(HT_BUILD)/native
HT_NATIVE_LIB := $(patsubst host-tests/%,$(HT_NATIVE)/%.o,$(HT_PORTABLE))

$(HT_NATIVE)/%.c.o: host-tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) -D_GNU_SOURCE -Ihost-tests/lib -fno-toplevel-reorder -c -o $@ $<

$(HT_NATIVE)/sample $(HT_NATIVE)/unit: $(HT_NATIVE)/%: $(HT_NATIVE)/tests/%.c.o $(HT_NATIVE_LIB)
	$(CC) $(SAN) -o $@ $^ -lpthread

.PHONY: check-hosttests
check-hosttests: $(HT_NATIVE)/sample $(HT_NATIVE)/unit
	host-tests/tests/check.py $^
UNIT_TEST_PROGRAMS += $(HT_NATIVE)/sample $(HT_NATIVE)/unit
CHECKS += check-hosttests

-include $(wildcard $(HT_NATIVE)/*/*.d)
