# SPDX-License-Identifier: Apache-2.0
# The views of a record, and the page in headless Chromium.

.PHONY: check-report
check-report:
	@$(PYTHON) -m pytest -q -p no:cacheprovider runner/tests/report

CHECKS += check-report

# The picture in README.md, of the latest run's report.
.PHONY: report-picture
report-picture:
	@profile=$$(mktemp -d); \
	chromium --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --hide-scrollbars --user-data-dir=$$profile \
		--window-size=1280,1500 --screenshot=$(CURDIR)/docs/report.png file://$(CURDIR)/$(OUT)/latest/report.html \
		2>/dev/null; status=$$?; rm -rf $$profile; exit $$status
