# SPDX-License-Identifier: Apache-2.0
"""What is measured, and what becomes of it: command lines, and the figures made of their costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ..errors import AssayError
from .measure import Command, Cost

READS = 20_000  # of the payload reads-20000.elf
MINIMAL = ("refvmm", "--memory", "64M", "--machine", "gic-version=3,its=off", "--cpu", "host,pmu=off,sve=off,pauth=off")
FULL = ("refvmm", "--memory", "64M", "--smp", "8", "--root-ports", "4", "--drive", "file=bench/disk.img", "--rng", "virtio",
        "--console", "virtio,file=/tmp/console", "--net", "stream,fd=9")
BLOCK_READS = ("refvmm", "--drive", "file=bench/disk.img", "--kernel", "guest-tests/virtio.elf",
               "--append", "test=virtio.reads_do_not_leave_the_kernel@pci")
QEMU_RUNS, QEMU_BOX_S = 3, 60  # a start of QEMU is a hundred of ours: 5 s on a quiet machine, 40 on a busy one
IPA_BITS = (44, 48, 52)


@dataclass
class Figure:
    """One row of out/bench/latest.json. `ratio` is refvmm / bare; `target` what it (or, for KiB, refvmm) may be at most."""

    figure: str
    unit: str
    refvmm: float
    bare: float | None
    ratio: float | None
    target: float | None
    qemu: float | None = None

    @property
    def good(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return (self.refvmm if self.unit == "KiB" or self.ratio is None else self.ratio) <= self.target

    def row(self) -> dict[str, object]:
        """As JSON has it."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def figure(name: str, unit: str, refvmm: float, bare: float | None, target: float | None = None,
           qemu: float | None = None) -> Figure:
    """With the ratio worked out."""
    return Figure(name, unit, refvmm, bare, refvmm / bare if bare else None, target, qemu)


def commands(qemu: tuple[str, ...] | None, runs: int, counted: bool) -> list[Command]:
    """All that is run on one host, but for the curves."""
    few = max(3, runs // 4)
    made = [
        Command("bare.start-1", ("bench/bare", "1", "bench/off-1.elf"), runs),
        Command("refvmm.start-1", (*MINIMAL, "--kernel", "bench/off-1.elf"), runs),
        Command("bare.start-8", ("bench/bare", "8", "bench/off-8.elf"), runs),
        Command("refvmm.start-8", (*FULL, "--kernel", "bench/off-8.elf"), runs),
        Command("bare.reads", ("bench/bare", "1", f"bench/reads-{READS}.elf"), few),
        Command("refvmm.reads", (*MINIMAL, "--kernel", f"bench/reads-{READS}.elf"), few),
    ]
    if not counted:
        made.append(Command("refvmm.block-reads", BLOCK_READS, 0))
    if qemu:
        board = (*qemu, "-M", "virt,gic-version=3", "-accel", "kvm", "-cpu", "host", "-m", "64", "-display", "none", "-nodefaults",
                 "-no-user-config")
        made += [Command(f"qemu.{name}", (*board, "-smp", cpus, "-kernel", f"bench/{kernel}.elf"), QEMU_RUNS, QEMU_BOX_S)
                 for name, cpus, kernel in (("start-1", "1", "off-1"), ("start-8", "8", "off-8"), ("reads", "1", f"reads-{READS}"))]
    return made


def figures(costs: dict[str, Cost], counted: bool) -> list[Figure]:
    """The rows of one host. `counted`: CPU time is instructions, and only then are the targets held to it."""
    unit, scale = ("instructions", 1.0) if counted else ("us", 1e-3)
    how = "" if counted else ", CPU time without -icount"

    def cpu(who: str, what: str) -> float | None:
        cost = costs.get(f"{who}.{what}")
        return cost.cpu * scale if cost else None

    def per_read(who: str) -> float | None:
        whole, start = cpu(who, "reads"), cpu(who, "start-1")
        return (whole - start) / READS if whole is not None and start is not None else None

    def row(name: str, what: str, target: float | None = None) -> Figure:
        return figure(name + how, unit, cpu("refvmm", what) or 0.0, cpu("bare", what), target if counted else None, cpu("qemu", what))

    rows = [row("start to power-off, 1 vCPU", "start-1", 1.25), row("start to power-off, 8 vCPUs and the full board", "start-8", 1.5),
            figure("MMIO round trip" + how, unit, per_read("refvmm") or 0.0, per_read("bare"), 1.05 if counted else None, per_read("qemu"))]
    if counted:
        rows += [row(f"start to power-off, 1 vCPU, {bits}-bit IPA", f"ipa.{bits}") for bits in IPA_BITS]
    else:
        for name, what, target in (("peak resident memory, 1 vCPU", "start-1", 700.0),
                                   ("peak resident memory, 8 vCPUs and the full board", "start-8", 1068.0)):
            qemu = costs.get(f"qemu.{what}")
            rows.append(figure(name, "KiB", costs[f"refvmm.{what}"].rss, costs[f"bare.{what}"].rss, target, qemu.rss if qemu else None))
        exits = costs["refvmm.block-reads"].facts.get("virtio.exits_of_50_reads")
        if exits is None:
            raise AssayError("bench refvmm.block-reads: the guest did not say how many exits its reads took")
        rows.append(Figure("virtio-blk 4 KiB reads, exits to user space of 50", "exits", float(exits), None, None, 0.0))
    return rows
