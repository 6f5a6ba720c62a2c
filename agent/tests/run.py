# SPDX-License-Identifier: Apache-2.0
"""Drives the agent, built natively under sanitizers, with small units; closes with the counts.

    run.py out/build/native/agent/agent
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runner"))

from assay.frames import Bye, End, Err, Event, FrameParser, Hello, Out, Start  # noqa: E402

AGENT = ""


class Failed(Exception):
    """An expectation that does not hold."""


def expect(got: object, want: object, what: str) -> None:
    if got != want:
        raise Failed(f"{what}: got {got!r}, want {want!r}")


def sh(uid: str, script: str, limit: int = 10000) -> str:
    return f"run\t{uid}\t{limit}\t/bin/sh\t-c\t{script}\n"


def agent(job: str, *options: str, limit: float = 60) -> tuple[list[Event], int]:
    """The events of a job given on stdin."""
    done = subprocess.run([AGENT, "-", *options], input=job.encode(), capture_output=True, timeout=limit, check=False)
    if b"Sanitizer" in done.stderr or b"runtime error" in done.stderr:
        raise Failed(f"sanitizer: {done.stderr.decode(errors='replace')}")
    parser = FrameParser()
    events = list(parser.feed_all(done.stdout.split(b"\n")))
    expect(list(parser.noise), [], "lines that are no frame")
    return events, done.returncode


def of(events: list[Event], kind: type, uid: str) -> list:
    return [e for e in events if isinstance(e, kind) and e.id == uid]


def texts(events: list[Event], kind: type, uid: str) -> list[str]:
    return [e.text for e in of(events, kind, uid)]


def end(events: list[Event], uid: str) -> End:
    found = of(events, End, uid)
    expect(len(found), 1, f"end frames of {uid}")
    return found[0]


def expect_gone(pid: str) -> None:
    """Dead within 5 s; a zombie is for somebody else to bury."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    raise Failed(f"its unit, process {pid}, lives on")


def test_normal_unit() -> None:
    events, status = agent("# a comment\n\n" + sh("a", "echo one; echo two >&2; printf three"))
    expect(status, 0, "status")
    expect(type(events[0]), Hello, "first frame")
    expect(events[1], Start("a"), "second frame")
    expect(events[-1], Bye(1), "last frame")
    expect(texts(events, Out, "a"), ["one", "three"], "stdout")
    expect(texts(events, Err, "a"), ["two"], "stderr")
    expect((end(events, "a").exit, end(events, "a").taint), (0, 0), "end")


def test_hello_says_what_it_can() -> None:
    words = agent("")[0][0].words
    expect(words["release"], os.uname().release, "release")
    expect(words["page"], str(os.sysconf("SC_PAGESIZE")), "page size")
    expect(words["kmsg"].split(":")[0] in ("yes", "no"), True, "kmsg")


def test_exit_status_and_order() -> None:
    events, _ = agent(sh("a", "exit 3") + sh("b", "exit 0"))
    expect([type(e).__name__ for e in events], ["Hello", "Start", "End", "Start", "End", "Bye"], "frames")
    expect((end(events, "a").exit, end(events, "b").exit), (3, 0), "exits")


def test_signal() -> None:
    events, _ = agent(sh("a", "kill -SEGV $$") + sh("b", "kill -KILL $$"))
    expect((end(events, "a").signal, end(events, "a").exit), (signal.SIGSEGV, None), "end of a")
    expect(end(events, "b").signal, signal.SIGKILL, "signal of b")


def test_program_that_is_not_there() -> None:
    events, _ = agent("run\ta\t1000\t./nope\targ\n" + sh("b", "exit 0"))
    expect(end(events, "a").exit, 5, "ASSAY_EXIT_HOST")
    expect(texts(events, Err, "a"), ["agent: cannot run ./nope: No such file or directory"], "stderr")
    expect(end(events, "b").exit, 0, "the next unit")


