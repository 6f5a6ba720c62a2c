# SPDX-License-Identifier: Apache-2.0
"""`./assay lab …`: list the cells, fetch what they need, run a command or a shell in one, start an ssh host."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterable
from pathlib import Path

from ..errors import AssayError
from ..frames import End, Err, FrameParser, Log, Out
from ..paths import BUNDLE
from . import arm64, cache, firmware, kernels, system
from .boot import HOME, boot, prepare
from .cells import DEFAULT_CELL, LabCell, load_cells, load_kernels
from .cpio import Archive
from .qemu import Qemu, find_qemu
from .sshhost import ssh_host

SWEEP_TIME = ("1s",)  # of each stress test: what a default run has in one cell, a sweep has in many

_SHELL = f"""#!/bin/sh
/bin/busybox --install -s /bin
stty sane 2>/dev/null
cd /{HOME}
echo 'A lab host; its power goes off when this shell ends (or Ctrl-A X).'
exec setsid cttyhack /bin/sh
"""


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Adds `lab` to the runner's command line; the chosen function is in `args.function`."""
    lab = subparsers.add_parser("lab", help="the emulated ARM64 servers", description=__doc__)
    commands = lab.add_subparsers(dest="lab_command", metavar="COMMAND", required=True)

    one = commands.add_parser("list", help="the cells, and whether each can run here")
    one.add_argument("--json", action="store_true", help="as JSON")
    one.set_defaults(function=cmd_list)

    one = commands.add_parser("fetch", help="put kernel, QEMU and libraries into the cache")
    one.add_argument("cells", nargs="*", metavar="CELL", help=f"default: {DEFAULT_CELL}")
    one.add_argument("--all", action="store_true", help="for every cell, and the ssh host")
    one.add_argument("--refresh", action="store_true", help="fetch kernels again, newer ones if there are")
    one.set_defaults(function=cmd_fetch)

    one = commands.add_parser("run", help="run one command of the bundle in a cell")
    _common(one)
    one.add_argument("--limit", type=float, default=60, metavar="S", help="time limit in seconds before scaling")
    one.add_argument("command", nargs="+", metavar="-- COMMAND",
                     help="for example: -- host-tests/nmi --list")
    one.set_defaults(function=cmd_run)

    one = commands.add_parser("sweep", help="the suite in many cells, with one report",
                              description="Run the suite in every cell, or in those named, with one report of all. "
                              "A cell whose kernel cannot be had is an error of the run, not left out.")
    one.add_argument("cells", nargs="*", metavar="GLOB", help="cells, by name or glob (default: all but guests-*)")
    one.add_argument("-j", "--jobs", metavar="N", default="2", help="cells at once (default: %(default)s)")
    one.add_argument("--tests", action="append", default=[], metavar="GLOB", help="only these tests (repeatable)")
    for name, words in (("--exclude", "leave these tests out (repeatable)"), ("--seed", "of the random tests"),
                        ("--time", "how long each stress test runs (default: 1s)"), ("--qemu", "a qemu-system-aarch64 from 7.2 on"),
                        ("--out", "folder of the runs"), ("--bundle", argparse.SUPPRESS)):
        one.add_argument(name, metavar="X", action="append", default=[], help=words)
    one.add_argument("--counts", action="store_true", help="end with the line `N passed, N failed, N skipped`")
    one.set_defaults(function=cmd_sweep)

    one = commands.add_parser("shell", help="a shell in a cell, with the bundle")
    _common(one)
    one.set_defaults(function=cmd_shell)

    one = commands.add_parser("ssh-host", help="a lab host with an ssh server, until Ctrl-C")
    _common(one, optional=True)
    one.set_defaults(function=cmd_ssh_host)
    return lab


