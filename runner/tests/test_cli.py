# SPDX-License-Identifier: Apache-2.0
"""The command line: what it refuses is one line on stderr and exit status 2; show, diff, matrix, list, doctor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT

ASSAY = str(ROOT / "assay")


@pytest.mark.parametrize(("argv", "says"), [
    ([], "no command given"),
    (["rum"], "close: run"),
    (["run", "s.gud"], "there is no test 's.gud'; close: s.good"),
    (["run", "--tag", "smok"], "close: smoke"),
    (["run", "--exclude", "nope"], "there is no test (--exclude) 'nope'"),
    (["run", "--cell", "k6.12-mxa"], "there is no cell 'k6.12-mxa'; close: k6.12-max"),
    (["run", "--matrix", "rhel8"], "there is no matrix 'rhel8'; close: rhel9"),
    (["run", "--matrix", "gone.toml"], "gone.toml"),
    (["run", "--sede", "1"], "there is no option '--sede'; close: --seed"),
    (["run", "--ce", "k6.12-max"], "there is no option '--ce'"),
    (["run", "--seed", "x"], "'x' is no number"),
    (["run", "--seed", "-1"], "'-1' is no number"),
    (["run", "--seed", "0x10000000000000000"], "is no number from 0 to 2^64-1"),
    (["run", "--time", "3 weeks"], "'3 weeks' is no duration"),
    (["run", "--time", "0"], "is not between"),
    (["run", "--time-scale", "0"], "'0' is no number from 0.1"),
    (["run", "--repeat", "0"], "'0' is no number from 1"),
    (["run", "--repeat", "many"], "'many' is no number"),
    (["run", "--host", "ftp://x"], "not of the form ssh://"),
    (["run", "--host", "ssh://-oProxyCommand=x"], "not of the form ssh://"),
    (["run", "--host", "ssh://h:99999"], "not of the form ssh://"),
    (["run", "--host", "ssh://h", "--cell", "k6.12-max"], "cannot be used together with --host"),
    (["run", "--qemu", "/nonexistent/qemu"], "/nonexistent/qemu"),
    (["run", "--kernel", "/nonexistent/Image"], "/nonexistent/Image: no such file"),
    (["show"], "TEST"),
    (["show", "s.good"], "there is no run"),
    (["show", "s.good", "--run", "2031"], "there is no run '2031'"),
    (["report", "nope"], "there is no run 'nope'"),
    (["diff", "a", "b"], "there is no run 'a'"),
    (["matrix"], "there is no run"),
    (["lab", "lits"], "close: list"),
    (["list", "--jsn"], "close: --json"),
])
def test_bad_command_lines(assay, argv, says, tmp_path):
    status, out, err = assay(*argv)
    assert (status, out, len(err.splitlines())) == (2, "", 1), err
    assert err.startswith("assay: ") or err.startswith("assay ") and says in err
    assert says in err
    assert not list(tmp_path.glob("out/2*"))


def test_malformed_matrix_shows_before_the_run(assay, tmp_path, monkeypatch):
    from assay import record

    (tmp_path / "matrices" / "rules").mkdir(parents=True)
    (tmp_path / "matrices" / "bad.toml").write_text("[matrix\n")
    monkeypatch.setattr(record, "ROOT", tmp_path)
    status, out, err = assay("run", "s.good")
    assert status == 2 and out == "" and len(err.splitlines()) == 1 and "bad.toml" in err
    assert not (tmp_path / "out").exists()


def test_every_option_is_documented():
    from assay.cli import make_parser

    parser = make_parser()
    commands = next(action for action in parser._actions if hasattr(action, "choices") and action.choices).choices
    assert {"run", "list", "show", "report", "diff", "matrix", "doctor", "lab"} <= set(commands)
    for name, command in commands.items():
        for action in command._actions:
            assert action.help or action.choices, f"{name} {action.option_strings or action.dest} has no help"


def test_list(assay):
    status, out, _ = assay("list")
    assert status == 0 and out.splitlines()[:2] == ["s.good", "s.good_too"]
    assert assay("list", "--tag", "smoke")[1].splitlines() == ["s.good", "s.good_too"]
    assert assay("list", "--tags")[1].split() == ["2", "refvmm", "2", "smoke"]
    assert assay("list", "--suites")[1].split() == ["8", "s"]
    assert "R-1" in assay("list", "-l", "s.bad")[1]
    assert json.loads(assay("list", "--json", "s.bad")[1])[0]["id"] == "s.bad"


def test_show(assay):
    assay("run", "s.bad", "s.dies", "--seed", "1")
    status, out, err = assay("show", "s.bad")
    assert status == 0 and err == ""
    assert "fail  (unexpected)" in out and "a.c:16: rd32(rtc): got 0x1, want 0x0" in out and "R-1" in out
    assert "./assay run s.bad --seed 0x1" in out
    assert "about to die" in assay("show", "s.dies")[1]
    assert json.loads(assay("show", "s.*", "--json")[1])[1]["id"] == "s.dies"
    status, _, err = assay("show", "s.bda")
    assert status == 2 and "close: s.bad" in err


def test_show_trace(assay):
    """The flight recorder's end, taken out of stderr: time since the line before, and the board's names."""
    assay("run", "s.dies", "s.bad", "--seed", "1")
    status, out, err = assay("show", "s.dies", "--trace")
    lines = out.splitlines()
    assert (status, err, lines[0]) == (0, "", "s.dies")
    assert lines[1].split() == ["0.000010", "+0", "us", "fd", "5", "KVM_CREATE_VCPU", "0x0", "0x0", "=", "7"]
    assert "+500 us" in lines[2] and lines[2].endswith("0x9000018 -> 0x90  [UART+0x18]")
    assert "+20 us" in lines[3] and "[" not in lines[3]  # nothing of the board's is there
    assert lines[4].strip() == "repeated 3 times" and len(lines) == 5
    status, out, _ = assay("show", "s.dies")
    assert "4 lines; --trace shows them" in out and "about to die" in out
    assert "MMIO" not in out  # it has its own place
    assert "nothing recorded" in assay("show", "s.bad", "--trace")[1]
    record = json.loads(assay("show", "s.dies", "--json")[1])[0]
    assert len(record["trace"]) == 4 and record["stderr"] == ["about to die"]


def test_diff_marks_regressions(assay, tmp_path):
    assay("run", "s.good", "s.bad")
    old = (tmp_path / "out" / "latest").resolve()
    assay("run", "s.good", "s.bad")
    new = (tmp_path / "out" / "latest").resolve()
    status, out, _ = assay("diff", old.name, new.name)
    assert status == 0 and "no test and no row changed" in out and "0 regressions" in out
    record = json.loads((new / "results.json").read_text())
    good = record["tests"][0]
    line = {"file": "a.c", "line": 1, "text": "x", "got": "1", "want": "2"}
    good.update(verdict="fail", expected=False, evidence=[line])
    record["hosts"][0]["facts"]["cpu.count"] = "3"
    (new / "results.json").write_text(json.dumps(record))
    status, out, _ = assay("diff", old.name)
    assert status == 1
    for words in ("worse", "s.good", "pass → fail", "a.c:1: x: got 1, want 2"):
        assert words in out
    assert "cpu.count" in out and "2 → 3" in out and "s.bad" not in out
    status, out, _ = assay("diff", new.name, old.name)
    assert status == 0 and "fail → pass" in out
    result = json.loads(assay("diff", old.name, new.name, "--json")[1])
    assert result["regressions"] == 1 and result["tests"][0]["regression"]
    status, _, err = assay("diff", old.name, old.name)
    assert status == 2 and "name two runs" in err


def test_diff_of_a_row_that_deviates(assay, tmp_path):
    assay("run", "s.good")
    old = (tmp_path / "out" / "latest").resolve()
    assay("run", "s.good")
    new = (tmp_path / "out" / "latest").resolve()
    record = json.loads((new / "results.json").read_text())
    row = record["hosts"][0]["matrices"][0]["rows"][0]
    row.update(verdict="deviates", measured="broken", reason="it broke")
    (new / "results.json").write_text(json.dumps(record))
    status, out, _ = assay("diff", old.name)
    assert status == 1 and row["id"] in out and "→ deviates" in out and "it broke" in out


def test_matrix(assay):
    assay("run", "s.good")
    status, out, _ = assay("matrix", "rhel9")
    assert status == 0 and "RHEL 9" in out
    assert json.loads(assay("matrix", "rhel9", "--json")[1])[0]["matrices"][0]["name"] == "rhel9"
    status, _, err = assay("matrix", "rhel8")
    assert status == 2 and "close: rhel9" in err
    assert "rhel9" in assay("matrix", "--list")[1]


def test_only_the_matrix_asked_for_is_decided(assay, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[matrix]\nname = "own"\ntitle = "Own"\ndocument = "D"\n'
                   '[[row]]\nid = "own.r"\ntext = "T"\nsection = "S"\nclaim = "supported"\nworks = ["s.good"]\n')
    status, out, err = assay("run", "--matrix", str(own))
    assert status == 0, err
    record = json.loads((tmp_path / "out" / "latest" / "results.json").read_text())
    assert [test["id"] for test in record["tests"]] == ["s.good"]
    assert [(m["name"], m["rows"][0]["verdict"]) for m in record["hosts"][0]["matrices"]] == [("own", "conforms")]


def test_doctor(assay):
    status, out, _ = assay("doctor")
    assert status in (0, 2) and "QEMU" in out and "matrices" in out and "pytest" in out


def test_help_and_version_start_at_once():
    for argv in (["--help"], ["--version"], ["run", "--help"]):
        began = time.monotonic()
        done = subprocess.run([ASSAY, *argv], capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0 and done.stdout and not done.stderr
        assert time.monotonic() - began < 3


def test_missing_libraries_are_one_line(tmp_path):
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text("import sys\n"
                       "for name in ('rich', 'jinja2', 'elftools', 'jsonschema'):\n"
                       "    sys.modules[name] = None\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([ASSAY, "list"], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "elftools" in done.stderr
    done = subprocess.run([ASSAY, "doctor"], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and "python3-rich" in done.stdout and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_works_from_any_folder_and_into_a_closed_pipe(tmp_path):
    done = subprocess.run([ASSAY, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("assay ")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, ASSAY, "matrix", "--list"], stdout=writer, stderr=subprocess.PIPE, text=True,
                          check=False)
    os.close(writer)
    assert "Traceback" not in done.stderr


def test_a_run_without_results_says_what_to_do(assay, tmp_path):
    assay("run", "s.good")
    folder = (tmp_path / "out" / "latest").resolve()
    (folder / "results.json").unlink()
    status, _, err = assay("show", "s.good")
    assert status == 2 and "it goes on, or was interrupted" in err and f"./assay report {folder}" in err
