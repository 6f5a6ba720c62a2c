# SPDX-License-Identifier: Apache-2.0
"""The Markdown view: tables as GitHub and GitLab show them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from assay.report import view

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")


def text(value: Any) -> str:
    """Any text as Markdown that shows just that text, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def code(value: Any) -> str:
    """Any text as a code span inside a table cell."""
    inside = " ".join(str(value).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", inside)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table, cells ready."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def verdict(word: str) -> str:
    """Sign and word."""
    return f"{view.SIGNS[word]} {word}"


def counted(counts: dict[str, int]) -> str:
    """`31 conforms, 4 deviates`."""
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "none"


def render(results: dict[str, Any]) -> str:
    """The report as Markdown."""
    seen = view.measured_sections(results)
    run, hosts = seen["run"], seen["hosts"]
    many = len(hosts) > 1
    names = ", ".join(host["name"] for host in hosts)
    lines = [f"# Assay: what KVM supports on {text(names)}", "",
             f"{run['started']}, {view.duration(run['duration_s'])}, seed {code(run['seed'])}, "
             f"Assay {text(run['assay_version'])}: {code(run['command'])}", ""]
    if not run["complete"]:
        lines += ["**This run was cut short**; tests that had not run are errors.", ""]
    lines += [f"- Claims: {counted(seen['verdicts'])}", f"- Tests: {counted(seen['tests'])}", ""]

    if seen["unexpected"]:
        lines += [f"## Not as expected: {len(seen['unexpected'])}", ""]
        lines += table(["Verdict", "Test", "Host", "Why"], [
            [verdict(test["verdict"]), code(test["id"]), text(test["host"]), why(test)]
            for test in seen["unexpected"]])

    lines += ["## Hosts" if many else "## Host", ""]
    lines += table(["", *(text(host["name"]) for host in hosts)],
                   [[row["label"], *(text(value) or "—" for value in row["values"])] for row in seen["panel"]])

    for matrix in seen["matrices"]:
        lines += [f"## {text(matrix['title'])} ({code(matrix['name'])})", "", text(matrix["document"]), "",
                  counted(matrix["counts"]), ""]
        head = ["Row", "Claim", "Claimed", *(["Host"] if many else []), "Measured", "Verdict", "Reason"]
        lines += table(head, [
            [code(claim["id"]), text(claim["text"]), text(claim["claimed"]), *([text(result["host"])] if many else []),
             text(result["measured"]), verdict(result["verdict"]), text(result["reason"])]
            for claim in matrix["claims"] for result in claim["results"]])

    lines += ["## Tests", ""]
    lines += table(["Suite", *view.TEST_VERDICTS], [
        [text(suite["name"]), *(str(suite["counts"][word]) for word in view.TEST_VERDICTS)]
        for suite in seen["suites"]])
    rest = [test for suite in seen["suites"] for test in suite["tests"]
            if test["verdict"] != "pass" and test["expected"]]
    if rest:
        lines += ["<details><summary>Skipped and known to fail</summary>", ""]
        lines += table(["Verdict", "Test", "Host", "Why"], [
            [verdict(test["verdict"]), code(test["id"]), text(test["host"]), why(test)] for test in rest])
        lines += ["</details>", ""]
    if seen["rules_without_test"]:
        lines += ["## Rules without a test", ""]
        lines += table(["Rule", "Demand", "Source"], [
            [text(rule["id"]), text(rule["text"]), text(rule["source"])] for rule in seen["rules_without_test"]])
    return "\n".join(lines).rstrip() + "\n"


def why(test: dict[str, Any]) -> str:
    """Reason, or the first expectation that failed."""
    if test["reason"]:
        return text(test["reason"])
    for line in test["evidence"]:
        if line["got"] is not None:
            return f"{code(line['text'])}: got {code(line['got'])}, want {code(line['want'])}"
    return ""


def write_markdown(results: dict[str, Any], path: Path | str) -> None:
    """The Markdown file."""
    Path(path).write_text(render(results), "utf-8")
