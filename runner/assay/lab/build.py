# SPDX-License-Identifier: Apache-2.0
"""Kernels that no distribution has (64 KiB pages), built from Debian's source: small ones, in minutes."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ..errors import AssayError
from . import cache
from .cells import LAB, Kernel
from .source import Source

CONFIG = LAB / "kernel.config"
TOOLS = {"flex": "flex", "bison": "bison", "bc": "bc", "make": "make", "gcc": "gcc"}
LIMIT_S = 7200
LIMIT = "ASSAY_BUILD_LIMIT"  # environment: another limit, of one who rather goes without than waits


def cross() -> str:
    """The prefix of the compiler for arm64."""
    return "" if platform.machine() == "aarch64" else "aarch64-linux-gnu-"


def check_tools() -> None:
    """All that a build needs is here, or one line says what is not."""
    wanted = {**TOOLS, f"{cross()}gcc": "gcc-aarch64-linux-gnu" if cross() else "gcc"}
    missing = {package for tool, package in wanted.items() if not shutil.which(tool)}
    if missing:
        raise AssayError("a kernel has to be built and these packages are missing: "
                         f"{' '.join(sorted(missing))}; `lab/setup.sh kernel` installs them")


def words(options: Sequence[str] = ()) -> list[str]:
    """The configuration: lab/kernel.config, then the kernel's own options."""
    try:
        lines = CONFIG.read_text().splitlines()
    except OSError as e:
        raise AssayError(f"{CONFIG}: cannot be read: {e.strerror}") from e
    return [*(line for line in lines if line.startswith("CONFIG_")), *options]


def digest(options: Sequence[str] = ()) -> str:
    """Tells a kernel of another configuration from this one."""
    return hashlib.sha256("\n".join(words(options)).encode()).hexdigest()


def _make(source: Path, objects: Path, *targets: str, jobs: int, log: Path) -> None:
    argv = ["make", "-s", f"-j{jobs}", "-C", str(source), f"O={objects}", "ARCH=arm64", f"CROSS_COMPILE={cross()}",
            "KBUILD_BUILD_USER=assay", "KBUILD_BUILD_HOST=lab", *targets]
    # nothing of a surrounding make's may go into this one
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH", "O")}
    limit = float(os.environ.get(LIMIT) or LIMIT_S)
    with log.open("ab") as out:
        # a session of its own: a make that is killed leaves the makes below it at work
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 env=environment | {"LC_ALL": "C"}, start_new_session=True)
        try:
            status = child.wait(limit)
        except BaseException as e:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(e, subprocess.TimeoutExpired):
                raise AssayError(f"the kernel's build took longer than {limit:g} s; "
                                 f"`./assay lab fetch` gives it {LIMIT_S}") from e
            raise
    if status:
        text = log.read_text(errors="replace")
        lines = [line for line in text.splitlines() if re.search(r"\berror\b|Error \d|No space|\*\*\*", line)]
        why = " ".join((lines or text.splitlines() or ["no message"])[0].split())
        raise AssayError(f"the kernel cannot be built from {source}: {why[:240]}")


def configure(source: Path, objects: Path, options: Sequence[str], log: Path) -> None:
    """A .config in `objects`; a word that the kernel did not take over is an error."""
    wanted = words(options)
    objects.mkdir(parents=True, exist_ok=True)
    chosen = objects / "assay.config"
    chosen.write_text("\n".join(wanted) + "\n")
    _make(source, objects, "allnoconfig", f"KCONFIG_ALLCONFIG={chosen}", jobs=1, log=log)
    made = set((objects / ".config").read_text().splitlines())
    last = {word.partition("=")[0]: word for word in wanted}  # a later one overrides
    lost = [word for word in last.values() if word not in made]
    if lost:
        raise AssayError(f"the kernel of {source} does not take over {', '.join(lost)}; correct {CONFIG.name} "
                         "or the kernel's options in lab/kernels.toml")


def build(source: Path, objects: Path, options: Sequence[str], log: Path, jobs: int | None = None) -> Path:
    """The Image, built in `objects`; `source` stays as it is."""
    check_tools()
    configure(source, objects, options, log)
    _make(source, objects, "Image", jobs=jobs or os.cpu_count() or 1, log=log)
    return objects / "arch/arm64/boot/Image"


def into(part: Path, kernel: Kernel, source: Source) -> None:
    """Builds the kernel into a folder of the cache that is being made, with its record."""
    cache.say(f"building the kernel {kernel.name} from {kernel.package} {source.version}: "
              f"4 to 6 minutes on 2 quiet cores, once")
    began = time.monotonic()
    objects, log = part / "objects", part / "build.log"
    try:
        image = build(source.tree, objects, kernel.options, log)
    except AssayError as e:
        kept = cache.root() / "kernels" / f"{kernel.name}.log"
        if log.exists():
            shutil.copyfile(log, kept)
            raise AssayError(f"kernel {kernel.name}: {e}; its log is {kept}") from e
        raise
    shutil.copyfile(image, part / "Image")
    shutil.copyfile(objects / ".config", part / "config")
    release = (objects / "include/config/kernel.release").read_text().strip()
    took = time.monotonic() - began
    cache.say(f"the kernel {kernel.name} is built, in {took:.0f} s")
    shutil.rmtree(objects)
    cache.write_record(part, kernel=kernel.name, release=release, packages=source.record["packages"],
                       mirror=source.record.get("mirror"), config_sha256=digest(kernel.options),
                       options=list(kernel.options), build_s=round(took, 1))
