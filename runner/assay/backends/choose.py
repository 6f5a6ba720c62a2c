# SPDX-License-Identifier: Apache-2.0
"""From the command line to the hosts of a run."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import AssayError
from ..plan import unknown
from ..progress import Plain
from . import native
from .base import Backend

if TYPE_CHECKING:
    from ..lab import LabCell


def cells_named(globs: list[str]) -> dict[str, LabCell]:
    """The cells of these names or globs, in the order of the globs; none is the default cell."""
    from ..lab import DEFAULT_CELL, load_cells

    cells = load_cells()
    chosen = {}
    for glob in globs or [DEFAULT_CELL]:
        hits = [cell for name, cell in cells.items() if fnmatchcase(name, glob)]
        if not hits:
            raise unknown("cell", glob, cells, "`./assay lab list` shows all")
        chosen.update((cell.name, cell) for cell in hits)
    return chosen


def cells_of(args: Namespace, say: Plain) -> list[Backend]:
    """The lab cells asked for; those this QEMU cannot run are left out by name."""
    from ..lab import kernels
    from ..lab.qemu import find_qemu
    from .lab import LabBackend

    chosen = cells_named(args.cell)
    kernel = Path(args.kernel) if args.kernel else None
    if kernel and not kernel.is_file():
        what = "is no file" if kernel.exists() else "no such file"
        raise AssayError(f"--kernel {args.kernel}: {what}; give an Image, a vmlinuz or a .deb")
    if args.time_scale:
        chosen = {name: dataclasses.replace(cell, time_scale=args.time_scale) for name, cell in chosen.items()}
    qemu = find_qemu(args.qemu)
    usable: list[Backend] = []
    for cell in chosen.values():
        if reason := cell.available(qemu):
            if len(chosen) == 1:
                raise AssayError(reason)
            say.say(f"left out: {reason}")
        else:
            usable.append(LabBackend(cell, Path(args.bundle), qemu, kernel))
    if kernel and usable:
        kernels.own(kernel)  # what is no kernel leaves no run behind, and the lanes find it in the cache
    if not usable:
        raise AssayError(f"QEMU {qemu.version_text} can run none of the cells: {', '.join(chosen)}")
    return usable


def backends_of(args: Namespace, say: Plain) -> list[Backend]:
    """Where to run: --host, --cell; else here when this is an ARM64 machine with KVM; else the default cell."""
    if args.host:
        from .ssh import SshBackend

        for option, value in (("--cell", args.cell), ("--kernel", args.kernel), ("--qemu", args.qemu)):
            if value:
                raise AssayError(f"{option} is for the lab and cannot be used together with --host")
        scale = args.time_scale or 1.0
        hosts = [SshBackend(url, Path(args.bundle), args.ssh_option, args.reconnect, scale)
                 for url in dict.fromkeys(args.host)]
        names = [host.name for host in hosts]
        for host in hosts:
            if names.count(host.name) > 1:  # the same host by several ports or users
                host.name = host.url.removeprefix("ssh://").replace(":", "-").replace("@", "-")
        return list(hosts)
    if args.native or (not (args.cell or args.kernel or args.qemu) and native.usable()):
        return [native.NativeBackend(Path(args.bundle), args.time_scale or 1.0)]
    return cells_of(args, say)
