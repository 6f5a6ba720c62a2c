# SPDX-License-Identifier: Apache-2.0
"""The one way from events to results: used while a run goes on, and to rebuild one from its stream.jsonl.

A host may be there several times at once (two boots of a cell share the tests): each such lane has a key of its own.
Events are dicts with `ev` and `host`, the lane's key:
    boot                      a session begins (a boot of the lab host, a connection)
    artefacts {kernel_package, qemu}
    hello {fields}            the agent's first frame
    start {behind}, out, err, log, end, bye; `behind`: tests that the same process ran before
    console {text}            a line that is no whole frame: noise, kept as evidence
    closed {reason, crash}    the session is over; `crash`: it ended before its work was done
    giveup {reason}           the rest of this host's tests will not run
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .expect import Expectations
from .verdict import Record, Verdict, decide

_WORST = ("error", "fail", "xpass", "xfail", "pass", "skip")
LOG_MAX = 400
TRACE = "refvmm: trace: "  # how refvmm begins a line of its flight recorder on stderr


@dataclass
class Host:
    """What is known about one lane of a host while its tests run."""

    key: str
    info: dict  # name, cell, kernel_package, has, time_scale
    pending: list[str]  # ids that have not been started, in order; repeated with --repeat
    hello: dict[str, str] = field(default_factory=dict)
    record: Record | None = None  # the unit that runs, or has ended and is not followed by another yet
    log: list[dict] = field(default_factory=list)
    results: dict[str, list[dict]] = field(default_factory=dict)
    boots: int = 0
    boot_s: float | None = None
    boot_at: float = 0.0
    gave_up: str | None = None
    done: int = 0

    @property
    def name(self) -> str:
        """The cell, or the machine."""
        return self.info["name"]


class Collector:
    """Feeds on events, yields an entry of results.json for every unit as soon as it is decided."""

    def __init__(self, tests: dict[str, dict], expectations: Expectations,
                 on_result: Callable[[dict], None] = lambda entry: None,
                 on_abandoned: Callable[[str, int, str], None] = lambda host, number, reason: None) -> None:
        self.tests = tests  # id -> the part of an entry that is known before the run
        self.expectations = expectations
        self.on_result = on_result
        self.on_abandoned = on_abandoned  # many at once: told once
        self.hosts: dict[str, Host] = {}
        self.first_start: float | None = None
        self.qemu: str | None = None

    def add_host(self, info: dict, ids: list[str], key: str | None = None) -> Host:
        """Announce a host, or one more lane of it, and what will run there, in order."""
        key = key or info["name"]
        host = self.hosts[key] = Host(key, info, list(ids))
        return host

    def feed(self, event: dict) -> None:
        """Take in one event."""
        host = self.hosts[event["host"]]
        handler = getattr(self, f"_on_{event['ev']}", None)
        if handler:
            handler(host, event)

    # ---- sessions

    def _on_boot(self, host: Host, event: dict) -> None:
        host.boots += 1
        host.boot_at = event.get("t", 0.0)

    def _on_artefacts(self, host: Host, event: dict) -> None:
        host.info["kernel_package"] = event.get("kernel_package")
        self.qemu = event.get("qemu")

    def _on_hello(self, host: Host, event: dict) -> None:
        if host.boot_s is None:
            host.boot_s = round(max(0.0, event.get("t", 0.0) - host.boot_at), 3)
        host.hello.update(event["fields"])

    def _on_closed(self, host: Host, event: dict) -> None:
        record = host.record
        if record and record.end is None:
            record.lost = event["reason"]
        elif record and event.get("crash"):  # nothing else ran since: it did that
            record.end, record.lost = None, f"right after it ended: {event['reason']}"
        self._finish(host)

    def _on_giveup(self, host: Host, event: dict) -> None:
        self._finish(host)
        host.gave_up = event["reason"]
        self._abandon(host, f"not run: {event['reason']}")

    def _on_bye(self, host: Host, event: dict) -> None:
        self._finish(host)

    # ---- units

    def _on_start(self, host: Host, event: dict) -> None:
        self._finish(host)
        test_id = event["id"]
        if self.first_start is None:
            self.first_start = event.get("t")
        if test_id not in host.pending:
            return  # frames nobody asked for decide nothing
        while host.pending[0] != test_id:  # its start frame, or all its frames, were damaged
            lost = Record(host.pending.pop(0), lost="its frames were lost")
            self._decide(host, lost)
        host.pending.pop(0)
        host.record = Record(test_id, behind=event.get("behind", []))

    def _record(self, host: Host, event: dict) -> Record | None:
        record = host.record
        if record and record.id == event["id"] and record.end is None:
            return record
        if event["id"] in host.pending:  # the start frame was damaged: the rest of the unit still is its own
            self._on_start(host, event)
            if host.record:
                host.record.console.append("[the start frame was lost]")
            return host.record
        return None

    def _on_out(self, host: Host, event: dict) -> None:
        if record := self._record(host, event):
            record.out.append(event["text"])

    def _on_err(self, host: Host, event: dict) -> None:
        if record := self._record(host, event):
            text = event["text"]
            if text.startswith(TRACE):
                record.trace.append(text[len(TRACE):])
            else:
                record.err.append(text)

    def _on_log(self, host: Host, event: dict) -> None:
        entry = {"level": event["level"], "text": event["text"]}
        record = None if event["id"] == "-" else self._record(host, event)
        target = record.log if record else host.log
        if len(target) < LOG_MAX:
            target.append(entry)

    def _on_end(self, host: Host, event: dict) -> None:
        if record := self._record(host, event):
            record.end = event["fields"]

    def _on_console(self, host: Host, event: dict) -> None:
        if host.record:
            host.record.console.append(event["text"])
            host.record.damaged |= event.get("damaged", False)
        elif len(host.log) < LOG_MAX:
            host.log.append({"level": "console", "text": event["text"]})

    def damaged(self, line: int) -> None:
        """A line of the stream is lost: it may have been one of any test that runs now."""
        for host in self.hosts.values():
            if host.record:
                host.record.console.append(f"[line {line} of the stream is damaged]")
                host.record.damaged = True

    # ---- decisions

    def _finish(self, host: Host) -> None:
        if host.record:
            record, host.record = host.record, None
            if record.end is None and record.lost is None:
                record.lost = "its end frame was lost"
            self._decide(host, record)

    def _abandon(self, host: Host, reason: str) -> None:
        for test_id in host.pending:
            self._keep(host, test_id, Record(test_id), Verdict("error", reason, None, [], {}, []), ran=False)
        if host.pending:
            self.on_abandoned(host.name, len(host.pending), reason)
        host.pending = []

    def _decide(self, host: Host, record: Record) -> None:
        excuse = self.expectations.excuse(record.log, host.hello.get("release"))
        self.on_result(self._keep(host, record.id, record, decide(record, excuse)))

    def _keep(self, host: Host, test_id: str, record: Record, verdict: Verdict, ran: bool = True) -> dict:
        host.done += 1
        known = self.tests[test_id]
        if record.behind and verdict.verdict in ("fail", "error"):
            verdict.notes.append(f"ran in one machine behind {', '.join(record.behind)}")
        final, expected, reason = self.expectations.apply(
            test_id, verdict, host.name, host.info.get("has") or [], host.hello.get("release"))
        entry = {
            **known, "host": host.name, "verdict": final, "expected": expected, "needs": verdict.needs,
            "reason": reason, "evidence": verdict.evidence, "facts": verdict.facts, "notes": verdict.notes,
            "log": record.log, "stderr": record.err, "ms": record.end.get("ms") if record.end else None,
            "replay": known["replay"] + host.info.get("replay", ""), "ran": ran,
        }
        if record.trace and verdict.verdict != "skip":
            entry["trace"] = record.trace
        host.results.setdefault(test_id, []).append(entry)
        return entry

    def close(self, reason: str) -> None:
        """The stream is at its end: what has no verdict by now gets none any more."""
        for host in self.hosts.values():
            if host.record:
                host.record.lost = host.record.lost or (None if host.record.end else f"{reason} while it ran")
            self._finish(host)
            self._abandon(host, f"not run: {reason}")

    def _lanes(self) -> dict[str, list[Host]]:
        lanes: dict[str, list[Host]] = {}
        for host in self.hosts.values():
            lanes.setdefault(host.name, []).append(host)
        return lanes

    def entries(self) -> list[dict]:
        """tests[] of results.json: one entry a test and host, the worst of its repeats, in the order of the plan."""
        return [_worst(runs) for lanes in self._lanes().values() for test_id in self.tests
                if (runs := [run for lane in lanes for run in lane.results.get(test_id, [])])]

    def host_entries(self) -> list[dict]:
        """hosts[] of results.json, without the matrices."""
        found = []
        for name, lanes in self._lanes().items():
            facts, sources = self._facts(lanes)
            first = lanes[0]
            found.append({
                "name": name, "facts": facts, "fact_sources": sources, "cell": first.info.get("cell"),
                "kernel_package": first.info.get("kernel_package"), "release": first.hello.get("release"),
                "boot_s": first.boot_s, "boots": max(0, sum(lane.boots for lane in lanes) - len(lanes) + 1),
                "log": [entry for lane in lanes for entry in lane.log], "matrices": [],
            })
        return found

    def _facts(self, lanes: list[Host]) -> tuple[dict[str, str], dict[str, str]]:
        """What the host's tests measured; of two that differ the first stands, and the judge sees both in tests[]."""
        facts = {f"agent.{key}": value for key, value in lanes[0].hello.items()}
        sources = dict.fromkeys(facts, "agent")
        for test_id in self.tests:
            for run in (run for lane in lanes for run in lane.results.get(test_id, [])):
                for key, value in run["facts"].items():
                    if key not in facts:
                        facts[key], sources[key] = value, test_id
        return facts, sources


def _worst(runs: list[dict]) -> dict:
    """One entry for a test that ran several times."""
    asked = len(runs)
    runs = [run for run in runs if run["ran"]] or runs[:1]  # a repeat that was not run hides no verdict
    runs = [{key: value for key, value in run.items() if key != "ran"} for run in runs]
    if len(runs) == 1:
        notes = [f"1 of {asked} repeats was run"] if asked > 1 else []
        return {**runs[0], "runs": 1, "notes": runs[0]["notes"] + notes}
    worst = min(runs, key=lambda run: (run["expected"], _WORST.index(run["verdict"])))
    same = sum(run["verdict"] == worst["verdict"] for run in runs)
    note = f"{worst['verdict']} in {same} of {len(runs)} runs"
    if len(runs) < asked:
        note += f" ({asked} were asked for)"
    times = [run["ms"] for run in runs if run["ms"] is not None]
    return {**worst, "runs": len(runs), "notes": worst["notes"] + [note], "ms": max(times) if times else None}
