# SPDX-License-Identifier: Apache-2.0
"""The agent's frames (docs/design.md, contract 3), told apart from console noise.

Every backend feeds the raw lines it reads to one `FrameParser`; what comes back are events::

    parser = FrameParser()
    for raw in lines:                      # bytes or str, with or without newline
        for event in parser.feed(raw):
            match event:
                case Start(id): ...
                case Out(id, text): ...
                case End() as end: end.exit, end.signal, end.limit, end.next, end.ms, end.taint
                case Noise(text, damaged): ...

A line that is not one whole frame with the right CRC is `Noise` and never believed. A frame behind noise on the
same line (the kernel printed without a newline) is still a whole frame, so it counts; a frame the kernel printed
into is damaged.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

NOISE_KEPT = 2000  # lines; the last ones, for the end of a crash matters most

_MARK = b"@assay "
_HEAD = re.compile(rb"@assay ([0-9a-f]{8}) ")


@dataclass(frozen=True)
class Hello:
    """The agent is there. `words`: agent, release, machine, kmsg, kvm, page, cpus, uptime_ms."""

    words: dict[str, str]


@dataclass(frozen=True)
class Start:
    """From here on everything belongs to the unit."""

    id: str


@dataclass(frozen=True)
class Out:
    """One line of the unit's stdout."""

    id: str
    text: str


@dataclass(frozen=True)
class Err:
    """One line of the unit's stderr, or a remark of the agent about it (`agent: …`)."""

    id: str
    text: str


@dataclass(frozen=True)
class Log:
    """A kernel log record that arrived while the unit ran; id `-`: outside of units. Level 4 is a warning, 3 an error."""

    id: str
    level: int
    text: str


@dataclass(frozen=True)
class End:
    """The test is over. Exactly one of exit, signal, limit (scaled milliseconds) and next is set.

    `next`: its process, that of a series, lives and goes on with the next test.
    """

    id: str
    exit: int | None = None
    signal: int | None = None
    limit: int | None = None
    next: int | None = None
    ms: int = 0
    taint: int = 0


@dataclass(frozen=True)
class Bye:
    """The job is done."""

    units: int


@dataclass(frozen=True)
class Noise:
    """A console line that is no frame. `damaged`: it looks like one, but its CRC or its form is wrong."""

    text: str
    damaged: bool = False


Event = Hello | Start | Out | Err | Log | End | Bye | Noise


def frame_line(body: str) -> bytes:
    """The line an agent would write for this body; for tests and tools."""
    raw = body.encode()
    return b"@assay %08x %s\n" % (zlib.crc32(raw), raw)


def _words(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def _end(uid: str, rest: str) -> End:
    words = _words(rest)
    how = [key for key in ("exit", "signal", "limit", "next") if key in words]
    if len(how) != 1:
        raise ValueError(f"end frame with {how or 'no'} reason")
    return End(uid, **{how[0]: int(words[how[0]])}, ms=int(words["ms"]), taint=int(words["taint"], 16))


def _event(body: str) -> Event:
    """The event of a body whose CRC is right; ValueError or KeyError when it is of another protocol."""
    kind, _, rest = body.partition(" ")
    if kind == "hello":
        return Hello(_words(rest))
    if kind == "bye":
        return Bye(int(_words(rest)["units"]))
    uid, _, rest = rest.partition(" ")
    if not uid:
        raise ValueError(f"{kind} frame without an id")
    if kind == "start":
        return Start(uid)
    if kind == "out":
        return Out(uid, rest)
    if kind == "err":
        return Err(uid, rest)
    if kind == "log":
        level, _, text = rest.partition(" ")
        return Log(uid, int(level), text)
    if kind == "end":
        return _end(uid, rest)
    raise ValueError(f"unknown frame {kind}")


@dataclass
class FrameParser:
    """Takes raw lines, gives events; keeps the last noise lines as evidence."""

    noise: deque[str] = field(default_factory=lambda: deque(maxlen=NOISE_KEPT))
    frames: int = 0
    damaged: int = 0

    def feed(self, line: bytes | str) -> list[Event]:
        """The events of one line: none (an empty line), one, or noise and the frame behind it."""
        raw = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
        raw = raw.rstrip(b"\r\n")
        at = raw.find(_MARK)
        while at >= 0:
            event = self._frame(raw[at:])
            if event:
                self.frames += 1
                return [*self._noise(raw[:at], damaged=_MARK in raw[:at]), event]
            at = raw.find(_MARK, at + 1)
        return self._noise(raw, damaged=_MARK in raw)

    def feed_all(self, lines: Iterable[bytes | str]) -> Iterator[Event]:
        """The events of many lines."""
        for line in lines:
            yield from self.feed(line)

    def _noise(self, raw: bytes, damaged: bool) -> list[Event]:
        text = raw.decode("utf-8", "backslashreplace")
        text = "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)
        if not text.strip():
            return []
        self.noise.append(text)
        self.damaged += damaged
        return [Noise(text, damaged)]

    @staticmethod
    def _frame(raw: bytes) -> Event | None:
        head = _HEAD.match(raw)
        if not head:
            return None
        body = raw[head.end():]
        if zlib.crc32(body) != int(head.group(1), 16):
            return None
        try:
            return _event(body.decode())
        except (ValueError, KeyError, UnicodeDecodeError):
            return None
