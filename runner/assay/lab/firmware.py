# SPDX-License-Identifier: Apache-2.0
"""Firmware out of Debian's arm64 packages: UEFI, for a cell that starts as a real server does and for guests, and U-Boot,
the guest that this project did not write."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, unpack

SUITE = "bookworm"


def uefi() -> Path:
    """QEMU_EFI.fd from the cache; fetched when it is not there."""
    return _image("firmware", "QEMU_EFI.fd", "qemu-efi-aarch64", "usr/share/*/QEMU_EFI.fd", "UEFI firmware for a lab host")


def uboot() -> Path:
    """U-Boot's build for the virt board from the cache; fetched when it is not there."""
    return _image("u-boot", "u-boot.bin", "u-boot-qemu", "usr/lib/u-boot/qemu_arm64/u-boot.bin", "U-Boot for guests")


def _image(name: str, file: str, package: str, pattern: str, what: str) -> Path:
    """The one file of a package that is wanted, in a folder of the cache."""
    folder = cache.root() / name
    image = folder / file
    if cache.read_record(folder) and image.exists():
        return image
    with cache.lock(name):
        if cache.read_record(folder) and image.exists():
            return image
        cache.say(f"fetching {what} ({package}, Debian {SUITE})")
        apt = PrivateApt("arm64", [SUITE])
        wanted = apt.resolve(package, SUITE)
        with cache.staged(folder) as part, tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
            for deb in apt.download([wanted], Path(temp) / "debs"):
                unpack(deb, Path(temp) / "files")
            found = sorted(Path(temp).glob(f"files/{pattern}"))
            if not found:
                raise AssayError(f"{package} {wanted.version} holds no {file}; "
                                 "this version of Debian is not known to the lab")
            shutil.copyfile(found[0], part / file)
            cache.write_record(part, packages=[wanted.record()], mirror=apt.mirror)
    return image
