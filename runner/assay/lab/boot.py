# SPDX-License-Identifier: Apache-2.0
"""Boots a cell with a bundle and a job, streams its console, and says how it ended.

The initramfs is made in memory for each boot (it costs 50 ms, so nothing can go stale) and handed to QEMU as an
anonymous file; a killed run leaves nothing behind. QMP, over a socket pair, tells a power-off from a reset.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AssayError
from . import arm64, cache, firmware, kernels, modules, system
from .cells import Kernel, LabCell, load_kernels
from .cpio import Archive
from .kernels import KernelFiles
from .qemu import Qemu, find_qemu

HOME = "assay"  # where the bundle is in the host, and where units run
# What a guest of the lab loads, where the kernel has it not built in.
GUEST_MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "virtio_rng", "virtio_console", "virtio_net", "evdev",
                 "gpio_keys")
# What the host itself loads for what stands behind a guest's devices: block devices, and ends of network cables.
HOST_MODULES = ("loop", "tun", "dummy")
FIRMWARE_GUESTS = "\thost-tests/firmware\t"  # a unit of the program that boots UEFI firmware under refvmm
LINUX_GUESTS = "\thost-tests/linux\t"  # a unit of the program that boots Linux under refvmm
PASST_GUESTS = "linux.reaches_the_host_through_passt"
LINE_MAX = 64 * 1024
_START = re.compile(rb"@assay [0-9a-f]{8} start (\S+)$")
_FRAME = re.compile(rb"@assay [0-9a-f]{8} (\w+)")
_CRASH = re.compile(rb"Kernel panic|Internal error: |Unable to handle kernel|kernel BUG at |Unhandled .* abort")
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1

BOOT_S = 30.0  # from the start of QEMU to the first frame, on real hardware
QUIET_S = 12.0  # between two frames beyond a unit's own limit: the agent's grace is 5.5 s


@dataclass(frozen=True)
class Outcome:
    """How a lab host ended."""

    kind: str  # powered-off (the job is done), panic, reset, hang, killed, failed
    detail: str  # one line
    noise: tuple[str, ...] = ()  # the last console lines that were no frames: evidence of a crash
    first_frame_s: float | None = None
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the job was done to its end."""
        return self.kind == "powered-off"


