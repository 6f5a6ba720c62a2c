# SPDX-License-Identifier: Apache-2.0
"""What a server has around its kernel: a distribution's files, for the cell whose stack is looked at.

The packages and all they depend on are unpacked, not configured: their programs run, their services do not.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, deb_fields, unpack
from .cpio import Archive

SUITE = "bookworm"
ALWAYS = ("base-files",)  # /etc/os-release
IMAGE = "system.cpio"

# It lies in the host's memory: what nobody here runs or reads is left out. The names of files stay true.
_SPARE = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/iso-codes", "usr/share/xml", "usr/share/perl",
          "usr/share/perl5", "usr/share/info", "usr/share/qemu/*.fd", "usr/share/qemu/*.bin", "usr/share/qemu/*.rom",
          "usr/share/qemu/*.img", "usr/share/fonts", "usr/share/icons", "usr/share/mime", "usr/share/zoneinfo",
          "usr/lib/*/perl*", "usr/lib/*/gconv", "usr/lib/*/xtables", "usr/lib/python3*", "usr/bin/perl*",
          "usr/bin/qemu-system-arm", "usr/bin/qemu-storage-daemon", "lib/systemd", "usr/lib/*/systemd", "lib/udev",
          "dev", "proc", "sys", "tmp", "run", "boot", "home", "root", "mnt", "media", "var/cache")


def _folder(packages: Sequence[str]) -> Path:
    return cache.root() / f"system-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"


def image(packages: Sequence[str]) -> Path:
    """An initramfs archive of the packages and what they need, from the cache; fetched when it is not there."""
    wanted = (*ALWAYS, *packages)
    folder = _folder(wanted)
    found = folder / IMAGE
    if cache.read_record(folder) and found.exists():
        return found
    with cache.lock("system"):
        if cache.read_record(folder) and found.exists():
            return found
        cache.say(f"fetching a distribution for a lab host ({' '.join(wanted)} and what they need, Debian {SUITE} arm64), "
                  "80 MB")
        apt = PrivateApt("arm64", [SUITE])
        debs = apt.download_closure(wanted, SUITE)
        with cache.staged(folder) as part:
            tree = part / "tree"
            for deb in debs:
                unpack(deb, tree)
            for spare in _SPARE:
                for path in tree.glob(spare):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            if not (tree / "etc/os-release").exists():
                raise AssayError(f"the packages {' '.join(wanted)} of Debian {SUITE} hold no /etc/os-release; "
                                 "this version of Debian is not known to the lab")
            archive = Archive()
            archive.tree(tree, "/")
            (part / IMAGE).write_bytes(archive.finish())
            shutil.rmtree(tree)
            cache.write_record(part, packages=[deb_fields(deb) for deb in debs], wanted=list(wanted), mirror=apt.mirror)
        for deb in debs:
            deb.unlink(missing_ok=True)
    return found
