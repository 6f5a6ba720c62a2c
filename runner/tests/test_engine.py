# SPDX-License-Identifier: Apache-2.0
"""The engine on hosts that behave, crash, hang, and damage what they send."""

from __future__ import annotations

import pytest
from assay.expect import Expectations, Known, Warned
from assay.verdict import Record, decide
from scripted import BYE, HANG, HELLO, ScriptedBackend, frame, passed, run, unit, units_of

PANIC = [b"[   12.3] Unable to handle kernel NULL pointer dereference at 0000",
         b"[   12.4] Kernel panic - not syncing: Oops"]
BAD = "exit=1 ms=7 taint=0x0"


def verdicts(entries: dict) -> dict[str, str]:
    return {test_id.partition(".")[2]: entry["verdict"] for test_id, entry in entries.items()}


def test_all_verdicts_of_a_good_host():
    session = [HELLO, *passed("s.a"), *unit("s.b", "# a.c:9: x: got 1, want 2", "not ok 1 s.b", end=BAD),
               *unit("s.c", "ok 1 s.c # SKIP needs=its: none here"),
               *unit("s.d", "not ok 1 s.d # ERROR out of memory", end=BAD), BYE]
    backend = ScriptedBackend(session)
    entries, collector, _ = run(backend, units_of("a", "b", "c", "d"))
    assert verdicts(entries) == {"a": "pass", "b": "fail", "c": "skip", "d": "error"}
    assert [entry["expected"] for entry in entries.values()] == [True, False, True, False]
    assert entries["s.b"]["evidence"] == [{"file": "a.c", "line": 9, "text": "x", "got": "1", "want": "2"}]
    assert entries["s.b"]["ms"] == 7 and entries["s.c"]["needs"] == "its"
    assert entries["s.d"]["reason"] == "out of memory"
    assert entries["s.a"]["replay"] == "./assay run s.a --seed 0x5eed"
    assert collector.hosts["host"].hello["release"] == "6.12.95-test"
    assert backend.opened[0].killed and len(backend.jobs) == 1


def test_crash_is_charged_to_the_test_that_ran_and_the_rest_runs_in_a_fresh_boot():
    first = [HELLO, *passed("s.a"), frame("start s.b"), frame("out s.b KTAP version 1"), *PANIC]
    second = [HELLO, *passed("s.c"), BYE]
    backend = ScriptedBackend(first, second, why="panic: Kernel panic")
    entries, collector, _ = run(backend, units_of("a", "b", "c"))
    assert verdicts(entries) == {"a": "pass", "b": "error", "c": "pass"}
    assert "the host went down (panic: Kernel panic)" in entries["s.b"]["reason"]
    assert "Unable to handle kernel NULL pointer" in entries["s.b"]["reason"]
    assert [line["text"] for line in entries["s.b"]["evidence"]] == [line.decode() for line in PANIC]
    assert backend.jobs == [["s.a", "s.b", "s.c"], ["s.c"]]
    assert collector.host_entries()[0]["boots"] == 2


def test_crash_between_units_is_charged_to_the_one_before():
    backend = ScriptedBackend([HELLO, *passed("s.a"), *PANIC], [HELLO, *passed("s.b"), BYE])
    entries, _, _ = run(backend, units_of("a", "b"))
    assert verdicts(entries) == {"a": "error", "b": "pass"}
    assert "right after it ended" in entries["s.a"]["reason"]


def test_crash_after_the_last_unit_is_not_lost():
    entries, _, _ = run(ScriptedBackend([HELLO, *passed("s.a"), *PANIC]), units_of("a"))
    assert verdicts(entries) == {"a": "error"}


def test_hang_of_the_host_is_charged_and_survived():
    backend = ScriptedBackend([HELLO, frame("start s.a"), HANG], [HELLO, *passed("s.b"), BYE])
    entries, _, _ = run(backend, units_of("a", "b"))
    assert verdicts(entries) == {"a": "error", "b": "pass"}
    assert "the host hung: no end of the test after 24 s" in entries["s.a"]["reason"]


def test_output_does_not_lengthen_a_hung_test():
    chatter = [item for i in range(50) for item in (frame(f"out s.a # note {i}"), 2.0)]
    backend = ScriptedBackend([HELLO, frame("start s.a"), *chatter, HANG])
    began = backend.clock.now
    entries, _, _ = run(backend, units_of("a"))
    assert verdicts(entries) == {"a": "error"} and backend.clock.now - began < 28


