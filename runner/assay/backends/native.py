# SPDX-License-Identifier: Apache-2.0
"""This machine, when it is an AArch64 server with KVM."""

from __future__ import annotations

import os
import platform
import re
import socket
from pathlib import Path

from ..errors import AssayError
from .base import ProcessSession, Session

KVM = "/dev/kvm"


def kvm_missing(machine: str, kvm_error: str | None, where: str) -> str | None:
    """Why a host cannot run the suite, or None."""
    if machine.startswith(("armv", "arm")) and machine != "arm64":
        return (f"{where} is a 32-bit ARM machine ({machine}): KVM for 32-bit hosts ended with Linux 5.7; "
                "use a 64-bit one")
    if machine not in ("aarch64", "arm64"):
        return f"{where} is {machine}, not aarch64: use --host ssh://USER@HOST or a cell of the lab (--cell)"
    if kvm_error:
        return f"{where}: {KVM}: {kvm_error}; its kernel needs KVM and EL2, and you access to the device (group kvm)"
    return None


def local_kvm_error() -> str | None:
    """Why /dev/kvm cannot be used here, or None."""
    try:
        os.close(os.open(KVM, os.O_RDWR | os.O_CLOEXEC))
    except OSError as e:
        return e.strerror or str(e)
    return None


def usable() -> bool:
    """Whether this machine runs the suite natively."""
    return platform.machine() == "aarch64" and local_kvm_error() is None


class NativeBackend:
    """Runs the agent of the bundle as a child."""

    kind = "native"
    boot_limit_s = 30.0
    artefacts: dict[str, str | None] = {}

    def __init__(self, bundle: Path, time_scale: float = 1.0) -> None:
        self.bundle = bundle
        self.time_scale = time_scale
        self.name = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname()) or "localhost"

    def info(self) -> dict:
        """See Backend."""
        return {"name": self.name, "cell": None, "kernel_package": None, "has": [], "time_scale": self.time_scale,
                "replay": ""}

    def open(self) -> None:
        """See Backend."""
        missing = kvm_missing(platform.machine(), local_kvm_error(), "this machine")
        if missing:
            raise AssayError(missing)
        if not os.access(self.bundle / "agent", os.X_OK):
            raise AssayError(f"{self.bundle / 'agent'} is missing: build it with `make build`")

    def start(self, job: str) -> Session:
        """See Backend."""
        try:
            return ProcessSession(["./agent", "-", "--scale", f"{self.time_scale:g}"], cwd=self.bundle, feed=job)
        except OSError as e:
            raise AssayError(f"{self.bundle / 'agent'}: cannot be run: {e.strerror}") from e

    def close(self) -> None:
        """See Backend."""
