# SPDX-License-Identifier: Apache-2.0
"""Matrices as they stand in matrices/*.toml: loaded, checked, named.

Whatever is wrong in a file is one AssayError that says which file, which row, which key: a matrix is
written by people, and a misspelt key that is silently ignored would be a claim that is never judged.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.errors import AssayError
from assay.judge.values import OPERATORS, quantity

CLAIMS = ("supported", "unsupported", "preview", "limit", "policy")
OUTCOMES = ("works", "broken", "refused-cleanly", "refused-badly", "absent")
VERDICTS = ("conforms", "deviates", "exceeds", "unknown")
COMPARE = ("exact", "capacity", "ceiling", "set")

NOT_MATRICES = ("known.toml",)

_ID = re.compile(r"^[a-z0-9-]+\.[a-z0-9-]+$")
_GLOB = re.compile(r"^[a-z0-9_*?\[\]!-]+\.[A-Za-z0-9_*?\[\]!@.+-]+$")


@dataclass(frozen=True)
class FactRule:
    """What one fact says about the row: `then` when the condition holds, else `otherwise`."""

    key: str
    condition: dict[str, Any]
    then: str | None
    otherwise: str | None
    optional: bool
    by: str | None


@dataclass(frozen=True)
class Condition:
    """The row is judged only where a fact holds."""

    key: str
    condition: dict[str, Any]
    reason: str
    by: str | None


@dataclass(frozen=True)
class Accept:
    """A measured outcome that conforms besides the claim's default ones."""

    outcome: str
    reason: str
    key: str | None
    condition: dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """Where a limit's value comes from and how it is compared."""

    fact: str | None
    values: dict[str, tuple[str, ...]]
    unit: str | None
    compare: str
    by: str | None


