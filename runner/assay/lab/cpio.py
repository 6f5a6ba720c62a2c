# SPDX-License-Identifier: Apache-2.0
"""A writer of newc archives (Documentation/driver-api/early-userspace/buffer-format.rst), for the initramfs."""

from __future__ import annotations

import io
import stat
from pathlib import Path, PurePosixPath


class Archive:
    """Files in memory. Parents are made as needed; a path added twice is an error of ours."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._seen: set[str] = set()
        self._inode = 0

    def _entry(self, path: str, mode: int, data: bytes) -> None:
        name = str(PurePosixPath(path.lstrip("/")))
        if name in self._seen or name == ".":
            raise ValueError(f"{name!r} cannot be added to the archive again")
        self._seen.add(name)
        self._inode += 1
        self._raw(name, mode, data, self._inode)

    def _raw(self, name: str, mode: int, data: bytes, inode: int) -> None:
        raw = name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        head = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        self._out.write(b"070701" + b"".join(b"%08X" % value for value in head) + raw)
        self._pad()
        self._out.write(data)
        self._pad()

    def _pad(self, to: int = 4) -> None:
        self._out.write(b"\0" * (-self._out.tell() % to))

    def folder(self, path: str, mode: int = 0o755) -> None:
        """A folder, unless it is there already, and those above it."""
        pure = PurePosixPath(path.lstrip("/"))
        for part in [*reversed(pure.parents), pure]:
            if str(part) != "." and str(part) not in self._seen:
                self._entry(str(part), stat.S_IFDIR | (mode if part == pure else 0o755), b"")

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """A regular file with this content."""
        self.folder(str(PurePosixPath(path.lstrip("/")).parent))
        self._entry(path, stat.S_IFREG | mode, data)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.folder(str(PurePosixPath(path.lstrip("/")).parent))
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def tree(self, source: Path, at: str, skip: frozenset[str] = frozenset()) -> None:
        """Everything below `source`, at `at`, except the relative paths in `skip`."""
        if at.strip("/"):
            self.folder(at)
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if name in skip:
                continue
            if path.is_symlink():
                self.link(f"{at}/{name}", str(path.readlink()))
            elif path.is_dir():
                self.folder(f"{at}/{name}")
            elif path.is_file():
                self.file(f"{at}/{name}", path.read_bytes(), 0o755 if path.stat().st_mode & 0o111 else 0o644)

    def finish(self) -> bytes:
        """The archive, padded so that another one may follow."""
        self._raw("TRAILER!!!", 0, b"", 0)
        self._pad(512)
        return self._out.getvalue()
