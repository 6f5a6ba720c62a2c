# SPDX-License-Identifier: Apache-2.0
"""A host made of scripts: each session is a list of lines, and how it ends."""

from __future__ import annotations

from assay.backends.base import SessionEnd
from assay.collector import Collector
from assay.engine import Engine
from assay.errors import AssayError
from assay.expect import Expectations, Known
from assay.frames import frame_line
from assay.job import Unit, unit_of
from assay.record import known_part
from assay.tests import Test

HANG = object()  # in a script: nothing comes any more


def make_test(name: str, suite: str = "s", kind: str = "host", **fields) -> Test:
    """A test as if it had been read from a program."""
    values = {"variant": None, "program": f"{kind}-tests/{suite}", "rule": "R-1", "file": "a.c", "line": 3, "tags": (),
              "limit_ms": 1000, "vmm": (), **fields}
    return Test(suite=suite, name=name, kind=kind, **values)


def frame(body: str) -> bytes:
    """A whole frame as the console shows it."""
    return frame_line(body)


def unit(test_id: str, *out: str, end: str = "exit=0 ms=5 taint=0x0") -> list[bytes]:
    """All frames of one unit; `out` are the lines behind the KTAP head."""
    lines = ["KTAP version 1", "1..1", f"# begin {test_id}", *out]
    return [frame(f"start {test_id}"), *(frame(f"out {test_id} {line}") for line in lines),
            frame(f"end {test_id} {end}")]


def passed(test_id: str) -> list[bytes]:
    """A unit that passes."""
    return unit(test_id, f"ok 1 {test_id}")


HELLO = frame("hello agent=1 release=6.12.95-test machine=aarch64 kvm=yes")
BYE = frame("bye units=1")


class Clock:
    """Time that passes only while nothing comes."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class ScriptedSession:
    """One session."""

    def __init__(self, lines: list, clock: Clock, why: str) -> None:
        self.lines = list(lines)
        self.clock = clock
        self.why = why
        self.killed = False

    def line(self, timeout: float) -> bytes | None:
        if not self.lines:
            raise SessionEnd(self.why)
        if isinstance(self.lines[0], float):  # so many seconds pass
            self.clock.now += self.lines.pop(0)
            return None
        if self.lines[0] is HANG:
            self.clock.now += max(timeout, 0.01)
            return None
        return self.lines.pop(0)

    def kill(self) -> None:
        self.killed = True


class ScriptedBackend:
    """A host that plays its sessions one after another, and keeps the jobs it was given."""

    kind = "native"
    boot_limit_s = 30.0
    artefacts: dict = {}

    def __init__(self, *sessions: list, name: str = "host", has: tuple[str, ...] = (), scale: float = 1.0,
                 why: str = "") -> None:
        self.sessions = [list(session) for session in sessions]
        self.name = name
        self.has = list(has)
        self.time_scale = scale
        self.why = why
        self.clock = Clock()
        self.jobs: list[list[str]] = []
        self.opened: list[ScriptedSession] = []

    def info(self) -> dict:
        return {"name": self.name, "cell": None, "kernel_package": None, "has": self.has, "time_scale": self.time_scale,
                "replay": ""}

    def open(self) -> None:
        pass

    def start(self, job: str) -> ScriptedSession:
        self.jobs.append([line.split("\t")[1] for line in job.splitlines()])
        if not self.sessions:
            raise AssayError("the host is gone for good")
        self.opened.append(ScriptedSession(self.sessions.pop(0), self.clock, self.why))
        return self.opened[-1]

    def close(self) -> None:
        pass


def units_of(*names: str, **fields) -> list[Unit]:
    """Units of tests of suite s."""
    return [unit_of(make_test(name, **fields), 0x5eed) for name in names]


def run(backend: ScriptedBackend, units: list[Unit],
        known: list[Known] | None = None) -> tuple[dict, Collector, list[dict]]:
    """Drive it; returns id -> entry, the collector, the events."""
    events: list[dict] = []
    collector = Collector({u.test.id: known_part(u, 0x5eed) for u in units}, Expectations(known or []))
    collector.add_host(backend.info(), [u.test.id for u in units])

    def emit(event: dict) -> None:
        events.append(event)
        collector.feed(event)

    Engine(backend, units, emit, clock=backend.clock).run()
    return {entry["id"]: entry for entry in collector.entries()}, collector, events
