# SPDX-License-Identifier: Apache-2.0
"""Ways to an ARM64 host: this machine, a machine by ssh, a cell of the lab."""
