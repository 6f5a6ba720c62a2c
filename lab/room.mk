# SPDX-License-Identifier: Apache-2.0
# The lab host's init; making sure of the tools and the lab's kernels.

lab_src := $(wildcard lab/*.c)
lab_obj := $(lab_src:%.c=$(BUILD)/%.o)
lab_cflags := -D_GNU_SOURCE

$(lab_obj): $(BUILD)/lab/%.o: lab/%.c lab/room.mk
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(lab_cflags) -c $< -o $@

$(BUNDLE)/init: $(lab_obj)
	@mkdir -p $(@D)
	$(A64CC) $(A64_LDFLAGS) $^ -o $@

BUNDLE_FILES += $(BUNDLE)/init

# The tests of the lab boot the default cell with a unit that misbehaves.
$(BUILD)/lab/tests/unit: lab/tests/unit.c lab/room.mk
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(lab_cflags) $(A64_LDFLAGS) $< -o $@

UNIT_TEST_PROGRAMS += $(BUILD)/lab/tests/unit

.PHONY: check-lab
check-lab: $(BUNDLE)/init $(BUNDLE)/agent $(BUILD)/lab/tests/unit
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/lab

CHECKS += check-lab

# The whole suite in every cell, with one report.
.PHONY: sweep
sweep:
	@$(MAKE) -s setup-kernel
	@$(MAKE) -s -j$(JOBS) build
	@./assay lab sweep --counts $(ARGS)

.PHONY: setup-run setup-check setup-kernel
setup-run:
	@lab/setup.sh run
setup-check:
	@lab/setup.sh check
setup-kernel:
	@lab/setup.sh kernel

-include $(lab_obj:.o=.d)
