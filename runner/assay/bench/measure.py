# SPDX-License-Identifier: Apache-2.0
"""Runs command lines under bench/meter on a lab host and collects what each cost."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import AssayError
from ..frames import End, Err, FrameParser, Out
from ..lab import cache
from ..lab.boot import HOME, boot
from ..lab.cells import LabCell
from ..lab.cpio import Archive

LIMIT_MS = 120_000
BOXED_LIMIT_MS = 600_000  # for the one run that begins when the box is all but full, on a busy machine


@dataclass(frozen=True)
class Command:
    """What is measured: `argv` in the folder of the bundle, `runs` times. 0: run once, not measured; what it says are facts.
    `box_s`: no further run begins after so many seconds; one is then enough, and none is no error. `at_once`: so many are
    started together, and their costs are added up."""

    name: str
    argv: tuple[str, ...]
    runs: int = 20
    box_s: int = 0
    at_once: int = 1

    @property
    def metered(self) -> tuple[str, ...]:
        """The command that runs and measures it."""
        if not self.runs:
            return self.argv
        how = str(self.runs) + (f"x{self.at_once}" if self.at_once > 1 else "") + (f":{self.box_s}" if self.box_s else "")
        return ("bench/meter", how, *self.argv)


@dataclass
class Cost:
    """Of each run: CPU time and wall time in ns, peak resident memory in KiB."""

    cpu_ns: list[int] = field(default_factory=list)
    wall_ns: list[int] = field(default_factory=list)
    rss_kib: list[int] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Median CPU time in ns; under -icount that is instructions."""
        return statistics.median(self.cpu_ns)

    @property
    def wall(self) -> float:
        """Median wall time in ns."""
        return statistics.median(self.wall_ns)

    @property
    def rss(self) -> int:
        """The largest peak in KiB."""
        return max(self.rss_kib)


def job(commands: Iterable[Command]) -> str:
    """The agent's job: one unit a command."""
    return "".join("\t".join(("run", c.name, str(BOXED_LIMIT_MS if c.box_s else LIMIT_MS), *c.metered)) + "\n"
                   for c in commands)


def counted(cell: LabCell) -> tuple[LabCell, tuple[str, ...]]:
    """The cell with one CPU whose clock counts instructions, and QEMU's options for it."""
    return replace(cell, cpus=1), ("-icount", "shift=0,sleep=off")


def run(cell: LabCell, bundle: Path, files: Path, commands: Sequence[Command], *, options: Sequence[str] = (),
        extra: Archive | None = None) -> dict[str, Cost]:
    """Boots the cell and measures. `files` is the folder of the benchmark's own programs; it becomes bench/."""
    more = extra or Archive()
    more.tree(files, f"{HOME}/bench")
    costs: dict[str, Cost] = {c.name: Cost() for c in commands}
    said: dict[str, list[str]] = {c.name: [] for c in commands}
    counts = {c.name: c.runs for c in commands}
    parser = FrameParser()
    with boot(cell, bundle, job(commands), extra=more, options=options) as host:
        for event in parser.feed_all(host.lines()):
            if isinstance(event, Out) and event.text.startswith("# fact "):
                key, _, value = event.text.removeprefix("# fact ").partition("=")
                costs[event.id].facts[key] = value
            elif isinstance(event, Out) and counts[event.id]:
                cpu, wall, rss = map(int, event.text.split())
                cost = costs[event.id]
                cost.cpu_ns.append(cpu)
                cost.wall_ns.append(wall)
                cost.rss_kib.append(rss)
            elif isinstance(event, Err):
                said[event.id].append(event.text)
            elif isinstance(event, End) and event.exit != 0:
                command = next(c for c in commands if c.name == event.id)
                if command.box_s:
                    cache.say(f"bench {event.id}: left out, for it did not end well: {' / '.join(said[event.id]) or event}")
                    continue
                raise AssayError(f"bench {event.id}: `{shlex.join(command.argv)}` did not end well: "
                                 f"{' / '.join(said[event.id]) or event}")
        outcome = host.wait()
    if not outcome.good:
        raise AssayError(f"bench: the host {cell.name} did not come to its end: {outcome.detail}")
    for c in commands:
        if c.box_s and not costs[c.name].cpu_ns:
            del costs[c.name]
        elif len(costs[c.name].cpu_ns) not in range(1 if c.box_s else c.runs, c.runs + 1):
            raise AssayError(f"bench {c.name}: {len(costs[c.name].cpu_ns)} of {c.runs} runs were measured")
    return costs
