# SPDX-License-Identifier: Apache-2.0
"""`assay run`: plan, hosts, engine, record, views; and the exit status."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from . import record, store, summary, views
from .backends.base import Backend
from .collector import Collector
from .engine import Engine
from .errors import AssayError
from .expect import load_known
from .job import Unit, unit_of
from .paths import KNOWN, ROOT, shown
from .plan import matrix_globs, select, unknown
from .progress import Live, Plain
from .tests import Test, load

OK, UNEXPECTED, COULD_NOT = 0, 1, 2


class Interrupted(Exception):
    """The user, or the system, wants the run to end."""


def cells_of(args: Namespace, say: Plain) -> list[Backend]:
    """The lab cells asked for; those this QEMU cannot run are left out by name."""
    from .backends.lab import LabBackend
    from .lab import DEFAULT_CELL, load_cells
    from .lab.qemu import find_qemu

    cells = load_cells()
    chosen = {}
    for glob in args.cell or [DEFAULT_CELL]:
        hits = [cell for name, cell in cells.items() if fnmatchcase(name, glob)]
        if not hits:
            raise unknown("cell", glob, cells, "`./assay lab list` shows all")
        chosen.update((cell.name, cell) for cell in hits)
    kernel = Path(args.kernel) if args.kernel else None
    if kernel and not kernel.is_file():
        raise AssayError(f"--kernel {args.kernel}: no such file; give an Image, a vmlinuz or a .deb")
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
    if not usable:
        raise AssayError(f"QEMU {qemu.version_text} can run none of the cells: {', '.join(chosen)}")
    return usable


def backends_of(args: Namespace, say: Plain) -> list[Backend]:
    """Where to run: --host, --cell; else here when this is an ARM64 machine with KVM; else the default cell."""
    from .backends import native

    if args.host:
        from .backends.ssh import SshBackend

        for option, value in (("--cell", args.cell), ("--kernel", args.kernel), ("--qemu", args.qemu)):
            if value:
                raise AssayError(f"{option} is for the lab and cannot be used together with --host")
        scale = args.time_scale or 1.0
        return [SshBackend(url, Path(args.bundle), args.ssh_option, args.reconnect, scale) for url in dict.fromkeys(args.host)]
    if args.native or (not (args.cell or args.kernel or args.qemu) and native.usable()):
        return [native.NativeBackend(Path(args.bundle), args.time_scale or 1.0)]
    return cells_of(args, say)


def planned(args: Namespace, tests: list[Test]) -> tuple[list[Test], list[str] | None]:
    """The tests to run, and the names (or files) of the matrices when only those are asked for."""
    if not args.matrix:
        return select(tests, args.tests, args.tag, args.exclude), None
    matrices, globs = matrix_globs(args.matrix, ROOT / "matrices")
    del matrices
    return select(tests, args.tests, args.tag, args.exclude, globs), list(dict.fromkeys(args.matrix))


@contextlib.contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end the run in order: what was recorded becomes a result."""
    def stop(number: int, _frame: object) -> None:
        raise Interrupted(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Run:
    """One run: feeds events into the folder's stream and into the collector, in that order."""

    def __init__(self, args: Namespace, tests: list[Test], chosen: list[Test], backends: list[Backend],
                 matrices: list[str] | None, progress: Plain, began: float) -> None:
        self.began = began
        self.progress = progress
        self.backends = backends
        seed = args.seed if args.seed is not None else secrets.randbits(32)
        units = [unit_of(test, seed, args.time) for test in chosen]
        self.units: list[Unit] = units * args.repeat
        expectations = load_known(KNOWN)
        known = {unit.test.id: record.known_part(unit, seed) for unit in units}
        self.collector = Collector(known, expectations, progress.result)
        self.listed = [{"id": test.id, "rule": test.rule} for test in tests]
        self.folder = store.RunFolder(Path(args.out))
        self.meta = {
            "id": self.folder.id, "started": self.folder.started.strftime("%Y-%m-%dT%H:%M:%SZ"), "duration_s": 0.0,
            "first_test_s": None, "command": shlex.join(["./assay", *args.argv]),
            "assay_version": record.assay_version(), "seed": f"{seed:#x}", "backend": backends[0].kind, "complete": False,
            "repeat": args.repeat, "time_ms": args.time, "qemu": None, "matrices": matrices,
        }
        self.order = [unit.test.id for unit in self.units]
        self.folder.append({"ev": "run", "run": self.meta})
        self.folder.append({"ev": "plan", "tests": list(known.values()), "order": self.order, "listed": self.listed,
                            "known": expectations.to_json()})

    def _emit(self, event: dict) -> None:
        event["t"] = round(time.monotonic() - self.began, 3)
        self.folder.append(event)
        self.collector.feed(event)
        if event["ev"] == "start":
            self.progress.start(event["id"])
        elif event["ev"] == "boot":
            self.progress.boot(self.collector.hosts[event["host"]].boots)
        elif event["ev"] == "hello" and self.collector.hosts[event["host"]].boots == 1:
            host = self.collector.hosts[event["host"]]
            self.progress.hello(host.name, event["fields"], host.boot_s)

    def drive(self) -> bool:
        """Run the plan on every host; false when it was interrupted."""
        self.progress.begin(len(self.units) * len(self.backends))
        try:
            with signals_as_interrupt():
                for backend in self.backends:
                    self._host(backend)
            return True
        except Interrupted as e:
            self.collector.close(f"the run was interrupted ({e})")
            return False
        finally:
            self.progress.end()

    def _host(self, backend: Backend) -> None:
        info = backend.info()
        self.folder.append({"ev": "host", "info": info})
        self.collector.add_host(info, self.order)
        self.progress.host(backend.name, (info["cell"] or {}).get("description", "") if len(self.backends) > 1 else "")
        try:
            if len(self.backends) > 1:
                backend.open()
            Engine(backend, self.units, self._emit, self.progress.tick).run()
        except AssayError as e:
            if len(self.backends) == 1:
                raise
            self._emit({"ev": "giveup", "host": backend.name, "reason": str(e)})
        finally:
            backend.close()

    def results(self, complete: bool) -> dict:
        """The record of the run, as it will stand in results.json."""
        self.folder.append({"ev": "done", "complete": complete, "t": round(time.monotonic() - self.began, 3)})
        self.folder.close()
        self.meta.update(duration_s=round(time.monotonic() - self.began, 3), complete=complete,
                         first_test_s=self.collector.first_start, qemu=self.collector.qemu)
        return record.build(self.meta, self.collector, self.listed)


def write(results: dict, folder: Path) -> None:
    """results.json, checked, and then the views."""
    store.write_json(folder / store.RESULTS, results)
    record.validate(results, folder / store.RESULTS)
    views.write_all(results, folder)


def status_of(results: dict, hosts: dict) -> int:
    """0 all as expected, 1 unexpected results, 2 it could not run."""
    if not results["run"]["complete"] or any(host.gave_up and not host.hello for host in hosts.values()):
        return COULD_NOT
    return UNEXPECTED if results["totals"]["unexpected"] else OK


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    terminal = sys.stdout.isatty() and not args.json
    progress = Plain(sys.stderr if args.json else sys.stdout)
    console = None
    if terminal:
        from rich.console import Console

        console = Console(highlight=False)
        progress = Live(console)
    tests = load(Path(args.bundle))
    chosen, matrices = planned(args, tests)
    record.load_claims(matrices)  # a slip in them must show before the run, not at its end
    backends = backends_of(args, progress)
    if len(backends) == 1:
        backends[0].open()  # what cannot be reached leaves no run behind
    run = Run(args, tests, chosen, backends, matrices, progress, began)
    where = ", ".join(backend.name for backend in backends)
    if not args.json:
        times = f" × {args.repeat}" if args.repeat > 1 else ""
        progress.say(f"assay {run.meta['assay_version']} · {backends[0].kind} {where} · {len(chosen)} tests{times} · "
                     f"seed {run.meta['seed']}")
    complete = run.drive()
    results = run.results(complete)
    write(results, run.folder.path)
    if args.json:
        json.dump(results, sys.stdout, indent=1)
        print()
    elif console:
        summary.show(results, run.folder.path, console)
    else:
        for line in summary.plain(results, run.folder.path):
            progress.say(line)
    if args.counts and not args.json:
        progress.say(summary.counts(results))
    status = status_of(results, run.collector.hosts)
    if status == COULD_NOT:
        reasons = [host.gave_up for host in run.collector.hosts.values() if host.gave_up]
        why = reasons[0] if complete and reasons else "the run was interrupted"
        raise AssayError(f"{why}; what was recorded is in {shown(run.folder.path)}")
    return status
