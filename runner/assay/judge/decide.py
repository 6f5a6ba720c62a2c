# SPDX-License-Identifier: Apache-2.0
"""Deciding the rows of a matrix from what one host measured. Pure: values in, JSON-ready values out.

The order of the argument, for each row (docs/matrices.md has it as prose and tables):

1. the tests and facts it names are collected; a test whose prerequisite rule failed is set aside;
2. they give an outcome (works, broken, refused-cleanly, refused-badly, absent) or a value, or a reason
   why there is none;
3. the claim turns the outcome into a verdict. Whatever is missing, contradictory or in error is
   `unknown` with its reason: unknown never counts as conforming.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from assay.judge.model import FactRule, Matrix, Measure, Row
from assay.judge.rules import Rules, not_judged
from assay.judge.values import contains, describe, holds, items, quantity, same, show

# claim -> measured outcome -> verdict. `limit` is decided by comparison, not here.
VERDICT_OF: dict[str, dict[str, str]] = {
    "supported": {"works": "conforms", "broken": "deviates", "refused-cleanly": "deviates",
                  "refused-badly": "deviates", "absent": "deviates"},
    "unsupported": {"works": "exceeds", "broken": "deviates", "refused-cleanly": "conforms",
                    "refused-badly": "deviates", "absent": "conforms"},
    "preview": {"works": "conforms", "broken": "deviates", "refused-cleanly": "conforms",
                "refused-badly": "deviates", "absent": "conforms"},
    "policy": {"works": "conforms", "broken": "unknown", "refused-cleanly": "conforms",
               "refused-badly": "unknown", "absent": "conforms"},
}

_PLACE = re.compile(r"\{([a-z0-9_.]+)\}")

PASSED = ("pass", "xpass")
FAILED = ("fail", "xfail")


def matches(glob: str, ident: str) -> bool:
    """Does a row's glob name this test? A glob without `@` names every variant."""
    return fnmatch.fnmatchcase(ident, glob) or (
        "@" not in glob and fnmatch.fnmatchcase(ident.partition("@")[0], glob))


@dataclass
class Found:
    """What a group of evidence says: an outcome, or a reason why there is none; None when it is silent."""

    outcome: str | None = None
    reason: str = ""
    value: str | None = None


@dataclass
class Case:
    """The evidence of one row on one host."""

    row: Row
    host_facts: dict[str, str]
    tests: list[dict[str, Any]]
    aside: dict[str, dict[str, str]]
    listed: list[str] | None
    used: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    facts: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    def group(self, globs: Iterable[str], role: str) -> list[dict[str, Any]]:
        """The tests that the globs name; remembered as evidence in this role."""
        globs = list(globs)
        found = [test for test in self.tests if any(matches(glob, test["id"]) for glob in globs)]
        for test in found:
            self.used.setdefault(test["id"], (role, test))
        return found

    def missing(self, globs: Iterable[str]) -> list[str]:
        """Tests that exist, are named by the globs and have no result here (a run of a part of the suite)."""
        if self.listed is None:
            return []
        ran = {test["id"] for test in self.tests}
        return [ident for ident in self.listed
                if ident not in ran and any(matches(glob, ident) for glob in globs)]

    def fact(self, key: str) -> list[tuple[str, str | None]]:
        """Every distinct value of a fact with a test that measured it."""
        if key not in self.facts:
            found: list[tuple[str, str | None]] = []
            for test in self.tests:
                value = test.get("facts", {}).get(key)
                if value is not None and not any(same(value, other) for other, _ in found):
                    found.append((str(value), test["id"]))
            if not found and key in self.host_facts:
                found.append((str(self.host_facts[key]), None))
            self.facts[key] = found
        return self.facts[key]

    def one_fact(self, key: str, by: str | None = None) -> tuple[str | None, str]:
        """A fact's value, or None and the reason why there is none: that of the test `by` which measures it."""
        values = self.fact(key)
        if not values:
            for test in self.group([by], "also") if by else []:
                if test["verdict"] == "skip":
                    return None, f"skipped: {test.get('reason')}"
                return None, f"fact {key} was not measured: {test['id']} ended as {test['verdict']}: {_why(test)}"
            return None, f"fact {key} was not measured on this host"
        if len(values) > 1:
            said = ", ".join(f"{value} ({test})" for value, test in values)
            return None, f"conflicting evidence: fact {key} is {said}"
        return values[0][0], ""


