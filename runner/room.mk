# SPDX-License-Identifier: Apache-2.0
# The runner's own tests. It needs no building: it is Python with Debian's packages.

.PHONY: check-runner
check-runner:
	@$(PYTHON) -m pytest -q -p no:cacheprovider $(wildcard runner/tests/test_*.py)

CHECKS += check-runner

# Tests that harm their host: what the live tests below run.
RUNNER_HOSTILE := $(BUILD)/runner/hostile
UNIT_TEST_PROGRAMS += $(RUNNER_HOSTILE)
$(RUNNER_HOSTILE): runner/tests/live/hostile.c runner/room.mk
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(A64_LDFLAGS) -o $@ $<

# The runner against lab hosts that panic, reset, are killed, and one reached by ssh.
.PHONY: check-live
check-live: $(BUNDLE)/agent $(BUNDLE)/init $(RUNNER_HOSTILE)
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/live

CHECKS += check-live
