# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: no console error, filters, search, evidence, phone, paper, dark."""

from __future__ import annotations

import base64
import copy
import json
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from assay import report
from assay.paths import OUT

LATEST = OUT / "latest" / "results.json"


class Page:
    """A report in the browser."""

    def __init__(self, driver, path: Path, width: int = 1280, height: int = 900) -> None:
        self.driver = driver
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": []})
        self.size(width, height)
        driver.get_log("browser")
        driver.get(path.as_uri())

    def size(self, width: int, height: int = 900) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def media(self, name: str, scheme: str = "light") -> None:
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": name, "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def js(self, script: str, *args):
        return self.driver.execute_script(script, *args)

    def one(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def shown(self, selector: str) -> int:
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".filter(e => e.checkVisibility() && !e.closest('[hidden]')).length", selector)

    def counts(self) -> list[int]:
        """The numbers of the line that says how much is shown."""
        return [int(number) for number in re.findall(r"\d+", self.one("#shown").text)]

    def search(self, text: str) -> None:
        field = self.one("#search")
        field.clear()
        field.send_keys(text)

    def errors(self) -> list[dict]:
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, results: dict, single: dict) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    empty = copy.deepcopy(single)
    empty.update(tests=[], rules={"all": [], "without_test": [], "unknown": [], "not_judged": []})
    empty["hosts"][0].update(facts={}, matrices=[], log=[])
    found = {}
    for name, record in (("many", results), ("one", single), ("empty", empty)):
        found[name] = folder / f"{name}.html"
        report.write_html(record, found[name])
    return found


@pytest.fixture
def page(driver, files: dict[str, Path]) -> Page:
    return Page(driver, files["many"])


@pytest.mark.parametrize("name", ["many", "one", "empty"])
def test_no_console_error_and_nothing_from_elsewhere(driver, files: dict[str, Path], name: str) -> None:
    page = Page(driver, files[name])
    assert page.errors() == []
    assert page.js("return performance.getEntriesByType('resource').map(e => e.name)"
                   ".filter(name => !name.startsWith('data:'))") == []
    assert page.js("return document.images.length") == 0, "text of a record became markup"