def _filled(case: Case, text: str) -> str:
    """A sentence of the matrix with the host's facts in place of `{key}`; a fact that nobody measured is named."""
    def value(found: re.Match[str]) -> str:
        said, _ = case.one_fact(found.group(1))
        if said is None:
            return f"(unknown {found.group(1)})"
        parts = [part.strip() for part in said.split(",")]
        return ", ".join(parts if len(parts) <= 6 else [*parts[:4], "…", parts[-1]]).replace(", …, ", " … ")

    return _PLACE.sub(value, text)


def _names(tests: list[dict[str, Any]], most: int = 3) -> str:
    names = [test["id"] for test in tests]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _why(test: dict[str, Any]) -> str:
    """The shortest true account of why a test did not pass."""
    if test["verdict"] == "error" and test.get("reason"):
        return str(test["reason"])
    for line in test.get("evidence", []):
        if line.get("got") is not None:
            return f"{line['text']}: got {line['got']}, want {line['want']}"
        if line.get("text"):
            return str(line["text"])
    return test.get("reason") or "no reason recorded"


def _passed(passed: int, judged: int) -> str:
    if passed < judged:
        return f"{passed} of {judged} tests passed"
    return {1: "its test passed", 2: "both tests passed"}.get(judged, f"all {judged} tests passed")


def _group(case: Case, globs: tuple[str, ...], role: str, good: str, bad: str) -> Found:
    """All passed: `good`. One failed: `bad`. An error, a glob whose tests all skipped or were not run: a reason."""
    if not globs:
        return Found()
    tests = case.group(globs, role)
    if not tests:
        return Found(reason=f"not run: no result of {', '.join(globs)}")
    judged = [test for test in tests if test["id"] not in case.aside]
    failed = [test for test in judged if test["verdict"] in FAILED]
    if failed:
        return Found(bad, f"{_names(failed)} failed: {_why(failed[0])}")
    if len(judged) < len(tests):
        ident = next(test["id"] for test in tests if test["id"] in case.aside)
        why = case.aside[ident]
        return Found(reason=f"not judged: {ident} stands on rule {why['prerequisite']}, "
                            f"which {why['by']} saw broken")
    errors = [test for test in judged if test["verdict"] == "error"]
    if errors:
        return Found(reason=f"{_names(errors)} ended in an error: {_why(errors[0])}")
    missing = case.missing(globs)
    if missing:
        return Found(reason=f"only {len(tests)} of {len(tests) + len(missing)} tests were run; "
                            f"{missing[0]} was not")
    passed = [test for test in judged if test["verdict"] in PASSED]
    if not passed:
        return Found(reason=f"skipped: {judged[0].get('reason') or 'no reason recorded'}")
    for glob in globs:  # each names a part of the evidence; none may be missing whole
        part = [test for test in judged if matches(glob, test["id"])]
        if not any(test["verdict"] in PASSED for test in part):
            why = f"skipped: {part[0].get('reason')}" if part else f"not run: no result of {glob}"
            return Found(reason=why)
    skipped = [test for test in judged if test["verdict"] == "skip"]
    note = f"; {len(skipped)} skipped ({skipped[0].get('reason')})" if skipped else ""
    return Found(good, f"{_passed(len(passed), len(judged))}{note}")


