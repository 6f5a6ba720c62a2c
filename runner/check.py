# SPDX-License-Identifier: Apache-2.0
"""`make check`: runs every step, keeps each one's log, adds up their counts.

A step is a command that closes with `N passed, N failed, N skipped`. A step
that fails does not stop the others; a step without that closing line, over its
time limit or with a non-zero status without a failed test counts as one failure.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from assay.lab import kernels
from assay.lab.cells import load_kernels

ROOT = Path(__file__).resolve().parent.parent
GUESTS = "linux.every_kernel_finds_its_devices"  # the lab's kernels under refvmm, with 1 and 8 CPUs
COUNTS = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


@dataclass
class Step:
    """One line of the summary."""

    name: str
    command: list[str]
    limit_s: int = 900
    kernel: str = ""  # one that the set-up builds: the step is skipped where that failed
    record: str = ""  # of the run that the step makes


def lab_step(cell: str, *tests: str, name: str = "", limit_s: int = 900, kernel: str = "") -> Step:
    """A run in one cell of the lab: the whole suite without the slow tests, or what `tests` says."""
    return Step(f"lab {cell}{name}", ["./assay", "run", "--cell", cell, "--counts", *tests], limit_s, kernel,
                record="out/latest/stream.jsonl")


def steps(make_targets: list[str]) -> list[Step]:
    """What `make check` does, cheapest first so that a slip shows early."""
    python = "/usr/bin/python3"
    return [
        Step("format", [python, "runner/lint.py", "format"]),
        *(Step(target, ["make", "-s", target]) for target in make_targets),
        Step("lint", [python, "runner/lint.py", "tidy"], 1200),
        lab_step("k6.12-max"),
        lab_step("k6.12-gicv2"),
        lab_step("k6.12-n1"),
        lab_step("k6.1-max"),
        lab_step("k7.2-max"),
        lab_step("k6.12-max", "--tag", "slow", name=" slow"),
        lab_step("guests-gicv3", GUESTS),
        lab_step("guests-gicv2", GUESTS),
        lab_step("guests-64k", GUESTS, kernel="built-6.12-64k"),
    ]


def left_behind(step: Step) -> str:
    """What the agent found in /tmp behind the last test: on a user's server it would have stayed."""
    found = re.findall(r"agent: left behind: ([^\s\"]+)", (ROOT / step.record).read_text(errors="replace"))
    return f"left behind on the host: {' '.join(found[:5])}" if found else ""


def run(step: Step, log: Path) -> tuple[int, int, int, float, str]:
    """Passed, failed, skipped, seconds and a remark. The log keeps all output."""
    start = time.monotonic()
    remark = ""
    if step.kernel and not kernels.cached(load_kernels()[step.kernel]):
        return 0, 0, 1, 0.0, f"the kernel {step.kernel} is not built: `lab/setup.sh check` says why"
    with log.open("wb") as out:
        child = subprocess.Popen(step.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = child.wait(step.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
            remark = f"over its limit of {step.limit_s} s"
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    text = log.read_text(errors="replace")
    found = COUNTS.findall(text)
    passed, failed, skipped = (int(n or 0) for n in found[-1]) if found else (0, 0, 0)
    if not found:
        remark = remark or f"printed no counts, exit status {status}"
    elif status != 0 and failed == 0:
        remark = remark or f"exit status {status} without a failed test"
    if step.record and not remark:
        remark = left_behind(step)
    if remark:
        failed += 1
    return passed, failed, skipped, time.monotonic() - start, remark


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "out/check", help="folder of the logs")
    parser.add_argument("--make", action="append", default=[], metavar="TARGET",
                        help="a make target that is a step; repeatable")
    parser.add_argument("--only", action="append", default=[], metavar="STEP",
                        help="run only this step; repeatable")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    known = steps(args.make)
    unknown = [name for name in args.only if name not in {step.name for step in known}]
    if unknown:
        print(f"check: no step is called {' or '.join(unknown)}; there are: "
              f"{', '.join(step.name for step in known)}", file=sys.stderr)
        return 2
    todo = [step for step in known if not args.only or step.name in args.only]
    total = [0, 0, 0]
    bad = []
    for step in todo:
        log = args.out / f"{step.name.replace(' ', '-')}.log"
        passed, failed, skipped, seconds, remark = run(step, log)
        total = [a + b for a, b in zip(total, (passed, failed, skipped))]
        word = "FAILED" if failed else "ok"
        print(f"{word:7}{step.name:22}{passed:6} passed {failed:4} failed {skipped:4} skipped"
              f"{seconds:8.1f} s  {remark}", flush=True)
        if failed:
            bad.append((step, log))
    for step, log in bad:
        print(f"\n--- {step.name}: last lines of {log}; again with: {' '.join(step.command)}")
        print("\n".join(log.read_text(errors="replace").splitlines()[-60:]))
    print(f"\n{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ncheck: interrupted", file=sys.stderr)
        sys.exit(130)
