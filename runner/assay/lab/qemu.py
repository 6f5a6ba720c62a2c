# SPDX-License-Identifier: Apache-2.0
"""QEMU for the lab: the user's, the system's when it is new enough, or a private copy of Debian's in the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AssayError
from . import cache
from .apt import PrivateApt, deb_fields, unpack

PROGRAM = "qemu-system-aarch64"
OLDEST = (7, 2)  # older ones lack what every cell uses
SYSTEM_OLDEST = (9, 0)  # two to three times faster than 7.2, and has FEAT_NV2
SUITES = ("bookworm", "bookworm-backports")
PACKAGES = ("qemu-system-arm", "qemu-system-common", "qemu-system-data")


@dataclass(frozen=True)
class Qemu:
    """How to start it, and which it is."""

    argv: tuple[str, ...]
    path: str
    version: tuple[int, ...]
    origin: str  # "user", "system" or "cache"
    record: dict[str, Any] | None = None

    @property
    def version_text(self) -> str:
        """`10.0.8`."""
        return ".".join(map(str, self.version))


def version_of(argv: tuple[str, ...], path: str) -> tuple[int, ...]:
    """Asks the program itself."""
    try:
        done = subprocess.run([*argv, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise AssayError(f"QEMU {path}: cannot be run: {getattr(e, 'strerror', None) or e}") from e
    found = re.search(r"QEMU emulator version (\d+(?:\.\d+)+)", done.stdout)
    if not found:
        said = (done.stdout or done.stderr).strip().partition("\n")[0][:80]
        raise AssayError(f"QEMU {path}: is no {PROGRAM}: it says {said or 'nothing'!r}; give the path of one")
    return tuple(int(n) for n in found.group(1).split("."))


def find_qemu(path: str | None = None, fetch: bool = True) -> Qemu:
    """The user's own when `path` is given; else the private copy, else the system's from 9.0 on, else fetched."""
    if path:
        full = shutil.which(path)
        if not full:
            raise AssayError(f"QEMU {path}: no such program; give the path of a {PROGRAM}")
        version = version_of((full,), full)
        if version < OLDEST:
            raise AssayError(f"QEMU {full} is {'.'.join(map(str, version))}; "
                             f"the lab needs {'.'.join(map(str, OLDEST))} or newer")
        _check_target(full)
        return Qemu((full,), full, version, "user")
    found = _cached()
    if found:
        return found
    system = shutil.which(PROGRAM)
    if system:
        version = version_of((system,), system)
        if version >= SYSTEM_OLDEST:
            return Qemu((system,), system, version, "system")
    if not fetch:
        raise AssayError("there is no QEMU 9.0 or newer; `./assay lab fetch` puts a private copy into the cache")
    return _fetch()


def _check_target(path: str) -> None:
    done = subprocess.run([path, "-machine", "help"], capture_output=True, text=True, check=False, timeout=30)
    if not re.search(r"^virt-7\.2\s", done.stdout, re.MULTILINE):
        raise AssayError(f"QEMU {path}: has no ARM machine virt; give the path of a {PROGRAM}")


def _folder() -> Path:
    return cache.root() / "qemu"


def _cached() -> Qemu | None:
    folder = _folder()
    record = cache.read_record(folder)
    program = folder / "usr/bin" / PROGRAM
    loader = folder / record.get("loader", "-") if record else None
    if not record or not program.exists() or not loader or not loader.exists():
        return None
    libraries = ":".join(str(folder / path) for path in record["libraries"])
    argv = (str(loader), "--library-path", libraries, str(program), "-L", str(folder / "usr/share/qemu"))
    return Qemu(argv, str(program), tuple(record["version"]), "cache", record)


def _native_architecture() -> str:
    try:
        done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise AssayError("the private QEMU is made of Debian packages, and there is no dpkg here; "
                         "install QEMU 9.0 or newer and give its path with --qemu") from e
    return done.stdout.strip()


def _fetch() -> Qemu:
    with cache.lock("qemu"):
        found = _cached()
        if found:
            return found
        apt = PrivateApt(_native_architecture(), SUITES)
        cache.say(f"fetching QEMU ({PACKAGES[0]}, Debian {SUITES[1]}) and its libraries, 34 MB; "
                  "a private copy, nothing is installed")
        debs = apt.download_closure(PACKAGES, SUITES[1])
        with cache.staged(_folder()) as part:
            for deb in debs:
                unpack(deb, part)
            for spare in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "var", "etc"):
                shutil.rmtree(part / spare, ignore_errors=True)
            loaders = sorted(part.glob("lib/*-linux-gnu*/ld-linux-*.so.*"))
            if not loaders:
                raise AssayError("the packages of the private QEMU hold no dynamic loader; "
                                 "install QEMU 9.0 or newer and give its path with --qemu")
            triplet = loaders[0].parent.name
            libraries = [f"lib/{triplet}", f"usr/lib/{triplet}"]
            program = part / "usr/bin" / PROGRAM
            argv = (str(loaders[0]), "--library-path", ":".join(str(part / lib) for lib in libraries), str(program))
            version = version_of(argv, str(program))
            packages = [deb_fields(deb) for deb in debs if deb.name.startswith("qemu-")]
            cache.write_record(part, version=list(version), loader=str(loaders[0].relative_to(part)),
                               libraries=libraries, packages=packages, mirror=apt.mirror)
        for deb in debs:
            deb.unlink(missing_ok=True)
    found = _cached()
    if not found:
        raise AssayError(f"{_folder()} is incomplete; remove it and run the same command again")
    return found