@dataclass
class _Qmp:
    """The machine's own word about how it ended; commands only to gather evidence."""

    sock: socket.socket
    buffer: bytes = b""
    reason: str | None = None
    answers: list[Any] = field(default_factory=list)

    def receive(self) -> bool:
        """Takes in what is there; False at the end."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._message(json.loads(line))
        return bool(data)

    def _message(self, message: dict[str, Any]) -> None:
        if "QMP" in message:
            self.send("qmp_capabilities")
        elif message.get("event") == "SHUTDOWN":
            self.reason = message.get("data", {}).get("reason")
        elif "return" in message:
            self.answers.append(message["return"])

    def send(self, command: str, **arguments: Any) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def program_counters(self) -> list[str]:
        """Where each CPU is; for a host that hangs."""
        self.answers.clear()
        self.send("human-monitor-command", **{"command-line": "info registers -a"})
        give_up = time.monotonic() + 3
        self.sock.settimeout(0.5)
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                self.receive()
            text = next((a for a in self.answers if isinstance(a, str) and a), "")
            if text:
                found = re.findall(r"CPU#(\d+).*?PC=([0-9a-f]+)", text, re.DOTALL)
                return [f"CPU {cpu}: PC 0x{pc}" for cpu, pc in found]
        return []


class Host:
    """A running lab host. Made by `boot()`."""

    def __init__(self, cell: LabCell, argv: Sequence[str], fds: Sequence[int], limits: dict[bytes, float],
                 artefacts: dict[str, Any]) -> None:
        self.cell = cell
        self.argv = tuple(argv)
        self.artefacts = artefacts
        self._limits = limits
        self._noise: deque[bytes] = deque(maxlen=2000)
        self._said_bye = False
        self._forced: tuple[str, str] | None = None
        self._outcome: Outcome | None = None
        self.first_frame_s: float | None = None
        self._patience = cell.limit_s(BOOT_S)
        self._reading = threading.Lock()  # held by whoever takes in the console
        self._ending = threading.Lock()
        self._eof = False
        self._errors = os.memfd_create("qemu-stderr")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._qmp = _Qmp(ours)
        self.started = self._last = time.monotonic()
        qmp = ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        parent = os.getpid()
        try:
            self._child = subprocess.Popen([*argv, *qmp], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           stderr=self._errors, pass_fds=[*fds, theirs.fileno()],
                                           process_group=0, preexec_fn=lambda: _die_with(parent))
        except OSError as e:
            os.close(self._errors)
            ours.close()
            raise AssayError(f"QEMU {argv[0]}: cannot be started: {e.strerror}") from e
        finally:
            theirs.close()
        os.set_blocking(self._child.stdout.fileno(), False)

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether QEMU is still there."""
        return self._child.poll() is None

    def write(self, data: bytes) -> None:
        """Types on the host's console."""
        self._child.stdin.write(data)
        self._child.stdin.flush()

    def allow(self, seconds: float) -> None:
        """The host may be without a frame that long from now on (already scaled)."""
        self._patience = seconds
        self._last = time.monotonic()

    def kill(self, why: str = "killed by the user") -> None:
        """Ends the host at once."""
        self._end("killed", why)

    def lines(self) -> Iterator[bytes]:
        """Console lines as they come, without newline; ends with the host. Watches for a hang meanwhile."""
        out = self._child.stdout.fileno()
        pending = b""
        with self._reading, selectors.DefaultSelector() as selector:
            if self._eof:
                return
            selector.register(out, selectors.EVENT_READ)
            selector.register(self._qmp.sock, selectors.EVENT_READ)
            while not self._eof:
                left = self._last + self._patience - time.monotonic()
                if left <= 0:
                    self._hang()
                ready = {key.fd for key, _ in selector.select(max(0.0, min(left, 5.0)))}
                if self._qmp.sock.fileno() in ready and not self._qmp.receive():
                    selector.unregister(self._qmp.sock)
                if out not in ready:
                    continue
                try:
                    data = os.read(out, 65536)
                except BlockingIOError:
                    continue
                self._eof = not data
                *lines, pending = (pending + data).split(b"\n")
                if len(pending) > LINE_MAX or (not data and pending):
                    lines, pending = [*lines, pending], b""
                for line in lines:
                    line = line.rstrip(b"\r")
                    self._note(line)
                    yield line

    def _note(self, line: bytes) -> None:
        frame = _FRAME.search(line)
        if not frame:
            if line.strip():
                self._noise.append(line)
            return
        self._last = time.monotonic()
        if self.first_frame_s is None:
            self.first_frame_s = self._last - self.started
        start = _START.search(line)
        if start:
            self._patience = self.cell.limit_s(self._limits.get(start.group(1), 0.0) + QUIET_S)
        elif frame.group(1) == b"end":
            self._patience = self.cell.limit_s(QUIET_S)
        elif frame.group(1) == b"bye":
            self._said_bye = True

    def _hang(self) -> None:
        if self._forced:
            return
        where = self._qmp.program_counters() if self._child.poll() is None else []
        self._noise.extend(line.encode() for line in where)
        self._end("hang", f"no frame for {self._patience:.0f} s" + (f" ({', '.join(where)})" if where else ""))

    def _end(self, kind: str, why: str) -> None:
        if self._child.poll() is None:
            self._forced = self._forced or (kind, why)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def wait(self) -> Outcome:
        """How it ended. Reads the rest of the console, or waits until the thread that does is done."""
        for _ in self.lines() if self._outcome is None else ():
            pass
        with self._ending:
            if self._outcome is None:
                status = self._child.wait()
                while self._qmp.reason is None and self._forced is None:
                    if not selectors_ready(self._qmp.sock) or not self._qmp.receive():
                        break
                kind, detail = self._judge(status)
                noise = tuple(line.decode("utf-8", "backslashreplace") for line in self._noise)
                seconds = time.monotonic() - self.started
                self._outcome = Outcome(kind, detail, noise, self.first_frame_s, seconds)
                self._close()
        return self._outcome

    def _judge(self, status: int) -> tuple[str, str]:
        if self._forced:
            return self._forced
        if status < 0:
            return "killed", f"QEMU was killed by {signal.Signals(-status).name}"
        if status:
            size = os.fstat(self._errors).st_size
            text = os.pread(self._errors, 4096, max(0, size - 4096)).decode(errors="replace").strip().splitlines()
            return "failed", f"QEMU ended with status {status}: {text[-1] if text else 'no message'}"
        if self._said_bye:
            return "powered-off", "the job is done"
        crash = next((line for line in self._noise if _CRASH.search(line)), None)
        if crash:
            return "panic", crash.decode("utf-8", "backslashreplace").strip()
        if self._qmp.reason == "guest-shutdown":
            return "reset", "the host powered off before the job was done"
        return "reset", f"the host was reset before the job was done ({self._qmp.reason or 'no reason known'})"

    def _close(self) -> None:
        for stream in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        self._qmp.sock.close()
        os.close(self._errors)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        if self._outcome is None:
            self._end("killed", "left before its end")
            self.wait()


