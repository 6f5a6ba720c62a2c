# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: out/<id>/, its stream written event by event, everything else atomically."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from .errors import AssayError
from .paths import shown

STREAM = "stream.jsonl"
RESULTS = "results.json"


def write_error(path: Path, e: OSError) -> AssayError:
    """One line for a file that could not be written."""
    if e.errno == errno.ENOSPC:
        return AssayError(f"{shown(path)}: no space left on the disk: free some; `./assay report {shown(path.parent)}` "
                          "then makes the reports from what was recorded")
    return AssayError(f"{shown(path)}: cannot be written: {e.strerror}; give write permission or use --out DIR")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as e:
        raise write_error(path, e) from e
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, data: object) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


class RunFolder:
    """A new folder for a new run; no other run is ever touched."""

    def __init__(self, out: Path, now: datetime | None = None) -> None:
        self._broken: AssayError | None = None
        self.started = now or datetime.now(timezone.utc)
        stamp = self.started.strftime("%Y%m%dT%H%M%SZ")
        try:
            out.mkdir(parents=True, exist_ok=True)
            while True:
                self.id = f"{stamp}-{secrets.token_hex(2)}"
                self.path = out / self.id
                try:
                    self.path.mkdir()
                    break
                except FileExistsError:
                    continue
            self._stream = (self.path / STREAM).open("xb", buffering=0)
        except OSError as e:
            failed = Path(e.filename) if e.filename else out
            raise write_error(failed, e) from e
        self._latest(out)

    def _latest(self, out: Path) -> None:
        latest = out / "latest"
        if latest.exists() and not latest.is_symlink():
            raise AssayError(f"{shown(latest)} is no symbolic link: move it away")
        with replacing(latest) as temporary:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            temporary.symlink_to(self.id)

    def append(self, event: dict) -> None:
        """Write one event; it is in the file when this returns."""
        if self._broken:  # another lane's event failed: behind a torn line nothing could be read again
            raise self._broken
        line = (json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")
        try:
            while line:
                line = line[self._stream.write(line):]
            if not os.fstat(self._stream.fileno()).st_nlink:
                self._broken = AssayError(f"{shown(self.path)} was removed while the run went on: what was recorded is "
                                          "gone; run it again")
                raise self._broken
        except OSError as e:
            self._broken = write_error(self.path / STREAM, e)
            raise self._broken from e

    def close(self) -> None:
        """No more events."""
        self._stream.close()


def find_run(out: Path, name: str | None) -> Path:
    """The folder of a run: a path, an id or the beginning of one; None: the latest."""
    if name is None or name == "latest":
        path = out / "latest"
        if not path.exists():
            raise AssayError(f"there is no run in {shown(out)} yet: make one with `./assay run`")
        return path.resolve()
    path = Path(name)
    if path.name in (RESULTS, STREAM):
        path = path.parent
    for candidate in (path, out / name):
        if (candidate / RESULTS).exists() or (candidate / STREAM).exists():
            return candidate.resolve()
    found = sorted(p for p in out.glob(f"{name}*") if p.is_dir() and not p.is_symlink()) if "/" not in name else []
    if len(found) == 1:
        return found[0].resolve()
    if found:
        raise AssayError(f"run '{name}' could be {', '.join(p.name for p in found[:4])}: give more of its id")
    known = sorted((p.name for p in out.glob("2*T*Z-*")), reverse=True) if out.is_dir() else []
    hint = f"; the newest are {', '.join(known[:3])}" if known else ""
    raise AssayError(f"there is no run '{name}' in {shown(out)}{hint}")


def read_stream(path: Path) -> list[dict]:
    """The events of a run. A torn last line (the runner was killed, the disk was full) is left out; a damaged one in the
    middle becomes the event `damaged`, which costs the tests that ran meanwhile their verdict and no others."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as e:
        raise AssayError(f"{shown(path)}: cannot be read: {e.strerror}") from e
    events = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or "ev" not in event:
                raise ValueError("no event")
        except (ValueError, RecursionError) as e:
            if number == len(lines):
                break
            event = {"ev": "damaged", "line": number, "why": str(e)}
        events.append(event)
    return events


def read_results(folder: Path) -> dict:
    """results.json of a run, checked against the schema."""
    from . import record

    path = folder / RESULTS
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if (folder / STREAM).exists():
            raise AssayError(f"{shown(folder)} has no results: it goes on, or was interrupted; "
                             f"`./assay report {shown(folder)}` makes results of what there is") from None
        raise AssayError(f"{shown(path)} does not exist") from None
    except OSError as e:
        raise AssayError(f"{shown(path)}: cannot be read: {e.strerror}") from e
    except (ValueError, RecursionError) as e:
        hint = ""
        if (folder / STREAM).exists():
            hint = f"; `./assay report --rejudge {shown(folder)}` makes it again from the stream"
        raise AssayError(f"{shown(path)} is no JSON: {e}{hint}") from e
    record.validate(data, path)
    return data
