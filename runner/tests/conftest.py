# SPDX-License-Identifier: Apache-2.0
"""What every test of the runner shares: the package's path, programs made to order, a scripted host."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RUNNER = Path(__file__).resolve().parents[1]
ROOT = RUNNER.parent
sys.path.insert(0, str(RUNNER))

_counts = {"passed": 0, "failed": 0, "skipped": 0}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count for the last line."""
    if report.when == "call" or report.outcome != "passed":
        _counts[report.outcome] += 1


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line, in the form that every check of the project ends with."""
    if hasattr(config, "workerinput"):
        return
    print(f"{_counts['passed']} passed, {_counts['failed']} failed, {_counts['skipped']} skipped")


ELF_SOURCE = """
#include <assay/test.h>
#define IN(s) __attribute__((used, section(s), aligned(8)))
static void body(void) {}
%s
int main(void) { return 0; }
"""

SUITE = ('IN("assay_suites") struct assay_suite suite_%(name)s = {%(abi)s, 48, "%(name)s", %(vmm)s, %(tags)s, '
         '0, 5000, 0};\n')
TEST = ('IN("assay_tests") struct assay_test test_%(n)d = {%(abi)s, %(size)s, "%(suite)s", "%(name)s", %(rule)s, '
        '"%(file)s", %(vmm)s, %(variants)s, %(tags)s, body, %(line)d, %(limit)d};\n')


def c_text(text: str | None) -> str:
    """A C string literal, or 0."""
    return "0" if text is None else f'"{text}"'


def suite(name: str, vmm: str | None = None, tags: str | None = None, abi: str = "1") -> str:
    """The C of a suite."""
    return SUITE % {"name": name, "vmm": c_text(vmm), "tags": c_text(tags), "abi": abi}


def test_c(number: int, suite_name: str, name: str, *, rule: str | None = None, file: str = "x/y.c", line: int = 1,
           vmm: str | None = None, variants: str | None = None, tags: str | None = None, limit: int = 0,
           abi: str = "1", size: str = "80") -> str:
    """The C of a test."""
    return TEST % {"n": number, "suite": suite_name, "name": name, "rule": c_text(rule), "file": file, "line": line,
                   "vmm": c_text(vmm), "variants": c_text(variants), "tags": c_text(tags), "limit": limit, "abi": abi,
                   "size": size}


test_c.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def compile_elf(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile tables into an AArch64 program; the same tables are compiled once."""
    compiler = shutil.which("aarch64-linux-gnu-gcc") or shutil.which("gcc")
    folder = tmp_path_factory.mktemp("elf")
    made: dict[tuple, Path] = {}

    def compile_it(tables: str, *options: str) -> Path:
        key = (tables, options)
        if key not in made:
            path = folder / f"p{len(made)}"
            source = path.with_suffix(".c")
            source.write_text(ELF_SOURCE % tables)
            options = options or ("-static", "-no-pie", "-fno-pie")
            # no libc: the file stays small, and nothing of it is run
            subprocess.run([compiler, "-I", str(ROOT / "abi"), "-nostdlib", "-e", "main", *options, str(source), "-o",
                            str(path)], check=True, capture_output=True)
            made[key] = path
        return made[key]
    return compile_it


SCRIPT = r"""#!/bin/sh
# a host test in miniature: --test ID --seed N [--time MS]
id=$2
say() { printf '%s\n' "$@"; }
say 'KTAP version 1' 1..1 "# begin $id"
case ${id#*.} in
good*) say "# fact cpu.count=2" "ok 1 $id # ms=1" ;;
bad*) say '# a.c:16: rd32(rtc): got 0x1, want 0x0' "not ok 1 $id # rule=R-1"; exit 1 ;;
lacks*) say "ok 1 $id # SKIP needs=its: no ITS here" ;;
dies*)
    echo 'refvmm: trace: 0.000010 fd 5 KVM_CREATE_VCPU 0x0 0x0 = 7' >&2
    echo 'refvmm: trace: 0.000510 vcpu 0 MMIO read 4 0x9000018 -> 0x90' >&2
    echo 'refvmm: trace: 0.000530 vcpu 0 MMIO write 4 0xbad0000 <- 0x1' >&2
    echo 'refvmm: trace: repeated 3 times' >&2
    echo 'about to die' >&2; kill -SEGV $$ ;;
hangs*) sleep 600 ;;
slow*) sleep 0.3; say "ok 1 $id" ;;
seed*) say "# note seed $4 time $6" "ok 1 $id" ;;
esac
"""


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real agent, built for this machine."""
    path = tmp_path_factory.mktemp("agent") / "agent"
    sources = sorted(str(source) for source in (ROOT / "agent").glob("*.c"))
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-I", str(ROOT / "abi"), *sources, "-o", str(path)],
                   check=True)
    return path


@pytest.fixture
def bundle(tmp_path: Path, agent: Path) -> Path:
    """A bundle of shell scripts under the real agent."""
    folder = tmp_path / "bundle"
    (folder / "host-tests").mkdir(parents=True)
    shutil.copy(agent, folder / "agent")
    script = folder / "host-tests" / "s"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return folder


@pytest.fixture
def assay(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> Callable:
    """Call the command line in this process, with tests of suite s and this machine taken for an ARM64 server."""
    from assay import cli, listing
    from assay import run as run_command
    from assay.backends import native
    from scripted import make_test

    names = ["good", "good_too", "bad", "lacks", "dies", "hangs", "slow", "seed"]
    tests = [make_test(name, limit_ms=300 if name == "hangs" else 10_000,
                       tags=("smoke",) if name.startswith("good") else
                       ("refvmm",) if name in ("dies", "seed") else ()) for name in names]
    for module in (run_command, listing):
        monkeypatch.setattr(module, "load", lambda _bundle: tests)
    monkeypatch.setattr(native, "kvm_missing", lambda *_: None)
    monkeypatch.setattr(native, "usable", lambda: True)

    def call(*argv: str) -> tuple[int, str, str]:
        words = list(argv)
        if words and words[0] == "run":
            words += ["--bundle", str(bundle)]
        if words and words[0] in ("run", "show", "report", "diff", "matrix"):
            words += [] if "--out" in words else ["--out", str(tmp_path / "out")]
        status = cli.main(words)
        out, err = capfd.readouterr()
        return status, out, err
    return call
