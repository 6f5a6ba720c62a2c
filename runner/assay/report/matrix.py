# SPDX-License-Identifier: Apache-2.0
"""matrix.json: the decided rows alone, for those who publish them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def rows(results: dict[str, Any]) -> dict[str, Any]:
    """Run and rows, flat: one entry a row and host."""
    run = results["run"]
    return {
        "schema": 1,
        "run": {key: run[key] for key in ("id", "started", "seed", "command", "assay_version", "complete")},
        "rows": [{"host": host["name"], "matrix": matrix["name"], "document": matrix["document"], **row}
                 for host in results["hosts"] for matrix in host["matrices"] for row in matrix["rows"]],
    }


def write_matrix_json(results: dict[str, Any], path: Path | str) -> None:
    """The file."""
    Path(path).write_text(json.dumps(rows(results), indent=1, ensure_ascii=False) + "\n", "utf-8")
