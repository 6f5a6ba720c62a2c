# SPDX-License-Identifier: Apache-2.0
"""`assay run`: plan, hosts, engine, record, views; and the exit status."""

from __future__ import annotations

import contextlib
import json
import secrets
import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from . import record, store, summary, views
from .backends.base import Backend
from .backends.choose import backends_of
from .collector import Collector
from .engine import Engine
from .errors import AssayError
from .expect import load_known
from .job import Unit, unit_of
from .paths import KNOWN, ROOT, shown
from .plan import matrix_globs, select
from .progress import Live, Plain
from .tests import Test, load

OK, UNEXPECTED, COULD_NOT = 0, 1, 2


class Interrupted(Exception):
    """The user, or the system, wants the run to end."""


def planned(args: Namespace, tests: list[Test]) -> tuple[list[Test], list[str] | None]:
    """The tests to run, and the names (or files) of the matrices when only those are asked for."""
    if not args.matrix:
        return select(tests, args.tests, args.tag, args.exclude), None
    _, globs = matrix_globs(args.matrix, ROOT / "matrices")
    return select(tests, args.tests, args.tag, args.exclude, globs), list(dict.fromkeys(args.matrix))


class Stop:
    """SIGINT, SIGTERM and SIGHUP end the run in order: what was recorded becomes a result.

    While events are taken in, the end waits for the next safe place; else (fetching, connecting) it comes at once.
    """

    def __init__(self) -> None:
        self.wait = False
        self.asked: str | None = None

    def _handler(self, number: int, _frame: object) -> None:
        again = self.asked is not None
        self.asked = signal.Signals(number).name
        if again or not self.wait:
            raise Interrupted(self.asked)

    def here(self) -> None:
        """A safe place."""
        if self.asked:
            raise Interrupted(self.asked)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """The handlers hold inside."""
        before = {n: signal.signal(n, self._handler) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
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
        self.stop = Stop()
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

    def _tick(self) -> None:
        self.stop.here()
        self.progress.tick()

    def _emit(self, event: dict) -> None:
        self.stop.wait = True
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
        if event["ev"] in ("closed", "giveup"):
            self.stop.wait = False
            self.stop.here()

    def drive(self) -> bool:
        """Run the plan on every host; false when it was interrupted."""
        self.progress.begin(len(self.units) * len(self.backends))
        try:
            with self.stop.watching():
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
            Engine(backend, self.units, self._emit, self._tick).run()
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


def tell(results: dict, folder: Path, args: Namespace, progress: Plain) -> None:
    """The end of the run, in the form that was asked for."""
    if args.json:
        json.dump(results, sys.stdout, indent=1)
        print()
        return
    if isinstance(progress, Live):
        summary.show(results, folder, progress.console)
    else:
        for line in summary.plain(results, folder):
            progress.say(line)
    if args.counts:
        progress.say(summary.counts(results))


def command(args: Namespace, began: float) -> int:
    """The subcommand."""
    progress = Plain(sys.stderr if args.json else sys.stdout)
    if sys.stdout.isatty() and not args.json:
        from rich.console import Console

        progress = Live(Console(highlight=False))
    tests = load(Path(args.bundle))
    chosen, matrices = planned(args, tests)
    record.load_claims(matrices)  # a slip in them must show before the run, not at its end
    backends = backends_of(args, progress)
    with contextlib.ExitStack() as stack:
        for backend in backends:
            stack.callback(backend.close)
        if len(backends) == 1:
            backends[0].open()  # what cannot be reached leaves no run behind
        run = Run(args, tests, chosen, backends, matrices, progress, began)
        if not args.json:
            where = ", ".join(backend.name for backend in backends)
            times = f" × {args.repeat}" if args.repeat > 1 else ""
            progress.say(f"assay {run.meta['assay_version']} · {backends[0].kind} {where} · {len(chosen)} tests{times}"
                         f" · seed {run.meta['seed']}")
        complete = run.drive()
    results = run.results(complete)
    write(results, run.folder.path)
    tell(results, run.folder.path, args, progress)
    status = status_of(results, run.collector.hosts)
    if status == COULD_NOT:
        reasons = [host.gave_up for host in run.collector.hosts.values() if host.gave_up]
        why = reasons[0] if complete and reasons else "the run was interrupted"
        raise AssayError(f"{why}; what was recorded is in {shown(run.folder.path)}")
    return status
