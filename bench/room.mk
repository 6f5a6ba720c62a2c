# SPDX-License-Identifier: Apache-2.0
# What a VM costs: refvmm against the bare KVM calls and against QEMU, in the lab. Not part of `make check`.
#   make bench     figures to the terminal and to out/bench/latest.json

BENCH_O     := $(BUILD)/bench
BENCH_OUT   := $(BENCH_O)/root
BENCH_ELFS  := $(foreach cpus,1 2 8 32 128 512,$(BENCH_OUT)/off-$(cpus).elf) $(BENCH_OUT)/reads-20000.elf
BENCH_FILES := $(BENCH_OUT)/bare $(BENCH_OUT)/meter $(BENCH_OUT)/disk.img $(BENCH_ELFS)
BENCH_PAYLOAD = $(A64CC) $(A64_CFLAGS) -mgeneral-regs-only -mcmodel=tiny -ffreestanding -fomit-frame-pointer -nostdlib -static -no-pie \
	-Wl,-Ttext=0x40200000,--build-id=none,-z,noexecstack,-z,max-page-size=4096 -o $@ $<

$(BENCH_OUT)/off-%.elf: bench/payload.c
	@mkdir -p $(@D)
	$(BENCH_PAYLOAD) -DCPUS=$* -DREADS=0
$(BENCH_OUT)/reads-%.elf: bench/payload.c
	@mkdir -p $(@D)
	$(BENCH_PAYLOAD) -DCPUS=1 -DREADS=$*
$(BENCH_OUT)/bare $(BENCH_OUT)/meter: $(BENCH_OUT)/%: bench/%.c
	@mkdir -p $(@D)
	$(A64CC) $(A64_CFLAGS) $(A64_LDFLAGS) -D_GNU_SOURCE -pthread -o $@ $<

$(BENCH_OUT)/disk.img:
	@mkdir -p $(@D)
	truncate -s 4M $@

UNIT_TEST_PROGRAMS += $(BENCH_FILES)

.PHONY: bench
bench: bundle $(BENCH_FILES)
	@PYTHONPATH=runner $(PYTHON) -m assay.bench $(ARGS)
