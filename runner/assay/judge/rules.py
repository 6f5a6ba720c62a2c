# SPDX-License-Identifier: Apache-2.0
"""Rules: what a specification demands, cited; which rule stands on which other.

A test names its rule. When a rule's prerequisite failed, a test of the rule says nothing about it
(a timer interrupt that never comes proves nothing about timers where no interrupt comes): its result
stays in the record, but it is *not judged*, and no row of a matrix is decided by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import AssayError
from assay.judge.model import Table, read_toml

_ID = re.compile(r"^[A-Z0-9][A-Z0-9_.]*(-[A-Z0-9_.]+)*-[0-9]+[A-Z]?$")

FAILED = ("fail", "xfail")


@dataclass(frozen=True)
class Rule:
    """One demand with its authority."""

    id: str
    subject: str
    text: str
    source: str
    requires: tuple[str, ...]


Rules = dict[str, Rule]


def load_rules(folder: Path | str) -> Rules:
    """Every rule of a folder's *.toml; prerequisites exist and make no circle."""
    rules: Rules = {}
    for path in sorted(Path(folder).glob("*.toml")):
        top = Table(read_toml(path), str(path))
        subject = top.must("subject")
        entries = top.tables("rule")
        top.end()
        for table in entries:
            ident = table.must("id")
            table.where = f"{path}: rule {ident}"
            if not _ID.match(ident):
                raise table.fail(f"id `{ident}` must look like GIC-SGI-1")
            if ident in rules:
                raise table.fail("this id stands there twice")
            rules[ident] = Rule(ident, subject, table.must("text"), table.must("source"),
                                table.texts("requires"))
            table.end()
    for rule in rules.values():
        for needed in rule.requires:
            if needed not in rules:
                raise AssayError(f"{folder}: rule {rule.id}: requires `{needed}`, which no file defines")
    for ident in rules:
        if ident in prerequisites(rules, ident):
            raise AssayError(f"{folder}: rule {ident}: requires itself, by way of "
                             f"{', '.join(sorted(prerequisites(rules, ident) - {ident})) or 'itself'}")
    return rules


def prerequisites(rules: Rules, ident: str) -> set[str]:
    """All rules that must hold before `ident` can be judged, however far away."""
    found: set[str] = set()
    todo = list(rules[ident].requires) if ident in rules else []
    while todo:
        needed = todo.pop()
        if needed not in found:
            found.add(needed)
            todo += rules[needed].requires
    return found


def _variant(test: dict[str, Any]) -> str:
    return test["id"].partition("@")[2]


def not_judged(rules: Rules, tests: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Tests of one host whose rule stands on a failed one: id -> rule, prerequisite, the test that failed.

    Of two tests with variants only those of the same variant touch each other: what fails on a GICv2
    says nothing about the same board with a GICv3.
    """
    tests = list(tests)
    failed: dict[str, list[dict[str, Any]]] = {}
    for test in tests:
        if test.get("rule") and test["verdict"] in FAILED:
            failed.setdefault(test["rule"], []).append(test)
    found = {}
    for test in tests:
        rule = test.get("rule")
        if not rule or test["verdict"] == "skip":
            continue
        for needed in sorted(prerequisites(rules, rule) & failed.keys()):
            by = next((other for other in failed[needed]
                       if not (_variant(test) and _variant(other)) or _variant(test) == _variant(other)), None)
            if by:
                found[test["id"]] = {"rule": rule, "prerequisite": needed, "by": by["id"]}
                break
    return found


def rules_summary(rules: Rules, tests: Iterable[dict[str, Any]],
                  listed: Iterable[dict[str, Any]] | None = None) -> dict[str, Any]:
    """results["rules"]: every rule with its citation, those without a test, those nobody defines.

    `listed` are all tests that exist ({"rule": ...} each); without it, those that ran stand for them.
    """
    tests = list(tests)
    known = list(listed) if listed is not None else tests
    used = {test["rule"] for test in known if test.get("rule")}
    hosts: dict[str, list[dict[str, Any]]] = {}
    for test in tests:
        hosts.setdefault(test.get("host") or "", []).append(test)
    return {
        "all": [{"id": rule.id, "subject": rule.subject, "text": rule.text, "source": rule.source,
                 "requires": list(rule.requires)} for rule in rules.values()],
        "without_test": sorted(rules.keys() - used),
        "unknown": sorted(used - rules.keys()),
        "not_judged": [{"host": host, "test": ident, **why}
                       for host, found in hosts.items()
                       for ident, why in sorted(not_judged(rules, found).items())],
    }
