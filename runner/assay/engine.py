# SPDX-License-Identifier: Apache-2.0
"""Runs a plan on one host: boots, watches, charges crashes and hangs to the test that ran, and goes on after them."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import frames
from .backends.base import Backend, Session, SessionEnd
from .errors import AssayError
from .job import Unit, job_text

CRASHES_MAX = 5
LIMITS_MAX = 3  # tests in a row that run into their limits: the host is at fault, a CPU of it hangs, say
TICK_S = 0.2


class Engine:
    """Drives one backend; everything that happens goes out as events (see collector.py)."""

    def __init__(self, backend: Backend, units: list[Unit], emit: Callable[[dict], None],
                 tick: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic,
                 grace_s: float = 20.0, key: str | None = None) -> None:
        self.backend = backend
        self.key = key or backend.name
        self.units = list(units)
        self.emit = emit
        self.tick = tick
        self.clock = clock
        self.grace_s = grace_s
        self.current: Unit | None = None
        self.behind: list[str] = []  # tests that the process of the next one has run already
        self.greeted = False
        self.bye = False
        self.limits = 0
        self.parser = frames.FrameParser()

    def run(self) -> None:
        """Until every unit ran, or the host is given up."""
        crashes = 0
        idle = 0  # sessions in a row that ran nothing
        while self.units:
            before = len(self.units)
            try:
                session = self.backend.start(job_text(self.units))
            except AssayError as e:
                self._give_up(str(e))
                return
            self._event("boot")
            if self.backend.artefacts:
                self._event("artefacts", **self.backend.artefacts)
            try:
                reason = self._session(session)
            finally:
                session.kill()
            if self.bye:
                self._event("closed", reason="the job ended", crash=False)
                if self.units:
                    self._give_up(f"the agent ended its job with {len(self.units)} of its tests left")
                return
            self._event("closed", reason=reason, crash=True)
            crashes += 1
            idle = idle + 1 if len(self.units) == before else 0
            if not self.greeted:
                self._give_up(f"{self.backend.name} did not come up: {reason}")
            elif idle >= 2:
                self._give_up(f"{self.backend.name} dies before it runs a test: {reason}")
            elif crashes >= CRASHES_MAX:
                self._give_up(f"{self.backend.name} went down {crashes} times")
            else:
                continue
            return

    def _give_up(self, reason: str) -> None:
        if self.units:
            self._event("giveup", reason=reason)
        self.units = []

    def _event(self, kind: str, **values: object) -> None:
        self.emit({"ev": kind, "host": self.key, **values})

    def _deadline(self, now: float) -> tuple[float, str]:
        """When silence means a hang, and how that is said."""
        scale = self.backend.time_scale
        if not self.greeted:
            return now + self.backend.boot_limit_s, "no sign of life within {:.0f} s of its start"
        if self.current is None:
            return now + 3 * self.grace_s * scale, "the host hung: nothing came for {:.0f} s"
        limit = self.current.limit_ms * scale / 1000 + self.grace_s * max(1.0, scale)
        return now + limit, "the host hung: no end of the test after {:.0f} s"

    def _session(self, session: Session) -> str:
        """Until the stream ends or the host hangs; returns why."""
        self.current, self.behind, self.greeted, self.bye, self.limits = None, [], False, False, 0
        began = self.clock()
        deadline, how = self._deadline(began)
        while True:
            self.tick()
            now = self.clock()
            if now >= deadline:
                session.kill()
                return how.format(deadline - began)
            try:
                line = session.line(min(TICK_S, deadline - now))
            except SessionEnd as e:
                return "the host went down" + (f" ({e})" if str(e) else "")
            if line is not None and self._line(line):
                began = self.clock()
                deadline, how = self._deadline(began)
            if self.bye:
                return "the job ended"
            if self.limits == LIMITS_MAX and self.units:
                session.kill()
                return f"{LIMITS_MAX} tests in a row ran into their limits, so the host was started anew"

    def _line(self, line: bytes) -> bool:
        """Take in one line; true when it moved the run on, so that a new deadline holds."""
        moved = [self._frame(event) for event in self.parser.feed(line)]
        return any(moved)

    def _frame(self, event: frames.Event) -> bool:
        match event:
            case frames.Noise(text, damaged):
                self._event("console", text=text, **({"damaged": True} if damaged else {}))
                return False
            case frames.Out(test_id, text):
                self._event("out", id=test_id, text=text)
                return False
            case frames.Err(test_id, text):
                self._event("err", id=test_id, text=text)
                return False
            case frames.Log(test_id, level, text):
                self._event("log", id=test_id, level=str(level), text=text)
                return False
            case frames.Hello(words):
                self.greeted = True
                self._event("hello", fields=words)
            case frames.Start(test_id):
                self._event("start", id=test_id, **({"behind": list(self.behind)} if self.behind else {}))
                self._consume(test_id)
            case frames.End() as end:
                if self.current is None or self.current.test.id != end.id:
                    self._consume(end.id)
                fields = {"exit": end.exit, "signal": end.signal, "limit": end.limit, "next": end.next, "ms": end.ms, "taint": end.taint}
                self._event("end", id=end.id, fields={key: n for key, n in fields.items() if n is not None})
                self.current = None
                self.limits = 0 if end.limit is None else self.limits + 1
                self.behind = [*self.behind, end.id] if end.next else []
            case frames.Bye(units):
                self.bye = True
                self._event("bye", units=units)
        return True

    def _consume(self, test_id: str) -> None:
        """The unit is running: it and those before it will not be run again."""
        for place, unit in enumerate(self.units):
            if unit.test.id == test_id:
                self.current = unit
                del self.units[:place + 1]
                return
