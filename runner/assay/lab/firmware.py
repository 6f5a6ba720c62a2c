# SPDX-License-Identifier: Apache-2.0
"""UEFI firmware for a cell that starts as a real server does: with ACPI and SMBIOS tables, without a device tree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, unpack

PACKAGE = "qemu-efi-aarch64"
SUITE = "bookworm"


def uefi() -> Path:
    """QEMU_EFI.fd from the cache; fetched when it is not there."""
    folder = cache.root() / "firmware"
    image = folder / "QEMU_EFI.fd"
    if cache.read_record(folder) and image.exists():
        return image
    with cache.lock("firmware"):
        if cache.read_record(folder) and image.exists():
            return image
        cache.say(f"fetching UEFI firmware for a lab host ({PACKAGE}, Debian {SUITE})")
        apt = PrivateApt("arm64", [SUITE])
        wanted = apt.resolve(PACKAGE, SUITE)
        with cache.staged(folder) as part, tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
            for deb in apt.download([wanted], Path(temp) / "debs"):
                unpack(deb, Path(temp) / "files")
            found = sorted(Path(temp).glob("files/usr/share/*/QEMU_EFI.fd"))
            if not found:
                raise AssayError(f"{PACKAGE} {wanted.version} holds no QEMU_EFI.fd; "
                                 "this version of Debian is not known to the lab")
            shutil.copyfile(found[0], part / "QEMU_EFI.fd")
            cache.write_record(part, packages=[wanted.record()], mirror=apt.mirror)
    return image
