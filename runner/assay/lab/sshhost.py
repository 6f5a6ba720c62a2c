# SPDX-License-Identifier: Apache-2.0
"""A lab host with a network card and an ssh server: the far end for everything that goes by ssh.

::

    with ssh_host(bundle) as server:
        subprocess.run(["ssh", "-F", server.config, "lab", "uname -r"])
        subprocess.run(["ssh", *server.options, server.destination, "uname -r"])

It has busybox as its user land and /dev/kvm, but neither the bundle nor Python. Only root can log in, and only with
the key made for the occasion; the port is open on the loopback interface only.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AssayError
from . import arm64, kernels, modules
from .boot import Host, boot
from .cells import DEFAULT_CELL, LabCell, load_kernels
from .cpio import Archive
from .qemu import Qemu

ADDRESS = "10.0.2.15"  # QEMU's user network gives guests this one
MODULES = ("virtio_pci", "virtio_net")
START = "/sbin/assay-sshd"
UP_S = 30.0  # until the server answers, on real hardware

_SCRIPT = """#!/bin/sh
/bin/busybox --install -s /bin
mkdir -p /etc/dropbear /var/run
exec /usr/sbin/dropbear -F -E -s -R -p 22
"""


@dataclass
class SshHost:
    """Where it listens and how to get in."""

    host: str
    port: int
    keyfile: Path
    config: Path  # for `ssh -F`: the host is called `lab`
    console: deque[str] = field(default_factory=lambda: deque(maxlen=500))
    machine: Host | None = None

    @property
    def url(self) -> str:
        """As for `--host`."""
        return f"ssh://root@{self.host}:{self.port}"

    @property
    def destination(self) -> str:
        """As for ssh(1), with `options`."""
        return f"root@{self.host}"

    @property
    def options(self) -> list[str]:
        """For ssh(1) and scp(1), port included."""
        return ["-o", f"Port={self.port}", *_options(self.keyfile)]


def _options(keyfile: Path) -> list[str]:
    """The host key is a new one at each boot and on the loopback, so there is nothing to compare it with."""
    pairs = {"IdentityFile": keyfile, "IdentitiesOnly": "yes", "IdentityAgent": "none", "BatchMode": "yes",
             "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "LogLevel": "ERROR"}
    return [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _make_key(folder: Path) -> Path:
    key = folder / "id"
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "assay-lab", "-f", str(key)], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise AssayError(f"cannot make an ssh key ({e}); install the package openssh-client") from e
    return key


def _root(public_key: str) -> Archive:
    """User land and server."""
    archive = Archive()
    archive.tree(arm64.sshd(), "")
    archive.link("bin/sh", "busybox")
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    archive.file("etc/group", b"root:x:0:\n")
    archive.file("etc/shells", b"/bin/sh\n")
    archive.folder("root", 0o700)
    archive.folder("root/.ssh", 0o700)
    archive.file("root/.ssh/authorized_keys", public_key.encode(), 0o600)
    archive.file(START.lstrip("/"), _SCRIPT.encode(), 0o755)
    return archive


@contextlib.contextmanager
def ssh_host(bundle: Path, cell: LabCell | None = None, *, qemu: Qemu | None = None,
             kernel: Path | None = None) -> Iterator[SshHost]:
    """Boots it (about 5 s), waits until the server answers, ends it with the block."""
    cell = cell or LabCell.load(DEFAULT_CELL)
    files = kernels.own(kernel) if kernel else kernels.get(load_kernels()[cell.kernel])
    with tempfile.TemporaryDirectory(prefix="assay-ssh-") as temp:
        key = _make_key(Path(temp))
        extra = _root(key.with_suffix(".pub").read_text())
        modules.add_to(extra, files.modules, MODULES)
        port = _free_port()
        config = Path(temp) / "config"
        options = _options(key)
        config.write_text(f"Host lab\n HostName 127.0.0.1\n User root\n Port {port}\n"
                          + "".join(f" {word.replace('=', ' ', 1)}\n" for word in options[1::2]))
        server = SshHost("127.0.0.1", port, key, config)
        network = ["-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{ADDRESS}:22",
                   "-device", "virtio-net-pci,netdev=net,romfile="]
        with boot(cell, bundle, "", qemu=qemu, kernel=kernel, exec_path=START, network=ADDRESS, extra=extra,
                  options=network, with_bundle=False) as machine:
            server.machine = machine
            machine.allow(float("inf"))
            reader = threading.Thread(target=_drain, args=(machine, server.console), daemon=True)
            reader.start()
            try:
                _wait_until_up(server, reader, cell.limit_s(UP_S))
                yield server
            finally:
                machine.kill("no longer needed")
                reader.join(10)


def _drain(machine: Host, console: deque[str]) -> None:
    for line in machine.lines():
        console.append(line.decode("utf-8", "backslashreplace"))


def _wait_until_up(server: SshHost, reader: threading.Thread, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and reader.is_alive():
        with contextlib.suppress(OSError), socket.create_connection((server.host, server.port), timeout=2) as s:
            if s.recv(4) == b"SSH-":
                return
        time.sleep(0.1)
    last = " / ".join(list(server.console)[-3:]) or "its console is empty"
    raise AssayError(f"the lab's ssh host did not answer on {server.host}:{server.port}: {last}")
