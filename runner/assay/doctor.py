# SPDX-License-Identifier: Apache-2.0
"""`assay doctor`: what is there, what is missing, and what that is needed for."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator

from .backends import native
from .errors import AssayError
from .paths import BUNDLE, KNOWN, ROOT, shown

_TOOLS = (
    ("make", "make", "building"), ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "building"),
    ("gcc", "gcc", "native unit tests"), ("clang-format", "clang-format", "make check"),
    ("clang-tidy", "clang-tidy", "make check"), ("git", "git", "the version in reports"),
    ("ssh", "openssh-client", "--host"), ("dpkg-deb", "dpkg", "the lab's kernels"),
    ("chromium", "chromium", "the report's browser test"),
)
_MODULES = (("elftools", "python3-pyelftools"), ("rich", "python3-rich"), ("jinja2", "python3-jinja2"),
            ("jsonschema", "python3-jsonschema"), ("pytest", "python3-pytest"), ("selenium", "python3-selenium"))

Line = tuple[str, bool | None, str, str]  # group, whether it is there (None: it need not be), name, text


def _tools() -> Iterator[Line]:
    for tool, package, use in _TOOLS:
        if tool == "aarch64-linux-gnu-gcc" and platform.machine() == "aarch64":
            tool, package = "gcc", "gcc"
        path = shutil.which(tool)
        yield "tools", path is not None, tool, path or f"missing, for {use}: apt-get install {package}"
    for module, package in _MODULES:
        try:
            importlib.import_module(module)
            yield "tools", True, f"python3 {module}", f"present ({package})"
        except ImportError:
            yield "tools", False, f"python3 {module}", f"missing: apt-get install {package}"


def _machine() -> Iterator[Line]:
    yield "machine", True, "kernel", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "machine", True, "python", f"{sys.version.split()[0]} ({sys.executable})"
    missing = native.kvm_missing(platform.machine(), native.local_kvm_error(), "this machine")
    elsewhere = platform.machine() not in ("aarch64", "arm64")
    there = True if not missing else None if elsewhere else False
    yield "machine", there, "native runs", missing or "possible: /dev/kvm answers"


def _programs() -> Iterator[Line]:
    from . import judge
    from .expect import load_known
    from .tests import load

    try:
        tests = load(BUNDLE)
        yield "suite", True, "tests", f"{len(tests)} in {len({t.program for t in tests})} programs in {shown(BUNDLE)}"
    except AssayError as e:
        yield "suite", False, "tests", str(e)
    except ImportError as e:
        yield "suite", False, "tests", f"cannot be read without {e.name}"
    try:
        matrices = judge.load_matrices(ROOT / "matrices")
        names = ", ".join(f"{matrix.name} ({len(matrix.rows)} rows)" for matrix in matrices)
        yield "suite", True, "matrices", names
        rules = judge.load_rules(ROOT / "matrices" / "rules")
        yield "suite", True, "rules", f"{len(rules)}"
        yield "suite", True, "known failures", f"{len(load_known(KNOWN).known)} in {shown(KNOWN)}"
    except AssayError as e:
        yield "suite", False, "matrices", str(e)


def _lab(path: str | None) -> Iterator[Line]:
    from .lab import DEFAULT_CELL, cache, load_cells
    from .lab.qemu import find_qemu

    try:
        qemu = find_qemu(path, fetch=False)
        yield "lab", True, "QEMU", f"{qemu.version_text} ({qemu.origin}, {qemu.path})"
    except AssayError as e:
        qemu = None
        yield "lab", False, "QEMU", str(e)
    try:
        cells = load_cells()
    except AssayError as e:
        yield "lab", False, "cells", str(e)
        return
    yield "lab", True, "cache", str(cache.root())
    for cell in cells.values():
        record = cache.read_record(cache.root() / "kernels" / cell.kernel)
        cached = f"Linux {record.get('release')} cached" if record else "its kernel is fetched at the first run"
        reason = cell.available(qemu) if qemu else "no QEMU"
        default = " (default)" if cell.name == DEFAULT_CELL else ""
        yield "lab", reason is None, f"{cell.name}{default}", reason or f"{cell.description}; {cached}"


def _version(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        return (done.stdout or done.stderr).splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "does not run"


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    del began
    from .record import assay_version

    colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def painted(text: str, code: str) -> str:  # by hand: doctor has to run where even rich is missing
        return f"\x1b[{code}m{text}\x1b[0m" if colours else text

    lines = [*_machine(), *_programs(), *_lab(args.qemu), *_tools()]
    print(f"{painted('Assay', '1')} {assay_version()}")
    for group in ("machine", "suite", "lab", "tools"):
        print(f"\n{painted(group, '1')}")
        width = max(len(name) for which, _, name, _ in lines if which == group)
        for which, there, name, text in lines:
            if which == group:
                if name.endswith("gcc") and there:
                    text = f"{text}  {_version([name, '--version'])}"
                mark = painted(*{True: ("✓", "32"), False: ("✗", "31"), None: ("–", "2")}[there])
                print(f"  {mark} {name:{width}}  {painted(text, '33') if there is False else text}")
    tests = any(there for _, there, name, _ in lines if name == "tests")
    somewhere = native.usable() or any(there for group, there, name, _ in lines
                                       if group == "lab" and name not in ("QEMU", "cells", "cache"))
    if not tests or not somewhere:
        raise AssayError("nothing can be run here yet: no test programs: `make build`" if not tests else
                         "nothing can be run here yet: neither KVM nor a QEMU for the lab: `make setup-run`")
    return 0