def _must(case: Case) -> Found:
    """Tests that have to pass whichever way the row goes: silent when they pass or skip, and when they were not wanted."""
    wanted = tuple(glob for glob in case.row.must
                   if case.listed is None or case.group([glob], "must") or case.missing([glob]))
    found = _group(case, wanted, "must", "", "broken")
    if found.outcome == "" or found.reason.startswith("skipped: "):
        return Found()
    return found


def _fact(case: Case, rule: FactRule) -> Found:
    """What one fact says; with no outcome words it is a plain as-claimed or otherwise."""
    value, reason = case.one_fact(rule.key, rule.by)
    if value is None:
        silent = rule.optional and not case.fact(rule.key)
        return Found() if silent else Found(reason=reason)
    good = holds(rule.condition, value)
    outcome = rule.then if good else rule.otherwise
    text = f"{rule.key} is {value}"
    if not good:
        text += f", not as claimed ({describe(rule.condition)})" if rule.otherwise is None else ""
    if outcome is None:
        outcome = "as-claimed" if good else "otherwise"
    return Found(outcome, text, value)


def _combine(case: Case) -> tuple[str | None, str]:
    """The row's outcome from its tests and facts, or None and the reason."""
    row = case.row
    works = _group(case, row.works, "works", "works", "broken")
    refused = _group(case, row.refused, "refused", "refused-cleanly", "refused-badly")
    must = _must(case)
    case.group(row.also, "also")
    facts = [_fact(case, rule) for rule in row.facts]
    found = [part for part in (works, refused, must, *facts) if part.outcome or part.reason]

    for bad in ("broken", "refused-badly"):
        worst = [part for part in found if part.outcome == bad]
        if worst:
            return bad, worst[0].reason
    offered = [part for part in found if part.outcome == "works"]
    denied = [part for part in found if part.outcome in ("refused-cleanly", "absent")]
    if offered and denied:
        return None, f"conflicting evidence: {_said(offered[0], row)}, yet {_said(denied[0], row)}"
    otherwise = [part for part in found if part.outcome == "otherwise"]
    if otherwise:
        return "otherwise", "; ".join(part.reason for part in otherwise)
    for outcome in ("works", "refused-cleanly", "absent", "as-claimed"):
        sure = [part for part in found if part.outcome == outcome]
        if sure:
            # A group that skipped is silent when another one speaks: offered and refused are twins.
            # One that could not be judged, or a fact that is missing, is not.
            unsure = [part for part in found if not part.outcome and not _twin(part, works, refused)]
            if unsure:
                return None, unsure[0].reason
            return outcome, "; ".join(part.reason for part in sure)
    reasons = [part.reason for part in found if part.reason]
    not_run = [reason for reason in reasons if reason.startswith("not run: ")]
    return None, not_run[0] if not_run and len(not_run) == len(reasons) else "; ".join(dict.fromkeys(reasons))


def _twin(part: Found, works: Found, refused: Found) -> bool:
    return part in (works, refused) and part.reason.startswith("skipped: ")


def _said(part: Found, row: Row) -> str:
    if part.value is not None:
        return f"{part.reason} says {part.outcome}"
    globs = row.works if part.outcome == "works" else row.refused
    return f"{', '.join(globs)} says {part.outcome} ({part.reason})"


def _limit_values(case: Case, measure: Measure) -> tuple[list[str], list[str], str]:
    """Values seen to work, values seen to be broken, and the reason when nothing can be said."""
    if measure.fact:
        value, reason = case.one_fact(measure.fact, measure.by)
        return (items(value) if value is not None else []), [], reason
    good, bad, reasons = [], [], []
    for value, globs in measure.values.items():
        found = _group(case, globs, f"value {value}", "works", "broken")
        if found.outcome == "works":
            good.append(value)
        elif found.outcome == "broken":
            bad.append(value)
            reasons.append(f"{value}: {found.reason}")
        elif not found.reason.startswith("skipped: "):
            return [], [], f"{value}: {found.reason}"
        else:
            reasons.append(f"{value} {found.reason}")
    return good, bad, "; ".join(reasons)


