# SPDX-License-Identifier: Apache-2.0
"""Cells and kernels: lab/cells.toml and lab/kernels.toml, read strictly."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AssayError
from ..paths import ROOT, shown

if TYPE_CHECKING:
    from .qemu import Qemu

LAB = ROOT / "lab"
DEFAULT_CELL = "k6.12-max"

CAPABILITIES = ("kvm", "gicv2", "gicv3", "its", "sve", "sve-BITS", "ipa-BITS", "hugetlb-SIZE", "thp", "nested", "pmu",
                "pauth", "mte")
_CAPABILITY = re.compile("|".join(cap.replace("BITS", r"[1-9]\d*").replace("SIZE", r"[1-9]\d*[KMG]")
                                  for cap in CAPABILITIES))
_CHOICES: dict[str, tuple[Any, ...]] = {
    "kvm_mode": ("vhe", "nvhe", "protected", "nested"), "gic": (2, 3, 4), "timing": ("emulated", "real"),
    "page_size": (4, 16, 64), "thp": (None, "always", "madvise", "never"), "firmware": ("none", "uefi"),
}
_RANGES = {"cpus": (1, 64), "memory": (128, 65536), "time_scale": (0.1, 1000)}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "float": (int, float), "str | None": str, "dict[str, int]": dict, "tuple[str, ...]": list,
}
_WORDS = {"smbios": r"type=\d+(,[a-z-]+=[^,]*)*", "system": r"[a-z0-9][a-z0-9+.-]+", "options": r"CONFIG_[A-Z0-9_]+=(y|n|\d+|\".*\")"}
_FORMS = {"smbios": "type=NUMBER,KEY=VALUE…", "system": "package-name", "options": "CONFIG_WORD=y"}


@dataclass(frozen=True)
class Kernel:
    """Where a kernel comes from."""

    name: str
    package: str
    suite: str
    series: str
    page_size: int
    options: tuple[str, ...] = ()

    @property
    def built(self) -> bool:
        """Whether it is built here, from a package with the source."""
        return self.package.startswith("linux-source")


@dataclass(frozen=True)
class LabCell:
    """One emulated server; the fields are described at the top of lab/cells.toml."""

    name: str
    description: str
    kernel: str
    page_size: int
    kvm_mode: str
    cpu: str
    gic: int
    cpus: int
    memory: int
    timing: str
    time_scale: float
    has: tuple[str, ...]
    machine: str = ""
    append: str = ""
    hugepages: dict[str, int] = field(default_factory=dict)
    thp: str | None = None
    needs: str = ""
    firmware: str = "none"
    smbios: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()

    @classmethod
    def load(cls, name: str, path: Path | None = None) -> LabCell:
        """The cell of that name."""
        cells = load_cells(path)
        if name not in cells:
            near = difflib.get_close_matches(name, cells, 1)
            hint = f"did you mean {near[0]}?" if near else "see `./assay lab list`"
            raise AssayError(f"there is no cell {name!r}; {hint}")
        return cells[name]

    def available(self, qemu: Qemu) -> str | None:
        """None when this QEMU can run the cell, else the reason as one line."""
        want = tuple(int(n) for n in self.needs.split(".")) if self.needs else (7, 2)
        if qemu.version[: len(want)] < want:
            return (f"cell {self.name} needs QEMU {'.'.join(map(str, want))} or newer, "
                    f"{qemu.path} is {qemu.version_text}")
        return None

    def limit_s(self, seconds: float) -> float:
        """A time on real hardware, as it may take here."""
        return seconds * self.time_scale

    def facts(self) -> dict[str, Any]:
        """What of the description belongs into a run's record."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as e:
        raise AssayError(f"{shown(path)}: cannot be read: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise AssayError(f"{shown(path)}: is no valid TOML: {e}") from e


def _entry(cls: type, path: Path, name: str, table: Any) -> Any:
    """One table of the file as an object; every slip is an error that names file, table and key."""
    where = f"{shown(path)}: [{name}]"
    if not isinstance(table, dict):
        raise AssayError(f"{where}: is no table")
    known = {f.name: f for f in fields(cls) if f.name != "name"}
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise AssayError(f"{where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else
                             f"; known are {', '.join(known)}"))
    for key, f in known.items():
        if key not in table:
            if f.default is MISSING and f.default_factory is MISSING:
                raise AssayError(f"{where}: the key {key!r} is missing")
            continue
        _check(where, key, str(f.type), table[key])
    made = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return cls(name=name, **made)


def _check(where: str, key: str, kind: str, value: Any) -> None:
    if not isinstance(value, _TYPES[kind]) or isinstance(value, bool):
        raise AssayError(f"{where}: {key} = {value!r} is of the wrong kind, wanted {kind}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise AssayError(f"{where}: {key} = {value!r} is none of {', '.join(str(c) for c in _CHOICES[key] if c)}")
    if key in _RANGES and not _RANGES[key][0] <= value <= _RANGES[key][1]:
        raise AssayError(f"{where}: {key} = {value} is not from {_RANGES[key][0]} to {_RANGES[key][1]}")
    if key == "has":
        for cap in value:
            if not isinstance(cap, str) or not _CAPABILITY.fullmatch(cap):
                raise AssayError(f"{where}: has {cap!r}, which is none of {', '.join(CAPABILITIES)}")
    if key == "guests" and not all(isinstance(word, str) for word in value):
        raise AssayError(f"{where}: {key} holds something that is no name of a kernel")
    if key in _WORDS:
        for word in value:
            if not isinstance(word, str) or not re.fullmatch(_WORDS[key], word):
                raise AssayError(f"{where}: {key} has {word!r}, which is not of the form {_FORMS[key]}")
    if key == "hugepages":
        for size, count in value.items():
            if not size.isdecimal() or not isinstance(count, int) or count < 1:
                raise AssayError(f"{where}: hugepages {size!r} = {count!r}: wanted a size in KiB and a count")
    if key == "needs" and not all(part.isdecimal() for part in value.split(".")):
        raise AssayError(f"{where}: needs = {value!r} is no version")


def load_kernels(path: Path | None = None) -> dict[str, Kernel]:
    """All kernels, by name."""
    path = path or LAB / "kernels.toml"
    kernels = {name: _entry(Kernel, path, name, table) for name, table in _toml(path).items()}
    for kernel in kernels.values():
        if kernel.options and not kernel.built:
            raise AssayError(f"{shown(path)}: [{kernel.name}]: options are for a kernel built here, of linux-source-*")
    return kernels


def load_cells(path: Path | None = None, kernels: Path | None = None) -> dict[str, LabCell]:
    """All cells, by name, in the order of the file."""
    path = path or LAB / "cells.toml"
    cells = {name: _entry(LabCell, path, name, table) for name, table in _toml(path).items()}
    known = load_kernels(kernels)
    for cell in cells.values():
        kernel = known.get(cell.kernel)
        if kernel is None:
            raise AssayError(f"{shown(path)}: [{cell.name}]: kernel {cell.kernel!r} is not in kernels.toml")
        if kernel.page_size != cell.page_size:
            raise AssayError(f"{shown(path)}: [{cell.name}]: page_size = {cell.page_size}, "
                             f"but the kernel {kernel.name} has {kernel.page_size}")
        for name in cell.guests:
            if name not in known:
                raise AssayError(f"{shown(path)}: [{cell.name}]: guests names {name!r}, which is not in kernels.toml")
    return cells