def test_a_slow_host_is_given_its_scale():
    backend = ScriptedBackend([HELLO, frame("start s.a"), 100.0, *passed("s.a")[1:], BYE], scale=5)
    entries, _, _ = run(backend, units_of("a"))
    assert verdicts(entries) == {"a": "pass"}  # 4 s and 20 s of grace, five times


@pytest.mark.parametrize("lines", [["ok 1 s.a", "ok 2 s.a"], ["1..2", "ok 1 s.a"], ["ok 1 s.b"],
                                   ["# fact X=1", "ok 1 s.a"]])
def test_broken_ktap_is_an_error_whatever_it_says(lines):
    entries, _, _ = run(ScriptedBackend([HELLO, *unit("s.a", *lines), BYE]), units_of("a"))
    assert verdicts(entries) == {"a": "error"} and entries["s.a"]["reason"]


def test_boot_that_never_comes_gives_the_host_up():
    backend = ScriptedBackend([b"loader says no", HANG])
    entries, collector, _ = run(backend, units_of("a", "b"))
    assert verdicts(entries) == {"a": "error", "b": "error"}
    assert "no sign of life within 30 s" in entries["s.a"]["reason"]
    assert collector.hosts["host"].gave_up and not collector.hosts["host"].hello
    assert {"level": "console", "text": "loader says no"} in collector.host_entries()[0]["log"]


def test_host_that_dies_at_once_twice_is_given_up():
    backend = ScriptedBackend([HELLO], [HELLO], [HELLO])
    entries, _, _ = run(backend, units_of("a"))
    assert "dies before it runs a test" in entries["s.a"]["reason"] and len(backend.jobs) == 2


def test_five_crashes_give_the_host_up():
    names = "abcdefgh"
    backend = ScriptedBackend(*([HELLO, frame(f"start s.{name}"), *PANIC] for name in names))
    entries, _, _ = run(backend, units_of(*names))
    assert len(backend.jobs) == 5
    assert entries["s.e"]["reason"].startswith("the host went down")
    assert entries["s.f"]["reason"].startswith("not run: host went down 5 times")
    assert all(entry["verdict"] == "error" for entry in entries.values())


def test_backend_that_cannot_start_again():
    backend = ScriptedBackend([HELLO, frame("start s.a"), *PANIC])
    entries, _, _ = run(backend, units_of("a", "b"))
    assert entries["s.b"]["reason"] == "not run: the host is gone for good"


def damaged(line: bytes) -> bytes:
    return line.replace(b"s.a", b"s.X", 1)


@pytest.mark.parametrize("place", range(1, 7))
def test_a_damaged_frame_never_makes_a_pass(place):
    first = passed("s.a")
    first[place - 1] = damaged(first[place - 1])
    entries, _, _ = run(ScriptedBackend([HELLO, *first, *passed("s.b"), BYE]), units_of("a", "b"))
    assert verdicts(entries)["b"] == "pass"
    # the start frame's loss changes nothing about what the unit said; any other loss might
    assert verdicts(entries)["a"] == ("pass" if place == 1 else "error")


def test_torn_frames_and_console_noise_between_frames_do_not_disturb():
    session = [HELLO, b"[ 1.0] kvm: noise", *passed("s.a"), b"@assay 00000000 end s.b exit=0", *passed("s.b"), b"", BYE]
    entries, _, _ = run(ScriptedBackend(session), units_of("a", "b"))
    assert verdicts(entries) == {"a": "error", "b": "pass"}  # the torn frame came while a had not been followed yet


def test_unit_whose_frames_are_all_lost_is_an_error():
    entries, _, _ = run(ScriptedBackend([HELLO, *passed("s.b"), BYE]), units_of("a", "b"))
    assert verdicts(entries) == {"a": "error", "b": "pass"}
    assert "frames were lost" in entries["s.a"]["reason"]


def test_frames_of_a_test_nobody_asked_for_are_ignored():
    entries, _, _ = run(ScriptedBackend([HELLO, *passed("s.a"), *passed("s.zzz"), BYE]), units_of("a"))
    assert verdicts(entries) == {"a": "pass"}


def test_agent_that_says_bye_too_early():
    entries, _, _ = run(ScriptedBackend([HELLO, *passed("s.a"), BYE]), units_of("a", "b"))
    assert verdicts(entries) == {"a": "pass", "b": "error"}
    assert "with 1 of its tests left" in entries["s.b"]["reason"]