def _compare(row: Row, measure: Measure, good: list[str]) -> tuple[str, str]:
    """Verdict and reason for values that were measured."""
    unit = measure.unit
    said = ", ".join(show(value, unit) for value in good)
    claimed = ", ".join(row.limit)
    if measure.compare == "set":
        lacking = [value for value in row.limit if not contains(good, value)]
        beyond = [value for value in good if not contains(row.limit, value)]
        if lacking:
            return "deviates", f"measured {said or 'none'}; {', '.join(lacking)} is missing"
        if beyond:
            more = ", ".join(show(value, unit) for value in beyond)
            return "exceeds", f"{claimed} as claimed, and {more} besides"
        return "conforms", f"exactly {claimed}"
    number = max(quantity(value) or 0 for value in good)
    limit = quantity(row.limit[0]) or 0
    if number == limit:
        return "conforms", f"measured {said}, as claimed"
    if measure.compare == "exact":
        return "deviates", f"measured {said}, claimed {claimed}"
    if number > limit:
        return "exceeds", f"measured {said}, more than the {claimed} claimed"
    if measure.compare == "ceiling":
        return "conforms", f"measured {said}, within {claimed}"
    return "deviates", f"measured {said}, less than the {claimed} claimed"


def _judge_limit(case: Case, measure: Measure) -> tuple[str, str, str]:
    """measured, verdict, reason of a row that claims a limit."""
    good, bad, reason = _limit_values(case, measure)
    claimed_bad = [value for value in bad if contains(case.row.limit, value)
                   or (measure.compare == "capacity"
                       and (quantity(value) or 0) <= (quantity(case.row.limit[0]) or 0))]
    shown = ", ".join(show(value, measure.unit) for value in good)
    if good and measure.compare != "set" and not measure.fact:
        best = max(good, key=lambda value: quantity(value) or 0)
        good, shown = [best], show(best, measure.unit)
    if claimed_bad:
        return (shown or "broken"), "deviates", reason
    if not good:
        if measure.compare == "set" and measure.fact and not reason:
            return "none", "deviates", f"measured none; claimed {', '.join(case.row.limit)}"
        return "not-probed", "unknown", reason
    if any(quantity(value) is None for value in good):
        return shown, "unknown", f"fact {measure.fact} is `{shown}`, which is no quantity"
    verdict, text = _compare(case.row, measure, good)
    refused = _group(case, case.row.refused, "refused", "refused-cleanly", "refused-badly")
    must = _must(case)
    if must.outcome:
        return shown, "deviates", f"{text}; but {must.reason}"
    if refused.outcome == "refused-badly":
        return shown, "deviates", f"{text}; but beyond it {refused.reason}"
    if verdict != "deviates":  # what is missing cannot make a deviation good
        if must.reason:
            return shown, "unknown", f"{text}; but {must.reason}"
        if case.row.refused and not refused.outcome and not refused.reason.startswith("skipped: "):
            return shown, "unknown", f"{text}; but what lies beyond: {refused.reason}"
    return shown, verdict, text + (f"; {reason}" if reason else "")


def _telling(case: Case, outcome: str) -> str:
    """The value to show of a row that facts decide: the first that is not as claimed, else the first."""
    values = [(rule, found[0][0]) for rule in case.row.facts if (found := case.fact(rule.key))]
    odd = [value for rule, value in values if not holds(rule.condition, value)]
    return odd[0] if outcome == "otherwise" and odd else values[0][1]


