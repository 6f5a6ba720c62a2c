# SPDX-License-Identifier: Apache-2.0
"""What the engine asks of a backend, and a session over a process that both ssh and QEMU are."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from ..signals import signal_text

LINE_MAX = 64 * 1024


class SessionEnd(Exception):
    """The stream is at its end; the text says what is known about why."""


class Session(Protocol):
    """One boot, or one connection: lines come until SessionEnd."""

    def line(self, timeout: float) -> bytes | None:
        """The next line, None when none came within `timeout` seconds; SessionEnd when there will be no more."""

    def kill(self) -> None:
        """End it at once."""


class Backend(Protocol):
    """One ARM64 host."""

    name: str
    kind: str  # native, ssh, lab, qemu
    boot_limit_s: float  # from start to the agent's first frame
    time_scale: float
    artefacts: dict[str, str | None]  # kernel_package, qemu: known once the first session has begun

    def info(self) -> dict:
        """name, cell, kernel_package, has, time_scale, replay, qemu: what is known before anything runs."""

    def open(self) -> None:
        """Make ready for sessions; raises AssayError when there is no way to the host."""

    def start(self, job: str) -> Session:
        """Begin a session that runs the job; raises AssayError when it cannot."""

    def close(self) -> None:
        """Leave nothing behind."""


class QueueSession:
    """Lines that a thread reads from a blocking source, with a time limit for who waits for them."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=10_000)
        self._over = False
        self._pump_thread = threading.Thread(target=self._pump, args=(source,), daemon=True)
        self._pump_thread.start()

    def _pump(self, source: Iterable[bytes]) -> None:
        try:
            for line in source:
                self._lines.put(line)
                if self._over:
                    return
        except (OSError, ValueError):
            pass  # the source was closed under us: its end, which why() explains
        finally:
            if not self._over:
                self._lines.put(None)

    def line(self, timeout: float) -> bytes | None:
        """See Session."""
        try:
            raw = self._lines.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if raw is None:
            self._lines.put(None)
            raise SessionEnd(self.why())
        return raw

    def why(self) -> str:
        """What is known about the end of the source."""
        return ""

    def stop(self) -> None:
        """No more lines are wanted; call when the source was told to end."""
        self._over = True
        for _ in range(100):  # the pump may stand before a full queue
            with contextlib.suppress(queue.Empty):
                while True:
                    self._lines.get_nowait()
            self._pump_thread.join(timeout=0.05)
            if not self._pump_thread.is_alive():
                break

    def kill(self) -> None:
        """See Session."""
        self.stop()


class ProcessSession(QueueSession):
    """A session whose lines are the stdout of a process of its own group."""

    def __init__(self, argv: list[str], *, cwd: str | os.PathLike[str] | None = None, feed: str | None = None) -> None:
        self.process = subprocess.Popen(
            argv, cwd=cwd, stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self._stderr: deque[str] = deque(maxlen=40)
        self._stderr_thread = threading.Thread(target=self._pump_stderr, daemon=True)
        self._stderr_thread.start()
        if feed is not None:
            threading.Thread(target=self._feed, args=(feed.encode(),), daemon=True).start()
        out = self.process.stdout
        assert out
        super().__init__(iter(lambda: out.readline(LINE_MAX), b""))

    def _feed(self, data: bytes) -> None:
        assert self.process.stdin
        with contextlib.suppress(OSError):  # a process that died says so by its end
            self.process.stdin.write(data)
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _pump_stderr(self) -> None:
        assert self.process.stderr
        while line := self.process.stderr.readline(LINE_MAX):
            self._stderr.append(line.decode("utf-8", "replace").rstrip())

    def why(self) -> str:
        """How the process ended, and the last thing it said."""
        try:
            status = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "it closed its output but did not end"
        self._stderr_thread.join(timeout=1)
        said = next((line for line in reversed(self._stderr) if line.strip()), "")
        how = signal_text(-status) if status < 0 else f"exit status {status}"
        return f"{how}: {said}" if said else how

    def kill(self) -> None:
        """See Session."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=2)
        self.stop()
