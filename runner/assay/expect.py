# SPDX-License-Identifier: Apache-2.0
"""What was to be expected: capabilities a cell has, faults and warnings of known kernels (matrices/known.toml)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import AssayError
from .paths import shown
from .verdict import Verdict

_TERM = re.compile(r"(<=|>=|==|<|>)\s*(\d+(?:\.\d+){0,3})")


def kernel_version(release: str) -> tuple[int, ...]:
    """The numbers a kernel release begins with: `6.12.95+deb13-cloud` is (6, 12, 95)."""
    found = re.match(r"\d+(?:\.\d+)*", release)
    return tuple(int(part) for part in found.group(0).split(".")) if found else ()


def in_range(release: str, kernels: str) -> bool:
    """Whether a release is in a range like `>=6.1,<6.13`; `*` is every kernel."""
    if kernels.strip() == "*":
        return True
    version = kernel_version(release)
    for term in kernels.split(","):
        found = _TERM.fullmatch(term.strip())
        if not found:
            raise ValueError(term.strip())
        sign, bound = found.group(1), tuple(int(part) for part in found.group(2).split("."))
        size = max(len(version), len(bound))
        a, b = (v + (0,) * (size - len(v)) for v in (version, bound))
        if sign == "==" and version[:len(bound)] != bound:
            return False
        if sign in ("<", "<=", ">", ">=") and not {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]:
            return False
    return True


@dataclass(frozen=True)
class Known:
    """A fault of a range of kernels: the test fails there, and that is what is expected."""

    test: str  # glob of test ids
    kernels: str  # ">=6.1,<6.13"
    cells: tuple[str, ...]  # globs of cell or host names
    source: str  # the commit or report that says so
    reason: str

    def covers(self, test_id: str, host: str, release: str | None) -> bool:
        """Whether this entry speaks about the test on this host."""
        return (fnmatchcase(test_id, self.test) and any(fnmatchcase(host, glob) for glob in self.cells)
                and (self.kernels == "*" or (release is not None and in_range(release, self.kernels))))


@dataclass(frozen=True)
class Warned:
    """A WARN() of a range of kernels that may fire while any test runs and says nothing about it."""

    site: str  # "ctx_sched_in", the function as the kernel's line names it
    kernels: str
    source: str
    reason: str


_WARNING = re.compile(r"WARNING: CPU: \d+ PID: \d+ at \S+ (\w+)\+0x")


class Expectations:
    """Turns a verdict into whether it is as expected, and fail into xfail, pass into xpass where a fault is known."""

    def __init__(self, known: list[Known], warned: list[Warned] | None = None) -> None:
        self.known = known
        self.warned = warned or []

    def to_json(self) -> list[dict]:
        """The tables as plain data, for the stream."""
        return [asdict(entry) for entry in (*self.known, *self.warned)]

    @classmethod
    def from_json(cls, entries: list[dict]) -> Expectations:
        """The tables as a stream kept them."""
        return cls([Known(**{**entry, "cells": tuple(entry["cells"])}) for entry in entries if "test" in entry],
                   [Warned(**entry) for entry in entries if "site" in entry])

    def excuse(self, log: list[dict], release: str | None) -> str | None:
        """Why all the warnings in a kernel log are known ones, or None. A log without a warning excuses nothing."""
        sites = [found.group(1) for entry in log if (found := _WARNING.search(entry["text"]))]
        reasons = {}
        for site in sites:
            for entry in self.warned:
                if entry.site == site and (entry.kernels == "*" or (release and in_range(release, entry.kernels))):
                    reasons[site] = f"{site}: {entry.reason} ({entry.source})"
        return "; ".join(reasons.values()) if sites and all(site in reasons for site in sites) else None

    def apply(self, test_id: str, verdict: Verdict, host: str, has: list[str],
              release: str | None) -> tuple[str, bool, str | None]:
        """(verdict, expected, reason) as results.json has them."""
        if verdict.verdict in ("pass", "fail"):
            for entry in self.known:
                if entry.covers(test_id, host, release):
                    if verdict.verdict == "fail":
                        return "xfail", True, f"{entry.reason} ({entry.source})"
                    return "xpass", False, f"passes although known to fail: {entry.reason} ({entry.source})"
        if verdict.verdict == "skip":
            lacks = [cap for cap in (verdict.needs or "").split(",") if cap]
            if lacks and all(cap in has for cap in lacks):
                return "skip", False, f"{verdict.reason} (but {host} has {', '.join(lacks)})"
            return "skip", True, verdict.reason
        return verdict.verdict, verdict.verdict == "pass", verdict.reason


def load_known(path: Path) -> Expectations:
    """Read known.toml: `[[known]]` tables with test, source, reason, perhaps kernels and cells; `[[warning]]` likewise."""
    import tomllib

    if not path.exists():
        return Expectations([])
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise AssayError(f"{shown(path)}: {e}") from e
    if set(data) - {"known", "warning"} or not all(isinstance(table, list) for table in data.values()):
        raise AssayError(f"{shown(path)}: only [[known]] and [[warning]] tables may stand in it")
    found = []
    for number, entry in enumerate(data.get("known", []), 1):
        where = f"{shown(path)}: entry {number}"
        values = {"cells": ["*"], "kernels": "*", **entry} if isinstance(entry, dict) else {}
        cells = values.pop("cells", None)
        _check(where, values, "test")
        if not isinstance(cells, list) or not all(isinstance(cell, str) and cell for cell in cells):
            raise AssayError(f"{where}: cells is a list of globs")
        found.append(Known(**values, cells=tuple(cells)))
    warned = []
    for number, entry in enumerate(data.get("warning", []), 1):
        values = {"kernels": "*", **entry} if isinstance(entry, dict) else {}
        _check(f"{shown(path)}: warning {number}", values, "site")
        warned.append(Warned(**values))
    return Expectations(found, warned)


def _check(where: str, values: dict, subject: str) -> None:
    """An entry has the texts it must have, and a range of kernels that can be read."""
    if set(values) != {subject, "kernels", "source", "reason"}:
        more = " and cells" if subject == "test" else ""
        raise AssayError(f"{where}: wants {subject}, source and reason, and perhaps kernels{more}; nothing else")
    if not all(isinstance(value, str) and value for value in values.values()):
        raise AssayError(f"{where}: {subject}, kernels, source and reason are texts")
    try:
        in_range("6.12", values["kernels"])
    except ValueError as e:
        raise AssayError(f"{where}: kernels '{values['kernels']}': '{e}' is no term like >=6.1 or <6.13") from e
