# SPDX-License-Identifier: Apache-2.0
"""`make mutants`: builds the kernel with one fault after another, runs the tests on it, and says which turned red."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ..errors import AssayError
from ..lab import DEFAULT_CELL, cache
from ..paths import BUNDLE, OUT
from . import record, tree
from .table import Table
from .trial import Trials, Verdict

AHEAD = 2  # kernels that may wait for their tests: building and testing go on side by side
KILLED = 0


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    p.add_argument("ids", nargs="*", metavar="GLOB", help="id, glob or area: its.discard-noop, 'timer.*', sve")
    p.add_argument("--list", action="store_true", help="list the faults; nothing is built")
    p.add_argument("--all-tests", action="store_true",
                   help="run every test on every mutant (default: only on those that the record's tests leave alive)")
    p.add_argument("--own-tests", action="store_true", help="run only the record's tests, survivors or not")
    p.add_argument("--keep", action="store_true",
                   help="keep the rows of earlier runs; without a GLOB only what has no killer yet is run (so a run that "
                        "was broken off goes on)")
    p.add_argument("--together", type=int, default=1, metavar="N",
                   help="up to N faults of different areas in one kernel, each told by its own record's tests: quicker, and "
                        "one that nothing noticed is tried alone (default: %(default)s)")
    p.add_argument("--source", type=Path, metavar="DIR", help="a kernel's source of your own (default: Debian's, in the cache)")
    p.add_argument("--objects", type=Path, metavar="DIR", help="folder of its objects (default: in the cache)")
    p.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="of one mutant's tests (default: %(default)s)")
    p.add_argument("--out", type=Path, default=OUT / "mutants", metavar="DIR", help="default: %(default)s")
    return p


def _tell(mutant: record.Mutant, verdict: Verdict, table: Table) -> None:
    table.add(mutant, verdict)
    red = verdict.red
    more = f" and {len(red) - 2} more" if len(red) > 2 else ""
    what = ", ".join(red[:2]) + more if red else f"survived: {mutant.fault}; {mutant.file}"
    print(f"{mutant.id:34} {len(red):3} red  {verdict.seconds:4.0f} s  {what}{verdict.remark and f'  ({verdict.remark})'}",
          flush=True)


def _each(groups: list[list[record.Mutant]], kernel: tree.Tree, trials: Trials, table: Table, images: Path) -> None:
    """Builds one kernel while the one before it is tried. A fault that nothing noticed beside others is tried alone."""
    todo: deque[tuple[list[record.Mutant], Path, Future[list[Verdict]]]] = deque()
    waiting = deque(groups)
    pool = ThreadPoolExecutor(max_workers=1)

    def finish() -> None:
        group, image, future = todo[0]
        for mutant, verdict in zip(group, future.result()):
            if len(group) > 1 and not verdict.red:
                waiting.append([mutant])
            else:
                _tell(mutant, verdict, table)
        todo.popleft()
        image.unlink()

    try:
        while waiting or todo:
            while len(todo) >= AHEAD or (todo and not waiting):
                finish()
            if waiting:
                group = waiting.popleft()
                name = group[0].id if len(group) == 1 else f"together-{group[0].id}"
                with kernel.faults(group):
                    image = kernel.build(name, images / name)
                todo.append((group, image, pool.submit(trials.judge, group, image)))
    finally:
        trials.stop()
        pool.shutdown(wait=True, cancel_futures=True)


def work(args: argparse.Namespace) -> int:
    """The command."""
    everything = record.load()
    mutants = record.select(everything, args.ids)
    if args.list:
        for mutant in mutants:
            print(f"{mutant.id:34} {mutant.fault}")
        return KILLED
    tree.need_tools()
    table = Table(args.out / "latest.json", everything if args.keep else [])
    if args.keep and not args.ids:
        mutants = [mutant for mutant in mutants if not table.killed(mutant)]
    source = args.source or tree.fetch()
    kernel = tree.Tree(source, args.objects or cache.root() / "mutants" / "objects", os.cpu_count() or 1)
    images = args.out / "images"
    with kernel.lock():
        kernel.check(mutants)
        cache.say(f"building the kernel without a fault in {kernel.objects} (the first time about 4 minutes)")
        kernel.configure()
        base = kernel.build("base", images / "base")
        trials = Trials(args.out, base, BUNDLE, args.limit, every=args.all_tests, own_only=args.own_tests)
        began = time.monotonic()
        try:
            for cell in dict.fromkeys(mutant.cell for mutant in mutants):
                red = trials.unsound(cell or DEFAULT_CELL, [m for m in mutants if m.cell == cell])
                if red:
                    cache.say(f"{cell or DEFAULT_CELL}: red without a fault, so never counted: {', '.join(sorted(red))}")
            _each(record.groups(mutants, args.together), kernel, trials, table, images)
        finally:
            shutil.rmtree(trials.store, ignore_errors=True)
        print(f"{len(mutants)} tried in {time.monotonic() - began:.0f} s", flush=True)
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
        print("assay: interrupted; what was found is in out/mutants/latest.json, and --keep goes on from there",
              file=sys.stderr)
        return 2
