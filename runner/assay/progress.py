# SPDX-License-Identifier: Apache-2.0
"""What a run shows while it goes on: a live line on a terminal, one line a failure in a pipe."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from .views import evidence_line

_MARK = {"fail": "✗", "error": "!", "xpass": "?", "skip": "?"}
_STYLE = {"fail": "bold red", "error": "bold magenta", "xpass": "bold yellow", "skip": "bold yellow"}


def clock(seconds: float) -> str:
    """`42 s`, `3:07`, `1:02:03`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def plural(number: int, word: str) -> str:
    """`1 test`, `2 tests`."""
    return f"{number} {word}" + ("" if number == 1 else "s")


def failure_lines(entry: dict, most: int = 3) -> list[str]:
    """What a failure has to say: its evidence with values first, else its reason."""
    valued = [line for line in entry["evidence"] if line["file"]]
    lines = [evidence_line(line) for line in valued[:most]]
    if len(valued) > most:
        lines.append(f"and {len(valued) - most} more failed expectations")
    if entry["reason"] and (not lines or entry["verdict"] != "fail"):
        lines.insert(0, entry["reason"])
    return lines or ["no evidence was printed"]


class Plain:
    """For pipes and files: failures as they come, each on one line; nothing else until the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout

    def say(self, text: str) -> None:
        """One line for the user."""
        print(text, file=self.stream, flush=True)

    def begin(self, total: int) -> None:
        """So many tests will run, over all hosts."""

    def host(self, name: str) -> None:
        """A host's turn."""

    def boot(self, count: int, lane: str) -> None:
        """A session begins in a lane."""

    def hello(self, name: str, fields: dict[str, str], seconds: float | None) -> None:
        """The host is there."""

    def start(self, test_id: str, lane: str) -> None:
        """A test runs in a lane."""

    def result(self, entry: dict) -> None:
        """A test has its verdict."""
        if not entry["expected"]:
            rule = f" rule={entry['rule']}" if entry["rule"] else ""
            self.say(f"{entry['verdict']}: {entry['id']} [{entry['host']}]{rule}: {'; '.join(failure_lines(entry))}; "
                     f"replay: {entry['replay']}")

    def abandoned(self, host: str, number: int, reason: str) -> None:
        """So many tests of a host will not run any more."""
        self.say(f"error: {plural(number, 'test')} [{host}]: {reason}")

    def tick(self) -> None:
        """Time passes."""

    def end(self) -> None:
        """No more tests."""


class Live(Plain):
    """For a terminal: failures scroll by above one live block with what runs, how far it is, how long it takes."""

    def __init__(self, console) -> None:  # noqa: ANN001: rich is imported only where it is shown
        from rich.live import Live as RichLive

        super().__init__()
        self.console = console
        self.total = self.done = self.failed = self.skipped = 0
        self.lanes: dict[str, str] = {}  # what each is doing
        self.where = ""
        self.began = time.monotonic()
        self.first: float | None = None
        self.shown_at = 0.0
        self.live = RichLive(console=console, auto_refresh=False, transient=True)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, total: int) -> None:
        self.total = total
        self.live.start()
        self._show(force=True)

    def host(self, name: str) -> None:
        self.where = name
        self._show(force=True)

    def boot(self, count: int, lane: str) -> None:
        self.lanes[lane] = "booting" if count == 1 else f"booting again ({count})"
        self._show(force=True)

    def hello(self, name: str, fields: dict[str, str], seconds: float | None) -> None:
        after = f", up after {seconds:.1f} s" if seconds is not None else ""
        self.say(f"{name}: Linux {fields.get('release', '?')}, {fields.get('cpus', '?')} CPUs{after}")

    def start(self, test_id: str, lane: str) -> None:
        self.first = self.first or time.monotonic()
        self.lanes[lane] = test_id
        self._show()

    def result(self, entry: dict) -> None:
        self.done += 1
        self.skipped += entry["verdict"] == "skip"
        if not entry["expected"]:
            from rich.text import Text

            self.failed += 1
            verdict = entry["verdict"]
            head = Text.assemble((f"{_MARK[verdict]} {verdict} ", _STYLE[verdict]), (entry["id"], "bold"),
                                 (f"  {entry['host']}" + (f"  {entry['rule']}" if entry["rule"] else ""), "dim"))
            self.console.print(head, soft_wrap=True)
            for line in failure_lines(entry):
                self.console.print(Text("    " + line), soft_wrap=True)
            self.console.print(Text("    replay: " + entry["replay"], style="dim"), soft_wrap=True)
        self._show()

    def abandoned(self, host: str, number: int, reason: str) -> None:
        from rich.text import Text

        self.done += number
        self.failed += number
        head = Text.assemble(("! error ", _STYLE["error"]), (plural(number, "test"), "bold"), (f"  {host}", "dim"))
        self.console.print(head, soft_wrap=True)
        self.say(f"    {reason}")

    def tick(self) -> None:
        self._show()

    def end(self) -> None:
        self.live.stop()

    def _show(self, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self.shown_at < 0.1:
            return
        self.shown_at = now
        self.live.update(self._block(now), refresh=True)

    def _left(self, now: float) -> str:
        if self.first is None or self.done < 5:
            return ""
        left = (now - self.first) / self.done * (self.total - self.done)
        return f"about {clock(max(1.0, left))} left" if self.done < self.total else ""

    def _block(self, now: float):  # noqa: ANN202
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counts = Text(f" {self.done}/{self.total} ")
        if self.failed:
            counts.append(f" {self.failed} unexpected", "bold red")
        if self.skipped:
            counts.append(f"  {self.skipped} skipped", "yellow")
        times = "  ".join(part for part in (clock(now - self.began), self._left(now)) if part)
        width = max(10, min(40, self.console.width // 3))
        top = Table.grid(padding=(0, 1), expand=True)
        top.add_column(width=width)
        top.add_column(no_wrap=True, ratio=1)
        top.add_column(justify="right", no_wrap=True)
        colour = "red" if self.failed else "green"
        bar = ProgressBar(total=max(1, self.total), completed=self.done, width=width, complete_style=colour,
                          finished_style=colour)
        top.add_row(bar, counts, Text(times, style="dim"))
        lines = [Text.assemble((f"{lane}  ", "dim"), (what, "dim" if what.startswith("booting") else ""), no_wrap=True,
                               overflow="ellipsis")
                 for lane, what in self.lanes.items() or {self.where: "starting"}.items()]
        return Group(top, *lines)
