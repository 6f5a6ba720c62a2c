# SPDX-License-Identifier: Apache-2.0
"""Running tests on a kernel with a fault, and on the one without: what is red only with the fault was turned red by it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AssayError
from ..judge.decide import matches
from ..lab import DEFAULT_CELL
from ..lab.kernels import OWN_STORE
from ..paths import ROOT, shown
from .record import Mutant

SEED = "0x5eed"


@dataclass(frozen=True)
class Verdict:
    """What the tests said of one mutant."""

    red: list[str]
    cell: str
    whole: bool = False  # the whole suite was run on it
    remark: str = ""
    seconds: float = 0.0


@dataclass
class Ran:
    """One run: what was red, and whether it came to its end."""

    red: list[str]
    remark: str = ""


def red_of(folder: Path) -> list[str]:
    """The tests of the run that were not as expected: one that could not be run shows nothing."""
    try:
        results = json.loads((folder / "latest" / "results.json").read_text())
    except (OSError, ValueError) as e:
        raise AssayError(f"{shown(folder)}: the run left no results: {e}") from e
    return sorted({test["id"] for test in results["tests"]
                   if not test["expected"] and not str(test.get("reason", "")).startswith("not run:")})


def _digest(path: Path) -> str:
    sums = hashlib.sha256()
    for file in sorted(p for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()):
        sums.update(str(file.relative_to(path) if path.is_dir() else "").encode() + b"\0" + file.read_bytes())
    return sums.hexdigest()


@dataclass
class Trials:
    """All that is needed to try kernels one after another."""

    out: Path
    base: Path  # the image without a fault
    bundle: Path
    limit_s: float
    every: bool = False  # the whole suite at once
    own_only: bool = False  # never the whole suite
    store: Path = field(init=False)
    _globs: dict[str, list[str]] = field(init=False, default_factory=dict)  # of each cell, what the base was run with
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _stopped: threading.Event = field(init=False, default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.store = self.out.resolve() / "kernels"
        self._base_key = hashlib.sha256((_digest(self.base) + _digest(self.bundle)).encode()).hexdigest()

    def stop(self) -> None:
        """No more runs; the one that goes on ends."""
        self._stopped.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def _run(self, image: Path, cell: str, words: Sequence[str], name: str) -> Ran:
        folder = self.out / "runs" / name
        folder.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, str(ROOT / "assay"), "run", *words, "--kernel", str(image), "--cell", cell, "--seed", SEED,
                "--out", str(folder)]
        remark = ""
        with (folder / "run.log").open("w") as log:
            if self._stopped.is_set():
                raise AssayError("interrupted")
            self._process = process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                                       cwd=ROOT, env=os.environ | {OWN_STORE: str(self.store)})
            try:
                status = process.wait(timeout=self.limit_s)
            except subprocess.TimeoutExpired:
                # the run ends in order, and what was recorded until then counts
                process.terminate()
                status = process.wait()
                remark = f"stopped after {self.limit_s:g} s"
        if self._stopped.is_set():
            raise AssayError("interrupted")
        if status not in (0, 1) and not remark:
            lines = [line for line in (folder / "run.log").read_text(errors="replace").splitlines() if line.strip()]
            raise AssayError(f"the tests could not be run on {image.name}: {lines[-1] if lines else 'no message'}")
        return Ran(red_of(folder), remark)

    def _base_red(self, cell: str, words: Sequence[str]) -> set[str]:
        """What is red without a fault; known from an earlier run when neither kernel nor programs have changed since."""
        path = self.out / "base.json"
        key = f"{self._base_key} {cell} {' '.join(words)}"
        known: dict[str, list[str]] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(path.read_text())
        if key not in known:
            ran = self._run(self.base, cell, words, f"base-{cell}")
            if ran.remark:
                raise AssayError(f"{cell}: the tests on the kernel without a fault: {ran.remark}; give more with --limit")
            known = {old: red for old, red in known.items() if old.startswith(self._base_key)} | {key: ran.red}
            path.write_text(json.dumps(known, indent=1) + "\n")
        return set(known[key])

    def _own(self, mutants: Sequence[Mutant]) -> list[str]:
        return [] if self.every else sorted({glob for mutant in mutants for glob in mutant.tests})

    def unsound(self, cell: str, mutants: Sequence[Mutant]) -> set[str]:
        """Tests that these mutants would be held against, and that are red without any fault."""
        self._globs[cell] = self._own(mutants)
        return self._base_red(cell, self._globs[cell])

    def judge(self, mutants: Sequence[Mutant], image: Path) -> list[Verdict]:
        """Of each fault in the kernel: what of its record's own tests is red. When a fault that is alone in it has none,
        the whole suite is run; one that is not stays open."""
        began = time.monotonic()
        cell = mutants[0].cell or DEFAULT_CELL
        ran = self._run(image, cell, self._own(mutants), image.name)
        red = set(ran.red) - self._base_red(cell, self._globs[cell])
        whole, remark = self.every, ran.remark
        if not red and not whole and not self.own_only and len(mutants) == 1:
            unsound = self._base_red(cell, [])
            words = [word for glob in mutants[0].tests for word in ("--exclude", glob)]
            ran = self._run(image, cell, words, f"{image.name}-whole")
            red, whole, remark = set(ran.red) - unsound, True, ran.remark
        seconds = (time.monotonic() - began) / len(mutants)
        if len(mutants) == 1:
            return [Verdict(sorted(red), cell, whole, remark, seconds)]
        if not remark:
            remark = f"{len(mutants)} faults in one kernel"
        return [Verdict(sorted(t for t in red if any(matches(glob, t) for glob in mutant.tests)), cell, False, remark, seconds)
                for mutant in mutants]
