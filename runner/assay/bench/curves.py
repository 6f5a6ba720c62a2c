# SPDX-License-Identifier: Apache-2.0
"""How a machine's cost grows: with its vCPUs, its devices, its address space, and the number of machines started at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .figures import MINIMAL
from .measure import Command, Cost

RUNS = 3
DISK = "file=bench/disk.img,readonly=on"


@dataclass(frozen=True)
class Curve:
    """One thing that is varied: what it takes at each point, for refvmm and, where it can, for the bare program."""

    name: str
    title: str
    axis: str
    note: str
    points: tuple[int, ...]
    bare: bool = True
    memory: bool = True  # peak resident memory is worth a plot
    log: bool = False  # the cost doubles with each step of the axis


CURVES = (
    Curve("vcpus", "vCPUs", "vCPUs", "Each CPU starts the next by PSCI and goes off; the last powers off.", (1, 2, 8, 32, 128, 512)),
    Curve("mmio", "virtio-mmio devices", "disks", "The same read-only disk again and again, on the board's 32 transports.",
          (0, 1, 8, 16, 32), bare=False),
    Curve("pci", "virtio-pci devices", "disks", "The same disk, as functions of the root bus.", (0, 1, 8, 16, 24), bare=False),
    Curve("machines", "Machines at once", "machines", "Started together; the cost is that of all.", (1, 3, 10, 30, 100)),
    Curve("ipa", "Size of the guest's address space", "IPA bits",
          "KVM steps through the whole stage-2 space when a VM is closed; refvmm takes the smallest that holds the machine.",
          (40, 42, 44, 46, 48, 50, 52), memory=False, log=True),
)


def _refvmm(curve: Curve, x: int) -> tuple[str, ...]:
    cpus = x if curve.name == "vcpus" else 1
    more: tuple[str, ...] = {
        "vcpus": ("--smp", str(x)), "ipa": ("--ipa-bits", str(x)),
        "mmio": ("--drive", f"{DISK},if=virtio-mmio") * x, "pci": ("--drive", DISK) * x,
    }.get(curve.name, ())
    return (*MINIMAL, *more, "--kernel", f"bench/off-{cpus}.elf")


def _bare(curve: Curve, x: int) -> tuple[str, ...]:
    cpus = str(x if curve.name == "vcpus" else 1)
    return ("bench/bare", cpus, f"bench/off-{cpus}.elf", *((str(x),) if curve.name == "ipa" else ()))


def commands(counted: bool) -> list[Command]:
    """All points of one host; memory wants one run of each, and none of what takes none."""
    made = []
    for curve in CURVES:
        if not counted and not curve.memory:
            continue
        for x in curve.points:
            at_once = x if curve.name == "machines" else 1
            runs = RUNS if counted else 1
            made.append(Command(f"refvmm.{curve.name}.{x}", _refvmm(curve, x), runs, at_once=at_once))
            if curve.bare:
                made.append(Command(f"bare.{curve.name}.{x}", _bare(curve, x), runs, at_once=at_once))
    return made


@dataclass
class Series:
    """One plot: a curve in one unit."""

    curve: Curve
    unit: str  # instructions, KiB
    x: list[int] = field(default_factory=list)
    refvmm: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"curve": self.curve.name, "axis": self.curve.axis, "unit": self.unit,
                "points": [{"x": x, "refvmm": self.refvmm[n], "bare": self.bare[n] if self.bare else None}
                           for n, x in enumerate(self.x)]}

    def slope(self, values: list[float]) -> float:
        """What one more costs: least squares, each point weighed as much as its distance from the others makes it."""
        mean_x, mean_y = sum(self.x) / len(self.x), sum(values) / len(values)
        return (sum((x - mean_x) * (y - mean_y) for x, y in zip(self.x, values))
                / sum((x - mean_x) ** 2 for x in self.x))

    @property
    def bend(self) -> float:
        """What one more costs between the last two points, by what it costs on average: 1 is a straight line."""
        last = (self.refvmm[-1] - self.refvmm[-2]) / (self.x[-1] - self.x[-2])
        whole = (self.refvmm[-1] - self.refvmm[0]) / (self.x[-1] - self.x[0])
        return last / whole


def series(exact: dict[str, Cost], timed: dict[str, Cost]) -> list[Series]:
    """The plots, of what both hosts measured."""
    made = []
    for curve in CURVES:
        for unit, costs in (("instructions", exact), ("KiB", timed)):
            if unit == "KiB" and not curve.memory:
                continue
            one = Series(curve, unit)
            for x in curve.points:
                one.x.append(x)
                for who, into in (("refvmm", one.refvmm), ("bare", one.bare)):
                    cost = costs.get(f"{who}.{curve.name}.{x}")
                    if cost:
                        into.append(float(cost.rss) if unit == "KiB" else cost.cpu)
            made.append(one)
    return made