def selectors_ready(sock: socket.socket) -> bool:
    """Whether something can be read within a tenth of a second."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0.1))


def _die_with(parent: int) -> None:
    """In QEMU's process before it starts: it must not outlive us, however we end."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def job_limits(job: str) -> dict[bytes, float]:
    """Unit id -> its limit in seconds, before scaling."""
    limits = {}
    for line in job.splitlines():
        words = line.split("\t")
        if len(words) >= 4 and words[0] in ("run", "series") and words[2].isdecimal():
            limits.update((uid.encode(), int(words[2]) / 1000) for uid in words[1].split(" "))
    return limits


def initramfs(bundle: Path, job: str, extra: Archive | None = None, with_bundle: bool = True,
              kernel: KernelFiles | None = None, guests: Mapping[str, KernelFiles] | None = None) -> bytes:
    """The base archive (init, the bundle), the job, and what else a host wants, one behind the other.

    `kernel` is the host's own: a job with Linux guests gets it as linux/Image, with its modules for a guest in
    linux/modules.cpio. It is as large as all the rest together, so no other job does. Other kernels for guests
    (`guests`, by name) lie in linux/guests/NAME.
    """
    init = bundle / "init"
    if not init.exists():
        raise AssayError(f"{bundle} is no whole bundle: it has no init; run `make build`")
    base = Archive()
    base.file("init", init.read_bytes(), 0o755)
    if with_bundle:
        base.tree(bundle, HOME, skip=frozenset({"init"}))
    base.folder(HOME)
    base.folder("root", 0o700)
    small = Archive()
    small.file("job", job.encode())
    if FIRMWARE_GUESTS in job:
        small.folder(f"{HOME}/firmware")
        small.file(f"{HOME}/firmware/QEMU_EFI.fd", firmware.uefi().read_bytes())
        small.file(f"{HOME}/firmware/u-boot.bin", firmware.uboot().read_bytes())
    if kernel and (LINUX_GUESTS in job or FIRMWARE_GUESTS in job):
        _add_guest(small, f"{HOME}/linux", kernel)
    if kernel and LINUX_GUESTS in job:
        _add_host_modules(small, f"{HOME}/linux/host", kernel)
        if PASST_GUESTS in job:
            _add_passt(small, f"{HOME}/linux/passt")
        for name, files in (guests or {}).items():
            _add_guest(small, f"{HOME}/linux/guests/{name}", files)
    return base.finish() + small.finish() + (extra.finish() if extra else b"")


def _add_guest(archive: Archive, folder: str, kernel: KernelFiles) -> None:
    """A kernel for Linux guests: its image, and an archive of the modules that virtio devices need."""
    inner = Archive()
    modules.add_to(inner, kernel.modules, GUEST_MODULES)
    archive.folder(folder)
    archive.file(f"{folder}/Image", kernel.image.read_bytes())
    config = kernel.image.parent / "config"
    if config.exists():
        archive.file(f"{folder}/config", config.read_bytes())
    archive.file(f"{folder}/modules.cpio", inner.finish())


def _guest_kernels(cell: LabCell, known: Mapping[str, Kernel]) -> dict[str, KernelFiles]:
    """The kernels that a cell brings for its guests. None is built in the middle of a run: that takes minutes, and
    where it cannot be done the test that lacks the kernel is skipped and the others are not."""
    found = {}
    for name in cell.guests:
        files = kernels.cached(known[name]) if known[name].built else kernels.get(known[name])
        if files:
            found[name] = files
        else:
            cache.say(f"the guest kernel {name} is not built yet; `./assay lab fetch {cell.name}` builds it")
    return found


