# SPDX-License-Identifier: Apache-2.0
# Which lines and branches of refvmm run: in its native unit tests, and under the suites in the lab. Not part of `make check`.
#   make coverage     out/coverage/summary.json and out/coverage/html/

COV_O     := $(BUILD)/coverage
COV_FLAGS := -O0 --coverage -fprofile-update=atomic -DREFVMM_COVERAGE
# refvmm's room comes later in the alphabet: its lists are expanded a second time, in the prerequisites.
COV_OBJ   = $(REFVMM_SRC:refvmm/%.c=$(COV_O)/a64/%.o)
COV_UOBJ  = $(REFVMM_USRC:refvmm/%.c=$(COV_O)/native/%.o)
.SECONDEXPANSION:

# Counters of the lab go to one folder there; dump prints them.
$(COV_O)/a64/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(COV_FLAGS) -fprofile-dir=/coverage $(REFVMM_INC) $(REFVMM_A64_INC) -c -o $@ $<
$(COV_O)/native/%.o: refvmm/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(COV_FLAGS) $(REFVMM_INC) -c -o $@ $<

$(COV_O)/unit-tests: $$(COV_UOBJ)
	$(CC) --coverage -pthread -o $@ $^ $(REFVMM_LIBS)

COV_NOBJ  = $(REFVMM_NSRC:refvmm/%.c=$(COV_O)/native/%.o)
$(COV_O)/native-refvmm: $$(COV_NOBJ)
	$(CC) --coverage -pthread -o $@ $^ $(REFVMM_LIBS)

# The filter of a build that counts: it lets gcov write at exit. Its maker is counted too, for it is run here.
$(COV_O)/confine-gen: $(COV_O)/native/native/confine_gen.o $(COV_O)/native/native/confine_bpf.o
	$(CC) --coverage -o $@ $^ -lseccomp
$(COV_O)/refvmm/gen/confine.inc: $(COV_O)/confine-gen
	@mkdir -p $(@D)
	$< >$@
$(COV_O)/a64/machine_confine.o: $(COV_O)/refvmm/gen/confine.inc
$(COV_O)/a64/machine_confine.o: REFVMM_INC += -iquote $(COV_O)

# The bundle, with refvmm replaced.
$(COV_O)/bundle/refvmm: $$(COV_OBJ) $$(BUNDLE_FILES)
	rm -rf $(@D) && mkdir -p $(@D) && cp -a $(BUNDLE)/. $(@D)/
	$(A64CC) $(A64_LDFLAGS) --coverage -pthread -o $@ $(COV_OBJ) $(REFVMM_A64_LIBS)
$(COV_O)/tools/dump: coverage/dump.c
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(A64_LDFLAGS) -D_GNU_SOURCE -o $@ $<

.PHONY: coverage
coverage: bundle $(COV_O)/bundle/refvmm $(COV_O)/unit-tests $(COV_O)/native-refvmm $(COV_O)/tools/dump
	@PYTHONPATH=runner $(PYTHON) -m assay.coverage $(ARGS)

UNIT_TEST_PROGRAMS += $(COV_O)/tools/dump

-include $(wildcard $(COV_O)/a64/*.d $(COV_O)/a64/*/*.d $(COV_O)/native/*.d $(COV_O)/native/*/*.d)
