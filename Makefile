# Assay: one non-recursive make. Each room has its own room.mk, included below.
#
#   make run     the suite in the default lab cell, or natively on an ARM64 server with KVM
#   make check   every test of the project
#   make sweep   the suite in every cell of the lab, one report
#   make build   all programs, nothing run
#   make mutants, make bench, make coverage   see docs/
#
# Everything that is made goes to out/; the lab's kernels and QEMU to the user's cache.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := /bin/bash
.DEFAULT_GOAL := help

OUT   := out
BUILD := $(OUT)/build
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/assay
PYTHON := /usr/bin/python3

# ---- compilers: A64 for what runs on the ARM64 host and in its guests, native for unit tests
HOST_ARCH := $(shell uname -m)
CROSS     := $(if $(filter aarch64,$(HOST_ARCH)),,aarch64-linux-gnu-)
A64CC     := $(CROSS)gcc
A64OBJCOPY := $(CROSS)objcopy
CC        := gcc
CLANG     := clang

WARN   := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CSTD   := -std=gnu17
CFLAGS := $(CSTD) -O2 -g $(WARN) -Iabi -MMD -MP
SAN    := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# What runs on the ARM64 host: one static program each, at fixed addresses (the runner reads test tables out of them).
A64_CFLAGS  := $(CFLAGS) -fno-pie -ffile-prefix-map=$(CURDIR)/=
A64_LDFLAGS := -static -no-pie

# The bundle: what is copied to an ARM64 host or into the lab's initramfs.
BUNDLE := $(BUILD)/bundle
BUNDLE_FILES :=
# Rooms add their native test programs (what lint must see too) and the targets that run them.
UNIT_TEST_PROGRAMS :=
CHECKS :=

include $(wildcard */room.mk)

.PHONY: help build bundle clean
help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

# What the set-up brings is asked for first: else the first missing header is all that a newcomer reads.
build:
	@type -P $(A64CC) >/dev/null || \
		{ echo "assay: there is no $(A64CC): run \`make setup-run\`, which installs what the build needs" >&2; exit 2; }
	@[ $(HOST_ARCH) = aarch64 ] || [ -e $(CACHE)/arm64/lib/libz.a ] || \
		{ echo "assay: $(CACHE) lacks libraries for arm64: run \`make setup-run\`, which fetches them" >&2; exit 2; }
	@$(MAKE) bundle
bundle: $(BUNDLE_FILES)
clean:
	rm -rf $(BUILD)

# ---- the two commands. Set-up comes first: the build needs the cross compiler and libraries it brings.
.PHONY: run check format lint
JOBS := $(shell nproc)
# The first build takes half a minute and more: say so.
say-build = @[ -d $(BUILD) ] || echo "assay: building the programs" >&2
run:
	@lab/setup.sh run
	$(say-build)
	@$(MAKE) -s -j$(JOBS) build
	@./assay run $(ARGS)

check:
	@lab/setup.sh check
	$(say-build)
	@$(MAKE) -s -j$(JOBS) build
	@$(PYTHON) runner/check.py --out $(OUT)/check $(addprefix --make ,$(sort $(CHECKS))) $(CHECK_ARGS)

# ---- how the C looks, and what clang-tidy thinks of it; lint asks `make -Bn` for each file's flags

.PHONY: unit-test-programs
unit-test-programs: $(UNIT_TEST_PROGRAMS)
format:
	@clang-format -i $$(git ls-files '*.c' '*.h')
lint:
	@$(PYTHON) runner/lint.py format
	@$(PYTHON) runner/lint.py tidy
