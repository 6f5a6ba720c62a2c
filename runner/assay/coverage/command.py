# SPDX-License-Identifier: Apache-2.0
"""`make coverage`: lines and branches of refvmm that run in its unit tests and under the suites in the lab, merged by lcov."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..errors import AssayError
from ..job import lanes_of, unit_of
from ..lab import DEFAULT_CELL, cache
from ..lab.cells import LabCell
from ..paths import OUT, ROOT, shown
from ..tests import Test, load
from . import lab

BUILT = OUT / "build" / "coverage"
SEED = 0x5EED
HOSTS = 2  # of a cell at once
LINES, BRANCHES = 90.0, 75.0  # per cent, of all of refvmm/
# Tests, as globs, that reach parts of refvmm of their own. Of the rest, which start a machine and then drive KVM, one in eight.
OWN = ("board.*", "control.[!rf]*", "control.reset*", "control.*-add", "control.forbidden*@execve", "flash.*", "fwcfg.*",
       "hostile.*", "linux.uses_every_virtio_device", "pagesize.*huge*", "pcie.*msi*", "pl0*.*", "refvmm.[!rm]*", "stress.*",
       "timer.*host*", "virtio.*")
STARTS = ("gic", "pagesize", "pcie", "psci", "refvmm", "sve", "timer", "traps")
ONE_IN = 8
CELLS = {DEFAULT_CELL: OWN, "k6.12-gicv2": ("control.*@gicv2", "virtio.*pci*")}
RC = ("--rc", "lcov_branch_coverage=1", "--rc", "geninfo_unexecuted_blocks=1")


@dataclass
class File:
    """What lcov says of one source file."""

    name: str
    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    @property
    def line_percent(self) -> float:
        """Of its lines."""
        return 100.0 * self.lines_run / self.lines if self.lines else 100.0

    @property
    def branch_percent(self) -> float:
        """Of its branches."""
        return 100.0 * self.branches_run / self.branches if self.branches else 100.0


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(prog="make coverage", description=__doc__)
    p.add_argument("--cell", action="append", help=f"cell of the lab (repeatable; default: {DEFAULT_CELL} and k6.12-gicv2)")
    p.add_argument("--no-lab", action="store_true", help="only the native unit tests")
    p.add_argument("--out", type=Path, default=OUT / "coverage", metavar="DIR", help="default: %(default)s")
    return p


def _lcov(*words: str) -> None:
    done = subprocess.run(["lcov", "--quiet", *RC, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise AssayError(f"lcov {words[0]} failed: {said[-1] if said else 'no message'}")


def _capture(objects: Path, gcov: str, into: Path) -> None:
    _lcov("--capture", "--directory", str(objects), "--base-directory", str(ROOT), "--no-external", "--gcov-tool", gcov,
          "--output-file", str(into))


def _forget(objects: Path) -> None:
    for counters in objects.rglob("*.gcda"):
        counters.unlink()


def native(into: Path) -> None:
    """The unit tests."""
    cache.say("running the unit tests")
    _forget(BUILT / "native")
    subprocess.run([str(BUILT / "confine-gen")], stdout=subprocess.DEVNULL, check=True)
    for command in ([str(BUILT / "unit-tests")], [str(ROOT / "refvmm/tests/native.py"), str(BUILT / "native-refvmm")]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssayError(f"{Path(command[0]).name} fails: {(done.stdout or done.stderr).strip()[-200:]}")
    _capture(BUILT / "native", "gcov", into)


def chosen(cell: str) -> list[Test]:
    """The tests that are run in a cell for what they reach of refvmm."""
    tests = load(BUILT / "bundle")
    own = CELLS.get(cell, OWN)
    rest = [test for test in tests if test.suite in STARTS and "slow" not in test.tags and "stress" not in test.tags]
    sample = {test.id for test in rest[::ONE_IN]}
    return [test for test in tests if test.id in sample or any(fnmatchcase(test.id, glob) for glob in own)]


def in_cell(name: str, parts: list[Path], out: Path) -> None:
    """Tests in one cell, on two hosts at once; appends a tracefile a host to `parts`."""
    lanes = lanes_of([unit_of(test, SEED) for test in chosen(name)], HOSTS)
    cache.say(f"running {sum(map(len, lanes))} tests in {name}")
    cell = LabCell.load(name)
    with ThreadPoolExecutor(HOSTS) as pool:
        for n, (ran, files) in enumerate(pool.map(lambda units: lab.run(cell, BUILT / "bundle", BUILT / "tools", units), lanes)):
            cache.say(f"{ran} tests ran in {name}, {len(files)} files of counters")
            _forget(BUILT / "a64")
            for path, counters in files.items():
                (BUILT / "a64" / path).write_bytes(counters)
            parts.append(out / f"{name}.{n}.info")
            _capture(BUILT / "a64", "aarch64-linux-gnu-gcov", parts[-1])


def files_of(info: Path) -> list[File]:
    """lcov's tracefile, by source file."""
    found: list[File] = []
    for line in info.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            found.append(File(str(Path(value).relative_to(ROOT)) if value.startswith("/") else value))
        elif key in ("LF", "LH", "BRF", "BRH"):
            field = {"LF": "lines", "LH": "lines_run", "BRF": "branches", "BRH": "branches_run"}[key]
            setattr(found[-1], field, int(value))
    return found


