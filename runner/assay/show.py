# SPDX-License-Identifier: Apache-2.0
"""`assay show`: everything recorded about one test, for reading."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from . import store
from .paths import ROOT, shown
from .plan import matches, unknown
from .views import evidence_line

_STYLE = {"pass": "bold green", "skip": "bold yellow", "xfail": "bold yellow", "xpass": "bold red", "fail": "bold red",
          "error": "bold magenta"}


def lines_of(test: dict, run: dict) -> Iterator[tuple[str, str]]:
    """(label, text) of everything the record has about a test; an empty label continues the one above."""
    yield "verdict", test["verdict"] + ("" if test["expected"] else "  (unexpected)")
    if test["reason"]:
        yield "reason", test["reason"]
    yield "on", test["host"] + (f", {test['ms']} ms" if test["ms"] is not None else "")
    yield "test", f"{test['file']}:{test['line']}"
    if test["rule"]:
        yield "rule", test["rule"]
    if test["tags"]:
        yield "tags", " ".join(test["tags"])
    yield "command", test["program"]
    yield "replay", test["replay"]
    if test.get("trace"):
        yield "trace", f"{len(test['trace'])} lines; --trace shows them"
    for label, found in (
            ("evidence", [evidence_line(entry) for entry in test["evidence"]]),
            ("facts", [f"{key} = {value}" for key, value in test["facts"].items()]),
            ("notes", test["notes"]),
            ("stderr", test["stderr"]),
            ("kernel log", [f"<{entry['level']}> {entry['text']}" for entry in test["log"]])):
        for number, line in enumerate(found):
            yield label if number == 0 else "", line
    yield "run", f"{run['id']}, {run['started']}, assay {run['assay_version']}"


def regions() -> list[tuple[str, int, int]]:
    """(name, base, size) of the board's windows, from abi/assay/board.h."""
    try:
        text = (ROOT / "abi/assay/board.h").read_text(encoding="utf-8")
    except OSError:
        return []
    return [(name, int(base, 16), int(size, 16))
            for name, base, size in re.findall(r"X\((\w+), (0x[0-9a-f]+)ULL, (0x[0-9a-f]+)ULL\)", text)]


def timeline(trace: list[str], board: list[tuple[str, int, int]]) -> Iterator[str]:
    """The recorder's lines with the time since the one before, and with names for addresses of the board."""
    before = None
    if not trace:
        yield "nothing recorded: the flight recorder is kept when a run of refvmm ends badly"
    for line in trace:
        when, _, what = line.partition(" ")
        try:
            now = float(when)
        except ValueError:
            yield line
            continue
        since = 0.0 if before is None else now - before
        before = now
        address = re.search(r"MMIO \w+ \d+ (0x[0-9a-f]+)", what)
        where = int(address[1], 16) if address else -1
        name = next((f"{region}+{where - base:#x}" for region, base, size in board if base <= where < base + size), "")
        yield f"{now:12.6f}  {since * 1e6:+10.0f} us  {what}" + (f"  [{name}]" if name else "")


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    folder = store.find_run(Path(args.out), args.run)
    results = store.read_results(folder)
    found = [test for test in results["tests"] if matches(args.test, test["id"])]
    if not found:
        raise unknown("test", args.test, [test["id"] for test in results["tests"]], f"in the run {shown(folder)}")
    if args.json:
        json.dump(found, sys.stdout, indent=1)
        print()
        return 0
    if args.trace:
        for test in found:
            print(test["id"])
            for line in timeline(test.get("trace") or [], regions()):
                print(f"  {line}")
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for test in found:
        console.print(Text(test["id"], style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in lines_of(test, results["run"]):
            style = _STYLE[test["verdict"]] if label == "verdict" else ""
            if console.soft_wrap:
                console.print(Text(f"  {label:10}  {text}"))
            else:
                table.add_row(f"  {label}", Text(text, style=style))
        if not console.soft_wrap:
            console.print(table)
        console.print()
    return 0
