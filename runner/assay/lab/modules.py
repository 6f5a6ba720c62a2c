# SPDX-License-Identifier: Apache-2.0
"""Kernel modules for a lab host that needs more than what is built in: found, ordered and unpacked here, so that
init only has to load them one after another."""

from __future__ import annotations

import gzip
import lzma
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..errors import AssayError
from .cpio import Archive

LIST = "lib/modules.assay"
_SUFFIX = re.compile(r"\.ko(\.xz|\.gz|\.zst)?$")


def _key(name: str) -> str:
    return name.replace("-", "_")


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        try:
            return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as e:
            raise AssayError(f"{path}: is compressed with zstd; install the package zstd") from e
    return data


def _depends(data: bytes) -> list[str]:
    """What the module's own .modinfo says it needs."""
    found = re.search(rb"\0depends=([^\0]*)\0", data)
    return [name for name in (found.group(1).decode() if found else "").split(",") if name]


def ordered(folder: Path, wanted: Iterable[str]) -> list[tuple[str, bytes]]:
    """File name and content of each wanted module and of what it needs, in an order they can be loaded in.
    One that is not there is built into the kernel."""
    files = {_key(_SUFFIX.sub("", path.name)): path for path in folder.rglob("*.ko*") if _SUFFIX.search(path.name)}
    out: dict[str, tuple[str, bytes]] = {}

    def add(name: str) -> None:
        key = _key(name)
        if key in out or key not in files:
            return
        data = _read(files[key])
        out[key] = ("", b"")  # a circle ends here
        for needed in _depends(data):
            add(needed)
        del out[key]
        out[key] = (f"{key}.ko", data)

    for name in wanted:
        add(name)
    return list(out.values())


def add_to(archive: Archive, folder: Path | None, wanted: Iterable[str]) -> None:
    """Puts the modules and the list of them where init looks."""
    if folder is None:
        return
    names = []
    for name, data in ordered(folder, wanted):
        archive.file(f"lib/assay-modules/{name}", data)
        names.append(f"/lib/assay-modules/{name}")
    archive.file(LIST, "".join(name + "\n" for name in names).encode())
