# SPDX-License-Identifier: Apache-2.0
"""Rows against hosts, of one run or of several: what each claim came to on each host, and what nobody could decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LETTERS = {"conforms": "✓", "deviates": "✗", "exceeds": "↑", "unknown": "?"}


def gather(runs: Iterable[dict[str, Any]], name: str | None = None) -> tuple[list[str], list[dict[str, Any]]]:
    """Hosts, and rows with their result on each. Of a host that is in several runs the last that decided a row counts."""
    hosts: dict[str, None] = {}
    rows: dict[str, dict[str, Any]] = {}
    for run in runs:
        for host in run["hosts"]:
            hosts[host["name"]] = None
            for matrix in host["matrices"]:
                if name not in (None, matrix["name"]):
                    continue
                for row in matrix["rows"]:
                    entry = rows.setdefault(row["id"], {"id": row["id"], "matrix": matrix["name"], "claimed": row["claimed"],
                                                        "text": row["text"], "hosts": {}})
                    before = entry["hosts"].get(host["name"])
                    if before is None or row["verdict"] != "unknown" or before["verdict"] == "unknown":
                        entry["hosts"][host["name"]] = {key: row[key] for key in ("verdict", "measured", "reason")}
    for entry in rows.values():
        found = list(entry["hosts"].values())
        entry["verdicts"] = [word for word in LETTERS if any(result["verdict"] == word for result in found)]
        entry["measured"] = list(dict.fromkeys(result["measured"] for result in found if result["measured"] != "not-probed"))
        entry["undecided"] = all(result["verdict"] == "unknown" for result in found)
    return list(hosts), list(rows.values())


def lines(hosts: list[str], rows: list[dict[str, Any]]) -> list[str]:
    """The table as text: a column of signs a host, then all that was measured."""
    width = max(len(row["id"]) for row in rows)
    marks = [str(number % 10) for number in range(1, len(hosts) + 1)]
    out = [f"{'':{width}}  {' '.join(marks)}   measured"]
    for row in rows:
        signs = " ".join(LETTERS[row["hosts"][host]["verdict"]] if host in row["hosts"] else "." for host in hosts)
        out.append(f"{row['id']:{width}}  {signs}   {'; '.join(row['measured']) or 'nothing'}")
    out += ["", "Hosts: " + ", ".join(f"{number} {host}" for number, host in enumerate(hosts, 1)),
            "Signs: " + ", ".join(f"{sign} {word}" for word, sign in LETTERS.items()) + ", . not in these runs"]
    decided = [row for row in rows if not row["undecided"]]
    several = sum(len(row["verdicts"]) > 1 for row in rows)
    out += ["", f"{len(decided)} of {len(rows)} rows are decided on some host; {several} have different verdicts on different hosts"]
    undecided = [row for row in rows if row["undecided"]]
    if undecided:
        out.append("Decided on none:")
        for row in undecided:
            reasons = dict.fromkeys(result["reason"] for result in row["hosts"].values())
            out.append(f"  {row['id']:{width}}  {'; '.join(list(reasons)[:2])}")
    return out
