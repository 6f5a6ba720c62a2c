# SPDX-License-Identifier: Apache-2.0
"""Matrices and rules as files: what is wrong in one is one line with file and row, and ours are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay import judge
from assay.errors import AssayError
from assay.paths import BUNDLE, ROOT

MATRICES = ROOT / "matrices"
HEAD = '[matrix]\nname = "m"\ntitle = "M"\ndocument = "D"\n'
ROW = '[[row]]\nid = "m.r"\ntext = "T"\nsection = "S"\n'
GOOD = 'claim = "supported"\nworks = ["a.*"]\n'


def load(tmp_path: Path, text: str | bytes) -> judge.Matrix:
    path = tmp_path / "m.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return judge.load_matrix(path)


BAD = {
    "not TOML": ("[matrix", "not valid TOML"),
    "not text": (b"\xff\xfe", "not valid TOML"),
    "no head": (ROW + GOOD, "[matrix] is missing"),
    "no rows": (HEAD, "no [[row]]"),
    "unknown key at the top": ("extra = 1\n" + HEAD + ROW + GOOD, "unknown key `extra`"),
    "unknown key of the matrix": (HEAD + 'colour = "red"\n' + ROW + GOOD, "unknown key `colour`"),
    "unknown key of a row": (HEAD + ROW + GOOD + "wroks = []\n", "row m.r: unknown key `wroks`"),
    "unknown claim": (HEAD + ROW + 'claim = "suported"\nworks = ["a.*"]\n', "row m.r: unknown claim `suported`"),
    "no claim": (HEAD + ROW + 'works = ["a.*"]\n', "row m.r: key `claim` is missing"),
    "no text": (HEAD + '[[row]]\nid = "m.r"\nsection = "S"\n' + GOOD, "row m.r: key `text` is missing"),
    "empty text": (HEAD + '[[row]]\nid = "m.r"\ntext = " "\nsection = "S"\n' + GOOD, "must be a text"),
    "no id": (HEAD + '[[row]]\ntext = "T"\n' + GOOD, "row 1: key `id` is missing"),
    "bad id": (HEAD + '[[row]]\nid = "M R"\ntext = "T"\nsection = "S"\n' + GOOD, "id `M R` must look like"),
    "id twice": (HEAD + ROW + GOOD + ROW + GOOD, "row m.r: this id stands there twice"),
    "nothing decides": (HEAD + ROW + 'claim = "policy"\n', "row m.r: nothing decides it"),
    "bad glob": (HEAD + ROW + 'claim = "policy"\nworks = ["a b"]\n', "`a b` is no test glob"),
    "globs no list": (HEAD + ROW + 'claim = "policy"\nworks = "a.*"\n', "`works` must be a list"),
    "limit without value": (HEAD + ROW + 'claim = "limit"\nnot_probed = "x"\n', "needs the key `limit`"),
    "value without limit": (HEAD + ROW + GOOD + "limit = 3\n", "needs the key `limit`"),
    "limit no quantity": (HEAD + ROW + 'claim = "limit"\nlimit = "much"\nnot_probed = "x"\n', "no quantity"),
    "limit not measured": (HEAD + ROW + 'claim = "limit"\nlimit = 3\nworks = ["a.*"]\n', "needs `measure`"),
    "measure of no limit": (HEAD + ROW + GOOD + 'measure = { fact = "k", compare = "exact" }\n', "only claim `limit`"),
    "measure and works": (HEAD + ROW + 'claim = "limit"\nlimit = 3\nworks = ["a.*"]\n'
                          'measure = { fact = "k", compare = "set" }\n', "would be ignored"),
    "unknown comparison": (HEAD + ROW + 'claim = "limit"\nlimit = 3\nmeasure = { fact = "k", compare = "less" }\n',
                           "unknown compare `less`"),
    "measure by nothing": (HEAD + ROW + 'claim = "limit"\nlimit = 3\nmeasure = { compare = "set" }\n',
                           "either `fact` or `values`"),
    "order no number": (HEAD + 'order = "first"\n' + ROW + GOOD, "`order` must be a whole number"),
    "unknown outcome": (HEAD + ROW + 'claim = "policy"\nfacts = [{ key = "k", is = 1, then = "wokrs" }]\n',
                        "unknown outcome `wokrs`"),
    "fact without condition": (HEAD + ROW + 'claim = "policy"\nfacts = [{ key = "k" }]\n', "needs a condition"),
    "min no quantity": (HEAD + ROW + 'claim = "policy"\nfacts = [{ key = "k", min = "x" }]\n', "no quantity"),
    "condition without reason": (HEAD + ROW + GOOD + 'condition = { key = "k", is = 1 }\n', "key `reason` is missing"),
    "accept unknown outcome": (HEAD + ROW + GOOD + 'accept = [{ outcome = "fine", reason = "r" }]\n',
                               "unknown outcome `fine`"),
    "said of no outcome": (HEAD + ROW + GOOD + 'said.conforms = "x"\n', "unknown key `conforms`"),
    "reasons of no verdict": (HEAD + ROW + GOOD + 'reasons.fails = "x"\n', "unknown key `fails`"),
    "row no table": (HEAD.replace("[matrix]", "row = [1]\n[matrix]"), "row 1: must be a table"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_one_line_with_the_file(tmp_path: Path, case: str) -> None:
    text, want = BAD[case]
    with pytest.raises(AssayError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert str(tmp_path / "m.toml") in message and want in message and "\n" not in message
    assert caught.value.exit_status == 2


def test_the_file_is_named_as_the_matrix(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(HEAD + ROW + GOOD)
    with pytest.raises(AssayError, match="name the file m.toml"):
        judge.load_matrix(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot be read"):
        judge.load_matrix(tmp_path / "m.toml")
    with pytest.raises(AssayError, match="holds no matrix"):
        judge.load_matrices(tmp_path)


@pytest.mark.parametrize(("text", "want"), [
    ('subject = "s"\n[[rule]]\nid = "A-1"\ntext = "t"\n', "rule A-1: key `source` is missing"),
    ('subject = "s"\n[[rule]]\nid = "a-1"\ntext = "t"\nsource = "d"\n', "must look like"),
    ('subject = "s"\n[[rule]]\nid = "A-1"\ntext = "t"\nsource = "d"\nneeds = []\n', "unknown key `needs`"),
    ('subject = "s"\n' + '[[rule]]\nid = "A-1"\ntext = "t"\nsource = "d"\n' * 2, "twice"),
    ('subject = "s"\n[[rule]]\nid = "A-1"\ntext = "t"\nsource = "d"\nrequires = ["B-1"]\n', "requires `B-1`"),
    ('subject = "s"\n[[rule]]\nid = "A-1"\ntext = "t"\nsource = "d"\nrequires = ["A-1"]\n', "requires itself"),
])
def test_bad_rules_are_one_line(tmp_path: Path, text: str, want: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(AssayError) as caught:
        judge.load_rules(tmp_path)
    assert want in str(caught.value)


# ---- the project's own files

def test_our_matrices_and_rules_load() -> None:
    names = [matrix.name for matrix in judge.load_matrices(MATRICES)]
    assert names == ["rhel9", "kunpeng920", "kvm-arm", "qemu-virt"]
    assert judge.load_rules(MATRICES / "rules")


def test_our_rows_have_the_prefix_of_their_matrix() -> None:
    for matrix in judge.load_matrices(MATRICES):
        prefix = {"qemu-virt": "virt"}.get(matrix.name, matrix.name)
        assert {row.id.split(".")[0] for row in matrix.rows} == {prefix}


def built() -> list:
    """The tests of the bundle, when one is built."""
    from assay import tests

    return tests.load(BUNDLE) if any(BUNDLE.glob("host-tests/*")) else []


def used_rules() -> dict[str, str]:
    found: dict[str, str] = {test.rule: test.file for test in built() if test.rule}
    for folder in ("guest-tests", "host-tests"):
        for path in sorted((ROOT / folder).rglob("*.c")):
            if "lib" in path.parts or "tests" in path.relative_to(ROOT).parts[1:-1]:
                continue
            for rule in re.findall(r'\bRULE\("([^"]+)"\)', path.read_text()):
                found.setdefault(rule, str(path.relative_to(ROOT)))
    return found


def test_every_rule_a_test_names_is_cited() -> None:
    rules = judge.load_rules(MATRICES / "rules")
    missing = {rule: path for rule, path in used_rules().items() if rule not in rules}
    assert not missing, f"write these into matrices/rules/: {missing}"


def test_every_glob_of_a_matrix_names_a_test() -> None:
    known = [test.id for test in built()]
    if not known:
        pytest.skip("no bundle is built: run `make build`")
    dead = [f"{matrix.name}: {glob}" for matrix in judge.load_matrices(MATRICES)
            for glob in judge.tests_of(matrix) if not any(judge.matches(glob, ident) for ident in known)]
    assert not dead, f"no test is called: {dead}"
