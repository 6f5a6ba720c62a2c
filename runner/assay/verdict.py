# SPDX-License-Identifier: Apache-2.0
"""From everything that is known about one unit to its verdict, which nothing changes afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import ktap
from .signals import FAILED, LACKS, OK, exit_text, signal_text

# Bits of /proc/sys/kernel/tainted (Documentation/admin-guide/tainted-kernels.rst) a test can cause.
_TAINTS = {2: "unsafe hardware or SMP", 4: "machine check", 5: "bad page", 7: "oops or BUG", 9: "warning (WARN)",
           14: "soft lockup", 18: "fault injection"}
WARNED = 1 << 9
_SAID = re.compile(r"Kernel panic|Oops|\bBUG\b|Internal error|Unable to handle|WARNING:|soft lockup|rcu.*stall"
                   r"|SError|hyp panic|[Oo]ut of memory")
_STAMPED = re.compile(r"\[ *\d+\.\d{6}\]")
EVIDENCE_MAX = 60


@dataclass
class Record:
    """What arrived about one unit."""

    id: str
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)  # of stderr: the end of refvmm's flight recorder
    log: list[dict] = field(default_factory=list)  # {level, text} of the host kernel
    console: list[str] = field(default_factory=list)  # lines that are no frame, while it ran
    end: dict[str, int] | None = None  # exit, signal, limit or next; ms; taint
    lost: str | None = None  # why there is no end: the host crashed, hung, was lost
    damaged: bool = False  # a frame of it arrived torn
    behind: list[str] = field(default_factory=list)  # tests that ran before it in the same process


@dataclass
class Verdict:
    """The verdict and what it stands on."""

    verdict: str
    reason: str | None
    needs: str | None
    evidence: list[dict]
    facts: dict[str, str]
    notes: list[str]


def taint_text(bits: int) -> str:
    """`0x200: warning (WARN)`."""
    names = [name for bit, name in _TAINTS.items() if bits >> bit & 1]
    return f"{bits:#x}" + (f": {', '.join(names)}" if names else "")


def headline(lines: list[str]) -> str | None:
    """The line of a kernel's last words that says most; only ever a reason's text, never a verdict."""
    said = next((line for line in lines if _SAID.search(line)), None)
    # two CPUs may have written into each other's lines; then the kernel's first is the best there is
    said = said or next((line for line in lines if _STAMPED.match(line)), None)
    return said.strip() if said else None


def decide(record: Record, excuse: str | None = None) -> Verdict:
    """The verdict of one unit. `excuse` says why a warning of the host's kernel is no news (matrices/known.toml)."""
    said = ktap.parse(record.out, record.id)
    kernel = record.console + [entry["text"] for entry in record.log]

    def error(reason: str, *extra: list[str]) -> Verdict:
        lines = [line for group in extra for line in group]
        if len(lines) > EVIDENCE_MAX:  # the beginning says what happened; the end, how it ended
            cut = len(lines) - EVIDENCE_MAX
            lines = lines[:EVIDENCE_MAX - 15] + [f"[{cut} lines left out]"] + lines[-15:]
        shown = said.evidence + [ktap.evidence(line) for line in lines]
        return Verdict("error", reason, None, shown, said.facts, said.notes)

    if record.end is None:
        head = headline(kernel)
        return error((record.lost or "no end was recorded") + (f": {head}" if head else ""), kernel, said.noise,
                     record.err[-10:])
    if "limit" in record.end:
        return error(f"time limit of {record.end['limit']} ms", said.noise[-20:], record.err[-10:], kernel)
    if "signal" in record.end:
        return error(f"killed by {signal_text(record.end['signal'])}", said.noise[-20:], record.err[-10:], kernel)
    status = record.end.get("exit", OK)  # of a process that went on, all is well so far
    if (taint := record.end.get("taint", 0)) and excuse and taint == WARNED:
        said.notes.append(f"the host kernel warned, as known: {excuse}")
    elif taint:
        head = headline(kernel)
        return error(f"the host kernel was tainted {taint_text(taint)}" + (f": {head}" if head else ""), kernel)
    if record.damaged:
        return error("a frame of it was damaged on its way", record.console, said.noise)
    if said.problems:
        return error("; ".join(said.problems[:4]), said.noise[-20:], record.err[-10:])
    last = record.err[-1].strip() if record.err else None
    if said.verdict is None:
        if status == LACKS and last:
            at = last.find("needs=")
            reason = last[at:] if at >= 0 else last
            return Verdict("skip", reason, ktap.needs_of(reason), [], said.facts, said.notes)
        what = f"no verdict, {exit_text(status)}" if status else "no verdict although it ended well"
        return error(f"{what}: {last}" if last else what, said.noise[-20:], record.err[-10:])
    if status not in (OK, FAILED) or (status == FAILED and said.verdict in ("pass", "skip")):
        return error(f"said {said.verdict}, then ended with {exit_text(status)}" + (f": {last}" if last else ""),
                     said.noise[-20:], record.err[-10:])
    if said.verdict == "error":
        return error(said.reason or "error", said.noise[-20:], record.err[-10:])
    return Verdict(said.verdict, said.reason, said.needs, said.evidence, said.facts, said.notes)
