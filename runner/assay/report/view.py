# SPDX-License-Identifier: Apache-2.0
"""What all views show, worked out once from the record: claims side by side, host facts, suites, rules."""

from __future__ import annotations

import re
from typing import Any

from assay.judge.values import items, quantity, show

VERDICTS = ("conforms", "deviates", "exceeds", "unknown")
TEST_VERDICTS = ("pass", "fail", "error", "skip", "xfail", "xpass")

# A sign beside each word, so that no verdict is told by colour alone. Plain glyphs every font has.
SIGNS = {"conforms": "✓", "deviates": "✗", "exceeds": "↑", "unknown": "?",
         "pass": "✓", "fail": "✗", "error": "!", "skip": "–", "xfail": "~", "xpass": "±"}

MEANINGS = {
    "conforms": "measured as claimed", "deviates": "claimed, but broken or missing; or refused badly",
    "exceeds": "works although not claimed", "unknown": "not decided, for the reason given",
    "pass": "every expectation held", "fail": "an expectation did not hold",
    "error": "no verdict: harness, host or time limit", "skip": "the host lacks what the test needs",
    "xfail": "fails as known", "xpass": "passes although known to fail",
}

# The panel of host facts: label, keys tried in turn, how the value is shown.
PANEL: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("CPU", ("host.cpu", "host.cpu_model", "host.midr"), "text"),
    ("CPUs", ("host.cpus",), "text"),
    ("Memory", ("host.memory", "host.ram"), "memory"),
    ("Kernel", ("host.release",), "text"),
    ("KVM mode", ("kvm.mode",), "mode"),
    ("Page size", ("host.page_size",), "bytes"),
    ("Huge pages", ("host.hugepages",), "bytes list"),
    ("Transparent huge pages", ("host.thp_size",), "bytes"),
    ("GIC", ("kvm.gic", "host.gic"), "text"),
    ("GICv2 guests", ("kvm.vgic_v2",), "yes"),
    ("GICv4", ("kvm.gicv4",), "text"),
    ("IPA limit", ("kvm.ipa_limit",), "bits"),
    ("SVE lengths", ("host.sve_lengths", "kvm.sve_lengths"), "lengths"),
    ("Nested virtualization", ("kvm.cap_arm_el2",), "yes"),
)

MODES = {"vhe": "VHE", "nvhe": "nVHE", "protected": "protected (pKVM)", "nested": "VHE, nested"}


def lengths(value: str) -> str:
    """`128, 256, 384 … 2048 bits (16)`: a run of equal steps is cut."""
    numbers = sorted(number for number in map(quantity, items(value)) if number)
    if not numbers:
        return "none"
    if len(numbers) > 4:
        step = numbers[1] - numbers[0]
        if all(b - a == step for a, b in zip(numbers, numbers[1:])):
            return f"{numbers[0]} to {numbers[-1]} bits, every {step}"
    return ", ".join(map(str, numbers)) + " bits"


def show_fact(value: str, how: str) -> str:
    """A fact as the panel shows it."""
    if how == "bytes":
        number = quantity(value)
        return "none" if number == 0 else show(value, "bytes")
    if how == "memory":
        number = quantity(value)
        return value if number is None else f"{number / (1 << 30):.3g} GiB"
    if how == "bytes list":
        return ", ".join(show(item, "bytes") for item in items(value)) or "none"
    if how == "bits":
        return show(value, "bits")
    if how == "lengths":
        return lengths(value)
    if how == "mode":
        return MODES.get(value, value)
    if how == "yes":
        return {"0": "no", "1": "yes"}.get(value, value)
    return value


