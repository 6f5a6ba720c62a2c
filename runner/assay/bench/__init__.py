# SPDX-License-Identifier: Apache-2.0
"""What a VM costs under refvmm, against the bare KVM calls and against QEMU. `make bench`; docs/bench.md."""
