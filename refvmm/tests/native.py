#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of refvmm as a program, built for this machine: what it prints, describes and refuses without KVM.

usage: native.py PROGRAM; closes with `N passed, N failed, N skipped`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
PROGRAM = os.path.realpath(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
OK, USAGE, REFUSED, LACKS, HOST = 0, 2, 3, 4, 5  # abi/assay/exit.h


def run(*words, **how):
    """The program's end, with what it said."""
    how = {"stdin": subprocess.DEVNULL, **how}
    return subprocess.run([PROGRAM, *words], capture_output=True, check=False, timeout=60, **how)


def one_line(done, status, *parts):
    """That it ended so, with one line on stderr that has these parts."""
    said = done.stderr.decode()
    assert done.returncode == status, f"status {done.returncode}, want {status}: {said[:200]}"
    assert said.count("\n") == 1, f"not one line: {said[:300]!r}"
    for part in parts:
        assert part in said, f"no {part!r} in {said!r}"


def golden_trees_are_described():
    files = sorted(GOLDEN.glob("*/*.args"))
    assert files, "no golden trees"
    for args in files:
        done = run(*args.read_text().split(), "--dump-dtb", "-")
        assert done.returncode == OK, f"{args.name}: status {done.returncode}: {done.stderr[:200]!r}"
        assert done.stdout == args.with_suffix(".dtb").read_bytes(), f"{args.name}: another tree"


def what_is_assumed_without_kvm_is_said():
    one_line(run("--dump-dtb", "-"), OK, "no KVM to ask here", "GICv3")
    assert run("--dump-dtb", "-").stdout == run("--dump-dtb", "-", "--machine", "gic-version=3,its=on", "--cpu",
                                                "host,pmu=on").stdout
    assert not run("--dump-dtb", "-", "--machine", "gic-version=2", "--cpu", "host,pmu=off").stderr


def a_tree_goes_to_a_file_or_is_an_error():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.dtb"
        assert run("--dump-dtb", path).returncode == OK
        assert Path(path).read_bytes() == run("--dump-dtb", "-").stdout
    words = ("--machine", "gic-version=2", "--cpu", "host,pmu=off", "--dump-dtb")
    one_line(run(*words, "/nonexistent/x.dtb"), USAGE, "/nonexistent/x.dtb", "No such file")
    one_line(run(*words, "/dev/full"), USAGE, "/dev/full", "No space left")
    with tempfile.TemporaryDirectory() as folder:
        big = ("--machine", "gic-version=3,its=on", "--smp", "512", *words[2:])  # 76 KiB; what gcov writes is less than 32
        limit = ["bash", "-c", f'trap "" XFSZ; ulimit -f 32; exec "$0" "$@" {folder}/x', PROGRAM, *big]
        one_line(subprocess.run(limit, capture_output=True, check=False), USAGE, "File too large")
        assert not os.listdir(folder), "half a tree was left"


def help_names_every_option_of_the_manual():
    text, page = run("--help"), run("--man")
    assert text.returncode == page.returncode == OK
    assert page.stdout.startswith(b".") and b".TH" in page.stdout
    plain = page.stdout.replace(b"\\-", b"-")
    first = (line.split()[0] for line in text.stdout.splitlines() if line.strip())
    options = {word.partition(b"[")[0].strip(b",") for word in first if word.startswith(b"--")}
    assert len(options) > 20, options
    for option in options:
        assert option in plain, f"{option.decode()} is in --help and not in the manual page"


def every_refusal_is_given_on_its_arguments():
    listed = run("--list-refusals", "--json")
    assert listed.returncode == OK
    entries = json.loads(listed.stdout)
    entries = entries if isinstance(entries, list) else entries["refusals"]
    tried = 0
    for entry in entries:
        words = entry.get("args", "").split()
        if not words or entry["kind"] in ("image", "limit", "command"):
            continue
        one_line(run(*words, "--dump-dtb", "/nonexistent/x"), REFUSED, entry["name"], entry["instead"][:20])
        tried += 1
    assert tried > 100, f"only {tried} of {len(entries)} refusals have arguments"


def nothing_runs_without_kvm():
    with tempfile.NamedTemporaryFile() as file:
        head = bytearray(64)  # Linux Documentation/arch/arm64/booting.rst: an Image of 64 bytes
        head[16:24] = (4096).to_bytes(8, "little")
        head[24] = 2
        head[56:60] = b"ARM\x64"
        file.write(head)
        file.flush()
        one_line(run("--kernel", file.name), LACKS, "needs=kvm", "no ARM64 machine")


def a_closed_stream_is_no_file_of_ours():
    for stream in (0, 1):
        done = subprocess.run(["bash", "-c", f'exec "$0" --help {stream}>&-', PROGRAM], capture_output=True, check=False)
        one_line(done, HOST, f"standard stream {stream} is closed")


def wrong_words_are_usage_errors():
    for words in (["--nonsense"], ["--smp"], ["--smp", "0"], ["--smp", "x"], ["--memory", "1Q"], ["--sandbox", "maybe"],
                  ["--kernel", ""], ["--dtb", ""], ["--trace", ""],
                  ["--firmware", ""], ["--vars", ""], ["--vars-template", ""], ["--machine", "virt-1,its=perhaps"],
                  ["--kernel", "x", "--console", "stdio", "--console", "virtio,stdio"], ["--cpu", "host,sve=x"],
                  ["--dump-dtb", "-", "--vars-template", "x", "--machine", "gic-version=2", "--cpu", "host,pmu=off"],
                  ["--time-limit", "-1"], ["--ipa-bits", "99"], ["--root-ports", "x"], ["extra"], []):
        one_line(run(*words), USAGE)


def wrong_words_are_named():
    for words, part in ((["--drive", "file=x,"], "file=x,:"), (["--console", "virtio,,"], "virtio,,:"), (["--net", "tap,"], "tap,:"),
                        (["--net", "tap,ifname="], "name of a tap device"), (["--root-ports", "x"], "0 to 31"),
                        (["--firmware", ""], "--firmware ''")):
        one_line(run("--kernel", "x", *words), USAGE, part)


def main():
    failed = 0
    tests = [f for name, f in globals().items() if callable(f) and getattr(f, "__module__", "") == "__main__"
             and name not in ("run", "one_line", "main", "Path")]
    for test in tests:
        try:
            test()
            print(f"ok native.{test.__name__}")
        except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
            failed += 1
            print(f"# {type(e).__name__}: {e}\nnot ok native.{test.__name__}")
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
