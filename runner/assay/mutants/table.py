# SPDX-License-Identifier: Apache-2.0
"""out/mutants/latest.json: one row a mutant, written after each, so that a run that is broken off leaves what it has."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import AssayError
from ..paths import shown
from .record import Mutant
from .trial import Verdict

ALL_KILLED, SURVIVED = 0, 1


def digest(mutant: Mutant) -> str:
    """Tells a fault from another one under the same name."""
    return hashlib.sha256("\0".join((mutant.file, mutant.search, mutant.replace)).encode()).hexdigest()[:12]


class Table:
    """What was found; rows of `known` mutants that are there from earlier stay, as long as the fault is the same."""

    def __init__(self, path: Path, known: Sequence[Mutant]) -> None:
        self.path = path
        self.order = {mutant.id: place for place, mutant in enumerate(known)}
        self.rows: dict[str, dict[str, Any]] = {}
        if not known or not path.exists():
            return
        digests = {mutant.id: digest(mutant) for mutant in known}
        try:
            for row in json.loads(path.read_text()):
                if digests.get(row["id"]) == row.get("record"):
                    self.rows[row["id"]] = row
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as e:
            raise AssayError(f"{shown(path)}: is no table of mutants: {e}; remove it or leave --keep out") from e

    def killed(self, mutant: Mutant) -> bool:
        """Whether some test noticed it, in this run or in an earlier one."""
        return bool(self.rows.get(mutant.id, {}).get("killed_by"))

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """One mutant's row."""
        self.rows[mutant.id] = {"id": mutant.id, "area": mutant.area, "fault": mutant.fault, "killed_by": verdict.red,
                                "cell": verdict.cell, "whole_suite": verdict.whole, "record": digest(mutant)} \
            | ({"remark": verdict.remark} if verdict.remark else {})
        rows = sorted(self.rows.values(), key=lambda row: self.order.get(row["id"], len(self.order)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(rows, indent=1) + "\n")
        part.replace(self.path)

    def summary(self) -> int:
        """The last lines, and the exit status."""
        areas = Counter(row["area"] for row in self.rows.values())
        killed = Counter(row["area"] for row in self.rows.values() if row["killed_by"])
        print("  ".join(f"{area} {killed[area]}/{count}" for area, count in areas.items()))
        print(f"{sum(areas.values())} mutants: {sum(killed.values())} killed, "
              f"{sum(areas.values()) - sum(killed.values())} survived; {shown(self.path)}")
        return ALL_KILLED if sum(areas.values()) == sum(killed.values()) else SURVIVED
