# SPDX-License-Identifier: Apache-2.0
"""The verdicts on a terminal: one table a matrix, its summary below; and the same as plain data."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from assay.report import view

STYLES = {"conforms": "green", "deviates": "bold red", "exceeds": "blue", "unknown": "dim",
          "pass": "green", "fail": "bold red", "error": "bold yellow", "skip": "dim", "xfail": "magenta", "xpass": "bold magenta"}


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
            parts.append(title)
            rows = [row for row in decided["rows"] if unknown or row["verdict"] != "unknown"]
            if rows:
                table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
                table.add_column("row", no_wrap=True)
                table.add_column("claimed", max_width=22)
                table.add_column("measured", max_width=26)
                table.add_column("verdict", no_wrap=True)
                table.add_column("reason", ratio=1)
                for row in rows:
                    table.add_row(Text(row["id"]), Text(row["claimed"]), Text(row["measured"]),
                                  verdict_text(row["verdict"]), Text(row["reason"], "dim"))
                parts.append(table)
            parts += [counts_text(decided["counts"]), Text("")]
    return Group(*parts) if parts else Text("no matrix was decided")
