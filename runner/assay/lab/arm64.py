# SPDX-License-Identifier: Apache-2.0
"""What else the lab takes from Debian's arm64 packages: libraries to link against, and the parts of an ssh host."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, deb_fields, unpack

SUITE = "bookworm"
LIBRARIES = {"libfdt-dev": "libfdt.a", "zlib1g-dev": "libz.a"}
SSHD = ("dropbear-bin", "busybox-static")
QEMU = "qemu-system-arm"
PASST_FILES = {"passt": "usr/bin/passt", "ld-linux-aarch64.so.1": "**/lib/*/ld-linux-aarch64.so.1",
               "libc.so.6": "**/lib/*/libc.so.6"}
QEMU_SUITE = "bookworm-backports"


def libraries(refresh: bool = False) -> Path:
    """The folder with lib/*.a and include/*.h of refvmm's libraries, for the cross compiler."""
    folder = cache.root() / "arm64"
    if not refresh and _whole(folder):
        return folder
    with cache.lock("arm64"):
        if not refresh and _whole(folder):
            return folder
        cache.say(f"fetching libraries for arm64 ({' and '.join(LIBRARIES)}, Debian {SUITE})")
        apt = PrivateApt("arm64", [SUITE])
        packages = [apt.resolve(name, SUITE) for name in LIBRARIES]
        with cache.staged(folder) as part, tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
            tree = Path(temp) / "tree"
            for deb in apt.download(packages, Path(temp) / "debs"):
                unpack(deb, tree)
            for name in ("lib", "include"):
                (part / name).mkdir()
            for package, archive in LIBRARIES.items():
                found = sorted(tree.glob(f"usr/lib/**/{archive}"))
                if not found:
                    raise AssayError(f"{package} of Debian {SUITE} holds no {archive}; this version is not known to the lab")
                shutil.copyfile(found[0], part / "lib" / archive)
            for header in (*tree.glob("usr/include/*.h"), *tree.glob("usr/include/aarch64-linux-gnu/*.h")):
                shutil.copyfile(header, part / "include" / header.name)
            cache.write_record(part, packages=[package.record() for package in packages], mirror=apt.mirror)
    return folder


def _whole(folder: Path) -> bool:
    return cache.read_record(folder) is not None and all((folder / "lib" / name).exists() for name in LIBRARIES.values())


def sshd() -> Path:
    """A tree with dropbear, the libraries it needs, and busybox, for arm64."""
    folder = cache.root() / "sshd"
    if cache.read_record(folder):
        return folder / "tree"
    with cache.lock("sshd"):
        if cache.read_record(folder):
            return folder / "tree"
        cache.say(f"fetching an ssh server for a lab host ({' and '.join(SSHD)} for arm64, Debian {SUITE})")
        apt = PrivateApt("arm64", [SUITE])
        debs = apt.download_closure(SSHD, SUITE)
        with cache.staged(folder) as part:
            tree = part / "tree"
            for deb in debs:
                unpack(deb, tree)
            for spare in ("usr/share", "etc", "var", "usr/lib/systemd", "lib/systemd"):
                shutil.rmtree(tree / spare, ignore_errors=True)
            # character set converters and extra audit modules of the C library are of no use here
            for spare in tree.glob("usr/lib/*/gconv"):
                shutil.rmtree(spare)
            cache.write_record(part, packages=[deb_fields(deb) for deb in debs], mirror=apt.mirror)
        for deb in debs:
            deb.unlink(missing_ok=True)
    return folder / "tree"


def passt() -> list[Path]:
    """passt for arm64, and the C library it runs with: what a guest's network card is connected to."""
    folder = cache.root() / "passt"
    if not cache.read_record(folder):
        with cache.lock("passt"):
            if not cache.read_record(folder):
                _fetch_passt(folder)
    return [folder / name for name in PASST_FILES]


def _fetch_passt(folder: Path) -> None:
    cache.say(f"fetching passt for arm64 (Debian {SUITE}); nothing is installed")
    apt = PrivateApt("arm64", [SUITE])
    debs = apt.download_closure(("passt",), SUITE)
    with cache.staged(folder) as part, tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
        for deb in debs:
            unpack(deb, Path(temp))
        for name, where in PASST_FILES.items():
            found = sorted(Path(temp).glob(where))
            if not found:
                raise AssayError(f"the packages of passt in Debian {SUITE} hold no {name}; this version is not known to the lab")
            shutil.copyfile(found[0], part / name)
        cache.write_record(part, packages=[deb_fields(deb) for deb in debs if deb.name.startswith("passt")], mirror=apt.mirror)
    for deb in debs:
        deb.unlink(missing_ok=True)


def qemu() -> tuple[Path, tuple[str, ...]]:
    """A tree with QEMU for arm64 and all it needs, and how it is started with that tree as /qemu; for the benchmark."""
    folder = cache.root() / "qemu-arm64"
    if not cache.read_record(folder):
        with cache.lock("qemu-arm64"):
            if not cache.read_record(folder):
                _fetch_qemu(folder)
    library = "aarch64-linux-gnu"
    return folder / "tree", (f"/qemu/lib/{library}/ld-linux-aarch64.so.1", "--library-path",
                             f"/qemu/lib/{library}:/qemu/usr/lib/{library}", "/qemu/usr/bin/qemu-system-aarch64",
                             "-L", "/qemu/usr/share/qemu")


def _fetch_qemu(folder: Path) -> None:
    cache.say(f"fetching QEMU for arm64 ({QEMU}, Debian {QEMU_SUITE}), 34 MB; nothing is installed")
    apt = PrivateApt("arm64", [SUITE, QEMU_SUITE])
    debs = apt.download_closure((QEMU, "qemu-system-common", "qemu-system-data"), QEMU_SUITE)
    with cache.staged(folder) as part:
        tree = part / "tree"
        for deb in debs:
            unpack(deb, tree)
        # what a virt machine without a display never opens would be most of the host's memory
        for spare in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "usr/share/X11", "var", "etc",
                      "usr/bin/qemu-system-arm"):
            path = tree / spare
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for spare in tree.glob("usr/share/qemu/*"):
            if not spare.name.startswith("efi-virtio"):
                shutil.rmtree(spare) if spare.is_dir() and not spare.is_symlink() else spare.unlink()
        cache.write_record(part, packages=[deb_fields(deb) for deb in debs if deb.name.startswith("qemu-")], mirror=apt.mirror)
    for deb in debs:
        deb.unlink(missing_ok=True)
