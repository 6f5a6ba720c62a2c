# SPDX-License-Identifier: Apache-2.0
"""A cell of the lab: an emulated ARM64 server (runner/assay/lab does the work)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..errors import AssayError
from ..lab import Host, LabCell, boot
from ..lab.qemu import Qemu
from .base import QueueSession, Session


class _LabSession(QueueSession):
    """The console of one boot."""

    def __init__(self, host: Host) -> None:
        self._host = host
        super().__init__(host.lines())

    def why(self) -> str:
        """What the lab knows about the end of this boot."""
        outcome = self._host.wait()
        return f"{outcome.kind}: {outcome.detail}"

    def kill(self) -> None:
        """QEMU ends."""
        self._host.kill("not needed any more")
        self.stop()
        self._host.wait()


def package_of(record: dict) -> str | None:
    """`linux-image-6.12.95+deb12-cloud-arm64 6.12.95-1~bpo12+1`, or the path of an image of the user's own."""
    for package in record.get("packages") or []:
        name = package.get("name") or package.get("package")
        if name:
            return f"{name} {package.get('version', '')}".strip()
    return record.get("kernel")


class LabBackend:
    """Boots the cell for every session."""

    kind = "lab"

    def __init__(self, cell: LabCell, bundle: Path, qemu: Qemu, kernel: Path | None = None) -> None:
        self.cell = cell
        self.bundle = bundle
        self.qemu = qemu
        self.kernel = kernel
        self.name: str = cell.name
        self.time_scale = float(cell.time_scale)
        self.boot_limit_s = 60.0 + 30.0 * self.time_scale
        self.artefacts: dict[str, str | None] = {}

    def info(self) -> dict:
        """See Backend."""
        cell = self.cell.facts()
        replay = f" --cell {self.name}" + (f" --kernel {self.kernel}" if self.kernel else "")
        return {"name": self.name, "cell": {k: list(v) if isinstance(v, tuple) else v for k, v in cell.items()},
                "kernel_package": None, "has": list(self.cell.has), "time_scale": self.time_scale, "replay": replay}

    def open(self) -> None:
        """See Backend."""
        if reason := self.cell.available(self.qemu):
            raise AssayError(reason)

    def start(self, job: str) -> Session:
        """See Backend."""
        host = boot(self.cell, self.bundle, job, qemu=self.qemu, kernel=self.kernel)
        kernel = host.artefacts.get("kernel") or {}
        self.artefacts = {"kernel_package": package_of(kernel),
                          "qemu": f"{self.qemu.version_text} ({self.qemu.origin})"}
        return _LabSession(host)

    def narrow(self) -> LabBackend:
        """The same server with one CPU: emulated in half the time, for tests that a second one means nothing to."""
        return LabBackend(dataclasses.replace(self.cell, cpus=1), self.bundle, self.qemu, self.kernel)

    def close(self) -> None:
        """See Backend."""
