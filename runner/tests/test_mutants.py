# SPDX-License-Identifier: Apache-2.0
"""The records of kernel faults: what stands in the tree is sound, a slip is said in one line, a fault leaves no trace."""

import json
from collections import Counter

import pytest

from assay.errors import AssayError
from assay.lab import kernels
from assay.mutants import record, table, tree, trial

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
    with pytest.raises(AssayError, match=r"its\.clear-noop"), kernel.faults([one]):
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
    with pytest.raises(RuntimeError), kernel.faults([one]):
        assert file.read_text() == "a();\nb();\n"
        raise RuntimeError
    assert file.read_text() == "a();\n\tpending = false;\nb();\n"
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_run_that_was_killed_leaves_a_source_that_the_next_one_mends(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (one,) = load(tmp_path, GOOD)
    kernel, file = linux(tmp_path)
    sound = file.read_text()
    stuck = kernel.faults([one])
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
    fresh = table.Table(path, [])
    fresh.add(one, trial.Verdict(["gic.a", "gic.b", "gic.c"], "k6.12-max"))
    (row,) = json.loads(path.read_text())
    assert (row["id"], row["area"], row["fault"]) == (one.id, "its", one.fault)
    assert row["killed_by"] == ["gic.a", "gic.b", "gic.c"]
    assert fresh.summary() == table.ALL_KILLED
    kept = table.Table(path, [one])
    assert kept.killed(one)
    kept.add(one, trial.Verdict([], "k6.12-max", True, "stopped after 1 s"))
    assert kept.summary() == table.SURVIVED and not table.Table(path, [one]).killed(one)
    assert "1 mutants: 0 killed, 1 survived" in capsys.readouterr().out


def test_a_row_of_another_fault_under_the_same_name_is_not_kept(tmp_path):
    (one,) = load(tmp_path, GOOD)
    (other,) = load(tmp_path, GOOD.replace('replace = ""', 'replace = "x"'))
    path = tmp_path / "latest.json"
    table.Table(path, []).add(one, trial.Verdict(["gic.a"], "k6.12-max"))
    assert table.Table(path, [one]).killed(one) and not table.Table(path, [other]).killed(other)


class Scripted(trial.Trials):
    """Trials whose runs are told what is red."""

    def _run(self, image, cell, words, name):
        self.calls = [*getattr(self, "calls", []), (image.name, tuple(words))]
        return trial.Ran(list(self.red.get((image.name, bool(words) and words[0] != "--exclude"), [])))


def scripted(tmp_path, red, **options):
    (tmp_path / "base").write_text("no fault")
    (tmp_path / "bundle").mkdir(exist_ok=True)
    trials = Scripted(tmp_path, tmp_path / "base", tmp_path / "bundle", 1, **options)
    trials.red = red
    return trials


def test_the_whole_suite_is_run_on_what_the_records_tests_leave_alive(tmp_path):
    (one,) = load(tmp_path, GOOD)
    image = tmp_path / "faulty"
    trials = scripted(tmp_path, {("faulty", True): ["gic.x"], ("faulty", False): ["api.y"]})
    trials.unsound("k6.12-max", [one])
    verdict = trials.judge([one], image)[0]
    assert verdict.red == ["gic.x"] and not verdict.whole
    trials.red = {("faulty", False): ["api.y"]}
    verdict = trials.judge([one], image)[0]
    assert verdict.red == ["api.y"] and verdict.whole
    assert trials.calls[-1] == ("faulty", ("--exclude", "gic.*"))


def test_what_is_red_without_a_fault_kills_nothing_and_is_asked_for_once(tmp_path):
    (one,) = load(tmp_path, GOOD)
    red = {("faulty", True): ["gic.x"], ("base", True): ["gic.x"], ("faulty", False): ["api.y"], ("base", False): ["api.y"]}
    trials = scripted(tmp_path, red)
    assert trials.unsound("k6.12-max", [one]) == {"gic.x"}
    assert trials.judge([one], tmp_path / "faulty")[0].red == []
    bases = sum(name == "base" for name, _ in trials.calls)
    again = scripted(tmp_path, red)
    again.unsound("k6.12-max", [one])
    assert again.judge([one], tmp_path / "faulty")[0].red == []
    assert bases == 2 and not any(name == "base" for name, _ in again.calls)
    (tmp_path / "bundle" / "refvmm").write_text("another one")
    changed = scripted(tmp_path, red)
    changed.unsound("k6.12-max", [one])
    assert changed.calls == [("base", ("gic.*",))]


def test_faults_in_one_kernel_are_told_apart_by_their_tests(tmp_path):
    (one,) = load(tmp_path, GOOD)
    (other,) = record.load_file(_other(tmp_path))
    trials = scripted(tmp_path, {("faulty", True): ["gic.x", "timer.y"]})
    trials.unsound("k6.12-max", [one, other])
    first, second = trials.judge([one, other], tmp_path / "faulty")
    assert (first.red, second.red) == (["gic.x"], ["timer.y"])
    trials.red = {("faulty", True): ["timer.y"], ("faulty", False): ["api.z"]}
    assert [v.red for v in trials.judge([one, other], tmp_path / "faulty")] == [[], ["timer.y"]]


def _other(tmp_path):
    path = tmp_path / "timer.toml"
    path.write_text(GOOD.replace("gic.*", "timer.*"))
    return path


def test_only_faults_that_can_be_told_apart_share_a_kernel():
    mutants = record.load()
    groups = record.groups(mutants, 8)
    assert sorted(m.id for group in groups for m in group) == sorted(m.id for m in mutants)
    assert len(groups) < len(mutants) / 2
    for group in groups:
        assert len(group) <= 8 and len({m.cell for m in group}) == 1
        assert max(Counter(m.area for m in group).values()) <= record.SAME_AREA
        assert len(group) == 1 or not any(m.alone for m in group)
        tests = [glob for m in group for glob in m.tests]
        assert len(set(tests)) == len(tests) and not ("psci.*" in tests and any(t.startswith("psci.a") for t in tests))
    assert [len(group) for group in record.groups(mutants, 1)] == [1] * len(mutants)


def test_two_faults_of_one_file_are_in_it_together(tmp_path):
    (one,) = load(tmp_path, GOOD)
    (two,) = load(tmp_path, GOOD.replace("\tpending = false;", "b();"))
    kernel, file = linux(tmp_path)
    with kernel.faults([one, two]):
        assert file.read_text() == "a();\n"
    assert file.read_text() == "a();\n\tpending = false;\nb();\n"


def test_own_images_of_a_tool_stay_out_of_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ASSAY_KERNEL_STORE", str(tmp_path / "store"))
    image = tmp_path / "Image"
    image.write_bytes(b"\0" * 0x38 + b"ARM\x64" + b"\0" * 64)
    found = kernels.own(image)
    assert found.image.parent.parent == tmp_path / "store"
    assert not (tmp_path / "cache" / "assay" / "kernels").exists()


def test_what_was_not_run_kills_nothing(tmp_path):
    folder = tmp_path / "latest"
    folder.mkdir()
    tests = [{"id": "a.red", "expected": False, "reason": "got 0x0, want 0x1"},
             {"id": "b.green", "expected": True},
             {"id": "c.cut", "expected": False, "reason": "not run: the run was interrupted (SIGTERM)"}]
    (folder / "results.json").write_text(json.dumps({"tests": tests}))
    assert trial.red_of(tmp_path) == ["a.red"]
