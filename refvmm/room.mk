# SPDX-License-Identifier: Apache-2.0
# The reference VMM: one static arm64 program, and its native unit tests under sanitizers.

REFVMM_O     := $(BUILD)/refvmm/a64
REFVMM_UO    := $(BUILD)/refvmm/unit
REFVMM_INC   := -iquote refvmm -D_GNU_SOURCE -pthread

# libfdt for device trees that others wrote, zlib for kernels that are packed. On an ARM64 host the system's static libraries are
# the right ones; elsewhere the set-up put Debian's arm64 ones into the cache.
REFVMM_LIBS    := -lfdt -lz
REFVMM_A64_INC := $(if $(filter aarch64,$(HOST_ARCH)),,-isystem $(CACHE)/arm64/include)
REFVMM_A64_LIBS := $(if $(filter aarch64,$(HOST_ARCH)),,-L$(CACHE)/arm64/lib) $(REFVMM_LIBS)

REFVMM_SRC   := $(wildcard refvmm/*.c refvmm/core/*.c refvmm/kvm/*.c refvmm/control/*.c refvmm/dev/*.c refvmm/virtio/*.c)
REFVMM_OBJ   := $(REFVMM_SRC:refvmm/%.c=$(REFVMM_O)/%.o)

# Everything that sees KVM stays out of the native tests: kvm/, the machine that uses it, and main.
REFVMM_USRC  := $(filter-out refvmm/main.c refvmm/machine% refvmm/kvm/%,$(REFVMM_SRC)) refvmm/native/host.c \
		$(filter-out refvmm/tests/fuzz_%,$(wildcard refvmm/tests/*.c))
REFVMM_UOBJ  := $(REFVMM_USRC:refvmm/%.c=$(REFVMM_UO)/%.o)

$(REFVMM_O)/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(REFVMM_INC) $(REFVMM_A64_INC) -c -o $@ $<

$(BUNDLE)/refvmm: $(REFVMM_OBJ) refvmm/link.ld
	@mkdir -p $(@D)
	$(A64CC) $(A64_LDFLAGS) -pthread -Wl,-T,refvmm/link.ld -o $@ $(REFVMM_OBJ) $(REFVMM_A64_LIBS)

$(REFVMM_UO)/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(REFVMM_INC) -c -o $@ $<

$(BUILD)/refvmm/unit-tests: $(REFVMM_UOBJ)
	$(CC) $(SAN) -pthread -o $@ $^ $(REFVMM_LIBS)

# Built for this machine: prints, describes (--dump-dtb) and writes its own manual page, without KVM.
REFVMM_NO    := $(BUILD)/refvmm/native
REFVMM_NSRC  := $(filter-out refvmm/machine% refvmm/kvm/%,$(REFVMM_SRC)) refvmm/native/host.c
REFVMM_NOBJ  := $(REFVMM_NSRC:refvmm/%.c=$(REFVMM_NO)/%.o)

$(REFVMM_NO)/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(REFVMM_INC) -c -o $@ $<

$(REFVMM_NO)/refvmm: $(REFVMM_NOBJ)
	$(CC) -pthread -o $@ $^ $(REFVMM_LIBS)

$(BUILD)/man/refvmm.1: $(REFVMM_NO)/refvmm
	@mkdir -p $(@D)
	$< --man >$@

.PHONY: man
man: $(BUILD)/man/refvmm.1
build: man

# The seccomp filters for arm64, made here and held against those of libseccomp.
REFVMM_GEN   := $(BUILD)/refvmm/gen/confine.inc

$(BUILD)/refvmm/confine-gen: refvmm/native/confine_gen.c refvmm/native/confine_bpf.c \
		refvmm/native/confine_bpf.h refvmm/confine_calls.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(REFVMM_INC) -o $@ $(filter %.c,$^) -lseccomp

$(REFVMM_GEN): $(BUILD)/refvmm/confine-gen
	@mkdir -p $(@D)
	$< >$@

$(REFVMM_O)/machine_confine.o: $(REFVMM_GEN)
$(REFVMM_O)/machine_confine.o: REFVMM_INC += -iquote $(BUILD)

# libFuzzer targets, one a parser: make fuzz-refvmm-boot [REFVMM_FUZZ_TIME=seconds]
# tests/corpus/NAME, where there is one, holds what earlier runs found worth keeping (-merge=1).
REFVMM_FUZZ_TIME ?= 20
REFVMM_FUZZ  := $(patsubst refvmm/tests/fuzz_%.c,%,$(wildcard refvmm/tests/fuzz_*.c))
REFVMM_FSRC  := $(filter-out refvmm/tests/unit.c refvmm/tests/test_%,$(REFVMM_USRC))

REFVMM_FO    := $(BUILD)/refvmm/fuzzed
REFVMM_FOBJ  := $(REFVMM_FSRC:refvmm/%.c=$(REFVMM_FO)/%.o)
REFVMM_FUZZED := $(CSTD) -O1 -g -Iabi $(REFVMM_INC) -MMD -MP -fsanitize=address,undefined -fno-sanitize-recover=all

$(REFVMM_FO)/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(CLANG) $(REFVMM_FUZZED) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/refvmm/fuzz-%: $(REFVMM_FO)/tests/fuzz_%.o $(REFVMM_FOBJ)
	$(CLANG) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ $(REFVMM_LIBS)

# What it prints, describes and refuses without KVM.
.PHONY: check-refvmm-native
check-refvmm-native: $(REFVMM_NO)/refvmm
	@refvmm/tests/native.py $<

.PHONY: refvmm check-refvmm $(REFVMM_FUZZ:%=fuzz-refvmm-%)
$(REFVMM_FUZZ:%=fuzz-refvmm-%): fuzz-refvmm-%: $(BUILD)/refvmm/fuzz-%
	@mkdir -p $(BUILD)/refvmm/corpus-$*
	cd $(BUILD)/refvmm && ./fuzz-$* -max_total_time=$(REFVMM_FUZZ_TIME) -max_len=4096 -close_fd_mask=3 corpus-$* \
		$(patsubst %,$(CURDIR)/%,$(wildcard refvmm/tests/corpus/$*))

refvmm: $(BUNDLE)/refvmm
check-refvmm: $(BUILD)/refvmm/unit-tests
	@$(REFVMM_LAYERS)
	@# The messages of refused input go to a file, which is shown if something fails.
	@$< 2>$(BUILD)/refvmm/unit-tests.err || { tail -n 80 $(BUILD)/refvmm/unit-tests.err >&2; exit 1; }

# Who may include whom; and only kvm/ calls ioctl.
REFVMM_LAYERS = \
	! grep -nE '^\#include "' refvmm/core/*.[ch] | grep -v '"core/' && \
	! grep -nE '^\#include "' refvmm/dev/*.[ch] | grep -vE '"(core|dev)/|"refuse\.h"' && \
	! grep -nE '^\#include "' refvmm/control/*.[ch] | grep -vE '"(core|control)/|"refuse\.h"' && \
	! grep -nE '^\#include "' refvmm/kvm/*.[ch] | grep -vE '"(core|kvm)/|"conf\.h"' && \
	! grep -nE '^\#include "' refvmm/virtio/*.[ch] | grep -vE '"(core|virtio|dev/pcie)|"refuse\.h"' && \
	! grep -nE '\<ioctl\(' $(filter-out refvmm/kvm/% refvmm/virtio/tap.c,$(REFVMM_SRC)) || \
	{ echo 'refvmm: the lines above break the layers: docs/design.md, Rooms' >&2; exit 1; }

# Each fuzz target for some seconds, two at a time, as a test: red when it finds something.
REFVMM_FUZZ_CHECK := 5
.PHONY: check-refvmm-fuzz
check-refvmm-fuzz: $(REFVMM_FUZZ:%=$(BUILD)/refvmm/fuzz-%)
	@refvmm/tests/fuzz $(BUILD)/refvmm $(REFVMM_FUZZ_CHECK) $(REFVMM_FUZZ)

# The same for longer: make fuzz [REFVMM_FUZZ_TIME=seconds for each] [REFVMM_FUZZ="pl011 bus"]
.PHONY: fuzz
fuzz: $(REFVMM_FUZZ:%=$(BUILD)/refvmm/fuzz-%)
	@refvmm/tests/fuzz $(BUILD)/refvmm $(REFVMM_FUZZ_TIME) $(REFVMM_FUZZ)

# Golden device trees of each machine version: golden/VERSION/NAME.args says of what.
REFVMM_GOLDEN := $(wildcard refvmm/golden/*/*.args refvmm/golden/*/*.dtb)

.PHONY: golden-refvmm
golden-refvmm: $(BUILD)/refvmm/unit-tests
	REFVMM_GOLDEN_WRITE=1 $< golden.

$(BUNDLE)/golden/%: refvmm/golden/%
	@mkdir -p $(@D)
	cp $< $@

BUNDLE_FILES += $(BUNDLE)/refvmm $(REFVMM_GOLDEN:refvmm/%=$(BUNDLE)/%)
CHECKS       += check-refvmm check-refvmm-native check-refvmm-fuzz
UNIT_TEST_PROGRAMS += $(BUILD)/refvmm/unit-tests $(REFVMM_NO)/refvmm $(REFVMM_FUZZ:%=$(BUILD)/refvmm/fuzz-%)

-include $(wildcard $(REFVMM_FO)/*.d $(REFVMM_FO)/*/*.d)
-include $(REFVMM_NOBJ:.o=.d) $(REFVMM_OBJ:.o=.d) $(REFVMM_UOBJ:.o=.d)
