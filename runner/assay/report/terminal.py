# SPDX-License-Identifier: Apache-2.0
"""The verdicts on a terminal: a matrix's summary, its rows below; and the same as plain data."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from assay.report import view

STYLES = {"conforms": "green", "deviates": "bold red", "exceeds": "blue", "unknown": "dim",
          "pass": "green", "fail": "bold red", "error": "bold yellow", "skip": "dim",
          "xfail": "magenta", "xpass": "bold magenta"}

VERDICT_WIDTH = 12


def verdict_text(word: str) -> Text:
    """Sign and word in the verdict's colour."""
    return Text(f"{view.SIGNS[word]} {word}", STYLES[word])


def counts_text(counts: dict[str, int]) -> Text:
    """`31 conforms, 4 deviates`, coloured."""
    parts = [Text(f"{number} {word}", STYLES[word]) for word, number in counts.items() if number]
    return Text(", ").join(parts) if parts else Text("none")


def verdict_rows(results: dict[str, Any], matrix: str | None = None, unknown: bool = True) -> list[dict[str, Any]]:
    """The rows as data: host, matrix, id, claimed, measured, verdict, reason."""
    return [{"host": host["name"], "matrix": table["name"],
             **{key: row[key] for key in ("id", "claimed", "measured", "verdict", "reason", "text")}}
            for host in results["hosts"] for table in host["matrices"] for row in table["rows"]
            if (matrix is None or table["name"] == matrix) and (unknown or row["verdict"] != "unknown")]


def _row_lines(rows: list[dict[str, Any]]) -> list[RenderableType]:
    """Verdict, id, claim and measurement in columns; below it the reason, where a reader asks for one."""
    width = max(len(row["id"]) for row in rows)
    claim = min(max(len(row["claimed"]) for row in rows), 14)
    lines: list[RenderableType] = []
    for row in rows:
        line = Text("  ", no_wrap=True, overflow="ellipsis")
        line.append_text(verdict_text(row["verdict"]))
        line.append(" " * (VERDICT_WIDTH - len(view.SIGNS[row["verdict"]]) - 1 - len(row["verdict"])))
        line.append(f"{row['id']:{width}}  {row['claimed']:{claim}}  ")
        line.append(row["measured"], "bold" if row["verdict"] != "unknown" else "dim")
        lines.append(line)
        if row["verdict"] != "conforms":
            lines.append(Padding(Text(row["reason"], "dim"), (0, 0, 0, VERDICT_WIDTH + 2)))
    return lines


def verdict_tables(results: dict[str, Any], matrix: str | None = None, unknown: bool = False) -> RenderableType:
    """Every matrix, or one, of every host. Rows that are unknown are only counted unless asked for."""
    parts: list[RenderableType] = []
    for host in results["hosts"]:
        for decided in host["matrices"]:
            if matrix is not None and decided["name"] != matrix:
                continue
            title = Text(decided["title"], "bold")
            if len(results["hosts"]) > 1:
                title.append(f" on {host['name']}", "not bold")
            title.append(": ", "not bold")
            title.append_text(counts_text(decided["counts"]))
            parts.append(title)
            rows = [row for row in decided["rows"] if unknown or row["verdict"] != "unknown"]
            if rows:
                parts += _row_lines(rows)
            if len(rows) < len(decided["rows"]):
                parts.append(Text(f"  unknown rows with their reasons: ./assay matrix {decided['name']}", "dim"))
            parts.append(Text(""))
    return Group(*parts) if parts else Text("no matrix was decided")
