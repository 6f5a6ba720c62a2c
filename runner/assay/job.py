# SPDX-License-Identifier: Apache-2.0
"""From tests to a job: the text the agent runs (docs/design.md, contract 3).

Most guests live for a few milliseconds and cost several times as much to start. So guests of one payload with the same
options are a series: one machine runs them one after another, and the agent tells them apart.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, groupby

from .errors import AssayError
from .tests import Test

# A unit's own limit is kept by the harness inside it, which says more than a kill does; the agent's comes later.
SLACK_MS = 3000
SERIES_MAX = 12  # tests in one machine
LONG_MS = 60_000  # the limit of tests that boot firmware or Linux, or hundreds of CPUs
ALONE = "alone"  # the tag of tests that want a machine of their own


@dataclass(frozen=True)
class Unit:
    """One test as a process on the ARM64 host."""

    test: Test
    argv: tuple[str, ...]
    limit_ms: int  # before the agent scales it by the host's time_scale

    series: tuple[str, ...] | None = None  # the process that may run others before and after it, ids to be added

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
    series = None
    if test.kind == "guest":
        append = f"test={test.id} seed={seed:#x}" + (f" time={time_ms}" if time_ms else "")
        machine = ("refvmm", *test.vmm, "--kernel", test.program, "--append")
        argv = (*machine, append)
        if not {"stress", ALONE} & set(test.tags) and test.limit_ms < LONG_MS:
            series = (*machine, f"series seed={seed:#x}")
    else:
        argv = (test.program, "--test", test.id, "--seed", f"{seed:#x}")
        if time_ms:
            argv += ("--time", str(time_ms))
    for word in argv:
        if "\t" in word or "\n" in word:
            raise AssayError(f"{test.file}:{test.line}: test {test.id}: a tab or newline in its options '{word!r}'")
    limit = test.limit_ms + SLACK_MS + (time_ms or 0)
    return Unit(test, argv, min(limit, 24 * 3600 * 1000), series)


# About how long a test takes in the default cell, in ms: of a suite that differs from the rest, and else of a kind.
_SUITE_MS = {"firmware": 4900, "linux": 690, "pl031": 860, "flash": 580, "memslot": 190, "control": 145, "nmi": 115,
             "pcie": 120, "virtio": 90, "api": 84, "saverestore": 78, "refvmm": 50}
_KIND_MS = {"host": 68, "guest": 28}


def _cost_ms(unit: Unit) -> int:
    """About how long it takes in the default cell; good enough to share tests among boots."""
    test = unit.test
    if "stress" in test.tags:
        return 2200
    if test.suite == "board" and test.limit_ms >= LONG_MS:
        return 2500  # hundreds of CPUs
    wide_guest = 50 if test.wide and test.kind == "guest" else 0
    return _SUITE_MS.get(test.suite, _KIND_MS[test.kind]) + wide_guest


def _key(unit: Unit) -> tuple:
    return (unit.series, unit.limit_ms, unit.test.wide)


def grouped(units: list[Unit]) -> list[list[Unit]]:
    """Units that share a process, in the order in which the first of each comes; most are alone."""
    groups: list[list[Unit]] = []
    open_: dict[tuple, list[Unit]] = {}
    for unit in units:
        group = open_.get(_key(unit)) if unit.series else None
        if group is None or len(group) == SERIES_MAX or any(unit.test.id == other.test.id for other in group):
            groups.append(group := [])
            open_[_key(unit)] = group
        group.append(unit)
    return groups


def lanes_of(units: list[Unit], count: int) -> list[list[Unit]]:
    """Share units among `count` boots of one host, always the same way; what shares a process stays together.

    The first takes all that want several CPUs, for the others have one; the rest is spread so that all end together.
    """
    lanes: list[list[Unit]] = [[] for _ in range(count)]
    weights = [0] * count
    weights[0] = sum(_cost_ms(unit) for unit in units if unit.test.wide)
    for group in grouped(units):
        lane = 0 if group[0].test.wide else weights.index(min(weights))
        lanes[lane] += group
        if not group[0].test.wide:
            weights[lane] += sum(map(_cost_ms, group))
    return [lane for lane in lanes if lane]


def _line(group: list[Unit]) -> str:
    first = group[0]
    if len(group) == 1 or first.series is None:
        return "".join(f"{unit.line}\n" for unit in group)
    ids = " ".join(unit.test.id for unit in group)
    return "\t".join(("series", ids, str(first.limit_ms), *first.series)) + "\n"


def job_text(units: Iterable[Unit]) -> str:
    """The job file, in the order of the units: of those side by side what can share a process does."""
    runs = (list(run) for _, run in groupby(units, _key))
    return "".join(map(_line, chain.from_iterable(map(grouped, runs))))
