# SPDX-License-Identifier: Apache-2.0
"""Kernels of the lab in the cache, and kernel images of the user's own."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AssayError
from . import build, cache
from .apt import FetchError, Package, PrivateApt, deb_fields, unpack
from .cells import Kernel
from .source import linux_source

OWN_KEPT = 4
OWN_STORE = "ASSAY_KERNEL_STORE"  # environment: another folder for them, of a tool that tries many

# What belongs to a kernel image: since 7.x the image is in linux-binary-*, before in linux-image-* itself.
_PARTS = re.compile(r"linux-(image|binary|modules|base)-\d")


@dataclass(frozen=True)
class KernelFiles:
    """A kernel ready to boot."""

    image: Path
    modules: Path | None = None  # the folder lib/modules/RELEASE
    record: dict[str, Any] = field(default_factory=dict)


def get(kernel: Kernel, refresh: bool = False) -> KernelFiles:
    """The kernel from the cache; fetched, or built, when it is not there."""
    if kernel.built:
        return _built(kernel, refresh)
    folder = cache.root() / "kernels" / kernel.name
    found = None if refresh else _cached(folder)
    if found:
        return found
    with cache.lock(f"kernel-{kernel.name}"):
        found = None if refresh else _cached(folder)
        if found:
            return found
        cache.say(f"fetching the kernel {kernel.name} ({kernel.package}, Debian {kernel.suite})")
        apt = PrivateApt("arm64", [kernel.suite])
        packages = _resolve(apt, kernel)
        with cache.staged(folder) as part:
            with tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
                tree = Path(temp) / "tree"
                for deb in apt.download(packages, Path(temp) / "debs"):
                    unpack(deb, tree)
                release = take(tree, part)
            cache.write_record(part, kernel=kernel.name, release=release, mirror=apt.mirror,
                               packages=[p.record() for p in packages])
    found = _cached(folder)
    if not found:
        raise AssayError(f"{folder} is incomplete; remove it and run the same command again")
    return found


def cached(kernel: Kernel) -> KernelFiles | None:
    """The kernel if the cache has it; one built here only if it has today's configuration."""
    found = _cached(cache.root() / "kernels" / kernel.name)
    if found and kernel.built and found.record.get("config_sha256") != build.digest(kernel.options):
        return None
    return found


def _built(kernel: Kernel, refresh: bool) -> KernelFiles:
    """A kernel of the lab's own. One of another configuration than today's is built anew."""
    folder = cache.root() / "kernels" / kernel.name
    found = None if refresh else cached(kernel)
    if found:
        return found
    with cache.lock(f"kernel-{kernel.name}"):
        found = None if refresh else cached(kernel)
        if found:
            return found
        build.check_tools()
        source = linux_source(kernel.package, kernel.suite, refresh)
        _check_series(kernel, source.version)
        with cache.staged(folder, "800 MB") as part:  # of objects, which go when it is built
            build.into(part, kernel, source)
    found = _cached(folder)
    if not found:
        raise AssayError(f"{folder} is incomplete; remove it and run the same command again")
    return found


def _check_series(kernel: Kernel, version: str) -> None:
    if not re.match(re.escape(kernel.series) + r"(\.|$)", version):
        raise FetchError(f"kernel {kernel.name}: Debian {kernel.suite} has {version} now, not {kernel.series}; "
                         "correct suite or series in lab/kernels.toml")


def _cached(folder: Path) -> KernelFiles | None:
    record = cache.read_record(folder)
    image = folder / "Image"
    if record is None or not image.exists():
        return None
    modules = folder / "modules"
    return KernelFiles(image, modules if modules.is_dir() else None, record)


def _resolve(apt: PrivateApt, kernel: Kernel) -> list[Package]:
    """The real packages: follows the meta package's dependencies as far as they are parts of a kernel."""
    todo = [kernel.package]
    found: dict[str, Package] = {}
    while todo:
        package = apt.resolve(todo.pop(0), kernel.suite)
        if package.name in found:
            continue
        found[package.name] = package
        todo += [name for name in package.depends if _PARTS.match(name)]
    packages = [p for p in found.values() if _PARTS.match(p.name)]
    version = packages[0].version if packages else next(iter(found.values())).version
    if not packages:
        raise FetchError(f"kernel {kernel.name}: {kernel.package} in {kernel.suite} names no linux-image package; "
                         "correct lab/kernels.toml")
    _check_series(kernel, version)
    return packages


