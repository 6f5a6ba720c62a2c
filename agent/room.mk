# SPDX-License-Identifier: Apache-2.0
# The agent: static for the ARM64 host, and natively under sanitizers for its tests.

agent_src := $(wildcard agent/*.c)
agent_obj := $(agent_src:%.c=$(BUILD)/%.o)
agent_native_obj := $(agent_src:%.c=$(BUILD)/native/%.o)
agent_cflags := -D_GNU_SOURCE

$(agent_obj): $(BUILD)/agent/%.o: agent/%.c agent/room.mk
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(agent_cflags) -c $< -o $@

$(BUNDLE)/agent: $(agent_obj)
	@mkdir -p $(@D)
	$(A64CC) $(A64_LDFLAGS) $^ -o $@

$(agent_native_obj): $(BUILD)/native/agent/%.o: agent/%.c agent/room.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(agent_cflags) -c $< -o $@

$(BUILD)/native/agent/agent: $(agent_native_obj)
	$(CC) $(SAN) $^ -o $@

BUNDLE_FILES += $(BUNDLE)/agent
UNIT_TEST_PROGRAMS += $(BUILD)/native/agent/agent
CHECKS += check-agent

.PHONY: check-agent
check-agent: $(BUILD)/native/agent/agent
	$(PYTHON) agent/tests/run.py $<

-include $(agent_obj:.o=.d) $(agent_native_obj:.o=.d)
