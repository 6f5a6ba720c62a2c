# SPDX-License-Identifier: Apache-2.0
# The judge's tests, and the check that rules and globs of the matrices name what exists (in the bundle, if it is built).

.PHONY: check-judge
check-judge:
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/judge

CHECKS += check-judge
