# SPDX-License-Identifier: Apache-2.0
"""The end of a run on the terminal: the matrices' verdicts, the suites, what was unexpected, where the report is."""

from __future__ import annotations

from pathlib import Path

from .paths import shown
from .progress import clock, plural

_COLUMNS = (("pass", "green"), ("skip", "yellow"), ("xfail", "yellow"), ("fail", "bold red"), ("xpass", "bold red"),
            ("error", "bold magenta"))
LISTED_MAX = 20
SKIPS_MAX = 8
FEW_HOSTS = 2  # with more, only the counts of each matrix are shown


def by_suite(results: dict) -> list[tuple[str, str, dict[str, int], int, int]]:
    """(host, suite, counts of verdicts, unexpected, milliseconds) in the order of the run."""
    rows: dict[tuple[str, str], list] = {}
    for test in results["tests"]:
        row = rows.setdefault((test["host"], test["suite"]), [{}, 0, 0])
        row[0][test["verdict"]] = row[0].get(test["verdict"], 0) + 1
        row[1] += not test["expected"]
        row[2] += test["ms"] or 0
    return [(host, suite, *row) for (host, suite), row in rows.items()]


def suite_table(results: dict):  # noqa: ANN201
    """A table of suites; columns only for verdicts that occurred."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    several = len(results["hosts"]) > 1
    used = [(verdict, style) for verdict, style in _COLUMNS if results["totals"][verdict]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    if several:
        table.add_column("cell")
    table.add_column("suite")
    for verdict, _ in used:
        table.add_column(verdict, justify="right")
    table.add_column("time", justify="right")
    last = None
    for host, suite, counts, unexpected, ms in by_suite(results):
        cells = [Text("" if host == last else host)] if several else []
        last = host
        cells.append(Text(suite, style="bold red" if unexpected else ""))
        cells += [Text(str(counts.get(verdict, "")) if counts.get(verdict) else "·",
                       style=style if counts.get(verdict) else "dim") for verdict, style in used]
        cells.append(Text(f"{ms / 1000:.1f} s", style="dim"))
        table.add_row(*cells)
    return table


def matrix_overview(results: dict):  # noqa: ANN201
    """For many hosts: one line a host, the counts of verdicts of each matrix; below, the rows that deviate."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from .report.terminal import STYLES

    names = list(dict.fromkeys(matrix["name"] for host in results["hosts"] for matrix in host["matrices"]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("cell", *names):
        table.add_column(column)
    deviating: list[Text] = []
    for host in results["hosts"]:
        cells = {}
        for matrix in host["matrices"]:
            parts = [Text(f"{number} {word}", STYLES[word]) for word, number in matrix["counts"].items() if number]
            cells[matrix["name"]] = Text("\n").join(parts)
            deviating += [Text.assemble((f"  {row['id']}", "bold red"), (f"  {host['name']}  ", "dim"), row["reason"])
                          for row in matrix["rows"] if row["verdict"] == "deviates"]
        table.add_row(host["name"], *(cells.get(name, Text("")) for name in names))
    return Group(table, Text("Deviates", "bold"), *deviating, Text("")) if deviating else table


def counts(results: dict) -> str:
    """`N passed, N failed, N skipped`: everything unexpected failed, everything expected passed or was skipped."""
    failed = results["totals"]["unexpected"]
    skipped = sum(test["verdict"] == "skip" and test["expected"] for test in results["tests"])
    return f"{len(results['tests']) - failed - skipped} passed, {failed} failed, {skipped} skipped"


def skip_reasons(results: dict) -> list[tuple[str, int]]:
    """Why tests were skipped, as expected, the most frequent reason first; one line a capability."""
    found: dict[str, list[str]] = {}
    for test in results["tests"]:
        if test["verdict"] == "skip" and test["expected"]:
            key = test.get("needs") or test["reason"] or ""
            found.setdefault(key, []).append(test["reason"] or "")
    return sorted(((reasons[0], len(reasons)) for reasons in found.values()), key=lambda pair: -pair[1])


def last_line(results: dict) -> str:
    """`214 tests: 200 passed, 12 skipped, 2 failed; all as expected`."""
    totals = results["totals"]
    parts = [f"{totals[verdict]} {word}" for verdict, word in
             (("pass", "passed"), ("fail", "failed"), ("skip", "skipped"))]
    parts += [plural(totals[verdict], word) for verdict, word in
              (("xfail", "known failure"), ("xpass", "unexpected pass"), ("error", "error")) if totals[verdict]]
    verdict = "all as expected" if not totals["unexpected"] else f"{totals['unexpected']} unexpected"
    return f"{plural(totals['tests'], 'test')}: {', '.join(parts)}; {verdict}"


def show(results: dict, folder: Path, console) -> None:  # noqa: ANN001
    """Print it all."""
    from rich.text import Text

    from .report import terminal

    console.print()
    if len(results["hosts"]) > FEW_HOSTS:
        console.print(matrix_overview(results))
    else:
        console.print(terminal.verdict_tables(results))
    console.print(suite_table(results))
    if skips := skip_reasons(results):
        console.print(Text("Skipped, for", style="bold"))
        for reason, number in skips[:SKIPS_MAX]:
            console.print(Text(f"  {number:3}  {reason}"), soft_wrap=False)
        if len(skips) > SKIPS_MAX:
            console.print(Text(f"       and {len(skips) - SKIPS_MAX} more reasons: see the report"))
        console.print()
    unexpected = [test for test in results["tests"] if not test["expected"]]
    if unexpected:
        console.print(Text(f"Unexpected ({len(unexpected)}); run one again with", style="bold"))
        listed = [test for test in unexpected if not (test["reason"] or "").startswith("not run: ")]
        for test in listed[:LISTED_MAX]:
            console.print(Text.assemble("  ", test["replay"], ("  " + test["verdict"], "dim")), soft_wrap=True)
        if len(unexpected) > len(listed[:LISTED_MAX]):
            console.print(Text(f"  and {len(unexpected) - len(listed[:LISTED_MAX])} more: see the report"))
        console.print()
    run = results["run"]
    style = "bold red" if unexpected else "bold green"
    how = f"  ({clock(run['duration_s'])}, seed {run['seed']})"
    console.print(Text.assemble((last_line(results), style), (how, "dim")), soft_wrap=True)
    for name, what in (("report.html", "report"), ("results.json", "record")):
        if (folder / name).exists():
            console.print(Text(f"{what}  {shown(folder / name)}"), soft_wrap=True)


def plain(results: dict, folder: Path) -> list[str]:
    """The same for a pipe."""
    lines = []
    for host in results["hosts"]:
        for matrix in host["matrices"]:
            counts = matrix.get("counts") or {}
            said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
            if len(results["hosts"]) > FEW_HOSTS and counts.get("unknown") == len(matrix["rows"]):
                continue
            lines.append(f"matrix {matrix['name']} [{host['name']}]: {said}")
    lines.append(f"report: {shown(folder / 'report.html')}")
    lines.append(last_line(results))
    return lines
