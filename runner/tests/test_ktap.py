# SPDX-License-Identifier: Apache-2.0
"""The KTAP dialect, whole and broken."""

from __future__ import annotations

import random

import pytest
from assay import ktap

HEAD = ["KTAP version 1", "1..1", "# begin s.t"]


def test_failure_with_everything():
    out = ktap.parse([*HEAD, "# fact rtc.part=0x31", "# guest-tests/a.c:16: rd32(rtc): got 0x1, want 0x0",
                      "# guest-tests/a.c:17: it never came", "# note a remark", "",
                      "not ok 1 s.t # rule=R-1 seed=0x5"], "s.t")
    assert (out.verdict, out.problems, out.facts, out.notes) == ("fail", [], {"rtc.part": "0x31"}, ["a remark"])
    assert out.evidence == [
        {"file": "guest-tests/a.c", "line": 16, "text": "rd32(rtc)", "got": "0x1", "want": "0x0"},
        {"file": "guest-tests/a.c", "line": 17, "text": "it never came", "got": None, "want": None}]


@pytest.mark.parametrize(("last", "verdict", "reason", "needs"), [
    ("ok 1 s.t", "pass", None, None),
    ("ok 1 s.t # rule=R-1 ms=3", "pass", None, None),
    ("not ok 1 s.t", "fail", None, None),
    ("ok 1 s.t # SKIP needs=its: no ITS here", "skip", "needs=its: no ITS here", "its"),
    ("ok 1 s.t # SKIP time is emulated", "skip", "time is emulated", None),
    ("not ok 1 s.t # ERROR time limit", "error", "time limit", None),
])
def test_results(last, verdict, reason, needs):
    out = ktap.parse([*HEAD, last], "s.t")
    assert (out.verdict, out.reason, out.needs, out.problems) == (verdict, reason, needs, [])


@pytest.mark.parametrize(("lines", "says"), [
    ([*HEAD, "ok 1 s.t", "ok 2 s.t"], "a second verdict"),
    ([*HEAD, "ok 1 s.t", "not ok 2 s.t"], "a second verdict"),
    ([*HEAD, "ok 1 s.other"], "verdict for s.other"),
    ([*HEAD, "ok 2 s.t"], "result number 2 where 1 was due"),
    (["KTAP version 1", "1..2", "# begin s.t", "ok 1 s.t"], "the plan says 2 results, 1 came"),
    (["KTAP version 1", "# begin s.t", "ok 1 s.t"], "no plan line"),
    (["1..1", "# begin s.t", "ok 1 s.t"], "no line `KTAP version 1`"),
    (["KTAP version 1", "1..1", "ok 1 s.t"], "without `# begin`"),
    ([*HEAD, "# begin s.t", "ok 1 s.t"], "began twice"),
    (["KTAP version 1", "1..1", "# begin s.u", "ok 1 s.t"], "began s.u"),
    ([HEAD[0], *HEAD, "ok 1 s.t"], "two KTAP headers"),
    ([*HEAD, "1..1", "ok 1 s.t"], "two plans"),
    ([*HEAD, "ok s.t"], "malformed line"),
    ([*HEAD, "ok 1 s.t trailing"], "malformed line"),
    ([*HEAD, "not ok"], "malformed line"),
    ([*HEAD, "# fact Bad=1", "ok 1 s.t"], "malformed fact"),
    ([*HEAD, "# fact novalue", "ok 1 s.t"], "malformed fact"),
    ([*HEAD, "# fact a.b=1", "# fact a.b=2", "ok 1 s.t"], "fact a.b said twice"),
    ([*HEAD, "not ok 1 s.t # SKIP why"], "`not ok` with SKIP"),
    ([*HEAD, "ok 1 s.t # ERROR why"], "`ok` with ERROR"),
    ([*HEAD, "ok 1 s.t # SKIP"], "a skip without a reason"),
    ([*HEAD, "# a.c:1: x: got 1, want 2", "ok 1 s.t"], "says pass after an expectation failed at a.c:1"),
    ([*HEAD, "# a.c:1: x: got 1, want 2", "ok 1 s.t # SKIP needs=x: y"], "says skip after an expectation failed"),
])
def test_breaches(lines, says):
    out = ktap.parse(lines, "s.t")
    assert any(says in problem for problem in out.problems), out.problems


def test_no_verdict_is_none_and_garbage_is_kept():
    out = ktap.parse([*HEAD, "garbage", "# x0 = 0x1", "oklahoma"], "s.t")
    assert (out.verdict, out.problems) == (None, [])
    assert out.noise == ["garbage", "# x0 = 0x1", "oklahoma"]


def test_any_text_is_parsed_without_exception():
    dice = random.Random(7)
    words = [*HEAD, "ok 1 s.t", "not ok 1 s.t # SKIP", "# fact a=b", "# a:1: b: got c, want d", "\x00", "ok", "#",
             "1..99999999999"]
    for _ in range(2000):
        lines = [dice.choice(words)[:dice.randrange(30)] for _ in range(dice.randrange(12))]
        assert ktap.parse(lines, "s.t").verdict in (None, "pass", "fail", "skip", "error")
