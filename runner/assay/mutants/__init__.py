# SPDX-License-Identifier: Apache-2.0
"""Faults put into a kernel on purpose: which test turns red? `make mutants`; docs/kernel-faults.md."""