def take(tree: Path, into: Path) -> str:
    """Moves image, configuration and modules of an unpacked package to `into`; returns the kernel release."""
    images = sorted([*tree.glob("boot/vmlinu[xz]-*"), *tree.glob("usr/lib/modules/*/vmlinuz"),
                     *tree.glob("lib/modules/*/vmlinuz"), *tree.glob("boot/Image-*")])
    if not images:
        raise AssayError("the package holds no kernel image (boot/vmlinuz-* or usr/lib/modules/*/vmlinuz); "
                         "name a linux-image or linux-binary package")
    image = images[0]
    release = image.parent.name if image.name == "vmlinuz" else image.name.split("-", 1)[1]
    (into / "Image").write_bytes(to_image(image.read_bytes(), image.name))
    for config in [*tree.glob(f"boot/config-{release}"), *tree.glob(f"usr/lib/modules/{release}/config")]:
        shutil.copyfile(config, into / "config")
    for modules in [tree / "usr/lib/modules" / release, tree / "lib/modules" / release]:
        if (modules / "kernel").is_dir() and not (into / "modules").exists():
            shutil.move(str(modules), into / "modules")
            (into / "modules" / "vmlinuz").unlink(missing_ok=True)
    return release


def to_image(data: bytes, name: str) -> bytes:
    """An ARM64 Image (Documentation/arch/arm64/booting.rst) out of what a vmlinuz may be: the Image itself,
    gzip or xz of it, or an EFI zboot container. Everything else is refused by what it is."""
    for _ in range(3):
        if data[0x38:0x3c] == b"ARM\x64":
            return data
        if data[:2] == b"\x1f\x8b":
            data = _unzip(gzip.decompress, data, name, "gzip")
        elif data[:6] == b"\xfd7zXZ\x00":
            data = _unzip(lzma.decompress, data, name, "xz")
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            data = _unzip(_zstd, data, name, "zstd")
        elif data[:2] == b"MZ" and data[4:8] == b"zimg":
            data = _zboot(data, name)
        else:
            break
    what = "is no ARM64 kernel image"
    if data[0x202:0x206] == b"HdrS":
        what = "is a kernel for x86"
    elif data[:4] == b"\x7fELF":
        what = "is an ELF file (vmlinux), not a bootable image"
    raise AssayError(f"{name}: {what}; wanted is an Image, a vmlinuz or a .deb for arm64")


def _zboot(data: bytes, name: str) -> bytes:
    """The payload of an EFI zboot image: offset and size at 8, the compression's name at 24
    (drivers/firmware/efi/libstub/zboot-header.S)."""
    offset, size = struct.unpack_from("<II", data, 8)
    if offset + size > len(data) or not size:
        raise AssayError(f"{name}: is a damaged EFI zboot image (payload at {offset:#x}, size {size:#x})")
    kind = data[24:56].split(b"\0")[0].decode("ascii", "replace")
    payload = data[offset:offset + size]
    if kind == "gzip":
        return _unzip(lambda d: zlib.decompressobj(31).decompress(d), payload, name, kind)
    if kind == "zstd":
        return _unzip(_zstd, payload, name, kind)
    if kind in ("xzkern", "xz", "lzma"):
        return _unzip(lambda d: lzma.LZMADecompressor().decompress(d), payload, name, kind)
    raise AssayError(f"{name}: EFI zboot image with the unknown compression {kind!r}")


def _zstd(data: bytes) -> bytes:
    # the size of the payload is behind the frame in a zboot image: zstd stops with an error after a whole frame
    done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False)
    if not done.stdout:
        raise OSError("zstd: " + done.stderr.decode(errors="replace").strip())
    return done.stdout


def _unzip(how: Any, data: bytes, name: str, kind: str) -> bytes:
    try:
        return how(data)
    except FileNotFoundError as e:
        raise AssayError(f"{name}: is compressed with {kind} and the program {kind} is missing; "
                         f"install the package {kind}") from e
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as e:
        raise AssayError(f"{name}: damaged {kind} data: {e}") from e


def _forget_old(folder: Path) -> None:
    """Of the user's own kernels only the last few stay: each is 30 MB and more."""
    found = sorted(folder.glob("own-*"), key=lambda p: p.stat().st_mtime)
    for old in found[:-OWN_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def own(path: Path) -> KernelFiles:
    """A kernel of the user's own: an image, or a .deb with one. What is kept of it is a copy, so that the file may change
    while a run goes on."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise AssayError(f"kernel {path}: cannot be read: {e.strerror}") from e
    digest = hashlib.sha256(data).hexdigest()
    store = os.environ.get(OWN_STORE) or ""
    folder = (Path(store) if store.startswith("/") else cache.root() / "kernels") / f"own-{digest[:20]}"
    found = _cached(folder)
    if found:
        return found
    with cache.lock("kernel-own"), cache.staged(folder) as part:
        _forget_old(folder.parent)
        record: dict[str, Any] = {"kernel": str(path), "sha256": digest}
        if data[:8] == b"!<arch>\n":
            fields = deb_fields(path)
            record["packages"] = [fields]
            if fields.get("architecture") not in ("arm64", "all"):
                raise AssayError(f"{path}: is a package for {fields.get('architecture')}, not for arm64")
            with tempfile.TemporaryDirectory(prefix=".deb-", dir=part) as temp:
                unpack(path, Path(temp))
                record["release"] = take(Path(temp), part)
        else:
            (part / "Image").write_bytes(to_image(data, str(path)))
        cache.write_record(part, **record)
    found = _cached(folder)
    if not found:
        raise AssayError(f"{folder} is incomplete; remove it and run the same command again")
    return found
