# SPDX-License-Identifier: Apache-2.0
"""`make mutants`: builds the kernel with one fault after another, runs the tests on it, and says which turned red."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ..errors import AssayError
from ..lab import DEFAULT_CELL, cache
from ..paths import OUT, ROOT, shown
from . import record, tree

SEED = "0x5eed"
KILLED, SURVIVED = 0, 1


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    p.add_argument("ids", nargs="*", metavar="GLOB", help="id, glob or area: its.discard-noop, 'timer.*', sve")
    p.add_argument("--list", action="store_true", help="list the faults; nothing is built")
    p.add_argument("--all-tests", action="store_true", help="run every test on every mutant, not only its record's")
    p.add_argument("--keep", action="store_true", help="keep the rows of earlier runs for mutants that are not run now")
    p.add_argument("--source", type=Path, metavar="DIR", help="a kernel's source of your own (default: Debian's, in the cache)")
    p.add_argument("--objects", type=Path, metavar="DIR", help="folder of its objects (default: in the cache)")
    p.add_argument("--limit", type=float, default=600, metavar="SECONDS", help="of one mutant's tests (default: %(default)s)")
    p.add_argument("--out", type=Path, default=OUT / "mutants", metavar="DIR", help="default: %(default)s")
    return p


def _red(folder: Path) -> list[str]:
    """The tests of the run that were not as expected, worst first: a test that could not be run shows nothing."""
    try:
        results = json.loads((folder / "latest" / "results.json").read_text())
    except (OSError, ValueError) as e:
        raise AssayError(f"{shown(folder)}: the run left no results: {e}") from e
    red = {test["id"] for test in results["tests"]
           if not test["expected"] and not str(test.get("reason", "")).startswith("not run:")}
    return sorted(red)


def run_tests(image: Path, cell: str, globs: list[str], folder: Path, limit_s: float) -> tuple[list[str], str]:
    """Ids of the tests that were red on this kernel, and a remark."""
    argv = [sys.executable, str(ROOT / "assay"), "run", *globs, "--kernel", str(image), "--cell", cell or DEFAULT_CELL,
            "--seed", SEED, "--out", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    remark = ""
    with (folder / "run.log").open("w") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=ROOT)
        try:
            status = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            # the run ends in order, and what was recorded until then counts
            process.terminate()
            status = process.wait()
            remark = f"stopped after {limit_s:g} s"
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status not in (0, 1) and not remark:
        lines = [line for line in (folder / "run.log").read_text(errors="replace").splitlines() if line.strip()]
        raise AssayError(f"the tests could not be run on {image.name}: {lines[-1] if lines else 'no message'}")
    return _red(folder), remark


def survivor_text(mutant: record.Mutant) -> str:
    """What somebody has to look into."""
    return f"survived: {mutant.fault}; {mutant.file}"


class Table:
    """What was found; written after each mutant, so that a run that is broken off leaves what it has."""

    def __init__(self, path: Path, kept: set[str]) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if kept and path.exists():
            try:
                self.rows = [row for row in json.loads(path.read_text()) if row["id"] in kept]
            except (OSError, ValueError, TypeError, KeyError) as e:
                raise AssayError(f"{shown(path)}: is no table of mutants: {e}; remove it or leave --keep out") from e

    def add(self, mutant: record.Mutant, red: list[str], remark: str, seconds: float) -> None:
        """One mutant's row."""
        self.rows.append({"id": mutant.id, "area": mutant.area, "fault": mutant.fault, "killed_by": red}
                         | ({"remark": remark} if remark else {}))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.rows, indent=1) + "\n")
        part.replace(self.path)
        more = f" and {len(red) - 2} more" if len(red) > 2 else ""
        what = ", ".join(red[:2]) + more if red else survivor_text(mutant)
        print(f"{mutant.id:34} {len(red):3} red  {seconds:4.0f} s  {what}{'  (' + remark + ')' if remark else ''}", flush=True)

    def summary(self) -> int:
        """The last lines, and the exit status."""
        areas = Counter(row["area"] for row in self.rows)
        killed = Counter(row["area"] for row in self.rows if row["killed_by"])
        print("  ".join(f"{area} {killed[area]}/{count}" for area, count in areas.items()))
        print(f"{sum(areas.values())} mutants: {sum(killed.values())} killed, "
              f"{sum(areas.values()) - sum(killed.values())} survived; {shown(self.path)}")
        return KILLED if sum(areas.values()) == sum(killed.values()) else SURVIVED


def work(args: argparse.Namespace) -> int:
    """The command."""
    everything = record.load()
    mutants = record.select(everything, args.ids)
    if args.list:
        for mutant in mutants:
            print(f"{mutant.id:34} {mutant.fault}")
        return KILLED
    tree.need_tools()
    source = args.source or tree.fetch()
    objects = args.objects or cache.root() / "mutants" / "objects"
    kernel = tree.Tree(source, objects, os.cpu_count() or 1)
    images = args.out / "images"
    with kernel.lock():
        kernel.check(mutants)
        cache.say(f"building the kernel without a fault in {objects} (the first time about 4 minutes)")
        kernel.configure()
        base = kernel.build("base", images / "base")
        for cell in sorted({mutant.cell for mutant in mutants}):
            globs = sorted({glob for mutant in mutants if mutant.cell == cell for glob in mutant.tests})
            red, remark = run_tests(base, cell, [] if args.all_tests else globs, args.out / "runs" / f"base-{cell or DEFAULT_CELL}", args.limit)
            if red or remark:
                raise AssayError(f"red without a fault in the kernel, so nothing can be said: {', '.join(red[:4]) or remark}")
        kept = {m.id for m in everything} - {m.id for m in mutants} if args.keep else set()
        table = Table(args.out / "latest.json", kept)
        for mutant in mutants:
            began = time.monotonic()
            with kernel.fault(mutant):
                image = kernel.build(mutant.id, images / mutant.id)
            red, remark = run_tests(image, mutant.cell, [] if args.all_tests else list(mutant.tests),
                                    args.out / "runs" / mutant.id, args.limit)
            image.unlink()
            table.add(mutant, red, remark, time.monotonic() - began)
        return table.summary()


def main() -> int:
    """Entry; one line on stderr when it could not be done."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return work(parser().parse_args())
    except AssayError as e:
        print(f"assay: {e}", file=sys.stderr)
        return e.exit_status
    except KeyboardInterrupt:  # SIGTERM too: the source must not keep a fault
        print("assay: interrupted; what was found is in out/mutants/latest.json", file=sys.stderr)
        return 2
