# SPDX-License-Identifier: Apache-2.0
"""The records of kernel faults: what stands in the tree is sound, a slip is said in one line, a fault leaves no trace."""

import json

import pytest

from assay.errors import AssayError
from assay.mutants import command, record, tree

GOOD = """tests = ["gic.*"]

[clear-noop]
fault = "CLEAR leaves the interrupt pending"
file = "arch/arm64/kvm/vgic/vgic-its.c"
search = '''
	pending = false;
'''
replace = ""
"""


def load(tmp_path, text):
    path = tmp_path / "its.toml"
    path.write_text(text)
    return record.load_file(path)


def linux(tmp_path, text="a();\n\tpending = false;\nb();\n"):
    file = tmp_path / "linux" / "arch" / "arm64" / "kvm" / "vgic" / "vgic-its.c"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return tree.Tree(tmp_path / "linux", tmp_path / "objects", 1), file


def test_the_tree_has_faults_in_every_area():
    mutants = record.load()
    assert len(mutants) >= 40
    assert len({m.id for m in mutants}) == len(mutants)
    assert {m.area for m in mutants} >= {"hotplug", "nmi", "nested", "saverestore", "gic", "its", "timer", "sve", "stage2",
                                         "dirtylog", "psci"}


def test_a_record_is_read_whole(tmp_path):
    (one,) = load(tmp_path, GOOD)
    assert (one.id, one.area, one.tests, one.cell) == ("its.clear-noop", "its", ("gic.*",), "")
    assert one.search == "\tpending = false;\n"
    assert one.mutated("x\n\tpending = false;\ny\n") == "x\ny\n"


@pytest.mark.parametrize(("old", "new", "said"), [
    ('fault = "CLEAR leaves the interrupt pending"\n', "", "'fault' is missing"),
    ('replace = ""\n', "", "'replace' is missing"),
    ('replace = ""', "replace = 1", "replace = 1 is no text"),
    ('replace = ""', 'replace = "\\tpending = false;\\n"', "are the same"),
    ('tests = ["gic.*"]', "tests = []", "wanted a list of globs"),
    ('tests = ["gic.*"]', "", "wanted a list of globs"),
    ("[clear-noop]", "[Clear]", "words-with-dashes"),
    ('file = "arch', 'file = "/arch', "not a path inside"),
    ('file = "arch', 'file = "../arch', "not a path inside"),
    ("fault =", "fualt =", "unknown key 'fualt'"),
    ("[clear-noop]", "[clear-noop", "no valid TOML"),
])
def test_a_slip_is_one_line_that_names_the_place(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(AssayError) as e:
        load(tmp_path, GOOD.replace(old, new))
    assert said in str(e.value)
    assert "its.toml" in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("text", ["nothing of it\n", "\tpending = false;\n\tpending = false;\n"])
def test_a_search_that_does_not_fit_once_is_an_error_that_names_the_record(tmp_path, text):
    (one,) = load(tmp_path, GOOD)
    kernel, file = linux(tmp_path, text)
    with pytest.raises(AssayError, match=r"mutant its\.clear-noop: its search text is [02] times in .*vgic-its\.c"):
        kernel.check([one])
    with pytest.raises(AssayError, match=r"its\.clear-noop"), kernel.fault(one):
        pass
    assert file.read_text() == text


def test_a_file_that_the_kernel_lacks_is_an_error_that_names_the_record(tmp_path):
    (one,) = load(tmp_path, GOOD)
    kernel, file = linux(tmp_path)
    file.unlink()
    with pytest.raises(AssayError, match=r"its\.clear-noop: .*vgic-its\.c: No such file"):
        kernel.check([one])


def test_a_fault_is_taken_out_again_whatever_happens(tmp_path):
    (one,) = load(tmp_path, GOOD)
    kernel, file = linux(tmp_path)
    with pytest.raises(RuntimeError), kernel.fault(one):
        assert file.read_text() == "a();\nb();\n"
        raise RuntimeError
    assert file.read_text() == "a();\n\tpending = false;\nb();\n"
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_run_that_was_killed_leaves_a_source_that_the_next_one_mends(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (one,) = load(tmp_path, GOOD)
    kernel, file = linux(tmp_path)
    sound = file.read_text()
    stuck = kernel.fault(one)
    stuck.__enter__()
    assert file.read_text() != sound
    with kernel.lock():
        assert file.read_text() == sound


def test_mutants_are_chosen_by_id_glob_and_area():
    mutants = record.load()
    its = [m.id for m in mutants if m.area == "its"]
    assert [m.id for m in record.select(mutants, ["its"])] == its
    assert [m.id for m in record.select(mutants, ["its.*", its[0]])] == its
    assert record.select(mutants, []) == mutants
    with pytest.raises(AssayError, match="no mutant 'itz'"):
        record.select(mutants, ["itz"])


def test_the_table_is_a_list_that_a_run_that_was_broken_off_leaves(tmp_path, capsys):
    (one,) = load(tmp_path, GOOD)
    path = tmp_path / "out" / "latest.json"
    table = command.Table(path, set())
    table.add(one, ["gic.a", "gic.b", "gic.c"], "", 1)
    assert json.loads(path.read_text()) == [{"id": one.id, "area": "its", "fault": one.fault,
                                             "killed_by": ["gic.a", "gic.b", "gic.c"]}]
    assert table.summary() == command.KILLED
    again = command.Table(path, {one.id})
    again.add(one, [], "stopped after 1 s", 1)
    assert again.summary() == command.SURVIVED
    assert "survived: CLEAR leaves" in capsys.readouterr().out


def test_what_was_not_run_kills_nothing(tmp_path):
    folder = tmp_path / "latest"
    folder.mkdir()
    tests = [{"id": "a.red", "expected": False, "reason": "got 0x0, want 0x1"},
             {"id": "b.green", "expected": True},
             {"id": "c.cut", "expected": False, "reason": "not run: the run was interrupted (SIGTERM)"}]
    (folder / "results.json").write_text(json.dumps({"tests": tests}))
    assert command._red(tmp_path) == ["a.red"]
