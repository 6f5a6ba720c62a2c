# SPDX-License-Identifier: Apache-2.0
"""Assay's runner: plans a run, drives the ARM64 host, keeps the record, judges and shows it."""
