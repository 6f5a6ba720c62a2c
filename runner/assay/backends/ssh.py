# SPDX-License-Identifier: Apache-2.0
"""A machine by ssh: the system's ssh client, static programs in a fresh folder there, nothing left behind."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from ..errors import AssayError
from .base import ProcessSession, Session
from .native import kvm_missing

_URL = re.compile(r"ssh://(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.-]*)@)?"
                  r"(?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::(?P<port>\d{1,5}))?/?")
_PROBE = ("uname -m; if test -r /dev/kvm && test -w /dev/kvm; then echo yes; "
          "elif test -e /dev/kvm; then echo 'Permission denied'; else echo 'No such file or directory'; fi; "
          "command -v tar >/dev/null && echo tar || echo cat; "
          "mktemp -d \"${TMPDIR:-/tmp}/assay.XXXXXX\"")


class SshBackend:
    """Runs the agent on another machine."""

    kind = "ssh"
    boot_limit_s = 60.0
    artefacts: dict[str, str | None] = {}

    def __init__(self, url: str, bundle: Path, options: list[str] | None = None, reconnect_s: float = 120.0,
                 time_scale: float = 1.0) -> None:
        found = _URL.fullmatch(url)
        if not found or (found["port"] and not 0 < int(found["port"]) < 65536):
            raise AssayError(f"--host {url}: not of the form ssh://[USER@]HOST[:PORT]")
        self.url = url
        self.bundle = bundle
        self.name = found["host"].strip("[]").replace(":", "-").replace("%", "-")
        self.reconnect_s = reconnect_s
        self.time_scale = time_scale
        host = found["host"].strip("[]")
        self.target = (f"{found['user']}@" if found["user"] else "") + host
        self.options = ["-p", found["port"]] if found["port"] else []
        self.by_hand = shlex.join(["ssh", *self.options, self.target])
        self.replay = f" --host {url}" + "".join(f" --ssh-option {shlex.quote(option)}" for option in options or [])
        for option in options or []:
            self.options += ["-o", option]
        self.folder: str | None = None
        self._control: str | None = None
        self._sessions = 0

    def info(self) -> dict:
        """See Backend."""
        return {"name": self.name, "cell": None, "kernel_package": None, "has": [], "time_scale": self.time_scale,
                "replay": self.replay}

    def _argv(self, command: str) -> list[str]:
        own = ["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=6", "-T"]
        if self._control:
            own += ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._control}/mux", "-o", "ControlPersist=30"]
        # the user's options come first: ssh takes the first value it sees
        return ["ssh", *self.options, *own, "--", self.target, command]

    def _remote(self, command: str, data: bytes = b"", timeout: float = 300.0) -> str:
        # stderr goes to a file: a multiplexing master holds it open long after the command has ended
        with tempfile.TemporaryFile() as err:
            try:
                done = subprocess.run(self._argv(command), input=data, stdout=subprocess.PIPE, stderr=err,
                                      timeout=timeout, check=False)
            except FileNotFoundError:
                raise AssayError("there is no ssh client here: install openssh-client") from None
            except subprocess.TimeoutExpired:
                raise AssayError(f"{self.url}: no answer within {timeout:.0f} s") from None
            err.seek(0)
            said = err.read().decode("utf-8", "replace").strip().splitlines()
        if done.returncode:
            lines = [line for line in said if line.strip() and not line.startswith(("Warning:", "**"))]
            why = lines[-1].strip() if lines else f"exit status {done.returncode}"
            if done.returncode == 255:
                raise AssayError(f"cannot connect to {self.url}: {why}; does `{self.by_hand}` work?")
            raise AssayError(f"{self.url}: `{command.split(';')[0][:60]}` failed: {why}")
        return done.stdout.decode("utf-8", "replace")

    def open(self) -> None:
        """Connect, look whether the host can run the suite, copy the bundle."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._control = tempfile.mkdtemp(prefix="assay-ssh-")
        answer = self._remote(_PROBE).splitlines()
        if len(answer) < 4 or not answer[-1].startswith("/"):
            raise AssayError(f"{self.url}: its shell answered `{' '.join(answer)[:80]}`; "
                             "a POSIX shell and mktemp are needed")
        machine, kvm, tool, self.folder = answer[-4:]
        missing = kvm_missing(machine, None if kvm == "yes" else kvm, self.url)
        if missing:
            raise AssayError(missing)
        files = sorted(p for p in self.bundle.rglob("*") if p.is_file() and p.suffix != ".d")
        if not any(p.name == "agent" for p in files):
            raise AssayError(f"{self.bundle / 'agent'} is missing: build it with `make build`")
        if tool == "tar":
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as tar:
                for path in files:
                    tar.add(path, str(path.relative_to(self.bundle)))
            self._remote(f"cd {shlex.quote(self.folder)} && tar -x -f -", packed.getvalue())
        else:
            for path in files:
                there = f"{self.folder}/{path.relative_to(self.bundle)}"
                quoted = shlex.quote(there)
                self._remote(f"mkdir -p {shlex.quote(str(Path(there).parent))} && cat > {quoted} && chmod 755 {quoted}",
                             path.read_bytes())
        self._remote(f"cd {shlex.quote(self.folder)} && ./agent --help > /dev/null")

    def start(self, job: str) -> Session:
        """See Backend; after a crash the host is waited for, and gets the bundle anew."""
        self._sessions += 1
        if self._sessions > 1:
            self._return()
        assert self.folder
        command = f"cd {shlex.quote(self.folder)} && exec ./agent - --scale {self.time_scale:g}"
        return ProcessSession(self._argv(command), feed=job)

    def _return(self) -> None:
        until = time.monotonic() + self.reconnect_s
        before, self.folder = self.folder, None
        while True:
            self._drop_control()
            try:
                self.open()
                if before:  # only the connection was lost: the host has not been cleaned by a restart
                    self._remote(f"rm -rf {shlex.quote(before)}", timeout=30)
                return
            except AssayError as e:
                if time.monotonic() >= until:
                    raise AssayError(f"{self.url} did not come back within {self.reconnect_s:.0f} s: {e}") from e
                time.sleep(2)

    def _drop_control(self) -> None:
        folder, self._control = self._control, None
        if not folder:
            return
        try:
            subprocess.run(["ssh", "-o", f"ControlPath={folder}/mux", "-O", "exit", self.target],
                           capture_output=True, timeout=20, check=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder there, end the connection."""
        try:
            if self.folder and self._control:
                self._remote(f"rm -rf {shlex.quote(self.folder)}", timeout=30)
        except AssayError:
            pass  # the host is gone; what it was is in the record
        finally:
            self.folder = None
            try:
                self._drop_control()
            except (OSError, subprocess.TimeoutExpired):
                pass