@dataclass(frozen=True)
class Row:
    """One claim."""

    id: str
    claim: str
    text: str
    section: str
    words: str | None = None
    limit: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    facts: tuple[FactRule, ...] = ()
    measure: Measure | None = None
    condition: Condition | None = None
    accept: tuple[Accept, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    not_probed: str | None = None
    also: tuple[str, ...] = ()
    note: str | None = None

    @property
    def claimed(self) -> str:
        """The claim as a reader sees it."""
        return f"limit {', '.join(self.limit)}" if self.claim == "limit" else self.claim

    @property
    def globs(self) -> list[str]:
        """Every test glob the row names."""
        found = [*self.works, *self.refused, *self.must, *self.also]
        if self.measure:
            for globs in self.measure.values.values():
                found += globs
        sources = [*self.facts, self.measure, self.condition]
        return found + [one.by for one in sources if one and one.by]

    @property
    def fact_keys(self) -> list[str]:
        """Every fact the row looks at."""
        keys = [rule.key for rule in self.facts]
        if self.measure and self.measure.fact:
            keys.append(self.measure.fact)
        if self.condition:
            keys.append(self.condition.key)
        return keys + [one.key for one in self.accept if one.key]


@dataclass(frozen=True)
class Matrix:
    """One vendor's or platform's claims."""

    name: str
    title: str
    document: str
    language: str
    about: str
    order: int
    facts_from: tuple[str, ...]
    rows: tuple[Row, ...]
    path: Path


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file, or one line that says what is wrong with it."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise AssayError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssayError(f"{path}: is not valid TOML: {error}") from error


class Table:
    """A TOML table that knows where it stands, hands out typed keys and objects to those left over."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise AssayError(f"{where}: must be a table, is {type(data).__name__}")
        self.data = dict(data)
        self.where = where

    def fail(self, message: str) -> AssayError:
        return AssayError(f"{self.where}: {message}")

    def text(self, key: str, required: bool = False) -> str | None:
        value = self.data.pop(key, None)
        if value is None:
            if required:
                raise self.fail(f"key `{key}` is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"key `{key}` must be a text that is not empty")
        return value.strip()

    def must(self, key: str) -> str:
        value = self.text(key, required=True)
        assert value is not None
        return value

    def word(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(key, required=default is None) or default
        if value not in allowed:
            raise self.fail(f"unknown {key} `{value}`; write one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.fail(f"key `{key}` must be a list of texts")
        return tuple(value)

    def globs(self, key: str) -> tuple[str, ...]:
        value = self.texts(key)
        for glob in value:
            if not _GLOB.match(glob):
                raise self.fail(f"key `{key}`: `{glob}` is no test glob; write suite.name, * allowed")
        return value

    def glob(self, key: str) -> str | None:
        value = self.text(key)
        if value is not None and not _GLOB.match(value):
            raise self.fail(f"key `{key}`: `{value}` is no test glob; write suite.name, * allowed")
        return value

    def flag(self, key: str) -> bool:
        value = self.data.pop(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"key `{key}` must be true or false")
        return value

    def number(self, key: str, default: int) -> int:
        value = self.data.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(f"key `{key}` must be a whole number")
        return value

    def operators(self) -> dict[str, Any]:
        found = {name: self.data.pop(name) for name in OPERATORS if name in self.data}
        if not found:
            raise self.fail(f"needs a condition: one of {', '.join(OPERATORS)}")
        for name, value in found.items():
            if name in ("min", "max") and quantity(value) is None:
                raise self.fail(f"`{name} = {value!r}` is no quantity")
            if not isinstance(value, (str, int, list)) or isinstance(value, bool) or value == []:
                raise self.fail(f"`{name}` must be a text, a number or a list of them")
        return found

    def tables(self, key: str) -> list[Table]:
        value = self.data.pop(key, [])
        if not isinstance(value, list):
            raise self.fail(f"key `{key}` must be a list of tables")
        return [Table(one, f"{self.where}: {key}[{n}]") for n, one in enumerate(value)]

    def table(self, key: str) -> Table | None:
        if key not in self.data:
            return None
        return Table(self.data.pop(key), f"{self.where}: {key}")

    def end(self) -> None:
        if self.data:
            raise self.fail(f"unknown key `{sorted(self.data)[0]}`")


def _fact_rule(table: Table) -> FactRule:
    key = table.must("key")
    condition = table.operators()
    words = {}
    for name in ("then", "else"):
        words[name] = table.text(name)
        if words[name] is not None and words[name] not in OUTCOMES:
            raise table.fail(f"unknown outcome `{words[name]}`; write one of {', '.join(OUTCOMES)}")
    rule = FactRule(key, condition, words["then"], words["else"], table.flag("optional"), table.glob("by"))
    table.end()
    return rule


def _condition(table: Table) -> Condition:
    found = Condition(table.must("key"), table.operators(), table.must("reason"), table.glob("by"))
    table.end()
    return found


def _accept(table: Table) -> Accept:
    outcome = table.word("outcome", OUTCOMES)
    reason = table.must("reason")
    key = table.text("key")
    condition = table.operators() if key else {}
    table.end()
    return Accept(outcome, reason, key, condition)


def _measure(table: Table) -> Measure:
    fact = table.text("fact")
    values = {}
    inner = table.table("values")
    if inner:
        values = {key: inner.globs(key) for key in list(inner.data)}
    if (fact is None) == (not values):
        raise table.fail("give either `fact` or `values`")
    measure = Measure(fact, values, table.text("unit"), table.word("compare", COMPARE), table.glob("by"))
    table.end()
    return measure


def _limit(table: Table, claim: str) -> tuple[str, ...]:
    value = table.data.pop("limit", None)
    if (value is None) != (claim != "limit"):
        raise table.fail("claim `limit` needs the key `limit`, and no other claim may have it")
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, (str, int)) for one in values):
        raise table.fail("key `limit` must be a text, a number or a list of them")
    for one in values:
        if quantity(one) is None:
            raise table.fail(f"limit `{one}` is no quantity; write for instance `64 KiB`, `48 bits`, 15")
    return tuple(str(one) for one in values)


def _row(data: Any, number: int, path: Path, name: str) -> Row:
    table = Table(data, f"{path}: row {number}")
    ident = table.must("id")
    table.where = f"{path}: row {ident}"
    if not _ID.match(ident):
        raise table.fail(f"id `{ident}` must look like {name}.what-is-claimed")
    claim = table.word("claim", CLAIMS)
    measure = table.table("measure")
    condition = table.table("condition")
    reasons = table.table("reasons")
    said = table.table("said")
    row = Row(
        id=ident, claim=claim, text=table.must("text"), section=table.must("section"),
        words=table.text("words"), limit=_limit(table, claim),
        works=table.globs("works"), refused=table.globs("refused"), must=table.globs("must"), also=table.globs("also"),
        facts=tuple(map(_fact_rule, table.tables("facts"))),
        measure=_measure(measure) if measure else None,
        condition=_condition(condition) if condition else None,
        accept=tuple(map(_accept, table.tables("accept"))),
        reasons={verdict: reasons.must(verdict) for verdict in VERDICTS if verdict in reasons.data}
        if reasons else {},
        said={outcome: said.must(outcome) for outcome in OUTCOMES if outcome in said.data} if said else {},
        not_probed=table.text("not_probed"), note=table.text("note"))
    for inner in (reasons, said):
        if inner:
            inner.end()
    table.end()
    if claim == "limit" and not row.measure and not row.not_probed:
        raise table.fail("claim `limit` needs `measure` or `not_probed`")
    if row.measure and claim != "limit":
        raise table.fail("only claim `limit` may have `measure`")
    if row.measure and (row.works or row.facts):
        raise table.fail("`measure` decides it: `works` and `facts` beside it would be ignored")
    if not (row.works or row.refused or row.facts or row.measure or row.not_probed):
        raise table.fail("nothing decides it: give works, refused, facts, measure or not_probed")
    return row


def load_matrix(path: Path) -> Matrix:
    """One file."""
    top = Table(read_toml(path), str(path))
    head = top.table("matrix")
    if head is None:
        raise AssayError(f"{path}: table [matrix] is missing")
    rows = top.data.pop("row", [])
    top.end()
    if not isinstance(rows, list) or not rows:
        raise AssayError(f"{path}: there is no [[row]]")
    name = head.must("name")
    matrix = Matrix(
        name=name, title=head.must("title"), document=head.must("document"),
        language=head.text("language") or "en", about=head.text("about") or "",
        order=head.number("order", 1000), facts_from=head.globs("facts_from"),
        rows=tuple(_row(row, n, path, name) for n, row in enumerate(rows, 1)), path=path)
    head.end()
    seen: set[str] = set()
    for row in matrix.rows:
        if row.id in seen:
            raise AssayError(f"{path}: row {row.id}: this id stands there twice")
        seen.add(row.id)
    if path.stem != name:
        raise AssayError(f"{path}: the matrix is called `{name}`; name the file {name}.toml")
    return matrix


def load_matrices(folder: Path | str) -> list[Matrix]:
    """Every matrix of a folder, by its `order`, then by name."""
    folder = Path(folder)
    paths = sorted(path for path in folder.glob("*.toml") if path.name not in NOT_MATRICES)
    if not paths:
        raise AssayError(f"{folder}: holds no matrix (*.toml)")
    return sorted((load_matrix(path) for path in paths), key=lambda matrix: (matrix.order, matrix.name))


def tests_of(matrix: Matrix) -> list[str]:
    """Globs of every test that the matrix needs, the sources of its facts included; sorted, each once."""
    globs = {glob for row in matrix.rows for glob in row.globs}
    return sorted(globs | set(matrix.facts_from))
