# SPDX-License-Identifier: Apache-2.0
"""The record against its schema, and the views that need no browser."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from assay import across, report
from assay.errors import AssayError
from assay.paths import SCHEMA
from assay.report import html, markdown, matrix, terminal, view

VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def test_the_schema_is_one_and_takes_the_record(results: dict) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
    VALIDATOR.validate(results)


@pytest.mark.parametrize("spoil", [
    lambda r: r["hosts"][0]["matrices"][0]["rows"][0].update(verdict="fine"),
    lambda r: r["hosts"][0]["matrices"][0]["rows"][0].update(reason=""),
    lambda r: r["hosts"][0]["matrices"][0]["rows"][0].update(extra=1),
    lambda r: r["hosts"][0]["matrices"][0]["rows"][0]["evidence"].pop("tests"),
    lambda r: r["hosts"][0]["matrices"][0]["counts"].update(conforms=-1),
    lambda r: r["rules"].update(extra=[]),
    lambda r: r["tests"][0].update(verdict="passed"),
    lambda r: r["tests"][0].pop("replay"),
    lambda r: r.update(hosts=[]),
])
def test_the_schema_refuses(results: dict, spoil) -> None:
    record = copy.deepcopy(results)
    spoil(record)
    assert not VALIDATOR.is_valid(record)


def test_html_escapes_and_stands_alone(results: dict) -> None:
    page = html.render(results)
    assert "<img" not in page
    assert page.count("<script>") == 1 == page.count("</script>")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "@import" not in page and "url(" not in page


def test_html_names_a_broken_template(tmp_path: Path, single: dict) -> None:
    (tmp_path / "style.css").write_text("")
    (tmp_path / "report.js").write_text("")
    (tmp_path / "report.html.j2").write_text("{% if %}")
    with pytest.raises(AssayError, match="template cannot be used"):
        html.render(single, tmp_path)


def cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_markdown_tables_are_whole(results: dict) -> None:
    lines = markdown.render(results).splitlines()
    width = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        width = width or len(cells(line))
        assert len(cells(line)) == width, line
    assert sum("rhel9.nmi" in line for line in lines) == len(results["hosts"])


def test_markdown_shows_hostile_text_as_text() -> None:
    assert markdown.text("<b> | `x` *y*\nz") == "\\<b\\> \\| \\`x\\` \\*y\\* z"
    assert markdown.code("a | b") == "`a \\| b`"
    assert markdown.code("a ` b") == "`` a ` b ``"


def test_matrix_json_is_flat_and_whole(results: dict, tmp_path: Path) -> None:
    report.write_matrix_json(results, tmp_path / "matrix.json")
    loaded = json.loads((tmp_path / "matrix.json").read_text())
    assert len(loaded["rows"]) == 94 * len(results["hosts"])
    assert {"host", "matrix", "id", "claim", "measured", "verdict", "reason", "evidence"} <= set(loaded["rows"][0])
    assert loaded == json.loads(json.dumps(matrix.rows(results)))


def printed(renderable, width: int = 110) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"), force_terminal=False)  # noqa: SIM115
    console.print(renderable)
    return console.export_text()


def test_terminal_table_has_the_verdicts(single: dict) -> None:
    text = printed(terminal.verdict_tables(single))
    assert "rhel9.page-size-host" in text and "✗ deviates" in text and "4 KiB" in text
    assert "rhel9.web-console" not in text, "unknown rows are only counted"
    assert "rhel9.web-console" in printed(terminal.verdict_tables(single, unknown=True))
    assert "kunpeng920.arch" not in printed(terminal.verdict_tables(single, matrix="rhel9"))


@pytest.mark.parametrize("width", [80, 200])
def test_terminal_keeps_a_row_on_a_line(results: dict, width: int) -> None:
    lines = printed(terminal.verdict_tables(results, unknown=True), width).splitlines()
    wanted = [row["id"] for host in results["hosts"] for m in host["matrices"] for row in m["rows"]]
    found = [line for line in lines if re.match(r"^  [✓✗↑?] \w+ +[a-z0-9-]+\.[a-z0-9-]+  ", line)]
    assert len(found) == len(wanted)
    assert max(map(len, lines)) <= width


def test_terminal_rows_are_data(results: dict) -> None:
    rows = terminal.verdict_rows(results, "rhel9")
    assert len(rows) == 42 * len(results["hosts"])
    assert {row["host"] for row in rows} == {host["name"] for host in results["hosts"]}


@pytest.mark.parametrize(("value", "how", "shown"), [
    ("65536", "bytes", "64 KiB"), ("4K", "bytes", "4 KiB"), ("0", "bytes", "none"),
    ("2M,512M,16G", "bytes list", "2 MiB, 512 MiB, 16 GiB"), ("none", "bytes list", "none"), ("48", "bits", "48 bits"),
    ("128,256,512", "lengths", "128, 256, 512 bits"), ("128,256,384,512,640", "lengths", "128 to 640 bits, every 128"),
    ("", "lengths", "none"), ("vhe", "mode", "VHE"), ("odd", "mode", "odd"), ("1", "yes", "yes"),
])
def test_facts_are_shown_as_people_write_them(value: str, how: str, shown: str) -> None:
    assert view.show_fact(value, how) == shown


def test_counts_add_up(results: dict) -> None:
    seen = view.measured_sections(results)
    assert sum(seen["verdicts"].values()) == seen["results"] == 94 * len(results["hosts"])
    assert seen["total_tests"] == results["totals"]["tests"]
    assert len(seen["unexpected"]) == results["totals"]["unexpected"]
    for table in seen["matrices"]:
        assert sum(table["counts"].values()) == len(table["claims"]) * len(results["hosts"])


def test_unexpected_results_of_one_reason_stand_together() -> None:
    tests = [{"id": f"s.t{n}", "anchor": f"a{n}", "verdict": "error", "reason": "not run"} for n in range(30)]
    tests += [{"id": "s.f", "anchor": "f", "verdict": "fail", "reason": None},
              {"id": "s.g", "anchor": "g", "verdict": "fail", "reason": None}]
    groups = view.together(tests)
    assert [(group["verdict"], len(group["tests"])) for group in groups] == [("error", 30), ("fail", 1), ("fail", 1)]


def test_rows_against_hosts_of_several_runs(results: dict, single: dict) -> None:
    hosts, rows = across.gather([results])
    assert hosts == [host["name"] for host in results["hosts"]] and len(rows) == 94
    row = next(row for row in rows if row["id"] == "rhel9.page-size-host")
    assert row["verdicts"] == ["conforms", "deviates"] and set(row["measured"]) == {"4 KiB", "64 KiB"}
    assert not row["undecided"]
    text = "\n".join(across.lines(hosts, rows))
    assert "Decided on none:" in text and "rhel9.secure-boot" in text.partition("Decided on none:")[2]
    # a later run in which the row was not decided does not undo what an earlier one decided
    later = copy.deepcopy(single)
    name = later["hosts"][0]["name"]
    for matrix in later["hosts"][0]["matrices"]:
        for each in matrix["rows"]:
            each.update(verdict="unknown", measured="not-probed", reason="not run")
    _, again = across.gather([results, later])
    assert [r["hosts"][name]["verdict"] for r in again] == [r["hosts"][name]["verdict"] for r in rows]


def test_many_hosts_that_say_the_same_are_shown_once(results: dict) -> None:
    big = copy.deepcopy(results)
    model = big["hosts"][0]["name"]
    for number in range(14):
        name = f"more-{number}"
        big["hosts"].append({**copy.deepcopy(big["hosts"][0]), "name": name})
        big["tests"] += [{**copy.deepcopy(test), "host": name} for test in results["tests"] if test["host"] == model]
    suites = view.suites(big)
    shown = [test for suite in suites for test in suite["tests"]]
    assert sum(len(test["hosts"]) for test in shown) == len(big["tests"])
    assert len(shown) < len(big["tests"]) / 4
    page = html.render(big)
    for test in big["tests"]:
        assert f'id="{view.anchor("test", test["host"], test["id"])}"' in page
    assert all(len(test["hosts"]) == 1 for test in shown if not test["expected"])
    assert len(page) < 3 * len(html.render(results))
