# SPDX-License-Identifier: Apache-2.0
"""The KTAP dialect of docs/design.md, contract 2, read strictly: one unit is one test, and it must say one verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_PLAN = re.compile(r"1\.\.(\d{1,6})")
_RESULT = re.compile(r"(not ok|ok) (\d{1,6}) (\S+)(?: # ?(.*))?")
_CHECK = re.compile(r"# ([^\s:]+):(\d{1,7}): (.*)")
_VALUES = re.compile(r"(.*): got (.*), want (.*)")
_FACT = re.compile(r"# fact ([a-z0-9_]+(?:[.-][a-z0-9_]+)*)=(.*)")
_NEEDS = re.compile(r"needs=([A-Za-z0-9_.,+-]+)")


@dataclass
class Outcome:
    """What the stdout of one unit said, and what was wrong with how it said it."""

    verdict: str | None = None  # pass, fail, skip, error; None: none was printed
    reason: str | None = None
    needs: str | None = None
    evidence: list[dict] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)  # lines that are no KTAP
    problems: list[str] = field(default_factory=list)  # breaches of the dialect: each makes the verdict an error
    began: bool = False


def needs_of(reason: str | None) -> str | None:
    """The capability a skip's reason names, or None."""
    found = _NEEDS.match(reason or "")
    return found.group(1) if found else None


def evidence(text: str, file: str | None = None, line: int | None = None,
             got: str | None = None, want: str | None = None) -> dict:
    """One line of evidence as results.json keeps it."""
    return {"file": file, "line": line, "text": text, "got": got, "want": want}


def parse(lines: Iterable[str], test_id: str) -> Outcome:
    """Read the output of the unit that was to run `test_id`."""
    out = Outcome()
    header = False
    plan: int | None = None
    results = 0
    for line in lines:
        line = line.rstrip("\r")
        if not line:
            continue
        if line.startswith("#"):
            _comment(out, line, test_id)
        elif line == "KTAP version 1":
            if header:
                out.problems.append("two KTAP headers")
            header = True
        elif found := _PLAN.fullmatch(line):
            if plan is not None:
                out.problems.append(f"two plans: 1..{plan} and {line}")
            plan = int(found.group(1))
        elif found := _RESULT.fullmatch(line):
            results += 1
            _result(out, found, results, test_id)
        elif line.startswith(("ok ", "not ok", "1..")):
            out.problems.append(f"malformed line '{line}'")
        else:
            out.noise.append(line)
    if results:
        if not header:
            out.problems.append("no line `KTAP version 1`")
        if plan is None:
            out.problems.append("no plan line")
        elif plan != results:
            out.problems.append(f"the plan says {plan} results, {results} came")
        if not out.began:
            out.problems.append("the verdict came without `# begin`")
    if out.verdict in ("pass", "skip") and out.evidence:
        first = out.evidence[0]
        out.problems.append(f"says {out.verdict} after an expectation failed at {first['file']}:{first['line']}")
    return out


def _comment(out: Outcome, line: str, test_id: str) -> None:
    if line.startswith("# begin "):
        began = line[len("# begin "):].strip()
        if began != test_id:
            out.problems.append(f"began {began}, was to run {test_id}")
        elif out.began:
            out.problems.append("began twice")
        out.began = True
    elif line.startswith("# fact "):
        found = _FACT.fullmatch(line)
        if not found:
            out.problems.append(f"malformed fact '{line}'")
            return
        key, value = found.group(1), found.group(2).strip()
        if out.facts.get(key, value) != value:
            out.problems.append(f"fact {key} said twice: {out.facts[key]} and {value}")
        out.facts[key] = value
    elif line.startswith("# note "):
        out.notes.append(line[len("# note "):].strip())
    elif found := _CHECK.fullmatch(line):
        file, number, text = found.groups()
        values = _VALUES.fullmatch(text)
        if values:
            out.evidence.append(evidence(values.group(1), file, int(number), values.group(2), values.group(3)))
        else:
            out.evidence.append(evidence(text, file, int(number)))
    else:
        out.noise.append(line)


def _result(out: Outcome, found: re.Match, count: int, test_id: str) -> None:
    status, number, name, rest = found.groups()
    rest = (rest or "").strip()
    if name != test_id:
        out.problems.append(f"verdict for {name}, was to run {test_id}")
        return
    if out.verdict is not None:
        out.problems.append(f"a second verdict: '{found.group(0)}'")
        return
    if int(number) != count:
        out.problems.append(f"result number {number} where {count} was due")
    word, _, reason = rest.partition(" ")
    if word == "SKIP":
        out.verdict, out.reason, out.needs = "skip", reason.strip() or None, needs_of(reason.strip())
        if status != "ok":
            out.problems.append("`not ok` with SKIP")
        if not out.reason:
            out.problems.append("a skip without a reason")
    elif word == "ERROR":
        out.verdict, out.reason = "error", reason.strip() or "error without a reason"
        if status != "not ok":
            out.problems.append("`ok` with ERROR")
    else:
        out.verdict = "pass" if status == "ok" else "fail"
