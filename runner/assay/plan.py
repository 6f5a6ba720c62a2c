# SPDX-License-Identifier: Apache-2.0
"""Which tests a run takes: by glob, tag and matrix; whatever does not exist is said with what is close to it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import AssayError
from .tests import Test


def unknown(kind: str, word: str, known: Iterable[str], where: str) -> AssayError:
    """`no test 'gic.foo'; close: gic.foo_bar; ./assay list shows all`."""
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.5) or [name for name in names if word in name][:3]
    hint = f"; close: {', '.join(close)}" if close else ""
    return AssayError(f"there is no {kind} '{word}'{hint}; {where}")


def matches(glob: str, test_id: str) -> bool:
    """A glob without `@` names every variant of a test; a bare suite name, the whole suite."""
    base = test_id.partition("@")[0]
    return (fnmatchcase(test_id, glob) or ("@" not in glob and fnmatchcase(base, glob))
            or ("." not in glob and "@" not in glob and fnmatchcase(base.partition(".")[0], glob)))


def _named(tests: list[Test], globs: Iterable[str], what: str) -> list[Test]:
    found: dict[str, Test] = {}
    for glob in globs:
        hits = [test for test in tests if matches(glob, test.id)]
        if not hits:
            names = [test.id for test in tests] + [test.suite for test in tests]
            raise unknown(what, glob, names, "`./assay list` shows all")
        found.update((test.id, test) for test in hits)
    return list(found.values())


def matrix_globs(names: list[str], folder: Path) -> tuple[list, list[str]]:
    """(matrices, globs of the tests their rows name); a name may be a TOML file of the user's own."""
    from . import judge

    known = {matrix.name: matrix for matrix in judge.load_matrices(folder)}
    chosen = {}
    for name in names:
        if name in known:
            matrix = known[name]
        elif name.endswith(".toml"):
            matrix = judge.load_matrix(Path(name))
        else:
            raise unknown("matrix", name, known, "`./assay matrix --list` shows all")
        chosen[matrix.name] = matrix
    return list(chosen.values()), [glob for matrix in chosen.values() for glob in judge.tests_of(matrix)]


SLOW = "slow"  # the tag of tests that take seconds: run when they are named, or all are wanted


def select(tests: list[Test], globs: list[str], tags: list[str], exclude: list[str],
           matrix: list[str] | None = None, slow: bool = False) -> list[Test]:
    """The tests of a run, in the order of `tests`; AssayError when a word names nothing, or nothing is left.

    Without a glob or tag slow tests are left out, unless `slow`.
    """
    all_tags = {tag for test in tests for tag in test.tags}
    for tag in tags:
        if tag not in all_tags:
            raise unknown("tag", tag, sorted(all_tags), "`./assay list --tags` shows all")
    chosen = set(test.id for test in (_named(tests, globs, "test") if globs else tests))
    if matrix is not None:
        chosen &= {test.id for test in tests if any(matches(glob, test.id) for glob in matrix)}
    if not (globs or tags or slow):
        chosen -= {test.id for test in tests if SLOW in test.tags}
    if tags:
        chosen &= {test.id for test in tests if set(tags) & set(test.tags)}
    if exclude:
        chosen -= {test.id for test in _named(tests, exclude, "test (--exclude)")}
    if not chosen:
        raise AssayError("no test is left: the globs, --tag, --exclude and --matrix together choose none")
    return [test for test in tests if test.id in chosen]
