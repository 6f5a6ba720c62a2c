# SPDX-License-Identifier: Apache-2.0
"""The kernel's source and its objects in the cache; building it as it is, and with a fault."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import AssayError
from ..lab import cache
from ..lab.source import linux_source
from ..paths import ROOT
from .record import Mutant

PACKAGE, SUITE = "linux-source-6.12", "bookworm-backports"
CONFIG = ROOT / "lab" / "kernel.config"
TOOLS = {"flex": "flex", "bison": "bison", "bc": "bc", "make": "make",
         "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu"}
BUILD_LIMIT_S = 3600
PRISTINE = ".assay-pristine"


def need_tools() -> None:
    """What building a kernel takes and the rest of the project does not."""
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing:
        raise AssayError(f"building a kernel needs the Debian packages {' '.join(missing)}; install them (apt-get install)")


def fetch() -> Path:
    """A copy of Debian's source of the kernel, in the cache, for faults alone: hard links, of which a fault breaks one."""
    source = linux_source(PACKAGE, SUITE)
    copy = cache.root() / "mutants" / PACKAGE
    with cache.lock("mutants"):
        found = cache.read_record(copy)
        if found is None or found.get("packages") != source.record.get("packages"):
            with cache.staged(copy) as part:
                done = subprocess.run(["cp", "-al", f"{source.tree}/.", str(part / "linux")], capture_output=True, text=True,
                                      check=False)
                if done.returncode:
                    raise AssayError(f"{copy}: the source cannot be copied: {done.stderr.strip()[:200]}")
                cache.write_record(part, packages=source.record["packages"])
    return copy / "linux"


def _place(path: Path, text: str) -> None:
    """The file with another text, as a new file: the old one may have other links. Its time is new, so that make builds it."""
    part = path.with_name(path.name + ".assay-new")
    part.write_text(text)
    shutil.copymode(path, part)
    part.replace(path)


class Tree:
    """A source and the folder of its objects. Only one process works with it at a time (hold `lock`)."""

    def __init__(self, source: Path, objects: Path, jobs: int) -> None:
        if not (source / "arch" / "arm64" / "kvm").is_dir():
            raise AssayError(f"{source}: is no source of a Linux kernel for arm64")
        self.source = source.resolve()
        self.objects = objects.resolve()
        self.jobs = jobs
        self.image = self.objects / "arch" / "arm64" / "boot" / "Image"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """The source has no fault in it at the beginning, and none at the end: a run that was killed is tidied up here."""
        with cache.lock(f"mutants-{hashlib.sha256(str(self.source).encode()).hexdigest()[:12]}"):
            for kept in (*self.source.glob(f"arch/arm64/**/*{PRISTINE}"), *self.source.glob(f"virt/**/*{PRISTINE}")):
                _place(kept.with_name(kept.name.removesuffix(PRISTINE)), kept.read_text())
                kept.unlink()
            yield

    def _make(self, *targets: str) -> subprocess.CompletedProcess[str]:
        argv = ["make", "-s", f"-j{self.jobs}", "ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-",
                f"O={self.objects}", *targets]
        environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        try:
            return subprocess.run(argv, cwd=self.source, env=environment, capture_output=True, text=True,
                                  errors="replace", stdin=subprocess.DEVNULL, check=False, timeout=BUILD_LIMIT_S)
        except subprocess.TimeoutExpired as e:
            raise AssayError(f"building the kernel took longer than {BUILD_LIMIT_S} s") from e

    def configure(self) -> None:
        """lab/kernel.config over allnoconfig; done once."""
        stamp = self.objects / "assay.config"
        text = CONFIG.read_text()
        if (self.objects / ".config").exists() and stamp.exists() and stamp.read_text() == text:
            return
        self.objects.mkdir(parents=True, exist_ok=True)
        done = self._make("allnoconfig", f"KCONFIG_ALLCONFIG={CONFIG}")
        if done.returncode:
            raise AssayError(f"the kernel cannot be configured: {_why(done.stderr)}")
        stamp.write_text(text)

    def build(self, name: str, into: Path) -> Path:
        """The image of the source as it is now, copied to `into`."""
        done = self._make("Image")
        if done.returncode:
            raise AssayError(f"kernel {name}: does not build: {_why(done.stderr)}")
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.image, into)
        return into

    @contextlib.contextmanager
    def faults(self, mutants: Sequence[Mutant]) -> Iterator[None]:
        """The source with these faults in it."""
        before: dict[Path, str] = {}
        after: dict[Path, str] = {}
        for mutant in mutants:
            path = self.source / mutant.file
            try:
                before.setdefault(path, path.read_text())
            except OSError as e:
                raise AssayError(f"mutant {mutant.id}: {mutant.file}: {e.strerror}") from e
            after[path] = mutant.mutated(after.get(path, before[path]))
        for path in before:
            shutil.copyfile(path, path.with_name(path.name + PRISTINE))
        try:
            for path, text in after.items():
                _place(path, text)
            yield
        finally:
            for path, text in before.items():
                _place(path, text)
                path.with_name(path.name + PRISTINE).unlink(missing_ok=True)

    def check(self, mutants: list[Mutant]) -> None:
        """Each record fits the source; the first that does not is the error."""
        for mutant in mutants:
            try:
                mutant.mutated((self.source / mutant.file).read_text())
            except OSError as e:
                raise AssayError(f"mutant {mutant.id}: {mutant.file}: {e.strerror}") from e


def _why(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return ((errors or lines or ["no message"])[0])[:300]
