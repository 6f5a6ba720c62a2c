# SPDX-License-Identifier: Apache-2.0
"""What is made from results.json: JUnit and KTAP here, HTML, Markdown and matrix.json by assay.report."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from . import store

# XML 1.0 allows no other control characters, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def evidence_line(entry: dict) -> str:
    """`FILE:LINE: TEXT: got G, want W`."""
    place = f"{entry['file']}:{entry['line']}: " if entry["file"] else ""
    values = f": got {entry['got']}, want {entry['want']}" if entry["got"] is not None else ""
    return f"{place}{entry['text']}{values}"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _body(test: dict) -> str:
    lines = [evidence_line(entry) for entry in test["evidence"]]
    lines += [f"rule: {test['rule']}"] if test["rule"] else []
    lines += [f"note: {note}" for note in test["notes"]]
    lines.append(f"replay: {test['replay']}")
    return _xml("\n".join(lines))


def junit(results: dict) -> str:
    """One testcase a test and host; an unexpected skip is a failure, an expected failure a skip."""
    top = ElementTree.Element("testsuites", name="assay", time=f"{results['run']['duration_s']:.3f}")
    groups: dict[tuple[str, str], list[dict]] = {}
    for test in results["tests"]:
        groups.setdefault((test["host"], test["suite"]), []).append(test)
    for (host, name), tests in groups.items():
        suite = ElementTree.SubElement(top, "testsuite", name=f"{host}.{name}", hostname=_xml(host),
                                       timestamp=results["run"]["started"].rstrip("Z"))
        counts = {"tests": len(tests), "failures": 0, "errors": 0, "skipped": 0}
        for test in tests:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{host}.{name}", name=test["id"].partition(".")[2],
                file=_xml(test["file"]), line=str(test["line"]), time=f"{(test['ms'] or 0) / 1000:.3f}")
            reason = _xml(test["reason"] or "")
            if test["verdict"] == "error":
                counts["errors"] += 1
                ElementTree.SubElement(case, "error", message=reason, type="error").text = _body(test)
            elif not test["expected"]:
                counts["failures"] += 1
                first = _xml(evidence_line(test["evidence"][0])) if test["evidence"] else reason
                ElementTree.SubElement(case, "failure", message=first or test["verdict"],
                                       type=test["verdict"]).text = _body(test)
            elif test["verdict"] in ("skip", "xfail"):
                counts["skipped"] += 1
                ElementTree.SubElement(case, "skipped", message=f"{test['verdict']}: {reason}")
            if test["stderr"]:
                ElementTree.SubElement(case, "system-err").text = _xml("\n".join(test["stderr"]))
        for key, value in counts.items():
            suite.set(key, str(value))
        suite.set("time", f"{sum(test['ms'] or 0 for test in tests) / 1000:.3f}")
    for key in ("tests", "failures", "errors", "skipped"):
        top.set(key, str(sum(int(suite.get(key, "0")) for suite in top)))
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


def ktap(results: dict) -> str:
    """The whole run as KTAP, in the dialect of docs/design.md."""
    tests = results["tests"]
    several = len(results["hosts"]) > 1
    lines = ["KTAP version 1", f"1..{len(tests)}"]
    for number, test in enumerate(tests, 1):
        lines.append(f"# begin {test['id']}" + (f" on {test['host']}" if several else ""))
        lines += [f"# fact {key}={value}" for key, value in test["facts"].items()]
        lines += [f"# {evidence_line(entry)}" for entry in test["evidence"]]
        lines += [f"# note {note}" for note in test["notes"]]
        if not test["expected"]:
            lines.append(f"# replay: {test['replay']}")
        verdict, reason = test["verdict"], test["reason"] or ""
        words = [f"rule={test['rule']}"] if test["rule"] else []
        words += [f"cell={test['host']}", f"seed={test['seed']}", f"ms={test['ms'] or 0}"]
        if verdict in ("skip", "xfail") and test["expected"]:
            tail = f"SKIP {reason}" if verdict == "skip" else f"SKIP known: {reason}"
        elif verdict == "error" or (verdict != "fail" and not test["expected"]):
            tail = f"ERROR {'' if verdict == 'error' else verdict + ': '}{reason}"
        else:
            tail = " ".join(words)
        status = "ok" if test["expected"] else "not ok"
        lines.append(f"{status} {number} {test['id']} # {tail}")
    return "\n".join(line.replace("\n", " ") for line in lines) + "\n"


def write_all(results: dict, folder: Path) -> None:
    """Every view of a run, beside its record; each whole or not at all."""
    store.write_text(folder / "junit.xml", junit(results))
    store.write_text(folder / "results.ktap", ktap(results))
    from . import report

    for name, write in (("matrix.json", report.write_matrix_json), ("report.md", report.write_markdown),
                        ("report.html", report.write_html)):
        with store.replacing(folder / name) as temporary:
            write(results, temporary)