def test_every_claim_and_test_is_there(page: Page, results: dict) -> None:
    rows = sum(len(matrix["rows"]) for host in results["hosts"] for matrix in host["matrices"])
    assert page.shown(".result") == rows == len(page.all(".result"))
    assert len(page.all(".test")) == len(results["tests"])
    assert page.counts() == [rows // len(results["hosts"]), len(results["tests"])]


def test_chips_filter_by_verdict(page: Page, results: dict) -> None:
    verdicts = [row["verdict"] for host in results["hosts"] for matrix in host["matrices"] for row in matrix["rows"]]
    for verdict in ("deviates", "exceeds", "unknown", "conforms"):
        chip = page.one(f".chip[data-verdict={verdict}]")
        chip.click()
        assert chip.get_attribute("aria-pressed") == "true"
        assert page.shown(".result") == verdicts.count(verdict) > 0
        assert page.shown(f".result[data-verdict={verdict}]") == verdicts.count(verdict)
        chip.click()
    assert page.shown(".result") == len(verdicts)


def test_two_chips_add_up(page: Page, results: dict) -> None:
    wanted = [test for test in results["tests"] if test["verdict"] in ("fail", "skip")]
    page.one(".chip[data-verdict=fail]").click()
    page.one(".chip[data-verdict=skip]").click()
    assert page.shown(".test") == len(wanted)
    assert page.counts()[2] == len(wanted)
    page.one("#reset").click()
    assert page.shown(".test") == len(results["tests"])


def test_host_suite_and_matrix_filter(page: Page, results: dict) -> None:
    Select(page.one("#host")).select_by_visible_text("k6.12-n1")
    assert page.shown(".test") == sum(test["host"] == "k6.12-n1" for test in results["tests"])
    assert page.shown(".result:not([data-host='k6.12-n1'])") == 0
    Select(page.one("#suite")).select_by_visible_text("sve")
    assert page.shown(".test") == sum(t["host"] == "k6.12-n1" and t["suite"] == "sve" for t in results["tests"])
    Select(page.one("#matrix")).select_by_visible_text("kvm-arm")
    assert page.shown(".matrix") == 1
    rows = {matrix["name"]: len(matrix["rows"]) for matrix in results["hosts"][0]["matrices"]}
    assert page.shown(".claim") == rows["kvm-arm"]


def test_search_finds_claims_and_tests(page: Page) -> None:
    page.search("vector length 384")
    claims = page.js("return [...document.querySelectorAll('.claim:not([hidden])')].map(e => e.id)")
    assert claims == ["claim-rhel9.sve-explicit-lengths"]
    page.search("its_clear_drops_the_pending_lpi")
    assert page.counts()[2] == 3
    page.search("no such words anywhere")
    assert page.counts()[0] == 0 and page.counts()[2] == 0
    assert page.shown("#claims") == 0
    page.one("#reset").click()
    assert page.shown("#claims") == 1


def test_evidence_unfolds_and_leads_to_the_test(page: Page) -> None:
    row = page.one("[id='row-k6.12-max-rhel9.nmi']")
    details = row.find_element(By.CSS_SELECTOR, "details.evidence")
    link = details.find_element(By.CSS_SELECTOR, "a[href*='test-']")
    visible = "return arguments[0].checkVisibility()"
    assert not page.js(visible, link)
    details.find_element(By.TAG_NAME, "summary").click()
    assert page.js(visible, link)
    page.js("arguments[0].scrollIntoView({block: 'center'})", link)
    target = link.get_attribute("href").partition("#")[2]
    link.click()
    assert page.js("return document.getElementById(arguments[0]).open", target)


def test_a_link_leads_even_to_what_is_filtered_away(page: Page) -> None:
    page.one(".chip[data-verdict=skip]").click()
    target = "test-k6.12-max-gic.lpi_by_int_command_arrives_once"
    page.js("location.hash = arguments[0]", target)
    WebDriverWait(page.driver, 10).until(
        lambda _: page.js("return document.getElementById(arguments[0]).open", target))
    assert page.js("return document.getElementById(arguments[0]).checkVisibility()", target)


def test_every_link_of_the_page_has_a_target(page: Page) -> None:
    dead = page.js("return [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
                   ".filter(id => !document.getElementById(id))")
    assert dead == []
    twice = page.js("const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
                    "return ids.filter((id, n) => ids.indexOf(id) !== n)")
    assert twice == []


def test_failures_show_got_and_want_without_a_click(page: Page) -> None:
    failed = page.one("[id='test-k6.12-max-gic.its_clear_drops_the_pending_lpi']")
    cells = [cell.text for cell in failed.find_elements(By.CSS_SELECTOR, ".values td")]
    assert cells[1:3] == ["0x1", "0x0"]
    assert "guest-tests/gic/its.c:88" in cells[0]


def test_replay_is_copied(page: Page) -> None:
    page.driver.execute_cdp_cmd("Browser.grantPermissions",
                                {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    failed = page.one("[id='test-k6.12-max-gic.its_clear_drops_the_pending_lpi']")
    button = failed.find_element(By.CSS_SELECTOR, ".copy")
    page.js("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    WebDriverWait(page.driver, 10).until(lambda _: button.text == "Copied")


def test_keyboard_reaches_the_search_and_the_filters(page: Page) -> None:
    page.one("body").send_keys("/")
    assert page.js("return document.activeElement.id") == "search"
    focusable = page.js("return [...document.querySelectorAll('.filters button, .filters select, .filters input')]"
                        ".every(e => e.tabIndex === 0)")
    assert focusable


@pytest.mark.parametrize("name", ["many", "one"])
@pytest.mark.parametrize("width", [375, 320])
def test_a_phone_needs_no_sideways_scrolling(driver, files: dict[str, Path], name: str, width: int) -> None:
    page = Page(driver, files[name], width, 800)
    page.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.js("return document.documentElement.scrollWidth") <= width
    wide = page.js("return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()"
                   " && !e.closest('.scroll, .skip-link, thead') && e.getBoundingClientRect().right > innerWidth + 1)"
                   ".map(e => e.outerHTML.slice(0, 80)).slice(0, 5)")
    assert wide == []


def test_paper_shows_everything(page: Page) -> None:
    unfolded = "return [...document.querySelectorAll('details')].every(d => d.open)"
    assert not page.js(unfolded)
    page.media("print")
    WebDriverWait(page.driver, 10).until(lambda _: page.js(unfolded))
    assert page.shown(".evidence dl") == len(page.all(".evidence dl"))
    assert page.shown(".test .body") == len(page.all(".test"))
    assert not page.one("#search").is_displayed()
    page.media("screen")
    WebDriverWait(page.driver, 10).until(lambda _: not page.js(unfolded))


def test_paper_as_pdf(page: Page) -> None:
    pdf = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pdf.startswith(b"%PDF") and pages > 10


def test_dark_and_light_have_contrast(page: Page) -> None:
    script = """
    const light = (c) => {
        const v = c.map(x => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
    const parse = (s) => s.match(/[\\d.]+/g).map(Number);
    const back = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
    const bad = [];
    const words = '.badge, .chip, .reason, .why, .id, .host, .when, dt, a, summary, code, .cite, .document, .because';
    for (const e of document.querySelectorAll(words)) {
        if (!e.checkVisibility()) continue;
        const [a, b] = [light(parse(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) bad.push([e.className || e.tagName, ratio.toFixed(2)]);
    }
    return [...new Set(bad.map(JSON.stringify))].slice(0, 8);"""
    for scheme in ("light", "dark"):
        page.media("screen", scheme)
        assert page.js(script) == [], scheme


def test_without_script_everything_is_readable(driver, files: dict[str, Path], results: dict) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        Page(driver, files["many"])
        assert not driver.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
        assert len(driver.find_elements(By.CSS_SELECTOR, ".test")) == len(results["tests"])
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_latest_real_run_opens(driver, tmp_path: Path) -> None:
    if not LATEST.exists():
        pytest.skip("there is no out/latest/results.json yet: run `make run`")
    record = json.loads(LATEST.read_text())
    path = tmp_path / "latest.html"
    report.write_html(record, path)
    page = Page(driver, path)
    assert page.errors() == []
    assert len(page.all(".test")) == len(record["tests"])
    page.size(375)
    assert page.js("return document.documentElement.scrollWidth") <= 375