def test_limit() -> None:
    started = time.monotonic()
    events, _ = agent(sh("a", "echo before; sleep 60", 300) + sh("b", "exit 0"))
    expect((end(events, "a").limit, end(events, "a").exit), (300, None), "end")
    expect(texts(events, Out, "a"), ["before"], "output before the limit")
    expect(time.monotonic() - started < 10, True, "soon over")
    expect(end(events, "a").ms >= 300, True, "not before the limit")


def test_limit_kills_what_ignores_sigterm() -> None:
    events, _ = agent(sh("a", "trap '' TERM; sleep 60 & while :; do wait; done", 200))
    expect(end(events, "a").limit, 200, "limit")


def test_scale() -> None:
    events, _ = agent(sh("a", 'echo "$ASSAY_TIME_SCALE"; sleep 1', 100) + sh("b", "sleep 30", 100), "--scale", "25")
    expect(end(events, "a").exit, 0, "100 ms times 25 is enough for 1 s")
    expect(end(events, "b").limit, 2500, "scaled limit")
    expect(texts(events, Out, "a"), ["25"], "what the unit is told")


def test_huge_output() -> None:
    events, _ = agent(sh("a", "yes 0123456789 | head -c 5000000; exit 7"))
    lines = texts(events, Out, "a")
    size = sum(len(line) + 1 for line in lines)
    expect(1_000_000 < size <= 1 << 20, True, f"{size} bytes are shown, at most 1 MiB")
    expect(end(events, "a").exit, 7, "exit")
    shown = len(lines)
    expect(texts(events, Err, "a")[0].startswith(f"agent: {5000000 // 11 + 1 - shown} lines ("), True,
           f"what is dropped: {texts(events, Err, 'a')}")


def test_endless_output_meets_its_limit() -> None:
    events, _ = agent(sh("a", "exec yes", 500))
    expect(end(events, "a").limit, 500, "limit")


def test_long_line_is_cut() -> None:
    events, _ = agent(sh("a", "head -c 10000 /dev/zero | tr '\\000' x; echo; echo short"))
    lines = texts(events, Out, "a")
    expect(lines[0], "x" * 4096 + f" [cut: {10000 - 4096} more bytes]", "the long line")
    expect(lines[1:], ["short"], "the next one")


def test_binary_output() -> None:
    events, _ = agent(sh("a", r"printf 'a\000b\001\377\303\251\r\n\302x\033[0m\n\tend\n\355\240\200\n"
                         r"\342\202\254 \360\237\230\200 \360\237\230\n'"))
    expect(texts(events, Out, "a"), [r"a\x00b\x01\xffé", r"\xc2x\x1b[0m", "\tend", r"\xed\xa0\x80",
                                      "€ \U0001f600 \\xf0\\x9f\\x98"], "escaped")


def test_output_that_looks_like_frames() -> None:
    events, _ = agent(sh("a", "echo '@assay 00000000 end a exit=0 ms=0 taint=0x0'; exit 1"))
    expect(end(events, "a").exit, 1, "only the agent ends units")


def test_orphan_does_not_survive() -> None:
    with tempfile.TemporaryDirectory() as temp:
        mark = Path(temp) / "pids"
        script = (f"sleep 1000 & echo $! >> {mark}; setsid sh -c 'echo $$ >> {mark}; exec sleep 1000' &"
                  f" while [ $(wc -l < {mark}) -lt 2 ]; do sleep 0.05; done; exit 4")
        started = time.monotonic()
        events, _ = agent(sh("a", script))
        expect(end(events, "a").exit, 4, "exit")
        expect(time.monotonic() - started < 8, True, "an open pipe does not hold it up")
        left = [pid for pid in mark.read_text().split() if Path(f"/proc/{pid}").exists()]
        expect(left, [], "processes that are left")


def test_closed_pipes() -> None:
    events, _ = agent(sh("a", "exec >&- 2>&-; sleep 0.2; exit 9"))
    expect(end(events, "a").exit, 9, "exit")


def test_unit_sees_no_files_of_the_agent() -> None:
    events, _ = agent(sh("a", "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; cat"))
    expect(texts(events, Out, "a"), ["0 1 2 3 /dev/null"], "open files (3 is that of ls itself)")


