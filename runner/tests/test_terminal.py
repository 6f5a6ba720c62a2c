# SPDX-License-Identifier: Apache-2.0
"""What a person at a terminal sees while a run goes on, and at its end."""

from __future__ import annotations

import copy
import io
import json
import re
from pathlib import Path

import pytest
from assay import progress, summary
from rich.console import Console


def plain_of(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


@pytest.fixture
def results(assay, tmp_path: Path) -> dict:
    assay("run", "s.good", "s.bad", "s.lacks", "s.dies", "--seed", "5")
    return json.loads((tmp_path / "out" / "latest" / "results.json").read_text())


def test_live_shows_failures_as_they_come(results):
    stream = io.StringIO()
    live = progress.Live(Console(file=stream, force_terminal=True, width=100, height=30))
    live.begin(4)
    live.host("cell-1")
    live.boot(1, "cell-1")
    live.hello("cell-1", {"release": "6.12.95", "cpus": "2"}, 3.21)
    for entry in results["tests"]:
        live.start(entry["id"], "cell-1")
        live.result(entry)
    live.boot(2, "cell-1")
    live.end()
    text = plain_of(stream)
    for words in ("booting", "cell-1: Linux 6.12.95, 2 CPUs, up after 3.2 s", "✗ fail s.bad", "R-1",
                  "    replay: ./assay run s.bad --seed 0x5", "a.c:16: rd32(rtc): got 0x1, want 0x0", "! error s.dies", "killed by SIGSEGV", "4/4", "2 unexpected",
                  "1 skipped", "booting again (2)"):
        assert words in text, words
    assert text.count("✗ fail") == 1 and text.count("! error") == 1 and "skip s.lacks" not in text


def test_summary_names_what_to_do_next(results, tmp_path):
    stream = io.StringIO()
    summary.show(results, (tmp_path / "out" / "latest").resolve(), Console(file=stream, width=120))
    text = stream.getvalue()
    for words in ("RHEL 9", "Unexpected (2)", "./assay run s.bad --seed 0x5", "Skipped, for",
                  "1  needs=its: no ITS here",
                  "4 tests: 1 passed, 1 failed, 1 skipped, 1 error; 2 unexpected", "report.html", "seed 0x5"):
        assert words in text, words


def test_summary_of_many_hosts_is_short(results, tmp_path):
    many = copy.deepcopy(results)
    host = many["hosts"][0]
    host["matrices"][0]["rows"][0].update(verdict="deviates", reason="it broke")
    many["hosts"] = [{**host, "name": f"cell-{n}"} for n in range(5)]
    stream = io.StringIO()
    summary.show(many, tmp_path, Console(file=stream, width=120))
    text = stream.getvalue()
    assert all(f"cell-{n}" in text for n in range(5)) and "it broke" in text and "Deviates" in text
    assert text.count("\n") < 70


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (61, "1:01"), (3723, "1:02:03")])
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


def test_pipe_gets_one_line_a_failure(results):
    stream = io.StringIO()
    plain = progress.Plain(stream)
    for entry in results["tests"]:
        plain.result(entry)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2 and lines[0].startswith("fail: s.bad [")
    assert lines[0].endswith("rule=R-1: a.c:16: rd32(rtc): got 0x1, want 0x0; replay: ./assay run s.bad --seed 0x5")
    assert lines[1].endswith("killed by SIGSEGV; replay: ./assay run s.dies --seed 0x5")
