# SPDX-License-Identifier: Apache-2.0
"""Format and lint of the C sources: `lint.py format` and `lint.py tidy`.

clang-tidy needs each file's own flags. They come from make itself (`make -Bn`
prints every compile command without running it), so that a file is linted just
as it is built and a new folder needs no entry here. GCC-only flags are dropped.
Closes with `N passed, N failed, N skipped`, counted in files.
"""

from __future__ import annotations

import concurrent.futures
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GCC_ONLY = ("-mno-outline-atomics", "-fno-toplevel-reorder", "-fno-tree-loop-distribute-patterns", "-Wno-stringop",
            "-Wno-maybe-uninitialized", "-Wlogical-op", "-fno-allow-store-data-races")


def tracked(*patterns: str) -> list[str]:
    """Files of the tree that git knows or would add, matching the patterns."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns],
                         cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in out.split() if (ROOT / path).exists())


def compile_commands() -> dict[str, list[str]]:
    """Source file -> the clang arguments it is compiled with, from a dry run of make."""
    dry = subprocess.run(["make", "-s", "-Bn", "build", "unit-test-programs"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    commands: dict[str, list[str]] = {}
    for line in dry.splitlines():
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        if not words or not words[0].endswith(("gcc", "clang")):
            continue
        sources = [word for word in words if word.endswith(".c")]
        args = clang_args(words)
        for source in sources:
            commands.setdefault(os.path.relpath(ROOT / source, ROOT), args)
    return commands


def clang_args(words: list[str]) -> list[str]:
    """What of a gcc command line decides how the file parses, in clang's terms."""
    args = []
    if words[0].startswith("aarch64-linux-gnu-"):
        args += ["--target=aarch64-linux-gnu", "-isystem", "/usr/aarch64-linux-gnu/include"]
    take_next = False
    for word in words[1:]:
        if take_next:
            args.append(word)
            take_next = False
        elif word in ("-I", "-isystem", "-iquote", "-include", "-D"):
            args.append(word)
            take_next = True
        elif word.startswith(("-I", "-D", "-U", "-std=", "-m", "-f", "-nostd")):
            if not word.startswith(GCC_ONLY) and not word.startswith("-fsanitize"):
                args.append(word)
    return args + ["-Wno-unknown-warning-option", "-Wno-unused-command-line-argument"]


def check_format(path: str) -> tuple[str, bool, str]:
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", path], cwd=ROOT,
                         capture_output=True, text=True, check=False)
    return path, run.returncode == 0, run.stderr


def check_tidy(path: str, args: list[str]) -> tuple[str, bool, str]:
    run = subprocess.run(["clang-tidy", "--quiet", path, "--", *args], cwd=ROOT,
                         capture_output=True, text=True, check=False)
    return path, run.returncode == 0, run.stdout + run.stderr


def main(argv: list[str]) -> int:
    if argv[1:2] not in (["format"], ["tidy"]):
        print("lint.py: say what to check: `format` or `tidy`", file=sys.stderr)
        return 2
    skipped: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        if argv[1] == "format":
            results = list(pool.map(check_format, tracked("*.c", "*.h")))
        else:
            commands = compile_commands()
            wanted = argv[2:] or tracked("*.c")
            skipped = [path for path in wanted if path not in commands]
            results = list(pool.map(lambda path: check_tidy(path, commands[path]),
                                    [path for path in wanted if path in commands]))
    for path in skipped:
        print(f"skip {path}: no compile command names it (is its room.mk complete?)")
    failed = [(path, text) for path, good, text in results if not good]
    for path, text in failed:
        print(f"not ok {path}\n{text.strip()}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or skipped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
