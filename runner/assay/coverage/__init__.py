# SPDX-License-Identifier: Apache-2.0
"""Which lines and branches of refvmm the tests run. `make coverage`; docs/coverage.md."""
