# SPDX-License-Identifier: Apache-2.0
# The runner's own tests. It needs no building: it is Python with Debian's packages.

.PHONY: check-runner
check-runner:
	@$(PYTHON) -m pytest -q -p no:cacheprovider $(wildcard runner/tests/test_*.py)

CHECKS += check-runner

# The runner against lab hosts that panic, reset, are killed, and one reached by ssh.
.PHONY: check-live
check-live: $(BUNDLE)/agent $(BUNDLE)/init
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/live

CHECKS += check-live
