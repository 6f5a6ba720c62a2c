# SPDX-License-Identifier: Apache-2.0
"""`assay diff`: what changed between two runs, and whether anything got worse."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from . import store
from .paths import shown
from .progress import failure_lines

_MATRIX_BAD = ("deviates",)
_MATRIX_GOOD = ("conforms", "exceeds")


def _rank(test: dict) -> int:
    """How good a verdict is: 0 unexpected, 1 says nothing, 2 good."""
    if not test["expected"]:
        return 0
    return 2 if test["verdict"] in ("pass", "xpass") else 1


def compare_tests(a: dict, b: dict, common: bool) -> list[dict]:
    """Tests that changed verdict, appeared or vanished; `common`: the hosts are matched by place, not by name."""
    def keyed(results: dict) -> dict[tuple[str, str], dict]:
        places = {host["name"]: str(i) if common else host["name"] for i, host in enumerate(results["hosts"])}
        return {(places[test["host"]], test["id"]): test for test in results["tests"]}

    before, after = keyed(a), keyed(b)
    changes = []
    for key in list(dict.fromkeys([*before, *after])):
        old, new = before.get(key), after.get(key)
        change = {"id": key[1], "host": (new or old or {})["host"], "from": old and old["verdict"],
                  "to": new and new["verdict"], "regression": False, "why": None}
        if old and new:
            if old["verdict"] == new["verdict"] and old["expected"] == new["expected"]:
                continue
            change["regression"] = _rank(new) < _rank(old)
            change["why"] = failure_lines(new, 1)[0] if _rank(new) < 2 else None
        elif new:
            change["regression"] = not new["expected"]
            change["why"] = failure_lines(new, 1)[0] if not new["expected"] else None
        changes.append(change)
    return changes


def compare_rows(a: dict, b: dict, common: bool) -> list[dict]:
    """Rows of matrices whose verdict or measured value changed."""
    def keyed(results: dict) -> dict[tuple[str, str], dict]:
        return {(str(i) if common else host["name"], row["id"]): {**row, "host": host["name"]}
                for i, host in enumerate(results["hosts"]) for matrix in host["matrices"] for row in matrix["rows"]}

    before, after = keyed(a), keyed(b)
    changes = []
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        if (old["verdict"], old["measured"]) == (new["verdict"], new["measured"]):
            continue
        worse = (new["verdict"] in _MATRIX_BAD and old["verdict"] not in _MATRIX_BAD)
        changes.append({"id": key[1], "host": new["host"], "from": old["verdict"], "to": new["verdict"],
                        "measured_from": old["measured"], "measured_to": new["measured"], "regression": worse,
                        "why": new["reason"]})
    return sorted(changes, key=lambda change: (change["host"], change["id"]))


def compare_facts(a: dict, b: dict, common: bool) -> list[dict]:
    """Facts of hosts that changed, appeared or vanished."""
    def keyed(results: dict) -> dict[tuple[str, str], str]:
        return {(str(i) if common else host["name"], key): value
                for i, host in enumerate(results["hosts"]) for key, value in host["facts"].items()
                if key != "agent.uptime_ms" and not key.startswith("stress.")}  # progress, no property of the host

    before, after = keyed(a), keyed(b)
    names = {str(i): host["name"] for i, host in enumerate(b["hosts"])}
    return [{"key": key[1], "host": names.get(key[0], key[0]), "from": before.get(key), "to": after.get(key)}
            for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]


def compare(a: dict, b: dict) -> dict:
    """Everything that changed from a to b."""
    names_a, names_b = ({host["name"] for host in results["hosts"]} for results in (a, b))
    # one host each, under other names: the same server before and after, or two cells held against each other
    common = not names_a & names_b and len(names_a) == len(names_b) == 1
    tests, rows = compare_tests(a, b, common), compare_rows(a, b, common)
    regressions = sum(change["regression"] for change in tests + rows)
    return {"a": a["run"]["id"], "b": b["run"]["id"], "tests": tests, "rows": rows,
            "facts": compare_facts(a, b, common), "regressions": regressions}


def _thinned(changes: list[dict], most: int = 10) -> tuple[list[dict], dict[tuple[str, str], int]]:
    """Without the long lists of what only one of the runs has; and how much that is, per host and side."""
    counts: dict[tuple[str, str], int] = {}
    shown_changes = []
    for change in changes:
        side = "the older" if change["to"] is None else "the newer" if change["from"] is None else ""
        if side and not change.get("regression"):
            key = (change["host"], side)
            counts[key] = counts.get(key, 0) + 1
            if counts[key] > most:
                continue
        shown_changes.append(change)
    return shown_changes, {key: number - most for key, number in counts.items() if number > most}


def _print(result: dict) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    def line(change: dict, extra: str = "") -> None:
        worse = change["regression"]
        mark, style = ("worse ", "bold red") if worse else ("      ", "")
        console.print(Text.assemble((mark, style), (change["id"], "bold"), (f" [{change['host']}]  ", "dim"),
                                    f"{change['from'] or 'absent'} → {change['to'] or 'absent'}{extra}",
                                    (f"  {change['why']}" if change["why"] else "", "dim")))

    for title, key in (("Tests", "tests"), ("Rows", "rows"), ("Facts", "facts")):
        changes = result[key]
        if not changes:
            continue
        console.print(Text(f"{title} ({len(changes)})", style="bold"))
        few, left_out = _thinned(changes)
        for change in sorted(few, key=lambda c: not c.get("regression", False)):
            if key == "facts":
                console.print(Text(f"      {change['key']} [{change['host']}]  "
                                   f"{change['from'] or 'absent'} → {change['to'] or 'absent'}"))
            elif key == "rows" and change["measured_from"] != change["measured_to"]:
                line(change, f"  ({change['measured_from']} → {change['measured_to']})")
            else:
                line(change)
        for (host, side), number in left_out.items():
            console.print(Text(f"      and {number} more that only {side} run has on {host}", style="dim"))
    total = len(result["tests"]) + len(result["rows"])
    if not total:
        console.print("no test and no row changed")
    console.print(Text(f"{result['a']} → {result['b']}: {total} changes, {result['regressions']} regressions",
                       style="bold red" if result["regressions"] else "bold green"))


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    out = Path(args.out)
    paths = [store.find_run(out, args.a), store.find_run(out, args.b)]
    if paths[0] == paths[1]:
        raise store.AssayError(f"both are the run {shown(paths[0])}: name two runs")
    result = compare(*(store.read_results(path) for path in paths))
    if args.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        _print(result)
    return 1 if result["regressions"] else 0
