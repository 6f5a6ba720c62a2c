# SPDX-License-Identifier: Apache-2.0
"""The records mutants/AREA.toml: one table a fault, put into the kernel's source by search and replace."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AssayError
from ..paths import ROOT, shown

FOLDER = ROOT / "mutants"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEXTS = {"fault": True, "file": True, "search": True, "replace": True, "cell": False}


@dataclass(frozen=True)
class Mutant:
    """One fault: in `file` of the kernel's source, `search` becomes `replace`."""

    id: str  # AREA.NAME
    area: str
    fault: str
    file: str
    search: str
    replace: str
    tests: tuple[str, ...]  # globs of the tests that ought to notice
    cell: str  # of the lab; empty: the default cell
    alone: bool = False  # it reaches tests of other faults too: never in one kernel with others

    def mutated(self, text: str) -> str:
        """The file's text with the fault in it."""
        found = text.count(self.search)
        if found != 1:
            raise AssayError(f"mutant {self.id}: its search text is {found} times in {self.file}, wanted once; "
                             f"correct mutants/{self.area}.toml")
        return text.replace(self.search, self.replace)


def _globs(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(glob, str) and glob for glob in value):
        raise AssayError(f"{where}: tests = {value!r}: wanted a list of globs of tests")
    return tuple(value)


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise AssayError(f"{where}: alone = {value!r} is neither true nor false")
    return value


def _mutant(where: str, area: str, name: str, table: dict[str, Any], tests: tuple[str, ...]) -> Mutant:
    if not _ID.fullmatch(name):
        raise AssayError(f"{where}: the name {name!r} is not of the form words-with-dashes")
    for key in table:
        if key not in _TEXTS and key not in ("tests", "alone"):
            raise AssayError(f"{where}: unknown key {key!r}; known are {', '.join(_TEXTS)}, tests, alone")
    for key, must in _TEXTS.items():
        if key not in table:
            if must:
                raise AssayError(f"{where}: the key {key!r} is missing")
        elif not isinstance(table[key], str):
            raise AssayError(f"{where}: {key} = {table[key]!r} is no text")
    for key in ("fault", "file", "search"):
        if not table[key].strip():
            raise AssayError(f"{where}: {key} is empty")
    if table["search"] == table["replace"]:
        raise AssayError(f"{where}: search and replace are the same, so there is no fault")
    if table["file"].startswith("/") or ".." in Path(table["file"]).parts:
        raise AssayError(f"{where}: file = {table['file']!r} is not a path inside the kernel's source")
    if "tests" in table:
        tests = _globs(where, table["tests"])
    return Mutant(f"{area}.{name}", area, table["fault"], table["file"], table["search"], table["replace"], tests,
                  table.get("cell", ""), _flag(where, table.get("alone", False)))


def load_file(path: Path) -> list[Mutant]:
    """The faults of one area, in the file's order."""
    try:
        with path.open("rb") as stream:
            data = tomllib.load(stream)
    except OSError as e:
        raise AssayError(f"{shown(path)}: cannot be read: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise AssayError(f"{shown(path)}: is no valid TOML: {e}") from e
    tests = _globs(shown(path), data.pop("tests", None))
    mutants = []
    for name, table in data.items():
        where = f"{shown(path)}: [{name}]"
        if not isinstance(table, dict):
            raise AssayError(f"{where}: is no table")
        mutants.append(_mutant(where, path.stem, name, table, tests))
    return mutants


def load(folder: Path = FOLDER) -> list[Mutant]:
    """All faults."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise AssayError(f"{shown(folder)}: has no *.toml with faults")
    return [mutant for path in files for mutant in load_file(path)]


SAME_AREA = 3  # faults of one area that may share a kernel


def _apart(one: Mutant, other: Mutant) -> bool:
    """Whether a red test tells which of the two it noticed: none is named by both."""
    return not any(fnmatch.fnmatchcase(a, b) or fnmatch.fnmatchcase(b, a) for a in one.tests for b in other.tests)


def groups(mutants: Sequence[Mutant], most: int) -> list[list[Mutant]]:
    """Up to `most` faults that may be in one kernel at once: of one cell, few of one area, and with different tests, so
    that a red test tells which of them it noticed."""
    made: list[list[Mutant]] = []
    for mutant in mutants:
        for group in made:
            if len(group) < most and not mutant.alone and not group[0].alone and group[0].cell == mutant.cell \
                    and sum(other.area == mutant.area for other in group) < SAME_AREA \
                    and all(_apart(mutant, other) for other in group):
                group.append(mutant)
                break
        else:
            made.append([mutant])
    return made


def select(mutants: Sequence[Mutant], wanted: Sequence[str]) -> list[Mutant]:
    """Those whose id or area fits one of the globs; all when there is none."""
    chosen: dict[str, Mutant] = {}
    for glob in wanted:
        fit = [m for m in mutants if fnmatch.fnmatchcase(m.id, glob) or m.area == glob]
        if not fit:
            raise AssayError(f"there is no mutant {glob!r}; `make mutants ARGS=--list` shows them")
        chosen |= {m.id: m for m in fit}
    return [m for m in mutants if m.id in chosen] if wanted else list(mutants)