def _judge_outcome(case: Case) -> tuple[str, str, str]:
    """measured, verdict, reason of every other claim."""
    row = case.row
    outcome, reason = _combine(case)
    if outcome is None:
        return "not-probed", "unknown", reason
    measured = outcome
    if outcome in ("as-claimed", "otherwise"):
        measured = _telling(case, outcome)
        verdict = "conforms" if outcome == "as-claimed" else "unknown" if row.claim == "policy" else "deviates"
        return measured, verdict, reason
    verdict = VERDICT_OF[row.claim][outcome]
    if verdict != "conforms":
        for accept in row.accept:
            if accept.outcome != outcome:
                continue
            if accept.key is None:
                return measured, "conforms", _filled(case, accept.reason)
            value, missing = case.one_fact(accept.key)
            if value is None:
                return measured, "unknown", missing
            if holds(accept.condition, value):
                return measured, "conforms", _filled(case, accept.reason)
    return measured, verdict, reason


def _judge(case: Case) -> tuple[str, str, str]:
    row = case.row
    if row.not_probed:
        case.group(row.globs, "also")
        for rule in row.facts:
            case.fact(rule.key)
        return "not-probed", "unknown", f"not probed yet ({row.not_probed})"
    if row.condition:
        value, missing = case.one_fact(row.condition.key, row.condition.by)
        if value is None:
            case.group(row.globs, "also")
            return "not-probed", "unknown", missing
        if not holds(row.condition.condition, value):
            case.group(row.globs, "also")
            return "absent", "unknown", _filled(case, row.condition.reason)
    if row.measure:
        return _judge_limit(case, row.measure)
    return _judge_outcome(case)


def _evidence(case: Case) -> dict[str, Any]:
    """Tests and facts that were looked at, in the words of the record."""
    tests = []
    for ident, (role, test) in case.used.items():
        entry: dict[str, Any] = {"id": ident, "role": role, "verdict": test["verdict"],
                                 "reason": test.get("reason"), "lines": []}
        if ident in case.aside:
            entry["reason"] = f"not judged: rule {case.aside[ident]['prerequisite']} failed"
        if test["verdict"] not in (*PASSED, "skip"):
            for line in test.get("evidence", []):
                got = line.get("got")
                place = f"{line['file']}:{line['line']}: " if line.get("file") else ""
                tail = f": got {got}, want {line.get('want')}" if got is not None else ""
                entry["lines"].append(f"{place}{line['text']}{tail}")
        tests.append(entry)
    facts = [{"key": key, "value": value, "test": test}
             for key, values in case.facts.items() for value, test in values]
    return {"tests": tests, "facts": facts}


def decide(matrix: Matrix, host_facts: dict[str, str], tests: Iterable[dict[str, Any]],
           rules: Rules | None = None, listed: Iterable[str] | None = None) -> dict[str, Any]:
    """Every row of the matrix, decided for one host: an entry of hosts[].matrices[].

    `tests` are the host's entries of results["tests"]. `rules` give prerequisites. `listed` are the ids
    of all tests that exist: with it, a row is not decided by a part of its tests.
    """
    tests = list(tests)
    aside = not_judged(rules, tests) if rules else {}
    known = list(listed) if listed is not None else None
    rows = []
    counts = {"conforms": 0, "deviates": 0, "exceeds": 0, "unknown": 0}
    for row in matrix.rows:
        case = Case(row, host_facts, tests, aside, known)
        measured, verdict, reason = _judge(case)
        if verdict in row.reasons and not row.not_probed and measured != "not-probed":
            reason = f"{_filled(case, row.reasons[verdict])} ({reason})"
        if measured in row.said and verdict != "unknown":
            reason = f"{_filled(case, row.said[measured])} ({reason})"
        counts[verdict] += 1
        rows.append({
            "id": row.id, "claim": row.claim, "claimed": row.claimed, "text": row.text,
            "source": {"section": row.section, "words": row.words},
            "measured": measured, "verdict": verdict, "reason": reason,
            "evidence": _evidence(case), "note": row.note,
        })
    return {"name": matrix.name, "title": matrix.title, "document": matrix.document,
            "language": matrix.language, "about": matrix.about, "counts": counts, "rows": rows}
