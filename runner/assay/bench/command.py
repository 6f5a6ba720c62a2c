# SPDX-License-Identifier: Apache-2.0
"""`make bench`: measures on two lab hosts, one whose clock counts instructions and one that does not, and compares."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..errors import AssayError
from ..lab import arm64, cache
from ..lab.cells import LabCell
from ..lab.cpio import Archive
from ..paths import OUT, shown
from . import curves, page
from .figures import Figure, commands, figures
from .measure import counted, run

CELL = "k7.2-max"


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(prog="make bench", description=__doc__)
    p.add_argument("--cell", default=CELL, help="cell of the lab (default: %(default)s)")
    p.add_argument("--runs", type=int, default=20, metavar="N", help="of each command; of QEMU 3 (default: %(default)s)")
    p.add_argument("--no-qemu", action="store_true", help="leave out QEMU on KVM in the cell, which takes most of the time")
    p.add_argument("--out", type=Path, default=OUT / "bench", metavar="DIR", help="default: %(default)s")
    return p


def show(rows: list[Figure]) -> None:
    """The table on the terminal."""
    table = Table(box=None, pad_edge=False)
    for name in ("figure", "unit"):
        table.add_column(name)
    for name in ("refvmm", "bare", "ratio", "target", "QEMU", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.figure, row.unit, *(f"{value:,.0f}" if value is not None else "" for value in (row.refvmm, row.bare)),
                      f"{row.ratio:.3f}" if row.ratio else "", f"{row.target:g}" if row.target is not None else "",
                      f"{row.qemu:,.0f}" if row.qemu is not None else "", {True: "met", False: "MISSED", None: ""}[row.good])
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def work(args: argparse.Namespace) -> int:
    """Measures, shows, writes."""
    if args.runs < 3:
        raise AssayError(f"--runs {args.runs}: fewer than 3 have no median to speak of")
    bundle = OUT / "build" / "bundle"
    programs = OUT / "build" / "bench" / "root"
    cell = replace(LabCell.load(args.cell), memory=2048, thp="never")  # THP would show one huge page as resident
    tree, qemu = (None, None) if args.no_qemu else arm64.qemu()

    def extra() -> Archive:
        archive = Archive()
        if tree:
            archive.tree(tree, "qemu")
        return archive

    one, icount = counted(cell)
    cache.say(f"counting instructions in {cell.name}")
    exact = run(one, bundle, programs, [*commands(None, args.runs, counted=True), *curves.commands(counted=True)],
                options=icount)
    cache.say(f"measuring time and memory in {cell.name}")
    timed = run(cell, bundle, programs, [*commands(qemu, args.runs, counted=False), *curves.commands(counted=False)],
                extra=extra())
    rows = figures(exact, counted=True) + figures(timed, counted=False)
    plots = curves.series(exact, timed)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "latest.json"
    for name, text in (("latest.json", json.dumps([row.row() for row in rows], indent=1) + "\n"),
                       ("curves.json", json.dumps([plot.row() for plot in plots], indent=1) + "\n"),
                       ("report.html", page.render(rows, plots, cell.name))):
        part = args.out / f"{name}.part"
        part.write_text(text, "utf-8")
        part.replace(args.out / name)
    show(rows)
    for plot in plots:
        if not plot.curve.log:
            print(f"{plot.curve.title}: {plot.slope(plot.refvmm):,.0f} {plot.unit} each"
                  + (f" (bare {plot.slope(plot.bare):,.0f})" if plot.bare else "") + f", the last of them {plot.bend:.2f} times that")
    missed = [row for row in rows if row.good is False]
    print(f"{len(rows)} figures, {len(missed)} targets missed; {shown(path)}, {shown(args.out / 'report.html')}")
    return 1 if missed else 0


def main() -> int:
    """Entry; one line on stderr when it could not be done."""
    try:
        return work(parser().parse_args())
    except AssayError as e:
        print(f"assay: {e}", file=sys.stderr)
        return e.exit_status
    except KeyboardInterrupt:
        print("assay: interrupted", file=sys.stderr)
        return 2