def _add_passt(archive: Archive, folder: str) -> None:
    """passt and its C library. Where it cannot be had the test says what is missing; nothing else needs it."""
    try:
        files = arm64.passt()
    except AssayError as e:
        cache.say(f"no passt for this host: {e}")
        return
    archive.folder(folder)
    for file in files:
        archive.file(f"{folder}/{file.name}", file.read_bytes(), 0o755)


def _add_host_modules(archive: Archive, folder: str, kernel: KernelFiles) -> None:
    """Modules and a list of their names in loading order; a kernel that has all built in gets an empty list."""
    found = modules.ordered(kernel.modules, HOST_MODULES) if kernel.modules else []
    archive.folder(folder)
    for name, data in found:
        archive.file(f"{folder}/{name}", data)
    archive.file(f"{folder}/list", "".join(f"{name}\n" for name, _ in found).encode())


def command_line(cell: LabCell, exec_path: str | None = None, network: str | None = None) -> str:
    """The kernel's: quiet, a crash ends the machine, no self-tests of ciphers, and what init has to know."""
    words = ["console=ttyAMA0", "quiet", "loglevel=3", "cryptomgr.notests", "rdinit=/init", "oops=panic", "panic=-1",
             f"assay.scale={cell.time_scale:g}"]
    if cell.kvm_mode != "vhe":
        words.append(f"kvm-arm.mode={cell.kvm_mode}")
    if cell.hugepages:
        words.append("assay.hugepages=" + ",".join(f"{size}:{count}" for size, count in cell.hugepages.items()))
    if cell.thp:
        words.append(f"assay.thp={cell.thp}")
    if network:
        words.append(f"assay.net={network}")
    if exec_path:
        words.append(f"assay.exec={exec_path}")
    if cell.firmware == "uefi":
        words.append("acpi=force")  # the firmware offers a device tree too, and the kernel would prefer that
    if cell.append:
        words.append(cell.append)
    return " ".join(words)


def machine(cell: LabCell) -> list[str]:
    """QEMU's options for the cell itself."""
    properties = f"virt,virtualization=on,gic-version={cell.gic}" + (f",{cell.machine}" if cell.machine else "")
    return ["-M", properties, "-cpu", cell.cpu, "-smp", str(cell.cpus), "-m", str(cell.memory), "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none",
            *(word for entry in cell.smbios for word in ("-smbios", entry))]


def _memory_file(name: str, data: bytes) -> int:
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
    return fd


@dataclass(frozen=True)
class Prepared:
    """A command that boots a cell; `initrd` is an open file that QEMU inherits."""

    argv: list[str]
    initrd: int
    artefacts: dict[str, Any]


def prepare(cell: LabCell, bundle: Path, job: str, *, qemu: Qemu | None = None, kernel: Path | None = None,
            exec_path: str | None = None, network: str | None = None, extra: Archive | None = None,
            options: Sequence[str] = (), with_bundle: bool = True) -> Prepared:
    """Everything but the start. Fetches kernel and QEMU when the cache lacks them. The caller closes `initrd`."""
    qemu = qemu or find_qemu()
    reason = cell.available(qemu)
    if reason:
        raise AssayError(reason)
    known = load_kernels()
    files = kernels.own(kernel) if kernel else kernels.get(known[cell.kernel])
    guests = _guest_kernels(cell, known) if LINUX_GUESTS in job else {}
    base = system.image(cell.system).read_bytes() if cell.system else b""
    initrd = _memory_file("initramfs", base + initramfs(bundle, job, extra, with_bundle, files, guests))
    bios = ["-bios", str(firmware.uefi())] if cell.firmware == "uefi" else []
    argv = [*qemu.argv, *machine(cell), *bios, "-kernel", str(files.image), "-initrd", f"/proc/self/fd/{initrd}",
            "-append", command_line(cell, exec_path, network), *options]
    emulator = {**(qemu.record or {}), "version": qemu.version_text, "path": qemu.path, "origin": qemu.origin}
    return Prepared(argv, initrd, {"kernel": files.record, "qemu": emulator})


def boot(cell: LabCell, bundle: Path, job: str, **how: Any) -> Host:
    """Starts the cell; use it as a context manager. `how` is what `prepare` takes: qemu, kernel, …"""
    ready = prepare(cell, bundle, job, **how)
    try:
        return Host(cell, ready.argv, [ready.initrd], job_limits(job), ready.artefacts)
    finally:
        os.close(ready.initrd)