def panel(hosts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the host panel: a label and one value a host; rows nobody measured are left out."""
    rows = []
    for label, keys, how in PANEL:
        values = []
        for host in hosts:
            value = next((host["facts"][key] for key in keys if key in host["facts"]), None)
            if value is None and label == "Kernel":
                value = host.get("release")
            if value is None and label == "SVE lengths" and host["facts"].get("kvm.sve") == "0":
                value = "none"
            values.append("" if value is None else show_fact(value, how))
        if any(values):
            rows.append({"label": label, "values": values})
    for label, key in (("Kernel package", "kernel_package"), ("Boots", "boots")):
        values = [host.get(key) for host in hosts]
        if any(values) and not (key == "boots" and all(value in (None, 1) for value in values)):
            rows.append({"label": label, "values": [str(value or "") for value in values]})
    return rows


def other_facts(hosts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every fact of every host, by key."""
    keys = sorted({key for host in hosts for key in host["facts"]})
    return [{"key": key, "values": [host["facts"].get(key, "") for host in hosts]} for key in keys]


def anchor(kind: str, *parts: str) -> str:
    """An id for an element of the page; only characters that need no escaping."""
    return kind + "-" + "-".join(re.sub(r"[^A-Za-z0-9_.]+", "-", part) for part in parts)


def by_name(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tests with their variants together: [{name, tests: [{id, variant}]}], in the order of the record."""
    groups: dict[str, list[dict[str, str]]] = {}
    for test in tests:
        name, _, variant = test["id"].partition("@")
        groups.setdefault(name, []).append({"id": test["id"], "variant": variant})
    return [{"name": name, "tests": found} for name, found in groups.items()]


def by_reason(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tests that skipped for the same reason together: [{reason, tests}]."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for test in tests:
        groups.setdefault(test["reason"] or "", []).append(test)
    return [{"reason": reason, "tests": found} for reason, found in groups.items()]


def matrices(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Matrices with their claims; each claim has one result a host."""
    found: dict[str, dict[str, Any]] = {}
    for host in results["hosts"]:
        for matrix in host["matrices"]:
            entry = found.setdefault(matrix["name"], {
                **{key: matrix[key] for key in ("name", "title", "document", "language", "about")},
                "counts": dict.fromkeys(VERDICTS, 0), "claims": {}})
            for row in matrix["rows"]:
                claim = entry["claims"].setdefault(row["id"], {
                    **{key: row[key] for key in ("id", "claim", "claimed", "text", "source", "note")}, "results": []})
                claim["results"].append({
                    "host": host["name"], "anchor": anchor("row", host["name"], row["id"]),
                    **{key: row[key] for key in ("measured", "verdict", "reason", "evidence")}})
                entry["counts"][row["verdict"]] += 1
    for entry in found.values():
        entry["claims"] = list(entry["claims"].values())
        for claim in entry["claims"]:
            claim["groups"] = alike(claim["results"])
            claim["differs"] = len({(result["verdict"], result["measured"]) for result in claim["results"]}) > 1
    return list(found.values())


def alike(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One claim's results, those with the same verdict, measurement and reason together. Of hosts whose evidence is the
    same too, only the first shows it: `same_as`."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for result in found:
        key = (result["verdict"], result["measured"], result["reason"])
        group = groups.setdefault(key, {"verdict": key[0], "measured": key[1], "reason": key[2], "results": []})
        proof = [(test["id"], test["verdict"], test["reason"]) for test in result["evidence"]["tests"]]
        result["same_as"] = next((other for other in group["results"] if other["proof"] == proof), None) if proof else None
        result["proof"] = proof
        group["results"].append(result)
    return list(groups.values())


def glance(tables: list[dict[str, Any]], hosts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of several hosts: claims that come out differently, and what is the same everywhere: {rows, same}."""
    if len(hosts) < 2:
        return None
    claims = [claim for table in tables for claim in table["claims"]]
    rows = []
    for claim in claims:
        if claim["differs"]:
            cells = {result["host"]: result for result in claim["results"]}
            rows.append({"claim": claim, "cells": [cells.get(host["name"]) for host in hosts]})
    same: dict[str, list[dict[str, Any]]] = {verdict: [] for verdict in VERDICTS}
    for claim in claims:
        if not claim["differs"]:
            same[claim["results"][0]["verdict"]].append(claim)
    return {"rows": rows, "same": same}


def suites(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Tests by suite, in the order of the record, with the rows each one decides."""
    decides: dict[tuple[str, str], list[str]] = {}
    for host in results["hosts"]:
        for matrix in host["matrices"]:
            for row in matrix["rows"]:
                for test in row["evidence"]["tests"]:
                    decides.setdefault((host["name"], test["id"]), []).append(row["id"])
    aside = {(entry["host"], entry["test"]): entry for entry in results.get("rules", {}).get("not_judged", [])}
    rules = {rule["id"]: rule for rule in results.get("rules", {}).get("all", [])}
    found: dict[str, dict[str, Any]] = {}
    for test in results["tests"]:
        suite = found.setdefault(test["suite"], {"name": test["suite"], "kinds": set(), "tests": [],
                                                 "counts": dict.fromkeys(TEST_VERDICTS, 0), "unexpected": 0})
        suite["kinds"].add(test["kind"])
        suite["counts"][test["verdict"]] += 1
        suite["unexpected"] += not test["expected"]
        key = (test["host"], test["id"])
        suite["tests"].append({**test, "anchor": anchor("test", test["host"], test["id"]),
                               "decides": decides.get(key, []), "aside": aside.get(key),
                               "citation": rules.get(test["rule"] or ""), "hosts": [test["host"]],
                               "anchors": [anchor("test", test["host"], test["id"])]})
    if len(results["hosts"]) > FEW_HOSTS:
        for suite in found.values():
            suite["tests"] = merged(suite["tests"])
    return list(found.values())


FEW_HOSTS = 3  # of more hosts, results that say the same are shown once: the page stays one that can be sent


def merged(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of one test that are as expected and tell nothing but their verdict and reason, of all hosts together."""
    shown: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    kept = []
    for test in tests:
        telling = any(test[key] for key in ("evidence", "facts", "notes", "log", "stderr", "aside"))
        if not test["expected"] or telling:
            kept.append(test)
            continue
        key = (test["id"], test["verdict"], test["reason"])
        first = shown.get(key)
        if first is None:
            shown[key] = {**test, "hosts": list(test["hosts"]), "anchors": list(test["anchors"])}
            kept.append(shown[key])
            continue
        first["hosts"] += test["hosts"]
        first["anchors"] += test["anchors"]
        first["decides"] = list(dict.fromkeys([*first["decides"], *test["decides"]]))
        if test["ms"] is not None:
            first["ms"] = max(first["ms"] or 0, test["ms"])
    return kept


def together(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Unexpected results, those of one verdict and reason together: [{verdict, reason, tests}]."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for test in tests:
        groups.setdefault((test["verdict"], test["reason"] or test["anchor"]), []).append(test)
    return [{"verdict": verdict, "reason": found[0]["reason"], "tests": found} for (verdict, _), found in groups.items()]


def measured_sections(results: dict[str, Any]) -> dict[str, Any]:
    """Everything a view needs."""
    hosts = results["hosts"]
    tables = matrices(results)
    totals = dict.fromkeys(VERDICTS, 0)
    for table in tables:
        for verdict in VERDICTS:
            totals[verdict] += table["counts"][verdict]
    groups = suites(results)
    tests = {verdict: sum(group["counts"][verdict] for group in groups) for verdict in TEST_VERDICTS}
    unexpected = [test for group in groups for test in group["tests"] if not test["expected"]]
    rules = results.get("rules", {"all": [], "without_test": [], "unknown": [], "not_judged": []})
    by_id = {rule["id"]: rule for rule in rules["all"]}
    return {
        "run": results["run"], "hosts": hosts, "panel": panel(hosts), "facts": other_facts(hosts),
        "matrices": tables, "glance": glance(tables, hosts), "verdicts": totals, "claims": sum(len(table["claims"]) for table in tables),
        "results": sum(totals.values()), "suites": groups, "tests": tests, "total_tests": sum(tests.values()),
        "unexpected": unexpected, "unexpected_groups": together(unexpected), "signs": SIGNS, "meanings": MEANINGS,
        "rules_without_test": [by_id[ident] for ident in rules["without_test"]],
        "unknown_rules": rules["unknown"], "not_judged": rules["not_judged"], "rules": rules["all"],
    }


def duration(seconds: float) -> str:
    """`83 s`, `4 min 12 s`, `1 h 3 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 claim`, `2 claims`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