def _common(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    more = {"nargs": "?", "default": DEFAULT_CELL} if optional else {}
    parser.add_argument("cell", metavar="CELL", help=f"a name of `./assay lab list`; the default one is {DEFAULT_CELL}",
                        **more)
    parser.add_argument("--qemu", metavar="PATH", help="a qemu-system-aarch64 from 7.2 on")
    parser.add_argument("--kernel", metavar="PATH", type=Path, help="a kernel of your own: Image, vmlinuz or .deb")
    parser.add_argument("--bundle", metavar="DIR", type=Path, default=BUNDLE, help=argparse.SUPPRESS)


def _qemu_or_reason() -> tuple[Qemu | None, str | None]:
    try:
        return find_qemu(fetch=False), None
    except AssayError as e:
        return None, str(e)


def cell_states() -> list[dict[str, object]]:
    """Each cell with what the lab knows about running it here."""
    qemu, no_qemu = _qemu_or_reason()
    states = []
    for cell in load_cells().values():
        reason = no_qemu if qemu is None else cell.available(qemu)
        record = cache.read_record(cache.root() / "kernels" / cell.kernel)
        states.append({**cell.facts(), "available": reason is None, "reason": reason,
                       "kernel_release": record.get("release") if record else None})
    return states


def cmd_list(args: argparse.Namespace) -> int:
    """`lab list`."""
    states = cell_states()
    if args.json:
        print(json.dumps(states, indent=1))
        return 0
    width = max(len(str(s["name"])) for s in states)
    for s in states:
        state = s["reason"] or s["kernel_release"] or "kernel not fetched yet"
        mark = "*" if s["name"] == DEFAULT_CELL else " "
        print(f"{mark} {s['name']:{width}}  {s['description']} [{state}]")
    return 0


def fetch(names: list[str], refresh: bool = False, ssh: bool = False) -> None:
    """Everything these cells need; quick when it is all there."""
    cells = [LabCell.load(name) for name in names]
    arm64.libraries()
    find_qemu()
    known = load_kernels()
    for name in dict.fromkeys(name for cell in cells for name in (cell.kernel, *cell.guests)):
        kernels.get(known[name], refresh=refresh)
    _surroundings(cells)
    if ssh:
        arm64.sshd()


def _surroundings(cells: Iterable[LabCell]) -> None:
    """Firmware and distributions of these cells."""
    for cell in cells:
        if cell.firmware == "uefi":
            firmware.uefi()
        if cell.system:
            system.image(cell.system)


def cmd_fetch(args: argparse.Namespace) -> int:
    """`lab fetch`."""
    names = list(load_cells()) if args.all else args.cells or [DEFAULT_CELL]
    fetch(names, refresh=args.refresh, ssh=args.all)
    for state in cell_states():
        if state["name"] in names:
            print(f"{state['name']}: {state['reason'] or state['kernel_release']}")
    return 0


def sweep_words(args: argparse.Namespace) -> list[str]:
    """The `run` that a sweep is."""
    words = ["run", *args.tests, "--jobs", args.jobs]
    whole = [cell.name for cell in load_cells().values() if not cell.guests]  # the others are for one program
    for glob in args.cells or whole:
        words += ["--cell", glob]
    for name in ("exclude", "seed", "time", "qemu", "out", "bundle"):
        for value in getattr(args, name) or (SWEEP_TIME if name == "time" else ()):
            words += [f"--{name}", value]
    return [*words, *(["--counts"] if args.counts else [])]


def cmd_sweep(args: argparse.Namespace) -> int:
    """`lab sweep`: one run of several cells. Kernels come first: a lane that waits for a download, or builds one,
    would spoil the times of the other."""
    from .. import run  # the lab's own commands do without the runner's
    from ..backends.choose import cells_named
    from ..cli import make_parser

    began = time.monotonic()
    run_args = make_parser(lab=False).parse_args(sweep_words(args))
    run_args.argv = args.argv
    known, cells = load_kernels(), cells_named(run_args.cell).values()
    for name in dict.fromkeys(cell.kernel for cell in cells):
        with contextlib.suppress(AssayError):  # the engine says it where it belongs: with the cell, in the report
            kernels.get(known[name])
    with contextlib.suppress(AssayError):
        _surroundings(cells)
    return run.command(run_args, began)


def _words(command: list[str]) -> list[str]:
    words = command[1:] if command[:1] == ["--"] else command
    if not words:
        raise AssayError("lab run: no command; for example: ./assay lab run k6.12-max -- host-tests/nmi --list")
    if any(c in word for word in words for c in "\t\n"):
        raise AssayError("lab run: a word of the command has a tab or newline in it")
    return words


def cmd_run(args: argparse.Namespace) -> int:
    """`lab run`: the command's output, and its exit status."""
    words = _words(args.command)
    job = "\t".join(["run", "command", str(int(args.limit * 1000)), *words]) + "\n"
    parser = FrameParser()
    end: End | None = None
    with boot(LabCell.load(args.cell), args.bundle, job, qemu=find_qemu(args.qemu), kernel=args.kernel) as host:
        for event in parser.feed_all(host.lines()):
            if isinstance(event, Out):
                print(event.text, flush=True)
            elif isinstance(event, Err):
                print(event.text, file=sys.stderr, flush=True)
            elif isinstance(event, Log):
                print(f"kernel <{event.level}>: {event.text}", file=sys.stderr, flush=True)
            elif isinstance(event, End):
                end = event
        outcome = host.wait()
    if end is None:
        for line in outcome.noise:
            print(line, file=sys.stderr)
        raise AssayError(f"lab run {words[0]}: the host was lost ({outcome.kind}: {outcome.detail})")
    if end.limit is not None:
        raise AssayError(f"lab run {words[0]}: over its limit of {end.limit} ms; give more with --limit")
    return end.exit if end.exit is not None else 128 + (end.signal or 0)


def _user_land(script: str, path: str) -> Archive:
    archive = Archive()
    archive.file("bin/busybox", (arm64.sshd() / "bin/busybox").read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.file(path.lstrip("/"), script.encode(), 0o755)
    return archive


def cmd_shell(args: argparse.Namespace) -> int:
    """`lab shell`: the terminal becomes the host's console."""
    start = "/sbin/assay-shell"
    ready = prepare(LabCell.load(args.cell), args.bundle, "", qemu=find_qemu(args.qemu), kernel=args.kernel,
                    exec_path=start, extra=_user_land(_SHELL, start))
    argv = ["mon:stdio" if word == "stdio" else word for word in ready.argv]
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        return subprocess.run(argv, pass_fds=[ready.initrd], check=False).returncode
    finally:
        os.close(ready.initrd)
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def cmd_ssh_host(args: argparse.Namespace) -> int:
    """`lab ssh-host`."""
    with ssh_host(args.bundle, LabCell.load(args.cell), qemu=find_qemu(args.qemu), kernel=args.kernel) as server:
        print(f"ssh -F {server.config} lab\n{server.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while server.machine and server.machine.running:
                time.sleep(0.5)
    return 0


def main() -> int:
    """`python -m assay.lab.commands`: for lab/setup.sh, which comes before the runner can be trusted to start."""
    parser = argparse.ArgumentParser(prog="assay")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args()
    try:
        return args.function(args)
    except AssayError as e:
        print(f"assay: {e}", file=sys.stderr)
        return e.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())