def test_a_host_on_which_test_after_test_hangs_is_started_anew():
    late = "limit=4000 ms=4100 taint=0x0"
    first = [HELLO, *unit("s.a", end=late), *passed("s.b"),
             *(line for name in "cde" for line in unit(f"s.{name}", end=late)), *unit("s.f", end=late)]
    backend = ScriptedBackend(first, [HELLO, *passed("s.f"), *passed("s.g"), BYE])
    entries, _, _ = run(backend, units_of(*"abcdefg"))
    assert verdicts(entries) == {f"s.{n}"[2:]: v for n, v in zip("abcdefg", ["error", "pass", "error", "error", "error",
                                                                          "pass", "pass"], strict=True)}
    assert backend.jobs[1] == ["s.f", "s.g"]
    assert "time limit of 4000 ms" in entries["s.c"]["reason"] and "started anew" in entries["s.e"]["reason"]


def test_tests_of_one_process_are_told_apart_and_name_those_before():
    session = [HELLO, *unit("s.a", "ok 1 s.a", end="next=1 ms=2 taint=0x0"),
               *unit("s.b", "not ok 1 s.b", end="next=1 ms=3 taint=0x0"), *unit("s.c", end="next=1 ms=4 taint=0x0"),
               *unit("s.d", "not ok 1 s.d", end=BAD), *unit("s.e", "not ok 1 s.e", end="next=1 ms=7 taint=0x0"),
               *passed("s.f"), BYE]
    entries, _, _ = run(ScriptedBackend(session), units_of(*"abcdef"))
    assert verdicts(entries) == {"a": "pass", "b": "fail", "c": "error", "d": "fail", "e": "fail", "f": "pass"}
    assert entries["s.c"]["reason"] == "no verdict although it ended well"
    assert entries["s.a"]["notes"] == entries["s.e"]["notes"] == entries["s.f"]["notes"] == []
    assert entries["s.b"]["notes"] == ["ran in one machine behind s.a"]
    assert entries["s.d"]["notes"] == ["ran in one machine behind s.a, s.b, s.c"]
    assert [entries[f"s.{n}"]["ms"] for n in "abcd"] == [2, 3, 4, 7]


@pytest.mark.parametrize(("end", "out", "verdict", "says"), [
    ("limit=4000 ms=4100 taint=0x0", [], "error", "time limit of 4000 ms"),
    ("signal=11 ms=1 taint=0x0", [], "error", "killed by SIGSEGV"),
    ("signal=11 ms=1 taint=0x0", ["ok 1 s.a"], "error", "killed by SIGSEGV"),
    ("exit=0 ms=1 taint=0x0", [], "error", "no verdict although it ended well"),
    ("exit=5 ms=1 taint=0x0", [], "error", "no verdict, exit status 5: a host call failed"),
    ("exit=6 ms=1 taint=0x0", ["ok 1 s.a"], "error", "said pass, then ended with exit status 6"),
    ("exit=1 ms=1 taint=0x0", ["ok 1 s.a"], "error", "said pass, then ended with exit status 1"),
    ("exit=0 ms=1 taint=0x200", ["ok 1 s.a"], "error", "tainted 0x200: warning (WARN)"),
    ("exit=0 ms=1 taint=0x0", ["not ok 1 s.a"], "fail", None),
])
def test_ends(end, out, verdict, says):
    entries, _, _ = run(ScriptedBackend([HELLO, *unit("s.a", *out, end=end), BYE]), units_of("a"))
    assert entries["s.a"]["verdict"] == verdict and (says is None or says in entries["s.a"]["reason"])


def test_taint_shows_the_kernel_log():
    lines = unit("s.a", "ok 1 s.a", end="exit=0 ms=1 taint=0x200")
    lines.insert(4, frame("log s.a 4 WARNING: CPU: 0 PID: 77 at arch/arm64/kvm/vgic.c:1"))
    entries, _, _ = run(ScriptedBackend([HELLO, *lines, BYE]), units_of("a"))
    assert "WARNING: CPU: 0" in entries["s.a"]["reason"]
    assert entries["s.a"]["log"] == [{"level": "4", "text": "WARNING: CPU: 0 PID: 77 at arch/arm64/kvm/vgic.c:1"}]


def test_refvmm_that_lacks_a_capability_makes_a_skip():
    lines = [frame("start s.a"), frame("err s.a refvmm: needs=gicv2: this host has no GICv2"),
             frame("end s.a exit=4 ms=1 taint=0x0")]
    entries, _, _ = run(ScriptedBackend([HELLO, *lines, BYE]), units_of("a"))
    entry = entries["s.a"]
    assert (entry["verdict"], entry["needs"]) == ("skip", "gicv2")
    assert entry["reason"] == "needs=gicv2: this host has no GICv2"
    assert entry["expected"]