def reasons() -> dict[str, str]:
    """coverage/rest.txt: `FILE: why some of it does not run`."""
    lines = (ROOT / "coverage" / "rest.txt").read_text().splitlines()
    pairs = (re.match(r"(refvmm/\S+): (.+)", line) for line in lines if line and not line.startswith("#"))
    return {pair.group(1): pair.group(2) for pair in pairs if pair}


def show(files: list[File], total: File) -> None:
    """The table: all that is below the target, with the reason, and the sum."""
    why = reasons()
    table = Table(box=None, pad_edge=False)
    table.add_column("file")
    table.add_column("lines", justify="right")
    table.add_column("branches", justify="right")
    table.add_column("why the rest does not run", ratio=1)
    low = [f for f in files if f.line_percent < LINES or f.branch_percent < BRANCHES]
    for f in [*sorted(low, key=lambda f: f.line_percent), total]:
        table.add_row(f.name, f"{f.line_percent:.1f} %", f"{f.branch_percent:.1f} %", why.get(f.name, ""))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def work(args: argparse.Namespace) -> int:
    """Runs, merges, shows, writes."""
    args.out.mkdir(parents=True, exist_ok=True)
    parts = [args.out / "native.info"]
    native(parts[0])
    for name in [] if args.no_lab else args.cell or CELLS:
        in_cell(name, parts, args.out)
    merged, wanted = args.out / "all.info", args.out / "refvmm.info"
    _lcov(*(word for part in parts for word in ("--add-tracefile", str(part))), "--output-file", str(merged))
    _lcov("--remove", str(merged), "*/refvmm/tests/*", "--output-file", str(wanted))
    files = files_of(wanted)
    total = File("refvmm", sum(f.lines for f in files), sum(f.lines_run for f in files),
                 sum(f.branches for f in files), sum(f.branches_run for f in files))
    subprocess.run(["genhtml", "--quiet", *RC, "--prefix", str(ROOT), "--output-directory", str(args.out / "html"), str(wanted)],
                   cwd=ROOT, capture_output=True, check=False)
    summary = {"lines": round(total.line_percent, 2), "branches": round(total.branch_percent, 2)}
    (args.out / "summary.json").write_text(json.dumps(summary) + "\n")
    show(files, total)
    good = total.line_percent >= LINES and total.branch_percent >= BRANCHES
    print(f"refvmm: {total.line_percent:.1f} % of {total.lines} lines, {total.branch_percent:.1f} % of {total.branches} branches"
          f"{'' if good else f'; wanted are {LINES:g} % and {BRANCHES:g} %'}; {shown(args.out)}/html/index.html")
    return 0 if good else 1


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