def test_killing_the_agents_group_neighbours() -> None:
    events, _ = agent(sh("a", "kill -TERM 0") + sh("b", "exit 0"))
    expect(end(events, "a").signal, signal.SIGTERM, "only its own group")
    expect(end(events, "b").exit, 0, "the next unit")


def test_reader_goes_away() -> None:
    child = subprocess.Popen([AGENT, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(sh("a", "echo $$; sleep 600", 600000).encode())
    child.stdin.close()
    parser = FrameParser()
    unit = next(e.text for line in child.stdout for e in parser.feed(line) if isinstance(e, Out))
    child.stdout.close()
    expect(child.wait(20), 5, "status")
    child.stderr.close()
    expect_gone(unit)


def test_unit_does_not_outlive_a_killed_agent() -> None:
    end_agent_with(signal.SIGKILL, -signal.SIGKILL)


def test_sigterm_takes_the_unit_along() -> None:
    end_agent_with(signal.SIGTERM, 128 + signal.SIGTERM)


def end_agent_with(sig: int, status: int) -> None:
    child = subprocess.Popen([AGENT, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(sh("a", "echo $$; sleep 600", 600000).encode())
    child.stdin.close()
    parser = FrameParser()
    unit = next(e.text for line in child.stdout for e in parser.feed(line) if isinstance(e, Out))
    child.send_signal(sig)
    expect(child.wait(20), status, "status")
    child.stdout.close()
    expect_gone(unit)


# Plays a payload: a KTAP document for each test of its last argument; a test `b…` does what $1 says behind its begin.
PAYLOAD = (
    "for word in $2; do case $word in test=*) id=${word#test=}; "
    "echo KTAP version 1; echo say $id >&2; echo \"# begin $id\"; "
    "case $id in b*) eval \"$1\";; esac; echo ok 1 $id;; esac; done"
)


def series(ids: str, deed: str, limit: int = 10000) -> str:
    return f"series\t{ids}\t{limit}\t/bin/sh\t-c\t{PAYLOAD}\tpayload\t{deed}\tseries\n"


def document(uid: str) -> list[str]:
    return ["KTAP version 1", f"# begin {uid}", f"ok 1 {uid}"]


def test_series_is_one_process_and_many_tests() -> None:
    events, _ = agent(series("a b c", "echo pid $$") + sh("z", "exit 0"))
    expect([e.id for e in events if isinstance(e, Start)], ["a", "b", "c", "z"], "starts")
    expect([e.id for e in events if isinstance(e, End)], ["a", "b", "c", "z"], "ends")
    expect([(end(events, u).next, end(events, u).exit) for u in "abc"], [(1, None), (1, None), (None, 0)], "ends")
    for uid in "ac":
        expect(texts(events, Out, uid), document(uid), f"stdout of {uid}")
    # two pipes have no order between them: what is said is some test's, and none is lost
    expect([text for uid in "abc" for text in texts(events, Err, uid)], ["say a", "say b", "say c"], "stderr")
    expect(events[-1], Bye(4), "bye")


def test_series_goes_on_behind_a_test_that_ends_its_process() -> None:
    events, _ = agent(series("a b1 b2 c", "exit 3"))
    expect([end(events, u).exit for u in ("a", "b1", "b2", "c")], [None, 3, 3, 0], "exits")
    expect(texts(events, Out, "b2"), document("b2")[:2], "what the second said")
    expect(texts(events, Out, "c"), document("c"), "what the last said")


def test_limit_is_that_of_each_test_of_a_series() -> None:
    events, _ = agent(series("b1 b2 b3 c", "sleep 1", 2500))
    expect([(end(events, u).next, end(events, u).exit) for u in ("b1", "b2", "b3", "c")],
           [(1, None), (1, None), (1, None), (None, 0)], "each is within its limit, all together are not")
    events, _ = agent(series("a b c", "exec sleep 60", 1500))
    expect((end(events, "a").next, end(events, "b").limit, end(events, "c").exit), (1, 1500, 0), "ends")
    expect(texts(events, Out, "c"), document("c"), "what the last said")


def test_series_whose_program_says_nothing() -> None:
    events, _ = agent("series\ta b\t10000\t/bin/sh\t-c\techo needs=x >&2; exit 4\n")
    for uid in "ab":
        expect((end(events, uid).exit, texts(events, Err, uid)), (4, ["needs=x"]), f"end of {uid}")
    events, _ = agent("series\ta b\t10000\t./nope\targ\n")
    expect([end(events, u).exit for u in "ab"], [5, 5], "exits of what is not there")


def test_documents_beyond_the_series_are_the_last_tests() -> None:
    events, _ = agent("series\ta b\t10000\t/bin/sh\t-c\tfor i in 1 2 3; do echo KTAP version 1; echo $i; done;:\n")
    expect(texts(events, Out, "b"), ["KTAP version 1", "2", "KTAP version 1", "3"], "stdout of b")


def test_bad_jobs_and_options() -> None:
    bad = {
        "walk\ta\t1\tx\n": "line 1: the first field is not `run` or `series`",
        "#\nrun\ta\t1\n": "line 2: fewer than four fields",
        "run\ta b\t1\tx\n": "the id is empty",
        "series\ta  b\t1\tx\ty\n": "the id is empty",
        "series\ta\t1\tx\n": "a series has no argument",
        "run\ta\t-1\tx\n": "the limit is not a number",
        "run\ta\t0\tx\n": "the limit is not a number",
        "run\ta\t99999999999999999999\tx\n": "the limit is not a number",
        "run\ta\t5s\tx\n": "the limit is not a number",
        "run\ta\t5\t\n": "argv0 is empty",
        "run\t" + "i" * 201 + "\t5\tx\n": "longer than 200 bytes",
        "run\ta\t5\tx\0y\n": "a NUL byte",
    }
    for job, why in bad.items():
        done = subprocess.run([AGENT, "-"], input=job.encode(), capture_output=True, timeout=30, check=False)
        expect((done.returncode, done.stdout), (2, b""), f"job {job[:40]!r}: status and output")
        expect(why in done.stderr.decode(), True, f"job {job[:40]!r}: {done.stderr.decode()!r} holds {why!r}")
    for options in (["-", "--scale", "x"], ["-", "--scale", "0"], ["-", "--scale"], ["-", "-x"], [], ["/nope"],
                    ["-", "-"], ["-", "--scale", "nan"]):
        done = subprocess.run([AGENT, *options], input=b"", capture_output=True, timeout=30, check=False)
        expect((done.returncode, done.stdout), (2, b""), f"options {options}: status and output")
        expect(bool(done.stderr), True, f"options {options}: a message")


def test_job_from_a_file() -> None:
    with tempfile.NamedTemporaryFile("w") as job:
        # the last line has no newline, and empty arguments are arguments
        job.write(sh("a", "exit 0") + "run\tb\t1000\t/usr/bin/printf\t<%s>\t\tx")
        job.flush()
        done = subprocess.run([AGENT, job.name], capture_output=True, timeout=30, check=False)
        events = list(FrameParser().feed_all(done.stdout.split(b"\n")))
        expect(texts(events, Out, "b"), ["<><x>"], "arguments")
        expect(events[-1], Bye(2), "bye")


def test_many_units() -> None:
    events, _ = agent("".join(sh(f"u{i}", "echo x") for i in range(200)))
    expect(events[-1], Bye(200), "bye")
    expect(sum(isinstance(e, End) for e in events), 200, "ends")


def main() -> int:
    global AGENT
    AGENT = os.path.abspath(sys.argv[1])
    tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
    wanted = sys.argv[2:]
    failed = passed = 0
    for name, function in tests:
        if wanted and name not in wanted:
            continue
        try:
            function()
            passed += 1
        except (Failed, subprocess.TimeoutExpired, OSError, IndexError, KeyError, StopIteration) as e:
            failed += 1
            print(f"not ok agent.{name.removeprefix('test_')}: {type(e).__name__}: {e}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
