# SPDX-License-Identifier: Apache-2.0
# The views of a record, and the page in headless Chromium.

.PHONY: check-report
check-report:
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/report

CHECKS += check-report
