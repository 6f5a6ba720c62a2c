# SPDX-License-Identifier: Apache-2.0
"""`assay run` from the command line to the files, with the real agent and shell scripts for tests."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from assay import store
from assay.errors import AssayError
from scripted import BYE, HELLO, ScriptedBackend, ScriptedSession, frame, passed


def latest(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "out" / "latest" / "results.json").read_text())


def by_name(results: dict) -> dict[str, dict]:
    return {test["name"]: test for test in results["tests"]}


def test_everything_at_once(assay, tmp_path):
    status, out, err = assay("run", "--seed", "0x5eed")
    assert status == 1 and err == ""
    results = latest(tmp_path)
    verdicts = {name: test["verdict"] for name, test in by_name(results).items()}
    assert verdicts == {"good": "pass", "good_too": "pass", "bad": "fail", "lacks": "skip", "dies": "error",
                        "slow": "pass", "seed": "pass", "hangs": "error"}
    assert results["totals"] == {"tests": 8, "pass": 4, "fail": 1, "skip": 1, "xfail": 0, "xpass": 0, "error": 2,
                                 "unexpected": 3}
    assert results["run"]["complete"] and results["run"]["seed"] == "0x5eed" and results["run"]["backend"] == "native"
    assert by_name(results)["seed"]["notes"] == ["seed 0x5eed time"]
    assert by_name(results)["dies"]["stderr"] == ["about to die"]
    assert by_name(results)["dies"]["reason"] == "killed by SIGSEGV"
    assert "time limit of 3300 ms" in by_name(results)["hangs"]["reason"]
    assert results["hosts"][0]["facts"]["cpu.count"] == "2"
    assert results["hosts"][0]["fact_sources"]["cpu.count"] == "s.good"
    lines = out.splitlines()
    assert any("a.c:16: rd32(rtc): got 0x1, want 0x0" in line and "s.bad" in line for line in lines)
    assert lines[-1] == "8 tests: 4 passed, 1 failed, 1 skipped, 2 errors; 3 unexpected"


def test_all_files_are_there_and_valid(assay, tmp_path):
    assay("run", "s.good", "s.bad", "s.lacks", "s.dies")
    folder = tmp_path / "out" / "latest"
    assert sorted(p.name for p in folder.iterdir()) == ["junit.xml", "matrix.json", "report.html", "report.md",
                                                        "results.json", "results.ktap", "stream.jsonl"]
    suites = ElementTree.parse(folder / "junit.xml").getroot()
    assert [suites.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    host = latest(tmp_path)["hosts"][0]["name"]
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert {case.get("classname") for case in cases.values()} == {f"{host}.s"}
    assert [child.tag for child in cases["bad"]] == ["failure"]
    assert cases["bad"][0].get("message") == "a.c:16: rd32(rtc): got 0x1, want 0x0"
    assert [child.tag for child in cases["dies"]] == ["error", "system-err"] and len(cases["good"]) == 0
    ktap = (folder / "results.ktap").read_text().splitlines()
    assert ktap[:2] == ["KTAP version 1", "1..4"]
    assert "# a.c:16: rd32(rtc): got 0x1, want 0x0" in ktap
    assert sum(line.startswith(("ok ", "not ok ")) for line in ktap) == 4
    assert any(line.startswith("ok ") and "s.lacks # SKIP needs=its: no ITS here" in line for line in ktap)
    assert json.loads((folder / "matrix.json").read_text())


def test_exit_status_0_when_all_is_as_expected(assay):
    status, out, _ = assay("run", "--tag", "smoke")
    assert status == 0 and out.splitlines()[-1] == "2 tests: 2 passed, 0 failed, 0 skipped; all as expected"


def test_counts_are_the_last_line(assay):
    _, out, _ = assay("run", "s.good", "s.bad", "s.dies", "s.lacks", "--counts")
    assert out.splitlines()[-1] == "1 passed, 2 failed, 1 skipped"


def test_json_goes_to_stdout_alone(assay, tmp_path):
    status, out, err = assay("run", "s.good", "s.bad", "--json")
    assert status == 1 and json.loads(out) == latest(tmp_path)
    assert "s.bad" in err


def test_repeat_time_and_seed_reach_the_programs(assay, tmp_path):
    status, _, _ = assay("run", "s.seed", "--repeat", "3", "--time", "2s", "--seed", "77")
    assert status == 0
    entry = by_name(latest(tmp_path))["seed"]
    assert entry["notes"][0] == "seed 0x4d time 2000" and entry["runs"] == 3
    assert entry["program"] == "host-tests/s --test s.seed --seed 0x4d --time 2000"
    assert entry["replay"] == "./assay run s.seed --seed 0x4d --time 2s"
    status, _, _ = assay("run", "s.seed", "--time", "1500ms", "--seed", "77")
    assert status == 0 and by_name(latest(tmp_path))["seed"]["replay"].endswith(" --seed 0x4d --time 1500ms")


def test_a_failure_says_how_it_is_replayed(assay):
    _, out, _ = assay("run", "s.bad", "--seed", "5", "--time", "10s")
    assert "; replay: ./assay run s.bad --seed 0x5 --time 10s" in out
    _, out, _ = assay("show", "s.bad")
    assert "./assay run s.bad --seed 0x5 --time 10s" in out


class LabOfScripts(ScriptedBackend):
    """A lab cell whose every boot passes what it is given; one boot dies at a test called `dies`."""

    kind = "lab"

    def narrow(self) -> LabOfScripts:
        """Its second boot: the same one, which counts the sessions of both."""
        return self

    def start(self, job: str) -> ScriptedSession:
        ids = [line.split("\t")[1] for line in job.splitlines()]
        lines = [HELLO]
        for test_id in ids:
            if test_id == "s.dies" or self.never:
                lines += [frame(f"start {test_id}")] if not self.never else []
                break
            lines += passed(test_id)
        else:
            lines.append(BYE)
        self.sessions.append(lines[1:] if self.never else lines)
        return super().start(job)

    never = False


@pytest.fixture
def scripted_lab(monkeypatch) -> LabOfScripts:
    backend = LabOfScripts(name="cell")
    monkeypatch.setattr("assay.run.backends_of", lambda *_: [backend])
    return backend


def test_a_cell_shared_by_two_boots_is_one_host(assay, tmp_path, scripted_lab):
    status, _, err = assay("run", "--jobs", "2")
    assert status == 1 and err == "", err
    results = latest(tmp_path)
    names = [test["name"] for test in results["tests"]]
    assert names == ["good", "good_too", "bad", "lacks", "dies", "hangs", "slow", "seed"]
    assert {test["host"] for test in results["tests"]} == {"cell"} and len(results["hosts"]) == 1
    assert [test["name"] for test in results["tests"] if test["verdict"] != "pass"] == ["dies"]
    assert results["hosts"][0]["boots"] == 2  # two at first, and one after the crash, which counts as the second
    given = sorted(test_id for job in scripted_lab.jobs for test_id in job)
    assert len(scripted_lab.jobs) == 3 and set(given) == {test["id"] for test in results["tests"]}
    folder = (tmp_path / "out" / "latest").resolve()
    (folder / "results.json").unlink()
    assert assay("report")[0] == 0
    again = latest(tmp_path)
    for record in (results, again):
        record["run"].pop("duration_s")
    assert again == results


def test_lanes_that_never_come_up_are_one_line(assay, tmp_path, scripted_lab):
    scripted_lab.never = True
    status, _, err = assay("run", "--jobs", "2")
    assert status == 2 and len(err.splitlines()) == 1 and "did not come up" in err
    assert latest(tmp_path)["totals"]["error"] == 8


def test_two_runs_never_share_a_folder(assay, tmp_path):
    assay("run", "s.good")
    first = (tmp_path / "out" / "latest").resolve()
    before = {p.name: p.read_bytes() for p in first.iterdir()}
    assay("run", "s.bad")
    second = (tmp_path / "out" / "latest").resolve()
    assert first != second and before == {p.name: p.read_bytes() for p in first.iterdir()}


def test_events_are_written_as_they_come(assay, tmp_path, bundle):
    seen: list[str] = []

    def watch() -> None:
        for _ in range(200):
            for path in (tmp_path / "out").glob("2*/stream.jsonl"):
                text = path.read_text()
                if '"ev":"end","host"' in text and '"ev":"bye"' not in text:
                    seen.append(text)
                    return
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    assay("run", "s.good", "s.slow")
    watcher.join()
    assert seen and "s.good" in seen[0]


def interrupted_copy(folder: Path, to: Path, keep: int, torn: bytes = b"") -> None:
    """What is left of a run that was killed."""
    to.mkdir()
    lines = (folder / "stream.jsonl").read_bytes().split(b"\n")
    (to / "stream.jsonl").write_bytes(b"\n".join(lines[:keep]) + b"\n" + torn)


def test_report_of_a_finished_run_says_the_same(assay, tmp_path):
    assay("run", "s.good", "s.bad", "s.lacks")
    folder = (tmp_path / "out" / "latest").resolve()
    before = json.loads((folder / "results.json").read_text())
    (folder / "results.json").unlink()
    status, _, _ = assay("report")
    after = json.loads((folder / "results.json").read_text())
    assert status == 0
    before["run"].pop("duration_s"), after["run"].pop("duration_s")
    assert before == after


def test_report_rebuilds_an_interrupted_run_at_every_line(assay, tmp_path):
    assay("run", "s.good", "s.bad", "s.lacks")
    folder = (tmp_path / "out" / "latest").resolve()
    whole = (folder / "stream.jsonl").read_bytes().count(b"\n")
    for keep in range(1, whole):
        part = tmp_path / f"part{keep}"
        interrupted_copy(folder, part, keep, b'{"ev":"out","host":"torn')
        status, _, err = assay("report", str(part))
        if keep < 3:
            assert status == 2 and len(err.splitlines()) == 1 and "interrupted before" in err
            continue
        assert status == 0, err
        results = json.loads((part / "results.json").read_text())
        entries = by_name(results)
        assert set(entries) == {"good", "bad", "lacks"} and results["run"]["complete"] is False or keep == whole - 0
        recorded = [json.loads(line) for line in (part / "stream.jsonl").read_text().splitlines()[:keep]]
        for name, want in (("good", "pass"), ("bad", "fail"), ("lacks", "skip")):
            ended = any(e["ev"] == "end" and e["id"] == f"s.{name}" for e in recorded)
            assert entries[name]["verdict"] == (want if ended else "error"), (keep, name)


def test_a_damaged_line_in_the_middle_costs_only_what_ran_then(assay, tmp_path):
    assay("run", "s.good", "s.bad", "s.lacks")
    stream = (tmp_path / "out" / "latest").resolve() / "stream.jsonl"
    whole = stream.read_text().splitlines()
    said = 0
    for number in range(len(whole)):
        lines = whole[:number] + [whole[number][:10]] + whole[number + 1:]
        stream.write_text("\n".join(lines) + "\n")
        (stream.parent / "results.json").unlink(missing_ok=True)
        status, _, err = assay("report")
        if status == 2:  # without the run, its plan or its host nothing can be said
            assert json.loads(whole[number])["ev"] in ("run", "plan", "host") and len(err.splitlines()) == 1, err
            said += 1
            continue
        tests = by_name(json.loads((stream.parent / "results.json").read_text()))
        errors = {name for name, test in tests.items() if test["verdict"] == "error"}
        assert len(errors) <= 2, (number, errors)
        for name, want in (("good", "pass"), ("bad", "fail"), ("lacks", "skip")):
            assert tests[name]["verdict"] in (want, "error"), (number, name)
        if '"ev":"out"' in whole[number]:
            assert errors, "a line of a test was lost, and its verdict is whole"
    assert said == 3


@pytest.mark.parametrize("change", [
    {"t": {}}, {"t": None}, {"id": []}, {"text": 0}, {"fields": 0}, {"tests": None}, {"known": None}, {"info": []},
    {"order": 0}, {"run": 0}])
def test_an_event_that_no_run_writes_is_one_line(assay, tmp_path, change):
    assay("run", "s.good")
    stream = (tmp_path / "out" / "latest").resolve() / "stream.jsonl"
    events = [json.loads(line) for line in stream.read_text().splitlines()]
    events = [{**event, **{key: value for key, value in change.items() if key in event}} for event in events]
    stream.write_text("".join(json.dumps(event) + "\n" for event in events))
    (stream.parent / "results.json").unlink()
    status, _, err = assay("report")
    assert status in (0, 2) and len(err.splitlines()) == (1 if status else 0), err
    assert status == 2 or change in ({"id": []},), "a record was made of nonsense"


def test_interrupted_repeats_hide_no_verdict(assay, tmp_path):
    assay("run", "s.good", "s.bad", "--repeat", "3")
    folder = (tmp_path / "out" / "latest").resolve()
    lines = (folder / "stream.jsonl").read_bytes().split(b"\n")
    ends = [n for n, line in enumerate(lines) if b'"ev":"end"' in line]
    interrupted_copy(folder, tmp_path / "part", ends[2] + 1)
    status, _, err = assay("report", str(tmp_path / "part"))
    assert status == 0, err
    tests = by_name(json.loads((tmp_path / "part" / "results.json").read_text()))
    assert tests["good"]["verdict"] == "pass" and tests["good"]["runs"] == 2
    assert tests["good"]["notes"][-1] == "pass in 2 of 2 runs (3 were asked for)"
    assert tests["bad"]["verdict"] == "fail" and tests["bad"]["notes"][-1] == "1 of 3 repeats was run"


def test_a_bundle_without_what_carries_the_tests_is_one_line_and_no_run(assay, bundle, tmp_path):
    (bundle / "agent").unlink()
    status, _, err = assay("run", "s.good")
    assert status == 2 and "agent is missing" in err and "make build" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_refvmm_is_refused_when_a_guest_test_is_chosen(bundle):
    from assay import run
    from scripted import make_test

    run.check_bundle(bundle, [make_test("x")])
    with pytest.raises(AssayError, match="refvmm is missing"):
        run.check_bundle(bundle, [make_test("x"), make_test("y", kind="guest")])
    (bundle / "refvmm").write_text("")
    with pytest.raises(AssayError, match="refvmm cannot be executed"):
        run.check_bundle(bundle, [make_test("y", kind="guest")])


def test_nothing_is_written_behind_a_torn_event(tmp_path):
    folder = store.RunFolder(tmp_path)
    stream, folder._stream = folder._stream, open("/dev/full", "wb", buffering=0)
    with pytest.raises(store.AssayError, match="no space left"):
        folder.append({"ev": "a"})
    folder._stream = stream  # there is space again
    with pytest.raises(store.AssayError, match="no space left"):
        folder.append({"ev": "b"})
    assert (folder.path / "stream.jsonl").read_bytes() == b""


def test_folder_that_is_removed_in_mid_run_is_one_line(tmp_path):
    folder = store.RunFolder(tmp_path)
    folder.append({"ev": "a"})
    (folder.path / "stream.jsonl").unlink()
    with pytest.raises(store.AssayError, match="was removed while the run went on"):
        folder.append({"ev": "b"})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 2}', "\x00", "null", "[" * 100_000])
def test_results_that_are_no_record_are_one_line(assay, tmp_path, text):
    folder = tmp_path / "out" / "20260101T000000Z-0000"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(text)
    for argv in (("show", "s.good", "--run", folder.name), ("matrix", "--run", folder.name), ("report", folder.name),
                 ("diff", folder.name, "2026"), ("diff", folder.name, str(folder))):
        status, out, err = assay(*argv)
        assert status == 2 and len(err.splitlines()) == 1 and out == "", (argv, err)


def test_interrupt_keeps_what_was_recorded(assay, tmp_path):
    def interrupt() -> None:
        for _ in range(500):
            if any('"ev":"start","host"' in p.read_text() and '"id":"s.hangs"' in p.read_text().split('"ev":"hello"')[1]
                   for p in tmp_path.glob("out/2*/stream.jsonl")):
                break
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    status, out, err = assay("run", "s.good", "s.hangs", "s.seed", "s.bad", "s.slow", "--time", "60s")
    thread.join()
    results = latest(tmp_path)
    assert status == 2 and len(err.splitlines()) == 1 and "interrupted" in err and str(tmp_path) in err
    assert not results["run"]["complete"]
    assert by_name(results)["good"]["verdict"] == "pass"
    assert by_name(results)["hangs"]["verdict"] == "error" and "interrupted" in by_name(results)["hangs"]["reason"]
    assert results["tests"][0]["name"] == "good" and results["totals"]["tests"] == 5
    told = [line for line in out.splitlines() if line.startswith("error: ")]
    assert len(told) <= 2 and any("2 tests [" in line and "not run: the run was interrupted (SIGINT)" in line
                                  for line in told)


def test_full_disk_is_one_line_and_loses_nothing(assay, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    assay("run", "s.good", "--out", str(tmp_path / "earlier"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mount of a tmpfs is not permitted here")
    try:
        status, _, err = assay("run", "s.good", "--out", str(disk / "out"))
        earlier = (disk / "out" / "latest").resolve()
        kept = {p.name: p.read_bytes() for p in earlier.iterdir()}
        free = os.statvfs(disk)
        filler = disk / "filler"
        filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 8192)))
        status, out, err = assay("run", "s.good", "s.bad", "s.lacks", "s.seed", "--repeat", "20",
                                 "--out", str(disk / "out"))
        assert status == 2 and len(err.splitlines()) == 1 and "no space left" in err, err
        assert kept == {p.name: p.read_bytes() for p in earlier.iterdir()}
        broken = next(p for p in (disk / "out").glob("2*") if p.resolve() != earlier)
        recorded = store.read_stream(broken / "stream.jsonl")
        assert any(event["ev"] == "end" for event in recorded)
        filler.unlink()
        status, _, err = assay("report", str(broken))
        assert status == 0, err
        rebuilt = json.loads((broken / "results.json").read_text())
        assert not rebuilt["run"]["complete"] and rebuilt["totals"]["tests"] == 4
        assert rebuilt["hosts"][0]["facts"]["cpu.count"] == "2"  # what s.good measured before the disk was full
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_at_the_reports_keeps_the_record(assay, tmp_path, monkeypatch):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(signal, "SIGXFSZ", signal.SIGXFSZ)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limit[1]))
        status, _, err = assay("run", "s.good")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    folder = next((tmp_path / "out").glob("2*"))
    assert status == 2 and len(err.splitlines()) == 1 and "cannot be written" in err
    assert (folder / "stream.jsonl").exists() and not list(folder.glob(".*"))
    assert assay("report", folder.name)[0] == 0
    assert (folder / "report.html").exists()


def test_folder_without_write_permission(assay, tmp_path, bundle):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    status, _, err = assay("run", "s.good", "--out", str(blocked / "out"))
    assert status == 2 and len(err.splitlines()) == 1 and "blocked" in err and "--out DIR" in err
    status, _, err = assay("run", "s.good", "--out", "/proc/assay-out")
    assert status == 2 and len(err.splitlines()) == 1 and "/proc/assay-out" in err


def test_latest_that_is_a_folder_is_left_alone(assay, tmp_path):
    (tmp_path / "out" / "latest").mkdir(parents=True)
    status, _, err = assay("run", "s.good")
    assert status == 2 and "is no symbolic link" in err and (tmp_path / "out" / "latest").is_dir()


def test_agent_that_cannot_run(assay, bundle, tmp_path):
    (bundle / "agent").unlink()
    status, _, err = assay("run", "s.good")
    assert status == 2 and "agent is missing" in err and not (tmp_path / "out").exists()
    (bundle / "agent").write_text("no program")
    (bundle / "agent").chmod(0o755)
    status, _, err = assay("run", "s.good")
    assert status == 2 and len(err.splitlines()) == 1