def test_skip_for_what_the_cell_has_is_unexpected():
    lines = unit("s.a", "ok 1 s.a # SKIP needs=its: none here")
    entries, _, _ = run(ScriptedBackend([HELLO, *lines, BYE], has=("its",)), units_of("a"))
    assert entries["s.a"]["verdict"] == "skip" and not entries["s.a"]["expected"]
    assert "but host has its" in entries["s.a"]["reason"]


def test_repeats_take_the_worst():
    bad = unit("s.a", "# a.c:9: x: got 1, want 2", "not ok 1 s.a", end="exit=1 ms=9 taint=0x0")
    session = [HELLO, *passed("s.a"), *passed("s.b"), *bad, *passed("s.b"), *passed("s.a"), *passed("s.b"), BYE]
    entries, _, _ = run(ScriptedBackend(session), units_of("a", "b") * 3)
    assert entries["s.a"]["verdict"] == "fail" and entries["s.a"]["runs"] == 3
    assert "fail in 1 of 3 runs" in entries["s.a"]["notes"]
    assert entries["s.b"]["verdict"] == "pass" and entries["s.b"]["runs"] == 3


@pytest.mark.parametrize(("kernels", "cells", "fails", "verdict", "expected"), [
    (">=6.1,<6.13", ("*",), True, "xfail", True), (">=6.1,<6.13", ("*",), False, "xpass", False),
    (">=6.13", ("*",), True, "fail", False), (">=6.13", ("*",), False, "pass", True),
    ("*", ("other",), True, "fail", False), ("*", ("ho*",), True, "xfail", True),
    ("==6.12", ("*",), True, "xfail", True), ("<6.12.95", ("*",), True, "fail", False),
])
def test_known_faults(kernels, cells, fails, verdict, expected):
    lines = unit("s.a", "not ok 1 s.a", end="exit=1 ms=1 taint=0x0") if fails else passed("s.a")
    known = [Known("s.*", kernels, cells, "https://example.org/1", "lost wake-up")]
    entries, _, _ = run(ScriptedBackend([HELLO, *lines, BYE]), units_of("a"), known)
    assert (entries["s.a"]["verdict"], entries["s.a"]["expected"]) == (verdict, expected)
    if verdict.startswith("x"):
        assert "lost wake-up" in entries["s.a"]["reason"] and "https://example.org/1" in entries["s.a"]["reason"]


def test_known_faults_never_hide_an_error():
    lines = unit("s.a", end="signal=6 ms=1 taint=0x0")
    entries, _, _ = run(ScriptedBackend([HELLO, *lines, BYE]), units_of("a"), [Known("*", "*", ("*",), "x", "y")])
    assert entries["s.a"]["verdict"] == "error" and not entries["s.a"]["expected"]


WARN_LINE = "WARNING: CPU: 0 PID: 810 at kernel/events/core.c:3888 ctx_sched_in+0x124/0x1cc"
KNOWN_WARNING = Warned("ctx_sched_in", "<6.5", "a source", "perf warns")


@pytest.mark.parametrize(("log", "taint", "release", "verdict"), [
    ([WARN_LINE], 0x200, "6.1.0-50", "pass"),
    ([WARN_LINE, "WARNING: CPU: 1 PID: 9 at mm/slub.c:1 kfree+0x1/0x2"], 0x200, "6.1.0-50", "error"),
    ([WARN_LINE.replace("ctx_sched_in", "kvm_exit")], 0x200, "6.1.0-50", "error"),
    ([WARN_LINE], 0x280, "6.1.0-50", "error"),  # a warning and an oops
    ([WARN_LINE], 0x200, "6.5.0", "error"),
    ([WARN_LINE], 0x200, None, "error"),
    ([], 0x200, "6.1.0-50", "error"),
])
def test_only_a_known_warning_is_excused(log, taint, release, verdict):
    lines = [{"level": 4, "text": text} for text in log]
    record = Record("s.a", ["KTAP version 1", "1..1", "# begin s.a", "ok 1 s.a"], [], lines,
                    end={"exit": 0, "ms": 1, "taint": taint})
    table = Expectations.from_json(Expectations([], [KNOWN_WARNING]).to_json())
    decided = decide(record, table.excuse(lines, release))
    assert decided.verdict == verdict
    assert ("perf warns" in " ".join(decided.notes)) == (verdict == "pass")
