# SPDX-License-Identifier: Apache-2.0
"""`assay matrix`: the decided matrices of a run on the terminal."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from . import store
from .errors import AssayError
from .paths import ROOT, shown
from .plan import unknown


def _across(args: Namespace) -> int:
    """Rows against the hosts of all runs named."""
    from . import across

    folders = [store.find_run(Path(args.out), run) for run in args.run or [None]]
    hosts, rows = across.gather([store.read_results(folder) for folder in folders], args.name)
    if not rows:
        raise AssayError(f"no run named has a decided matrix{f' {args.name}' if args.name else ''}")
    if args.json:
        json.dump({"hosts": hosts, "rows": rows}, sys.stdout, indent=1)
        print()
    else:
        print("\n".join(across.lines(hosts, rows)))
    return 0


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    if args.list:
        from . import judge

        for matrix in judge.load_matrices(ROOT / "matrices"):
            print(f"{len(matrix.rows):4} {matrix.name:12} {matrix.title}")
        return 0
    if len(args.run) > 1 and not args.across:
        raise AssayError("several runs are shown together with --across; name one, or add it")
    if args.across:
        return _across(args)
    folder = store.find_run(Path(args.out), args.run[0] if args.run else None)
    results = store.read_results(folder)
    names = {matrix["name"]: None for host in results["hosts"] for matrix in host["matrices"]}
    if not names:
        raise AssayError(f"the run {shown(folder)} has no decided matrix")
    if args.name and args.name not in names:
        raise unknown("matrix", args.name, names, f"in the run {shown(folder)}")
    hosts = [{**host, "matrices": [m for m in host["matrices"] if args.name in (None, m["name"])]}
             for host in results["hosts"]]
    if args.json:
        json.dump([{"host": host["name"], "matrices": host["matrices"]} for host in hosts], sys.stdout, indent=1)
        print()
        return 0
    from rich.console import Console

    from .report import terminal

    Console(highlight=False).print(terminal.verdict_tables({**results, "hosts": hosts}, unknown=True))
    return 0
