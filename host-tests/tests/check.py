#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the harness's own tests: check.py SAMPLE UNIT. Last line: `N passed, N failed, N skipped`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Callable

SAMPLE, UNIT = sys.argv[1:3]
checks: list[tuple[str, Callable[[], None]]] = []


def check(fn: Callable[[], None]) -> Callable[[], None]:
    checks.append((fn.__name__, fn))
    return fn


def run(program: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=60)


def equal(got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def block(test_id: str) -> list[str]:
    """Every line of one test: from behind `# begin` to its result, without times."""
    lines = run(SAMPLE, "--test", test_id).stdout.splitlines()
    equal(lines[0], "KTAP version 1")
    begin = lines.index(f"# begin {test_id}")
    return [re.sub(r" ms=\d+$", " ms=N", line) for line in lines[begin + 1:]]


HERE = "host-tests/tests/sample.c"


def differences(test_id: str) -> list[str]:
    return [re.sub(r"sample\.c:\d+", "sample.c:N", line) for line in block(test_id)]


@check
def a_pass_is_ok() -> None:
    equal(block("sample.passes"), ["ok 1 sample.passes # rule=SELF-1 ms=N"])
    equal(run(SAMPLE, "--test", "sample.passes").returncode, 0)


@check
def a_failure_names_place_and_values() -> None:
    equal(differences("sample.fails_with_values"), [
        f"# {HERE}:N: 1 + 1: got 2, want 3",
        f"# {HERE}:N: flags: got 0x10, want 0x20",
        f"# {HERE}:N: 5: got 5, want < 4",
        f'# {HERE}:N: "a": got "a", want "b"',
        f"# {HERE}:N: flags == 1: got false, want true",
        "not ok 1 sample.fails_with_values # rule=SELF-2 ms=N"])
    equal(run(SAMPLE, "--test", "sample.fails_with_values").returncode, 1)


@check
def errno_values_have_names() -> None:
    equal(differences("sample.fails_with_errno"), [
        f"# {HERE}:N: 0: got 0, want -1 EBUSY (16)",
        f"# {HERE}:N: -EINVAL: got -1 EINVAL (22), want -1 EBUSY (16) or -1 EEXIST (17)",
        f"# {HERE}:N: -ENOENT: got -1 ENOENT (2), want success",
        "not ok 1 sample.fails_with_errno # ms=N"])


@check
def an_assert_ends_the_test() -> None:
    equal(differences("sample.assert_ends_the_test"), [
        f"# {HERE}:N: 1: got 1, want 2", "not ok 1 sample.assert_ends_the_test # ms=N"])


@check
def skips_have_reasons() -> None:
    equal(block("sample.skips"), ["ok 1 sample.skips # SKIP no device here"])
    equal(block("sample.skips_for_a_capability"),
          ["ok 1 sample.skips_for_a_capability # SKIP needs=sve: KVM_CAP_ARM_SVE is 0"])
    equal(run(SAMPLE, "--test", "sample.skips").returncode, 0)


@check
def a_failure_never_becomes_a_skip() -> None:
    equal(differences("sample.failure_never_becomes_a_skip"), [
        f"# {HERE}:N: 1: got 1, want 2", "# note would have skipped: too late",
        "not ok 1 sample.failure_never_becomes_a_skip # ms=N"])


@check
def troubles_are_errors() -> None:
    for name, reason in {"crash_is_an_error": "killed by SIGKILL", "hang_is_an_error": "time limit of 300 ms",
                         "exit_is_an_error": "ended without a verdict, exit status 7",
                         "test_without_a_claim_is_an_error": "the test made no claim: no expectation and no fact",
                         "trouble_is_an_error": "open: ENOENT"}.items():
        done = run(SAMPLE, "--scale", "1", "--test", f"sample.{name}")
        equal(done.stdout.splitlines()[-1], f"not ok 1 sample.{name} # ERROR {reason}")
        equal(done.returncode, 1)


@check
def a_tests_files_go_with_it_however_it_ends() -> None:
    for variant, verdict in {"passes": "ok 1", "crashes": "not ok 1"}.items():
        lines = block(f"sample.leaves_files_behind@{variant}")
        equal(lines[-1].split(" sample")[0], verdict)
        folder, = (line.removeprefix("# note in ") for line in lines if line.startswith("# note in "))
        assert folder.startswith("/tmp/assay-"), folder
        equal(os.path.lexists(folder), False)


@check
def facts_and_notes_are_one_line_each() -> None:
    equal(block("sample.facts_and_notes_are_printed"), [
        "# fact self.answer=42", "# note two lines", "ok 1 sample.facts_and_notes_are_printed # ms=N"])


@check
def variants_are_tests_of_their_own() -> None:
    names = [line for line in run(SAMPLE, "--list").stdout.splitlines() if "variants" in line]
    equal(names, ["sample.variants_differ@one", "sample.variants_differ@two", "sample.variants_differ@bare"])
    lines = run(SAMPLE, "--test", "sample.variants_differ").stdout.splitlines()
    equal(lines[1], "1..3")
    equal([line for line in lines if line.startswith("# note")],
          ["# note n=1 text=a", "# note n=2 text=none", "# note n=9 text=none"])
    equal([line.split(" ")[0] for line in lines if "ok " in line], ["ok", "not", "ok"])
    equal(run(SAMPLE, "--test", "sample.variants_differ@two").stdout.splitlines()[1], "1..1")


@check
def the_seed_decides_random_numbers() -> None:
    one, two, other = (run(SAMPLE, "--seed", seed, "--test", "sample.seed_is_named").stdout.splitlines()
                       for seed in ("7", "0x7", "8"))
    equal(one[3], two[3])
    if one[3] == other[3]:
        raise AssertionError("two seeds, one number")
    equal("seed=0x7" in one[-1], True)


@check
def time_is_passed_on() -> None:
    done = run(SAMPLE, "--time", "50", "--test", "sample.seed_is_named")
    equal(done.returncode, 1)
    equal("got 0x32, want 0x46" in done.stdout, True)


@check
def stress_ends_with_its_time_or_a_failure() -> None:
    equal(block("sample.stress_ends_with_its_time"),
          ["# fact stress.ms=20", "ok 1 sample.stress_ends_with_its_time # ms=N"])
    done = run(SAMPLE, "--time", "250", "--test", "sample.stress_ends_with_its_time").stdout
    equal("# fact stress.ms=250" in done and int(done.rpartition("ms=")[2]) >= 250, True)
    failed = differences("sample.stress_ends_with_a_failure")
    equal(failed, ["# fact stress.ms=60000", f"# {HERE}:N: rounds: got 0x3, want < 0x3", "# note rounds 4",
                   "not ok 1 sample.stress_ends_with_a_failure # ms=N"])


@check
def streams_of_random_numbers_repeat() -> None:
    one, two, other = (run(SAMPLE, "--seed", seed, "--test", "sample.streams_repeat_and_differ").stdout.splitlines()
                       for seed in ("7", "7", "8"))
    equal(one[-2:-1], two[-2:-1])
    equal(one[-2] != other[-2] and "seed=0x7" in one[-1], True)


@check
def waiting_ends_when_it_holds() -> None:
    equal(run(SAMPLE, "--test", "sample.waits_for_what_comes").returncode, 0)


@check
def the_plan_counts_what_follows() -> None:
    lines = run(SAMPLE, "--scale", "1").stdout.splitlines()
    results = [line for line in lines if re.match(r"(not )?ok ", line)]
    equal(lines[1], f"1..{len(results)}")
    equal([int(re.match(r"(?:not )?ok (\d+)", line)[1]) for line in results], list(range(1, len(results) + 1)))
    equal(sum(line.startswith("# begin ") for line in lines), len(results))


@check
def bad_input_is_one_line_and_status_2() -> None:
    for args in (("--test", "sample.none"), ("--what",), ("--seed", "x"), ("--seed",), ("--time", "-3"), ("--test",)):
        done = run(SAMPLE, *args)
        equal((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))


@check
def a_killed_harness_takes_its_test_with_it() -> None:
    harness = subprocess.Popen([SAMPLE, "--test", "sample.hang_is_an_error", "--scale", "600"],
                               stdout=subprocess.PIPE, text=True)
    assert harness.stdout
    while "begin" not in harness.stdout.readline():
        pass
    harness.kill()
    harness.communicate(timeout=10)  # returns only when the child, too, has closed the pipe


def main() -> int:
    passed = failed = 0
    for name, fn in checks:
        try:
            fn()
            passed += 1
        except Exception as why:  # a check that cannot be run has failed
            failed += 1
            print(f"FAIL {name}: {why}")
    unit = run(UNIT)
    for line in unit.stdout.splitlines():
        passed += line.startswith("ok ")
        failed += line.startswith("not ok ")
    if unit.returncode:
        failed += not any(line.startswith("not ok") for line in unit.stdout.splitlines())
        print(unit.stdout, unit.stderr)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
