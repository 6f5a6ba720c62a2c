# SPDX-License-Identifier: Apache-2.0
"""results.json: put together from what the collector holds and the judge decides, checked against the schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .collector import Collector
from .errors import AssayError
from .expect import Expectations
from .job import Unit
from .paths import ROOT, SCHEMA, shown

if TYPE_CHECKING:
    from .judge import Matrix, Rules

VERDICTS = ("pass", "fail", "skip", "xfail", "xpass", "error")


def assay_version() -> str:
    """git describe of the tree, or `unknown`."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), "describe", "--tags", "--always", "--dirty"],
                              capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else "unknown"


def duration(ms: int) -> str:
    """What `--time` takes: `2s`, `500ms`."""
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms}ms"


def known_part(unit: Unit, seed: int, time_ms: int | None = None) -> dict:
    """What of a results entry is known before the test ran."""
    test = unit.test
    boxed = f" --time {duration(time_ms)}" if time_ms else ""
    return {
        "id": test.id, "suite": test.suite, "name": test.name, "variant": test.variant, "kind": test.kind,
        "rule": test.rule, "file": test.file, "line": test.line, "tags": list(test.tags), "program": unit.command,
        "seed": f"{seed:#x}", "replay": f"./assay run {test.id} --seed {seed:#x}{boxed}",
    }


def totals(tests: list[dict]) -> dict[str, int]:
    """Counts of each verdict, and of what was unexpected."""
    counts = {"tests": len(tests), **dict.fromkeys(VERDICTS, 0), "unexpected": 0}
    for test in tests:
        counts[test["verdict"]] += 1
        counts["unexpected"] += not test["expected"]
    return counts


def load_claims(wanted: list[str] | None) -> tuple[list[Matrix], Rules]:
    """Every matrix, or those named (files of the user's own among them), and the rules."""
    from . import judge

    folder = ROOT / "matrices"
    rules = judge.load_rules(folder / "rules")
    if wanted is None:
        return judge.load_matrices(folder), rules
    return [judge.load_matrix(Path(name) if name.endswith(".toml") else folder / f"{name}.toml")
            for name in wanted], rules


def judge_hosts(hosts: list[dict], tests: list[dict], listed: list[dict], wanted: list[str] | None) -> dict:
    """Decide every matrix for every host; the rules' summary."""
    from . import judge

    matrices, rules = load_claims(wanted)
    ids = [test["id"] for test in listed if not test.get("slow")]  # that one of these did not run is no gap
    for host in hosts:
        mine = [test for test in tests if test["host"] == host["name"]]
        host["matrices"] = [judge.decide(m, host["facts"], mine, rules, ids) for m in matrices]
    return judge.rules_summary(rules, tests, listed)


def build(run: dict, collector: Collector, listed: list[dict]) -> dict:
    """The whole of results.json."""
    hosts, tests = collector.host_entries(), collector.entries()
    rules = judge_hosts(hosts, tests, listed, run.get("matrices"))
    results = {"schema": 1, "run": run, "hosts": hosts, "tests": tests, "totals": totals(tests), "rules": rules}
    return json.loads(json.dumps(results))


def validate(results: object, path: Path) -> None:
    """Check against reports/results.schema.json; AssayError names the first thing that is wrong."""
    import jsonschema

    schema = json.loads(SCHEMA.read_text("utf-8"))
    wrong = next(jsonschema.Draft202012Validator(schema).iter_errors(results), None)
    if wrong:
        where = "/".join(str(part) for part in wrong.absolute_path) or "the top"
        raise AssayError(f"{shown(path)} is not a record of results: at {where}: {wrong.message[:200]}")


def rebuild(events: list[dict], where: str) -> dict:
    """results.json of a run from its stream, whether or not it came to its end."""
    try:
        return _rebuild(events, where)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as e:  # events that no run writes
        raise AssayError(f"{where}: is damaged: an event is not as a run writes it ({type(e).__name__}: {e}); "
                         "it cannot be rebuilt") from e


def _rebuild(events: list[dict], where: str) -> dict:
    if not events or events[0]["ev"] != "run":
        raise AssayError(f"{where}: does not begin with the event of a run; it cannot be rebuilt")
    run = dict(events[0]["run"])
    plan = next((event for event in events if event["ev"] == "plan"), None)
    if plan is None and any(event["ev"] == "damaged" for event in events):
        raise AssayError(f"{where}: its plan is damaged; it cannot be rebuilt")
    if plan is None:
        raise AssayError(f"{where}: was interrupted before the plan was made; nothing to rebuild")
    collector = Collector({test["id"]: test for test in plan["tests"]}, Expectations.from_json(plan["known"]))
    last = 0.0
    done = False
    for event in events:
        last = max(last, event.get("t", 0.0))
        if event["ev"] == "host":
            collector.add_host(event["info"], event["order"], event["key"])
        elif event["ev"] == "done":
            done = event["complete"]
        elif event["ev"] == "damaged":
            collector.damaged(event["line"])
        elif "host" in event and event["host"] in collector.hosts:
            collector.feed(event)
        elif "host" in event:
            raise AssayError(f"{where}: what it says of the host {event['host']} is damaged; it cannot be rebuilt")
    if not collector.hosts:
        raise AssayError(f"{where}: was interrupted before a host was reached; nothing to rebuild")
    collector.close("the run was interrupted")
    run.update(duration_s=round(last, 3), complete=done, first_test_s=collector.first_start, qemu=collector.qemu)
    return build(run, collector, plan["listed"])
