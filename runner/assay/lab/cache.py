# SPDX-License-Identifier: Apache-2.0
"""The user's cache folder, shared by all clones: things appear in it whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import AssayError

RECORD = "artefact.json"


def root() -> Path:
    """`~/.cache/assay`, or below XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "assay"


def say(text: str) -> None:
    """Tells the user on stderr what takes long."""
    print(f"assay: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Only one process at a time makes the artefact of that name."""
    folder = root() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise AssayError(f"the cache {root()} cannot be written: {e.strerror}; "
                         "free it or set XDG_CACHE_HOME to a folder that can") from e
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that fetches {name}")
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def staged(dest: Path, size: str = "about 600 MB") -> Iterator[Path]:
    """A new folder that takes the place of `dest` by one rename when the block ends well. Hold the artefact's lock.
    `size` is what a full disk's user is told to make room for."""
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        for left in dest.parent.glob(f".{dest.name}.partial-*"):
            shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f".{dest.name}.partial-", dir=dest.parent))
        try:
            yield part
            part.chmod(0o755)
            old = dest.with_name(f".{dest.name}.partial-old")
            if dest.exists():
                dest.rename(old)
            part.rename(dest)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as e:
        what = "no space left" if e.errno == errno.ENOSPC else e.strerror
        raise AssayError(f"cannot place {dest}: {what}; the cache {root()} needs {size} for it") from e


def write_record(folder: Path, **facts: Any) -> None:
    """The artefact's own record beside it: what it is, where from, which version."""
    facts["fetched"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    (folder / RECORD).write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record, or None when the artefact is not there (or not whole)."""
    try:
        record = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None
