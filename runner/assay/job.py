# SPDX-License-Identifier: Apache-2.0
"""From tests to a job: the text the agent runs (docs/design.md, contract 3)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import AssayError
from .tests import Test

# A unit's own limit is kept by the harness inside it, which says more than a kill does; the agent's comes later.
SLACK_MS = 3000


@dataclass(frozen=True)
class Unit:
    """One test as a process on the ARM64 host."""

    test: Test
    argv: tuple[str, ...]
    limit_ms: int  # before the agent scales it by the host's time_scale

    @property
    def line(self) -> str:
        """The unit's line of the job file."""
        return "\t".join(("run", self.test.id, str(self.limit_ms), *self.argv))

    @property
    def command(self) -> str:
        """The unit as it is typed on the host, in the folder of the bundle."""
        return shlex.join(self.argv)


def unit_of(test: Test, seed: int, time_ms: int | None = None) -> Unit:
    """The process that runs one test; `time_ms` lengthens tests that run by the clock (stress)."""
    if test.kind == "guest":
        append = f"test={test.id} seed={seed:#x}" + (f" time={time_ms}" if time_ms else "")
        argv = ("refvmm", *test.vmm, "--kernel", test.program, "--append", append)
    else:
        argv = (test.program, "--test", test.id, "--seed", f"{seed:#x}")
        if time_ms:
            argv += ("--time", str(time_ms))
    for word in argv:
        if "\t" in word or "\n" in word:
            raise AssayError(f"{test.file}:{test.line}: test {test.id}: a tab or newline in its options '{word!r}'")
    limit = test.limit_ms + SLACK_MS + (time_ms or 0)
    return Unit(test, argv, min(limit, 24 * 3600 * 1000))


def _cost_ms(unit: Unit) -> int:
    """About how long it takes in the default cell; good enough to share tests among boots."""
    test = unit.test
    if "stress" in test.tags:
        return 2200
    if test.limit_ms >= 60_000:
        return 1200 if test.wide else 5000  # the latter boot firmware or Linux
    return 330 if test.wide and test.kind == "guest" else 100


def lanes_of(units: list[Unit], count: int) -> list[list[Unit]]:
    """Share units among `count` boots of one host, always the same way, in order.

    The first takes all that want several CPUs, for the others have one; the rest is spread so that all end together.
    """
    lanes: list[list[Unit]] = [[] for _ in range(count)]
    weights = [0] * count
    weights[0] = sum(_cost_ms(unit) for unit in units if unit.test.wide)
    for unit in units:
        lane = 0 if unit.test.wide else weights.index(min(weights))
        lanes[lane].append(unit)
        if not unit.test.wide:
            weights[lane] += _cost_ms(unit)
    return [lane for lane in lanes if lane]


def job_text(units: Iterable[Unit]) -> str:
    """The job file."""
    return "".join(unit.line + "\n" for unit in units)
