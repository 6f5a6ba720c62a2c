# SPDX-License-Identifier: Apache-2.0
"""`assay run`: plan, hosts, engine, record, views; and the exit status."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import signal
import sys
import threading
import time
from argparse import Namespace
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import record, store, summary, views
from .backends.base import Backend
from .backends.choose import backends_of
from .collector import Collector
from .engine import Engine
from .errors import AssayError
from .expect import load_known
from .job import Unit, lanes_of, unit_of
from .paths import KNOWN, ROOT, shown
from .plan import SLOW, matrix_globs, select
from .progress import Live, Plain, plural
from .tests import Test, load

OK, UNEXPECTED, COULD_NOT = 0, 1, 2
SHARED_FROM = 40  # tests from which on a second boot of the cell pays


class Interrupted(Exception):
    """The user, or the system, wants the run to end."""


def planned(args: Namespace, tests: list[Test]) -> tuple[list[Test], list[str] | None]:
    """The tests to run, and the names (or files) of the matrices when only those are asked for."""
    if not args.matrix:
        return select(tests, args.tests, args.tag, args.exclude, slow=args.all), None
    _, globs = matrix_globs(args.matrix, ROOT / "matrices")
    return select(tests, args.tests, args.tag, args.exclude, globs, slow=True), list(dict.fromkeys(args.matrix))


class Stop:
    """SIGINT, SIGTERM and SIGHUP end the run in order: what was recorded becomes a result. A second one ends it now."""

    def __init__(self) -> None:
        self.asked: str | None = None

    def _handler(self, number: int, _frame: object) -> None:
        if self.asked:
            raise Interrupted(self.asked)
        self.asked = signal.Signals(number).name

    def here(self) -> None:
        """A safe place: between two events."""
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


@dataclass(frozen=True)
class Task:
    """One lane: a host, and the tests it runs one after another."""

    backend: Backend
    key: str
    units: list[Unit]


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
        self.tasks = self._tasks(units, args.repeat, args.jobs)
        self.workers = args.jobs or 2
        self.lock = threading.RLock()
        self.failure: BaseException | None = None
        expectations = load_known(KNOWN)
        known = {unit.test.id: record.known_part(unit, seed, args.time) for unit in units}
        self.collector = Collector(known, expectations, progress.result, progress.abandoned)
        self.listed = [{"id": test.id, "rule": test.rule, "slow": SLOW in test.tags} for test in tests]
        self.folder = store.RunFolder(Path(args.out))
        self.meta = {
            "id": self.folder.id, "started": self.folder.started.strftime("%Y-%m-%dT%H:%M:%SZ"), "duration_s": 0.0,
            "first_test_s": None, "command": shlex.join(["./assay", *args.argv]),
            "assay_version": record.assay_version(), "seed": f"{seed:#x}", "backend": backends[0].kind,
            "complete": False, "repeat": args.repeat, "time_ms": args.time, "qemu": None, "matrices": matrices,
        }
        self.folder.append({"ev": "run", "run": self.meta})
        self.folder.append({"ev": "plan", "tests": list(known.values()), "listed": self.listed,
                            "known": expectations.to_json()})

    def _tasks(self, units: list[Unit], repeat: int, jobs: int | None) -> list[Task]:
        """A cell of the lab may be booted several times, for a share of the tests each; other hosts are one lane each.

        Where no test of a lane asks for more, the cell has one CPU.
        """
        if self.backends[0].kind != "lab":
            return [Task(backend, backend.name, lane * repeat)
                    for backend in self.backends for lane in lanes_of(units, 1)]
        boots = 1 if len(units) < SHARED_FROM or (os.cpu_count() or 1) < 2 else 2
        if jobs and len(self.backends) == 1:
            boots = jobs
        return [Task(cell if any(unit.test.wide for unit in lane) else cell.narrow(),
                     cell.name if number == 0 else f"{cell.name}#{number}", lane * repeat)
                for cell in self.backends for number, lane in enumerate(lanes_of(units, boots))]

    def _tick(self) -> None:
        self.stop.here()
        if self.failure:
            raise Interrupted("another lane failed")
        with self.lock:
            self.progress.tick()

    def _emit(self, event: dict) -> None:
        with self.lock:
            event["t"] = round(time.monotonic() - self.began, 3)
            self.folder.append(event)
            self.collector.feed(event)
            host = self.collector.hosts[event["host"]]
            if event["ev"] == "start":
                self.progress.start(event["id"], host.key)
            elif event["ev"] == "boot":
                self.progress.boot(host.boots, host.key)
            elif event["ev"] == "hello" and host.boots == 1 and host.key == host.name:
                self.progress.hello(host.name, event["fields"], host.boot_s)

    def drive(self) -> bool:
        """Run the plan on every host; false when it was interrupted."""
        for task in self.tasks:
            info, order = task.backend.info(), [unit.test.id for unit in task.units]
            self.folder.append({"ev": "host", "key": task.key, "info": info, "order": order})
            self.collector.add_host(info, order, task.key)
        self.progress.begin(sum(len(task.units) for task in self.tasks))
        todo = deque(self.tasks)
        lanes = [threading.Thread(target=self._work, args=(todo,), daemon=True)
                 for _ in range(min(self.workers, len(self.tasks)))]
        try:
            with self.stop.watching():
                for lane in lanes:
                    lane.start()
                while any(lane.is_alive() for lane in lanes):
                    lanes[0].join(0.1) if lanes[0].is_alive() else time.sleep(0.05)
        except Interrupted:
            pass  # the second signal: the lanes end with this process
        finally:
            self.progress.end()
        if self.failure:
            raise self.failure
        if self.stop.asked:
            with self.lock:
                self.collector.close(f"the run was interrupted ({self.stop.asked})")
        return not self.stop.asked

    def _work(self, todo: deque[Task]) -> None:
        """One lane after another, until none is left."""
        try:
            while todo:
                self._task(todo.popleft())
        except (Interrupted, IndexError):
            pass
        except BaseException as e:  # noqa: BLE001: the main thread raises it again
            self.failure = e

    def _task(self, task: Task) -> None:
        backend = task.backend
        self.progress.host(backend.name)
        try:
            if len(self.backends) > 1:
                backend.open()
        except AssayError as e:
            self._emit({"ev": "giveup", "host": task.key, "reason": str(e)})
            return
        try:
            Engine(backend, task.units, self._emit, self._tick, key=task.key).run()
        finally:
            if len(self.backends) > 1:
                backend.close()

    def results(self, complete: bool) -> dict:
        """The record of the run, as it will stand in results.json."""
        self.folder.append({"ev": "done", "complete": complete, "t": round(time.monotonic() - self.began, 3)})
        self.folder.close()
        self.meta.update(duration_s=round(time.monotonic() - self.began, 3), complete=complete,
                         first_test_s=self.collector.first_start, qemu=self.collector.qemu)
        return record.build(self.meta, self.collector, self.listed)


def check_bundle(bundle: Path, chosen: list[Test]) -> None:
    """What carries the tests is there too: without it every one of them would end in the same error."""
    for name in ("agent", *(("refvmm",) if any(test.kind == "guest" for test in chosen) else ())):
        path = bundle / name
        if not os.access(path, os.X_OK) or not path.is_file():
            what = "cannot be executed" if path.is_file() else "is missing"
            raise AssayError(f"{shown(path)} {what}, and the tests need it: build the programs with `make build`")


def write(results: dict, folder: Path) -> None:
    """results.json, checked, and then the views."""
    store.write_json(folder / store.RESULTS, results)
    record.validate(results, folder / store.RESULTS)
    views.write_all(results, folder)


def status_of(results: dict, hosts: dict) -> int:
    """0 all as expected, 1 unexpected results, 2 it could not run."""
    given_up = {host.name for host in hosts.values() if host.gave_up}
    silent = given_up - {host.name for host in hosts.values() if host.hello}
    if not results["run"]["complete"] or silent:
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
    check_bundle(Path(args.bundle), chosen)
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
            left = 0 if args.tests or args.tag or args.matrix or args.all else sum(SLOW in test.tags for test in tests)
            without = f" ({left} slow ones left out: --all)" if left else ""
            progress.say(f"assay {run.meta['assay_version']} · {backends[0].kind} {where} · "
                         f"{plural(len(chosen), 'test')}{without}{times} · seed {run.meta['seed']}")
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
