# SPDX-License-Identifier: Apache-2.0
"""Runs the suites on a lab host with an instrumented refvmm, and brings its counters home."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import AssayError
from ..frames import End, Err, FrameParser, Out
from ..job import Unit, job_text
from ..lab.boot import HOME, boot
from ..lab.cells import LabCell
from ..lab.cpio import Archive

FOLDER = "/coverage"  # on the host: -fprofile-dir of the build
FILES_A_DUMP = 4
DUMPS = 40
_NAME = re.compile(r"file (\S+\.gcda)$")


def _dumps() -> str:
    """The units behind the tests: a few files each, for the agent limits what a unit may say."""
    return "".join(f"run\tdump.{n}\t60000\tcoverage/dump\t{FOLDER}\t{n * FILES_A_DUMP}\t{(n + 1) * FILES_A_DUMP - 1}\n"
                   for n in range(DUMPS))


def object_of(name: str) -> Path:
    """The object, below the folder of objects, whose counters the file of this name holds.

    gcc names it after the object's path with `#` for `/`, behind -fprofile-dir.
    """
    _, found, path = name.removesuffix(".gcda").rpartition("#coverage#a64#")
    if not found:
        raise AssayError(f"coverage: {name} is not named as gcc names counters of out/build/coverage/a64")
    return Path(path.replace("#", "/"))


def run(cell: LabCell, bundle: Path, tools: Path, units: Sequence[Unit]) -> tuple[int, dict[Path, bytes]]:
    """Boots the cell and runs the units.

    Returns how many ran, and the counters, by their file below the folder of objects. What the tests say is not looked at:
    `make check` judges them.
    """
    extra = Archive()
    extra.tree(tools, f"{HOME}/coverage")
    extra.folder(FOLDER.lstrip("/"), 0o1777)
    parser = FrameParser()
    ran = 0
    said: list[str] = []
    files: dict[str, list[str]] = {}
    lines: list[str] = []
    with boot(cell, bundle, job_text(units) + _dumps(), extra=extra) as host:
        for event in parser.feed_all(host.lines()):
            dump = getattr(event, "id", "").startswith("dump.")
            if isinstance(event, Out) and dump:
                named = _NAME.match(event.text)
                if named:
                    lines = files.setdefault(named.group(1), [])
                else:
                    lines.append(event.text)
            elif isinstance(event, Err) and dump:
                said.append(event.text)
            elif isinstance(event, End) and not dump:
                ran += 1
        outcome = host.wait()
    if not outcome.good:
        raise AssayError(f"coverage: the host {cell.name} did not come to its end: {outcome.detail}")
    if not files:
        raise AssayError(f"coverage: no counters came from {cell.name}: {said[0] if said else 'no message'}")
    return ran, {object_of(name).with_suffix(".gcda"): bytes.fromhex("".join(text)) for name, text in files.items()}
