# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel source in the cache: what the lab's own kernels are built from.

::

    from assay.lab.source import linux_source

    source = linux_source("linux-source-6.12", "bookworm-backports")
    source.tree      # the unpacked tree, never changed and never built in: build with O=, change a copy
    source.version   # Debian's: 6.12.95-1~bpo12+1
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, shorten, unpack

PACKAGE = "linux-source-6.12"
SUITE = "bookworm-backports"
SIZE = "1.5 GB"  # unpacked, and the package beside it meanwhile

# A third of the tree are register tables of one graphics driver, which no kernel of the lab contains.
_SPARE = "*/drivers/gpu/drm/amd/include/asic_reg"


@dataclass(frozen=True)
class Source:
    """An unpacked kernel source."""

    tree: Path
    record: dict[str, Any]

    @property
    def version(self) -> str:
        """The package's version."""
        return self.record["packages"][0]["version"]


def linux_source(package: str = PACKAGE, suite: str = SUITE, refresh: bool = False) -> Source:
    """The source from the cache; fetched and unpacked when it is not there."""
    folder = cache.root() / "source" / package
    found = None if refresh else _cached(folder)
    if found:
        return found
    with cache.lock(f"source-{package}"):
        found = None if refresh else _cached(folder)
        if found:
            return found
        cache.say(f"fetching the kernel source {package} (Debian {suite}), 150 MB, 1.2 GB unpacked")
        apt = PrivateApt("arm64", [suite])
        wanted = apt.resolve(package, suite)
        with cache.staged(folder, SIZE) as part, tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
            for deb in apt.download([wanted], Path(temp) / "debs"):
                unpack(deb, Path(temp) / "files")
                deb.unlink()
            _untar(package, Path(temp) / "files", part / "tree")
            cache.write_record(part, packages=[wanted.record()], mirror=apt.mirror)
    found = _cached(folder)
    if not found:
        raise AssayError(f"{folder} is incomplete; remove it and run the same command again")
    return found


def _untar(package: str, files: Path, tree: Path) -> None:
    """Out of usr/src/linux-source-X.tar.xz, without its first folder."""
    archives = sorted(files.glob("usr/src/linux-source-*.tar.*"))
    if not archives:
        raise AssayError(f"the package {package} holds no usr/src/linux-source-*.tar.*; "
                         "correct the package in lab/kernels.toml")
    if not shutil.which("xz"):
        raise AssayError(f"{archives[0].name}: cannot be unpacked without xz; install the package xz-utils")
    tree.mkdir()
    done = subprocess.run(["tar", "-x", "-f", str(archives[0]), "-C", str(tree), "--strip-components=1",
                           f"--exclude={_SPARE}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssayError(f"{archives[0].name}: cannot be unpacked: {shorten(done.stderr)}; "
                         f"free some of the disk that {cache.root()} is on: it takes {SIZE}")


def _cached(folder: Path) -> Source | None:
    record = cache.read_record(folder)
    tree = folder / "tree"
    if record is None or not record.get("packages") or not (tree / "Kconfig").exists():
        return None
    return Source(tree, record)
